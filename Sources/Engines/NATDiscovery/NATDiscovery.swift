package import NetTypes

/// Finds out how the NAT between one local address and some servers behaves (RFC 5780 in method, RFC 4787 in terms).
///
/// It says which request to send next from which socket; its owner sends each as a transaction of its own and hands
/// back what comes. All questions are under way at once: the first round asks whatever needs no other answer, the rest
/// follows the measured round trip. In round trips of the path that is one for the first answers, one more for the
/// endpoints that they name, and for a negative the rounds of the sequential test and its last wait: about four in all.
package struct NATDiscovery: Sendable {
    /// A request to send.
    package struct Question: Hashable, Sendable {
        package var socket: NATSocket
        /// The place in ``NATEvidence/servers``.
        package var server: Int
        package var destination: Endpoint
        package var change: NATExchange.Change
    }

    package private(set) var evidence: NATEvidence
    private let startedAt: Instant
    private var addedAt: [Duration] = []
    /// What is left to do, as of the last input.
    private var agenda: NATAgenda

    /// Sockets beyond those of the questions, to see how ports are given out.
    package static let allocationSockets = 3

    /// The most requests that one server's address is sent, however much is lost.
    package static let mostRequests = NATAgenda.mostRequests

    /// The most that the hairpin question adds to it, and the most that it sends to each of two mapped addresses.
    package static let mostHairpinRequests = NATAgenda.mostHairpinRequests

    /// - Parameter asksHairpin: whether to find out if the NAT turns back what is sent to a mapped address of its own.
    package init(source: IPAddress, asksHairpin: Bool = false, at start: Instant) {
        evidence = NATEvidence(source: source, asksHairpin: asksHairpin)
        agenda = NATAgenda(evidence, addedAt: [], at: .zero)
        startedAt = start
    }

    /// Adds a server; one that is there already is not asked twice.
    package mutating func add(server: Endpoint, at now: Instant) {
        guard !evidence.servers.contains(server) else { return }
        evidence.servers.append(server)
        addedAt.append(now - startedAt)
        refresh(at: now)
    }

    /// The sockets that the questions so far need.
    package var sockets: [NATSocket] {
        guard !evidence.servers.isEmpty else { return [] }
        return [.mapping] + (0..<Self.allocationSockets).map { .allocation($0) }
            + evidence.servers.indices.map { .filtering(server: $0) }
            + (evidence.asksHairpin ? [.hairpin(0), .hairpin(1)] : [])
    }

    package mutating func opened(_ socket: NATSocket, _ local: Endpoint, at now: Instant) {
        evidence.localEndpoints[socket] = local
        refresh(at: now)
    }

    /// Its owner knows that the server is not answered over UDP, whatever is asked; see ``NATEvidence/silence``.
    package mutating func giveUp(_ server: Endpoint, risk: Double, at now: Instant) {
        guard let place = evidence.servers.firstIndex(of: server), evidence.longestRoundTrip(server: place) == nil
        else { return }
        evidence.silence[place] = risk
        refresh(at: now)
    }

    // MARK: What is sent

    /// The next request and when it is due; nil where none is left.
    package var nextQuestion: (at: Instant, question: Question)? {
        agenda.entries.min { $0.at < $1.at }.map { (startedAt + $0.at, $0.question) }
    }

    /// Books a question that is being sent; gives the place of the exchange in ``NATEvidence/exchanges``.
    package mutating func sent(_ question: Question, at now: Instant) -> Int {
        evidence.exchanges.append(
            NATExchange(
                socket: question.socket, server: question.server, destination: question.destination,
                change: question.change, sentAt: now - startedAt))
        refresh(at: now)
        return evidence.exchanges.count - 1
    }

    // MARK: What comes back

    /// Takes an answer; a second one to the same request changes nothing.
    package mutating func answered(_ exchange: Int, _ answer: NATExchange.Answer, at now: Instant) {
        guard evidence.exchanges[exchange].answer == nil else { return }
        // An answer to a plain request comes from where it was sent, or it is not believed.
        if evidence.exchanges[exchange].change == .none, answer.source != evidence.exchanges[exchange].destination {
            evidence.exchanges[exchange].straySource = answer.source
        } else {
            evidence.exchanges[exchange].answer = answer
        }
        refresh(at: now)
    }

    /// Takes an error response.
    package mutating func refused(_ exchange: Int, errorCode: Int, at now: Instant) {
        evidence.exchanges[exchange].errorCode = errorCode
        refresh(at: now)
    }

    /// Takes a request of ours that came back in at `socket`.
    package mutating func hairpinned(
        _ exchange: Int, at socket: NATSocket, from source: Endpoint, after: Duration, at now: Instant
    ) {
        let sent = evidence.exchanges[exchange]
        guard case .hairpin = sent.socket, case .hairpin = socket, sent.socket != socket,
            !evidence.servers.contains(sent.destination), sent.hairpinned == nil
        else { return }
        evidence.exchanges[exchange].hairpinned = NATExchange.Hairpinned(after: after, source: source)
        refresh(at: now)
    }

    // MARK: Time

    package mutating func handleTimeout(at now: Instant) {
        guard let end = nextWait, end <= now else { return }
        refresh(at: now)
    }

    /// When a wait is over, which may settle something.
    package var nextWait: Instant? { agenda.waits.min().map { startedAt + $0 } }
    package var isOver: Bool { agenda.isOver }

    /// Ends it: what was seen is judged as it is.
    package mutating func end(at now: Instant) {
        guard !isOver else { return }
        evidence.endedAt = now - startedAt
        evidence.isCutShort = true
    }

    private mutating func refresh(at now: Instant) {
        agenda = NATAgenda(evidence, addedAt: addedAt, at: now - startedAt)
        evidence.endedAt = now - startedAt
    }
}
