package import NetTypes

/// Finds out a NAT's mapping over TCP, by the method of RFC 5780 s4.3: connections from one local port to several
/// endpoints, of which each tells what it sees.
///
/// It says what to open, what to ask and what to close; its owner does it and says what comes of it. The first
/// endpoints of all servers are connected to at once, a server's other ones as soon as its first answer names them:
/// four round trips in all. What is not known after that is waited for in the measure of the path, and of TCP's own
/// way with loss: the system repeats a SYN after a second only, so a connection that is not made in time is given up
/// and opened afresh, from the same port once one has been made; and it repeats a lost segment after 200 ms, or as
/// soon as one sent later is acknowledged, so the request is asked again before.
package struct NATStreamDiscovery: Sendable {
    /// What the owner is to do. Connections go by their place in ``NATEvidence/connections``.
    package enum Step: Hashable, Sendable {
        /// Have the system choose a port that no other socket has: ``reserved(_:at:)``.
        case reserve
        case open(connection: Int, to: Endpoint, from: Endpoint)
        case close(connection: Int)
        /// Write a request: it is the exchange at this place in ``NATEvidence/exchanges``.
        case ask(connection: Int, exchange: Int)
    }

    package private(set) var evidence: NATEvidence
    private let startedAt: Instant
    private var addedAt: [Duration] = []
    /// Round trips that were measured elsewhere, by the server's place.
    private var roundTrips: [Int: Duration] = [:]
    /// Whether nothing else goes on that this would not hold up.
    private var isHurried = false
    private var takenPorts = 0
    private var hasNoPort = false
    private var isReserving = false
    private var agenda: [Entry] = []
    /// Connections to close whose port was taken.
    private var abandoned: [Int] = []
    /// Until when connections are waited for whose time was over when this machine was busy; and how often that was.
    private var respites: [Int: (until: Duration, count: Int)] = [:]

    private struct Entry {
        enum Action {
            case open(server: Int, Endpoint)
            case ask(connection: Int, server: Int)
            case giveUp(connection: Int, NATConnection.Failure)
        }

        var at: Duration
        var action: Action
    }

    /// A server of which nothing is known is waited for so long in all.
    private static let blindEnd = Duration.seconds(1)
    /// Attempts at an endpoint, where others wait for the end of this, and where not.
    private static let mostHurriedAttempts = 4
    private static let mostAttempts = 12
    /// Attempts at an endpoint that only a server named, and requests to it: it may be a third party's.
    private static let mostElsewhere = 7
    private static let mostRequests = 12
    private static let mostTakenPorts = 3
    /// How long a host that has a half-open connection may ignore a second SYN from the same port: Linux answers one in
    /// 500 ms, and that answer may be lost.
    private static let halfOpenSilence = Duration.milliseconds(520)
    /// A wait whose end is noticed so late says nothing of the peer: what came meanwhile is read first.
    private static let mostLateness = Duration.milliseconds(2)
    private static let respite = Duration.milliseconds(5)
    private static let mostRespites = 50
    /// A round trip that is longer is no measure for a wait.
    private static let longestRoundTrip = Duration.seconds(1)

    package init(source: IPAddress, at start: Instant) {
        evidence = NATEvidence(source: source, transport: .tcp)
        startedAt = start
    }

    /// Adds a server; one that is there already is not asked twice.
    package mutating func add(server: Endpoint, at now: Instant) {
        guard !evidence.servers.contains(server) else { return }
        evidence.servers.append(server)
        addedAt.append(now - startedAt)
        refresh()
    }

    /// Takes a round trip to a server that was measured elsewhere.
    package mutating func learn(roundTrip: Duration, to server: IPAddress) {
        let roundTrip = min(Self.longestRoundTrip, roundTrip)
        for place in evidence.servers.indices where evidence.servers[place].address == server {
            guard roundTrip > roundTrips[place] ?? .zero else { continue }
            roundTrips[place] = roundTrip
            refresh()
        }
    }

    /// Says whether everything else is over.
    package mutating func hurry(_ isHurried: Bool) {
        guard self.isHurried != isHurried else { return }
        self.isHurried = isHurried
        refresh()
    }

    // MARK: What is done

    package mutating func nextStep(at now: Instant) -> Step? {
        if let connection = abandoned.popLast() { return .close(connection: connection) }
        guard !agenda.isEmpty, !hasNoPort else { return nil }
        guard let local = evidence.localEndpoints[.mapping] else {
            guard !isReserving else { return nil }
            isReserving = true
            return .reserve
        }
        let time = now - startedAt
        giveRespite(at: time)
        // An instant is whole nanoseconds: what is due at the wake-up is due.
        guard let entry = agenda.first(where: { startedAt + $0.at <= now }) else { return nil }
        defer { refresh() }
        switch entry.action {
        case .open(let server, let destination):
            evidence.connections.append(NATConnection(server: server, destination: destination, startedAt: time))
            return .open(connection: evidence.connections.count - 1, to: destination, from: local)
        case .ask(let connection, let server):
            evidence.exchanges.append(
                NATExchange(
                    socket: .mapping, server: server, destination: evidence.connections[connection].destination,
                    change: .none, sentAt: time))
            return .ask(connection: connection, exchange: evidence.exchanges.count - 1)
        case .giveUp(let connection, let failure):
            fail(connection, failure, at: time)
            let isUntouched = evidence.connections.allSatisfy { $0.openedAfter == nil && $0.failure != nil }
            // Nothing to compare with yet: from another port no half-open connection of the last attempt is in the way.
            if isUntouched { evidence.localEndpoints[.mapping] = nil }
            return .close(connection: connection)
        }
    }

    private mutating func giveRespite(at time: Duration) {
        for entry in agenda {
            guard case .giveUp(let connection, _) = entry.action, entry.at + Self.mostLateness < time else { continue }
            let count = respites[connection]?.count ?? 0
            guard count < Self.mostRespites else { continue }
            respites[connection] = (time + Self.respite, count + 1)
            refresh()
        }
    }

    package var nextWake: Instant? { isPortless ? nil : agenda.map(\.at).min().map { startedAt + $0 } }

    package var isOver: Bool { agenda.isEmpty || hasNoPort }

    private var isPortless: Bool { evidence.localEndpoints[.mapping] == nil }

    // MARK: What comes of it

    package mutating func reserved(_ local: Endpoint, at now: Instant) {
        isReserving = false
        evidence.localEndpoints[.mapping] = local
        refresh()
    }

    /// The system gave no port.
    package mutating func notReserved() {
        isReserving = false
        hasNoPort = true
        refresh()
    }

    package mutating func opened(_ connection: Int, at now: Instant) {
        evidence.connections[connection].openedAfter =
            now - startedAt - evidence.connections[connection].startedAt
        refresh()
    }

    /// A connection could not be made, or ended.
    package mutating func failed(_ connection: Int, _ kind: PathError.Kind, at now: Instant) {
        let isMade = evidence.connections[connection].openedAfter != nil
        let time = now - startedAt
        switch kind {
        case _ where isMade: fail(connection, .closed, at: time)
        case .connectionRefused: fail(connection, .refused, at: time)
        case .addressInUse, .addressNotAvailable:
            if evidence.connections.allSatisfy({ $0.openedAfter == nil }), takenPorts < Self.mostTakenPorts {
                changePort(at: time)
            } else {
                fail(connection, .failed(kind), at: time)
            }
        default: fail(connection, .failed(kind), at: time)
        }
        refresh()
    }

    /// The peer ended its side, or sent what is no STUN.
    package mutating func ended(_ connection: Int, isForeign: Bool, at now: Instant) {
        fail(connection, isForeign ? .foreign : .closed, at: now - startedAt)
        refresh()
    }

    /// Takes an answer; a second one to the same request changes nothing.
    package mutating func answered(_ exchange: Int, _ answer: NATExchange.Answer) {
        guard evidence.exchanges[exchange].answer == nil else { return }
        evidence.exchanges[exchange].answer = answer
        refresh()
    }

    /// Takes an error response.
    package mutating func refused(_ exchange: Int, errorCode: Int) {
        evidence.exchanges[exchange].errorCode = errorCode
        refresh()
    }

    /// Ends it: what was seen is judged as it is.
    package mutating func end(at now: Instant) {
        evidence.isCutShort = !isOver
        evidence.endedAt = now - startedAt
    }

    private mutating func fail(_ connection: Int, _ failure: NATConnection.Failure, at time: Duration) {
        guard evidence.connections[connection].failure == nil else { return }
        evidence.connections[connection].failure = failure
        evidence.connections[connection].endedAt = time
    }

    /// Begins again from another port.
    private mutating func changePort(at time: Duration) {
        takenPorts += 1
        evidence.localEndpoints[.mapping] = nil
        for connection in evidence.connections.indices where evidence.connections[connection].failure == nil {
            fail(connection, .portTaken, at: time)
            abandoned.append(connection)
        }
    }

    // MARK: What is left

    private mutating func refresh() {
        agenda = []
        for server in evidence.servers.indices {
            let asked = evidence.servers[server]
            look(at: asked, server, answers: evidence.mappingIsUnconfirmed(server: server) ? 2 : 1)
            guard case .discovers(let other) = evidence.capability(of: server) else { continue }
            look(at: Endpoint(asked.address, other.port), server)
            look(at: other, server)
        }
    }

    /// What is left to do at an endpoint for a server.
    private mutating func look(at destination: Endpoint, _ server: Int, answers: Int = 1) {
        let attempts = evidence.connections(to: destination)
        guard let last = attempts.last else { return open(destination, server, at: addedAt[server]) }
        let connection = evidence.connections[last]
        let roundTrip = roundTrip(server: connection.server)
        let limit = limit(of: destination, isHurried ? Self.mostHurriedAttempts : Self.mostAttempts)
        if connection.openedAfter != nil {
            guard connection.failure == nil, let roundTrip else { return }
            return ask(last, server, answers: answers, roundTrip)
        }
        switch connection.failure {
        // One that is refused is over at once, but not where an attempt that was given up may be what is refused.
        case .silent where roundTrip != nil && attempts.count < limit,
            .refused where attempts.count > 1 && attempts.count < limit:
            open(destination, server, at: connection.endedAt ?? .zero)
        case nil:
            let isPatient = !isHurried && attempts.count >= Self.mostHurriedAttempts
            let wait = isPatient ? Self.halfOpenSilence : .milliseconds(10)
            let end = roundTrip.map { connection.startedAt + $0 * 2 + wait }
            giveUp(last, .silent, at: end ?? addedAt[connection.server] + Self.blindEnd)
        default: break
        }
    }

    private mutating func open(_ destination: Endpoint, _ server: Int, at time: Duration) {
        // Two servers may name one endpoint: from one port it has one connection.
        let isPlanned = agenda.contains {
            if case .open(_, destination) = $0.action { true } else { false }
        }
        if !isPlanned { agenda.append(Entry(at: time, action: .open(server: server, destination))) }
    }

    /// What is left to do on a connection.
    private mutating func ask(_ connection: Int, _ server: Int, answers: Int, _ roundTrip: Duration) {
        let destination = evidence.connections[connection].destination
        let asked = evidence.exchanges.filter { $0.server == server && $0.destination == destination }
        let isAnswered = { (exchange: NATExchange) in exchange.answer != nil || exchange.errorCode != nil }
        guard asked.count(where: isAnswered) < answers else { return }
        // Answers come in the order of the requests.
        let open = asked.suffix(from: asked.lastIndex(where: isAnswered).map { $0 + 1 } ?? 0)
        let next = open.last.map { $0.sentAt + roundTrip * 5 / 4 + .milliseconds(5) } ?? .zero
        if asked.count < limit(of: destination, Self.mostRequests) {
            agenda.append(Entry(at: next, action: .ask(connection: connection, server: server)))
        }
        let start = open.first?.sentAt ?? next
        // The system repeats what was lost after 200 ms, and what was lost again after 400 ms more.
        let repetitions = Duration.milliseconds(isHurried ? 250 : 650)
        giveUp(connection, .unanswered, at: start + roundTrip * 3 + repetitions)
    }

    private mutating func giveUp(_ connection: Int, _ failure: NATConnection.Failure, at end: Duration) {
        let end = max(end, respites[connection]?.until ?? end)
        agenda.append(Entry(at: end, action: .giveUp(connection: connection, failure)))
    }

    private func limit(of destination: Endpoint, _ count: Int) -> Int {
        let isNamed = evidence.servers.contains { $0.address == destination.address }
        return isNamed ? count : min(count, Self.mostElsewhere)
    }

    /// The longest round trip to a server that was measured elsewhere or by a handshake.
    private func roundTrip(server: Int) -> Duration? {
        let handshakes = evidence.connections.filter { $0.server == server }.compactMap(\.openedAfter)
        return (handshakes + [roundTrips[server]].compactMap { $0 }).max()
    }
}
