import NetTypes
import Planning
import STUN

/// One thing that a run does, such as looking a server up or checking an address: it owns all of its state.
///
/// What it shares with others is behind the ``Desk``, which is handed to each call. Who starts or ends whom is decided in
/// Session+Policy.swift alone.
protocol Activity {
    /// Of several that are due at the same time, the kind with the lower rank goes first.
    static var rank: ActivityRank { get }

    /// Its first step, once it has an ID: the paths that it opens are its own.
    mutating func begin(_ desk: inout Desk, at now: Instant)
    /// Something happened on a path of its own, on a socket that it shares, or to a question that it asked.
    mutating func handle(_ event: PathEvent, _ desk: inout Desk, at now: Instant)
    /// The next thing to send; asked again until it gives nil.
    mutating func poll(_ desk: inout Desk, at now: Instant) -> Output?
    /// The clock has come to ``nextWake(_:)``, or something that it waits for has changed.
    mutating func wake(_ desk: inout Desk, at now: Instant)
    /// The run is over: what is under way is cut short, what was measured is told.
    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant)
    /// The time for what was still to be cleaned up then is over, too.
    mutating func abandon(_ desk: inout Desk, at now: Instant)

    /// When it wants to be woken; nil where it waits for an event. Too early is no harm, too late is.
    func nextWake(_ desk: Desk) -> Instant?
    var isOver: Bool { get }
}

extension Activity {
    mutating func begin(_ desk: inout Desk, at now: Instant) {}
    mutating func handle(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {}
    mutating func poll(_ desk: inout Desk, at now: Instant) -> Output? { nil }
    mutating func wake(_ desk: inout Desk, at now: Instant) {}
    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) {}
    mutating func abandon(_ desk: inout Desk, at now: Instant) {}
}

/// The place of an activity in its session.
struct ActivityID: Hashable, Sendable, Comparable {
    let number: Int
    static func < (one: ActivityID, other: ActivityID) -> Bool { one.number < other.number }
}

/// The order in which kinds of activities send, look at the clock and are concluded.
enum ActivityRank: Int, Sendable, Comparable {
    case relays, checks, mappings, lifetimes, connections, lookups, relayedMappings
    static func < (one: ActivityRank, other: ActivityRank) -> Bool { one.rawValue < other.rawValue }
}

/// What an activity hears.
enum PathEvent: Sendable {
    /// The path is there; its TLS or DTLS handshake begins.
    case connected(PathID, local: Endpoint)
    /// The path takes what is sent.
    case opened(PathID, local: Endpoint)
    /// TLS or DTLS: the handshake is complete, so long after the path was there. The path takes what is sent.
    case secured(PathID, local: Endpoint, SecureFacts, after: Duration)
    /// The handshake failed, or the peer has ended what was secured (`wasOpen`). The path is of no more use.
    case notSecured(PathID, SecureRefusal, after: Duration, wasOpen: Bool)
    case datagram(Datagram)
    /// The kernel's own time at which a datagram left.
    case transmitted(Transmit, at: Instant)
    case failed(PathError)
    case stream(StreamEvent)
    case answer(SystemQuery, SystemAnswer)
    /// What concerns a path or a question of an engine of its own: see ``Desk/adopt(_:)``.
    case input(Input)
}

/// The activities of a session, in the order in which they were begun.
struct ActivityTable {
    private struct Slot {
        let rank: ActivityRank
        /// A lower bound of when it wants to be woken.
        var wake: Instant?
        /// Whether it may have something to send.
        var isReady = true
        var isOver = false
    }

    private var activities: [any Activity] = []
    /// What is to be known of each at every step, without a copy of it.
    private var slots: [Slot] = []
    private var byKind: [ObjectIdentifier: [ActivityID]] = [:]
    /// Those that may have something to send, in the order in which they are asked.
    private var ready: [ActivityID] = []

    var areOver: Bool { slots.allSatisfy(\.isOver) }
    var nextWake: Instant? { slots.lazy.compactMap { $0.isOver ? nil : $0.wake }.min() }

    // MARK: By kind

    /// The activities of a kind, in their order.
    func all<A: Activity>(_ kind: A.Type = A.self) -> [A] {
        (byKind[ObjectIdentifier(kind)] ?? []).compactMap { activities[$0.number] as? A }
    }

    /// The first of a kind that fits.
    func first<A: Activity>(_ kind: A.Type = A.self, where fits: (A) -> Bool) -> ActivityID? {
        (byKind[ObjectIdentifier(kind)] ?? []).first { (activities[$0.number] as? A).map(fits) ?? false }
    }

