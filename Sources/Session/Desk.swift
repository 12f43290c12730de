import Engines
import Facts
import NetTypes
import Planning
import STUN

/// What the activities of a session share: it opens paths and knows whose they are, paces by destination, asks the
/// system each question once, gives identifiers and random numbers, and takes facts and news.
package struct Desk: Sendable {
    let plan: Plan
    let startedAt: Instant
    var random: RandomSource
    var pacer = DestinationPacer()
    /// The activity that is at work: what it opens and asks is its own.
    var current = Desk.nobody

    var outputs = Queue<Output>()
    var observations = Queue<Observation>()
    /// What other activities may have to follow: see Session+Policy.swift.
    var news = Queue<News>()

    var paths: [PathID: Path] = [:]
    var pathNumbers = PathNumbers(from: 1)
    /// Where relays were asked for.
    var visitedRelays = VisitedRelays()
    /// The UDP sockets that several activities send from, by their addresses.
    private var sharedSockets: [IPAddress: PathID] = [:]
    /// Whose request each is that went out from a shared socket.
    private var askers: [TransactionID: ActivityID] = [:]
    private var questions = SystemQuestions()
    private var adoptedQueries: [QueryID: ActivityID] = [:]
    private var probeCount = 0
    private var attemptCount = 0
    /// What the allocations of this run take of each user's quota.
    var quota = RelayQuota()
    /// The last time that the clock woke the run.
    var lookedAt: Instant
    /// The longest that was measured to each address.
    private(set) var roundTrips: [IPAddress: Duration] = [:]

    /// As servers saw what came over UDP from an address of this machine, that address among them.
    private(set) var outsides: [IPAddress: Set<IPAddress>] = [:]

    /// Where what is sent over UDP from an address of this machine is not answered, though TCP is.
    private(set) var silences: [IPAddress: Set<IPAddress>] = [:]

    /// The addresses of this machine from which a relay was allocated.
    var relaySources: Set<IPAddress> = []

    static let nobody = ActivityID(number: -1)

    init(_ plan: Plan, random: RandomSource, from start: Instant) {
        self.plan = plan
        self.random = random
        startedAt = start
        lookedAt = start
    }

    /// When the run is over.
    var deadline: Instant { startedAt + plan.timeout }

    /// Puts an activity to work; gives the one that was before.
    mutating func take(_ id: ActivityID) -> ActivityID {
        defer { current = id }
        return current
    }

    mutating func observe(_ fact: Observation.Fact, at now: Instant) {
        observations.append(Observation(at: now - startedAt, fact: fact))
    }

    /// The number of the next probe, in the order in which they are begun.
    mutating func nextProbe() -> Observation.ProbeIndex {
        defer { probeCount += 1 }
        return probeCount
    }

    /// The number of the next attempt at an allocation.
    mutating func nextAttempt() -> Int {
        defer { attemptCount += 1 }
        return attemptCount
    }

    mutating func learn(roundTrip: Duration, to address: IPAddress) {
        roundTrips[address] = max(roundTrip, roundTrips[address] ?? .zero)
    }

    /// A server saw what came over UDP from `source` as coming from `outside`.
    mutating func learn(outside: IPAddress, of source: IPAddress) {
        outsides[source.withoutZone, default: []].insert(outside)
    }

    /// UDP from `source` to `server` is more than lost.
    mutating func learn(silenceOf server: IPAddress, from source: IPAddress) {
        silences[source.withoutZone, default: []].insert(server)
    }

    // MARK: Paths

    /// Opens a path of the activity at work.
    ///
    /// - Parameter port: one that connections to several peers share; 0 leaves the choice to the system.
    mutating func open(
        _ kind: PathSpecification.Kind, from source: IPAddress, port: UInt16 = 0, security: PathSecurity? = nil
    ) -> PathID {
        let path = pathNumbers.next()
        paths[path] = Path(user: .one(current), isSecure: security != nil)
        outputs.append(
            .open(
                path,
                PathSpecification(
                    kind, family: source.family, local: Endpoint(source, port), interface: plan.interface,
                    sharesPort: port != 0, security: security)))
        return path
    }

    /// The UDP socket that sends from `source`, opened when it is first needed. The activity at work hears of it, and of
    /// answers to what it ``expect(_:)``s.
    ///
    /// - Parameter destination: whom the activity asks; nil where it only holds the socket.
    mutating func shareSocket(from source: IPAddress, to destination: Endpoint? = nil) -> PathID {
        let path = sharedSockets[source.withoutZone] ?? open(.datagram, from: source)
        sharedSockets[source.withoutZone] = path
        var uses: [Path.Use] = []
        if case .several(let others) = paths[path]?.user { uses = others }
        paths[path]?.user = .several(uses + [Path.Use(activity: current, destination: destination)])
        return path
    }

    /// The activity at work has no more use for a socket that it shares.
    mutating func leave(_ path: PathID) {
        guard case .several(let uses) = paths[path]?.user else { return }
        paths[path]?.user = .several(uses.filter { $0.activity != current })
    }

    /// The activity at work takes a connection that came to its listener.
    mutating func accept(_ path: PathID) {
        paths[path] = Path(
            user: .one(current), isSecure: false, state: .open(local: Endpoint(.unspecified(.ipv4), 0)))
    }

    /// Closes a path; one that is closed already is no fault.
    mutating func close(_ path: PathID) {
        guard paths.removeValue(forKey: path) != nil else { return }
        outputs.append(.close(path))
    }

    /// Gives a path of one activity to another.
    mutating func hand(_ path: PathID, to id: ActivityID) { paths[path]?.user = .one(id) }

    func local(of path: PathID) -> Endpoint? {
        if case .open(let local) = paths[path]?.state { local } else { nil }
    }

    /// The answer to a request from a shared socket is for the activity at work.
    mutating func expect(_ id: TransactionID) { askers[id] = current }

    // MARK: Engines with paths of their own

    /// A path that an engine of the activity at work has numbered: all that concerns it comes as ``PathEvent/input(_:)``.
    mutating func adopt(_ path: PathID) { paths[path] = Path(user: .engine(current), isSecure: false) }

    /// The same for what an engine wants done: its paths and questions are the activity's.
    mutating func adopt(_ output: Output) {
        switch output {
        case .open(let path, _): adopt(path)
        case .close(let path): paths[path] = nil
        case .query(let id, _): adoptedQueries[id] = current
        case .transmit, .write: break
        }
    }

    /// Whose engine is to take an input as it is.
    private mutating func adopter(of input: Input) -> ActivityID? {
        if case .answer(let id, _) = input { return adoptedQueries[id] }
        if case .stream(let event) = input, case .accepted(let listener, _, _) = event.kind,
            case .engine(let user) = paths[listener]?.user
        {
            paths[event.path] = Path(user: .engine(user), isSecure: false)
        }
        guard let path = input.path, case .engine(let user) = paths[path]?.user else { return nil }
        return user
    }

    // MARK: Questions to the system

    /// Asks a question, each only once in a run: the answer comes as ``PathEvent/answer(_:_:)``.
    mutating func ask(_ query: SystemQuery) {
        questions.ask(query, for: current)
        while let output = questions.nextOutput() { outputs.append(output) }
    }

    // MARK: Routing

    /// Who is to hear what of an input.
    mutating func route(_ input: Input) -> [(ActivityID, PathEvent)] {
        if let adopter = adopter(of: input) { return [(adopter, .input(input))] }
        switch input {
        case .opened(let path, let local):
            guard let found = paths[path], found.state == .opening else { return [] }
            paths[path]?.state = found.isSecure ? .securing(local: local) : .open(local: local)
            return found.users.map {
                ($0, found.isSecure ? .connected(path, local: local) : .opened(path, local: local))
            }
        case .secured(let path, let facts, let time):
            guard let found = paths[path], case .securing(let local) = found.state else { return [] }
            paths[path]?.state = .open(local: local)
            return found.users.map { ($0, .secured(path, local: local, facts, after: time)) }
        case .securingFailed(let path, let refusal, let time):
            guard let found = paths[path] else { return [] }
            paths[path]?.state = .unsecured
            return found.users.map { ($0, .notSecured(path, refusal, after: time, wasOpen: found.state.isOpen)) }
        case .datagram(let datagram):
            let receiver = receiver(of: datagram.bytes, on: datagram.path, from: datagram.source, isAnyones: true)
            return receiver.map { [($0, .datagram(datagram))] } ?? []
        case .transmitted(let transmit, let instant):
            return receiver(of: transmit.bytes, on: transmit.path).map { [($0, .transmitted(transmit, at: instant))] }
                ?? []
        case .pathError(let error):
            guard let found = paths[error.path] else { return [] }
            guard error.isFatal else {
                let receiver = receiver(of: error.quoted, on: error.path, from: error.destination)
                return receiver.map { [($0, .failed(error))] } ?? []
            }
            let trouble = PathTrouble(kind: error.kind, origin: error.origin, errno: error.errno)
            paths[error.path]?.state = .failed(trouble)
            return found.users.map { ($0, .failed(error)) }
        case .stream(let event):
            if case .accepted(let listener, _, _) = event.kind {
                return paths[listener]?.users.map { ($0, .stream(event)) } ?? []
            }
            return paths[event.path]?.users.map { ($0, .stream(event)) } ?? []
        case .answer(let id, let answer):
            let (query, askers) = questions.answered(id, answer)
            while let output = questions.nextOutput() { outputs.append(output) }
            return query.map { query in askers.map { ($0, .answer(query, answer)) } } ?? []
        case .timeout: return []
        }
    }

    /// The next question that was answered before it was asked, and who asked.
    mutating func nextKnownAnswer() -> (ActivityID, PathEvent)? {
        questions.popKnown().map { ($0.asker, .answer($0.query, $0.answer)) }
    }

    /// Who is to hear of a message. Of a shared socket it is who asked with its transaction ID; where nobody did, who
    /// waits there for its sender; and where nobody does and it is `isAnyones`, the first who waits there at all.
    private func receiver(
        of message: [UInt8], on path: PathID, from sender: Endpoint? = nil, isAnyones: Bool = false
    ) -> ActivityID? {
        switch paths[path]?.user {
        case nil: return nil
        case .one(let user), .engine(let user): return user
        case .several(let uses):
            if let id = TransactionID(inMessage: message), let asker = askers[id] {
                return uses.contains { $0.activity == asker } ? asker : nil
            }
            let waiting = uses.filter { $0.destination != nil }
            let named = sender.flatMap { sender in waiting.first { $0.destination == sender } }
            return (named ?? (isAnyones ? waiting.first : nil))?.activity
        }
    }
}

