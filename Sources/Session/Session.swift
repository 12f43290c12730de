import Engines
package import Facts
package import NetTypes
package import Planning

/// Runs a plan, without input or output of its own: it takes what the network and the system say and gives what to
/// do next, and observations.
///
/// It is a ``Desk`` and its activities. What follows when one of them has news is decided in Session+Policy.swift.
/// Everything that does not need another's answer is under way at the same time.
package struct Session: Engine {
    package typealias Event = Observation

    var desk: Desk
    var activities = ActivityTable()
    private(set) var isConcluded = false
    /// When the deletion of allocations is given up; nil before the run is concluded.
    private var cleanupEnd: Instant?

    /// The channel over which the descriptions of ``ConnectPlan`` are exchanged: the driver has it from the start.
    package static let channel = PathID(0x4000_0000)

    package var plan: Plan { desk.plan }
    /// What is known of a connection to a peer by now; nil where none was asked for.
    package var connection: ConnectEvidence? { activities.all(Connection.self).first?.evidence }

    /// Makes the session and starts it: the first outputs are ready to be polled.
    ///
    /// - Parameter random: the source of transaction IDs; a CSPRNG where the network is real.
    package init(_ plan: Plan, random: some RandomNumberGenerator & Sendable, from start: Instant) {
        desk = Desk(plan, random: RandomSource(random), from: start)
        beginAll(at: start)
        followNews(at: start)
    }

    package mutating func handle(_ input: Input, at now: Instant) {
        if case .timeout = input { desk.lookedAt = now }
        for (id, event) in desk.route(input) {
            activities.handle(event, by: id, &desk, at: now)
            followNews(at: now)
        }
        activities.wakeDue(&desk, at: now)
        followNews(at: now)
        if let cleanupEnd {
            if now >= cleanupEnd { activities.abandon(&desk, at: now) }
        } else if now >= desk.deadline {
            conclude(.deadline, at: now)
        }
    }

    package mutating func pollOutput(at now: Instant) -> Output? {
        desk.outputs.popFirst() ?? activities.poll(&desk, at: now)
    }

    package mutating func pollEvent() -> Observation? { desk.observations.popFirst() }

    package var nextWake: Instant? {
        guard !isFinished else { return nil }
        return [activities.nextWake, cleanupEnd ?? desk.deadline].compactMap(\.self).min()
    }

    package var isFinished: Bool { activities.areOver }

    /// Ends the run: what is under way is cut short, what was not begun is not measured; what was measured stays.
    package mutating func conclude(_ reason: NotMeasured.Reason, at now: Instant) {
        guard !isConcluded else { return }
        isConcluded = true
        cleanupEnd = now + (reason == .interrupted ? Plan.cleanupLimitAfterSignal : Plan.cleanupLimit)
        activities.conclude(reason, &desk, at: now)
        desk.observe(reason == .interrupted ? .interrupted : .deadlineReached, at: now)
    }
}