    /// Whether all of a kind are over.
    func areOver<A: Activity>(_ kind: A.Type) -> Bool {
        (byKind[ObjectIdentifier(kind)] ?? []).allSatisfy { slots[$0.number].isOver }
    }

    // MARK: Steps

    mutating func begin<A: Activity>(_ activity: A, _ desk: inout Desk, at now: Instant) -> ActivityID {
        let id = ActivityID(number: slots.count)
        activities.append(activity)
        slots.append(Slot(rank: A.rank))
        byKind[ObjectIdentifier(A.self), default: []].append(id)
        step(id, &desk) { $0.begin(&$1, at: now) }
        return id
    }

    /// Changes each of a kind that fits and is not over.
    mutating func change<A: Activity>(
        _ kind: A.Type = A.self, where fits: (A) -> Bool = { _ in true }, _ desk: inout Desk,
        _ body: (inout A, inout Desk) -> Void
    ) {
        for id in byKind[ObjectIdentifier(kind)] ?? [] where !slots[id.number].isOver {
            change(id, as: kind, where: fits, &desk, body)
        }
    }

    mutating func change<A: Activity>(
        _ id: ActivityID, as kind: A.Type, where fits: (A) -> Bool = { _ in true }, _ desk: inout Desk,
        _ body: (inout A, inout Desk) -> Void
    ) {
        guard var activity = activities[id.number] as? A, fits(activity) else { return }
        // The table lets go of its own copy, so that a change of the activity copies nothing.
        activities[id.number] = Vacancy()
        let former = desk.take(id)
        body(&activity, &desk)
        desk.current = former
        activities[id.number] = activity
        settle(id, desk)
    }

    mutating func handle(_ event: PathEvent, by id: ActivityID, _ desk: inout Desk, at now: Instant) {
        guard slots.indices.contains(id.number), !slots[id.number].isOver else { return }
        step(id, &desk) { $0.handle(event, &$1, at: now) }
    }

    /// Wakes those whose time has come.
    mutating func wakeDue(_ desk: inout Desk, at now: Instant) {
        let due = slots.indices.filter { index in !slots[index].isOver && slots[index].wake.map { $0 <= now } ?? false }
        for index in due.sorted(by: { slots[$0].rank < slots[$1].rank }) {
            step(ActivityID(number: index), &desk) { $0.wake(&$1, at: now) }
        }
    }

    mutating func poll(_ desk: inout Desk, at now: Instant) -> Output? {
        while let id = ready.first {
            var output: Output?
            step(id, &desk, isPoll: true) { output = $0.poll(&$1, at: now) }
            if let output { return output }
            ready.removeAll { $0 == id }
            slots[id.number].isReady = false
        }
        return nil
    }

    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) {
        for index in slots.indices.sorted(by: { slots[$0].rank < slots[$1].rank }) where !slots[index].isOver {
            step(ActivityID(number: index), &desk) { $0.conclude(reason, &$1, at: now) }
        }
    }

    mutating func abandon(_ desk: inout Desk, at now: Instant) {
        for index in slots.indices where !slots[index].isOver {
            step(ActivityID(number: index), &desk) { $0.abandon(&$1, at: now) }
        }
    }

    private mutating func step(
        _ id: ActivityID, _ desk: inout Desk, isPoll: Bool = false, _ body: (inout any Activity, inout Desk) -> Void
    ) {
        let former = desk.take(id)
        body(&activities[id.number], &desk)
        desk.current = former
        settle(id, desk, isPoll: isPoll)
    }

    private mutating func settle(_ id: ActivityID, _ desk: Desk, isPoll: Bool = false) {
        slots[id.number].isOver = activities[id.number].isOver
        slots[id.number].wake = slots[id.number].isOver ? nil : activities[id.number].nextWake(desk)
        guard !isPoll, !slots[id.number].isReady || !ready.contains(id) else { return }
        slots[id.number].isReady = true
        let rank = slots[id.number].rank
        let place = ready.firstIndex { (slots[$0.number].rank, $0) > (rank, id) } ?? ready.endIndex
        ready.insert(id, at: place)
    }
}

/// Stands where an activity was taken out to be changed.
private struct Vacancy: Activity {
    static var rank: ActivityRank { .lookups }
    func nextWake(_ desk: Desk) -> Instant? { nil }
    var isOver: Bool { true }
}