/// A socket or connection of the session.
struct Path: Sendable {
    enum State: Hashable, Sendable {
        case opening
        /// TLS or DTLS: the path is there, its handshake is not complete.
        case securing(local: Endpoint)
        case open(local: Endpoint)
        case failed(PathTrouble)
        /// The handshake has failed.
        case unsecured

        var isOpening: Bool {
            switch self {
            case .opening, .securing: true
            case .open, .failed, .unsecured: false
            }
        }

        var isOpen: Bool { if case .open = self { true } else { false } }
    }

    /// Who hears of it.
    enum User: Sendable {
        case one(ActivityID)
        /// A UDP socket from which several ask: each hears the answers to its own requests.
        case several([Use])
        /// An engine of an activity, which keeps account of the path itself.
        case engine(ActivityID)
    }

    /// What a shared socket is to an activity.
    struct Use: Sendable {
        let activity: ActivityID
        let destination: Endpoint?
    }

    var user: User
    let isSecure: Bool
    var state: State = .opening

    var users: [ActivityID] {
        switch user {
        case .one(let user), .engine(let user): [user]
        case .several(let uses): uses.map(\.activity)
        }
    }
}

/// Any source of random numbers.
struct RandomSource: RandomNumberGenerator, Sendable {
    private var source: any RandomNumberGenerator & Sendable
    init(_ source: some RandomNumberGenerator & Sendable) { self.source = source }
    mutating func next() -> UInt64 { source.next() }
}
