package import NetTypes

/// All that a discovery saw from one local address: what was asked from which socket and what came back.
///
/// What it means is computed from it alone (``NATVerdict``), so a recorded run can be judged again.
package struct NATEvidence: Hashable, Sendable, Codable {
    package var source: IPAddress
    package var transport: Transport
    /// The servers' endpoints, as they were named.
    package var servers: [Endpoint]
    package var exchanges: [NATExchange] = []
    /// Over TCP: every attempt to reach an endpoint.
    package var connections: [NATConnection] = []
    /// Where each socket was bound.
    package var localEndpoints: [NATSocket: Endpoint] = [:]
    /// The servers, by their place, that stayed silent over UDP beside TCP that was answered; and the chance, 0 to 1,
    /// that this was loss (``SilenceTest``).
    package var silence: [Int: Double] = [:]
    /// When it ended, since its start.
    package var endedAt: Duration = .zero
    /// Whether the run's end cut it short.
    package var isCutShort = false
    /// Whether hairpinning was asked about: some firewalls take that for an attack.
    package var asksHairpin: Bool

    package init(
        source: IPAddress, transport: Transport = .udp, servers: [Endpoint] = [], asksHairpin: Bool = false
    ) {
        self.source = source
        self.transport = transport
        self.servers = servers
        self.asksHairpin = asksHairpin
    }
}

/// One socket for each question, so that no question opens a filter for another.
package enum NATSocket: Hashable, Sendable, Codable {
    /// Asks every endpoint of every server: do they see the same mapped address? Over TCP it is the one port that all
    /// connections are made from.
    case mapping
    /// Has sent to nothing of this server but its first endpoint: who else gets in?
    case filtering(server: Int)
    /// Asks the first server once: which port does the next socket get?
    case allocation(Int)
    /// Two of them send to each other's mapped address, once the first server has told it: does the NAT turn it back?
    case hairpin(Int)
}

/// One Binding request and what became of it. Each transmission is a request of its own, so that an answer belongs to
/// one, and a loss counts once.
package struct NATExchange: Hashable, Sendable, Codable {
    package var socket: NATSocket
    /// The place in ``NATEvidence/servers``.
    package var server: Int
    package var destination: Endpoint
    package var change: Change
    /// Since the discovery's start.
    package var sentAt: Duration
    package var answer: Answer?
    /// An error response, by its code.
    package var errorCode: Int?
    /// What came of a request to a mapped address of our own, if it came back in.
    package var hairpinned: Hairpinned?
    /// Who answered a plain request in the place of its destination; such an answer is not believed.
    package var straySource: Endpoint?

    /// CHANGE-REQUEST (RFC 5780 s7.2): from where the server is asked to answer.
    package enum Change: String, Hashable, Sendable, Codable {
        case none
        case port
        case addressAndPort = "address-and-port"
    }

    /// A request that the NAT turned back to the other socket.
    package struct Hairpinned: Hashable, Sendable, Codable {
        /// Since the request.
        package var after: Duration
        /// As the other socket saw it.
        package var source: Endpoint
    }

    package struct Answer: Hashable, Sendable, Codable {
        /// Since the request.
        package var after: Duration
        package var source: Endpoint
        package var mappedAddress: Endpoint
        /// MAPPED-ADDRESS beside XOR-MAPPED-ADDRESS: another one was rewritten on the way, by an application level
        /// gateway that does not know the second.
        package var plainAddress: Endpoint?
        /// Whether there was only MAPPED-ADDRESS.
        package var isLegacy: Bool
        package var otherAddress: Endpoint?
        package var responseOrigin: Endpoint?

        package init(
            after: Duration, source: Endpoint, mappedAddress: Endpoint, plainAddress: Endpoint? = nil,
            isLegacy: Bool = false, otherAddress: Endpoint? = nil, responseOrigin: Endpoint? = nil
        ) {
            self.after = after
            self.source = source
            self.mappedAddress = mappedAddress
            self.plainAddress = plainAddress
            self.isLegacy = isLegacy
            self.otherAddress = otherAddress
            self.responseOrigin = responseOrigin
        }
    }
}

extension NATEvidence {
    /// How long an answer may take before its request counts as unanswered: twice the longest round trip of a
    /// request to this server that nothing filters, and long enough for a server that is busy for a moment. Controls are held to it as
    /// probes are, so an answer that comes later counts as loss in both.
    package func patience(server: Int) -> Duration {
        SequentialTest.patience(roundTrip: longestRoundTrip(server: server) ?? .zero)
    }

    package func longestRoundTrip(server: Int) -> Duration? {
        exchanges.lazy.filter { $0.server == server && ($0.change == .none || $0.socket == .mapping) }.compactMap(
            \.answer?.after
        ).max()
    }

    /// The filtering question of a server as the sequential test sees it at `now`.
    func test(
        _ change: NATExchange.Change, server: Int, at now: Duration, anticipating: Bool = false
    ) -> SequentialTest {
        let socket = NATSocket.filtering(server: server)
        let probes = exchanges.filter { $0.socket == socket && $0.change == change }
        return test(probes, from: socket, server: server, at: now, anticipating: anticipating)
    }

    /// Probes from a socket, none of them answered, beside what must be answered: every plain request to the server's
    /// first endpoint shows what the path loses, and one from the same socket vouches for the server.
    func test(
        _ probes: [NATExchange], from socket: NATSocket, server: Int, at now: Duration, anticipating: Bool
    ) -> SequentialTest {
        let controls = exchanges.lazy.filter { $0.destination == servers[server] && $0.change == .none }
            .map {
                SequentialTest.Control(
                    sentAt: $0.sentAt, answeredAfter: $0.answer?.after, vouches: $0.socket == socket)
            }
        return SequentialTest(
            probes: probes.lazy.map(\.sentAt), controls: controls, patience: patience(server: server), at: now,
            anticipating: anticipating)
    }
}
