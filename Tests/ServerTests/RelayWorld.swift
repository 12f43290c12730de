import Engines
import NetTypes
import STUN
import Testing

@testable import Server

/// A TURN server and clients of it without a network, on one clock: what each sends goes to the other at once, or is
/// lost by a seed.
final class RelayWorld {
    struct Generator: RandomNumberGenerator, Sendable {
        var state: UInt64
        mutating func next() -> UInt64 {
            // Knuth's constants; the high bits are good enough for tests.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    /// A client of the server at its own address.
    final class Client {
        let endpoint: Endpoint
        var engine: TURNAllocation
        var events: [TURNEvent] = []

        init(_ endpoint: Endpoint, _ configuration: TURNConfiguration) {
            self.endpoint = endpoint
            engine = TURNAllocation(configuration)
        }

        var relayed: Endpoint? { engine.allocated?.relayedAddresses.first }

        var failure: TURNFailure? {
            for case .failed(_, let failure) in events { return failure }
            return nil
        }

        var failureCode: Int? {
            if case .errorResponse(let response) = failure { response.code } else { nil }
        }

        var received: [TURNReceived] {
            events.compactMap { if case .received(let data) = $0 { data } else { nil } }
        }
    }

    static let account = TURNServerConfiguration.Account(username: "alice", password: "wonder")
    static let peer = Endpoint(IPAddress(10, 0, 0, 9), 7000)
    static let server = Endpoint(ServerHarness.primary, 3478)

    let harness: ServerHarness
    var clients: [Client] = []
    var random: Generator
    /// The share of datagrams that are lost between clients and server, of 100.
    var lossPercent: UInt64 = 0
    /// What relays sent to peers.
    var relayed: [Transmit] = []
    private var seen = 0

    init(
        seed: UInt64 = 1, refusing: Set<Endpoint> = [],
        _ adjust: (inout TURNServerConfiguration) -> Void = { _ in }
    ) {
        random = Generator(state: seed)
        var turn = TURNServerConfiguration(
            accounts: [Self.account], wallClock: 1_800_000_000, relayAddresses: [ServerHarness.primary])
        adjust(&turn)
        var configuration = STUNServerConfiguration(
            addresses: [.init(primary: ServerHarness.primary)], software: "icecheck test")
        configuration.turn = turn
        harness = ServerHarness(configuration, refusing: refusing)
    }

    static func credential(_ username: String = "alice", _ password: String = "wonder") throws -> LongTermCredential {
        try LongTermCredential(username: username, password: password)
    }

    @discardableResult
    func client(
        _ credential: LongTermCredential?, port: UInt16 = 40_000, _ adjust: (inout TURNConfiguration) -> Void = { _ in }
    ) -> Client {
        var configuration = TURNConfiguration(credential: credential)
        adjust(&configuration)
        let client = Client(Endpoint(IPAddress(198, 51, 100, 7), port), configuration)
        clients.append(client)
        return client
    }

    /// Lets everything happen that is due until `limit` has passed.
    func run(_ limit: Duration = .milliseconds(10)) {
        let end = harness.now + limit
        exchange()
        while let wake = (clients.compactMap(\.engine.nextWake) + [harness.server.nextWake].compactMap(\.self)).min(),
            wake <= end
        {
            harness.now = max(harness.now, wake)
            harness.handle(.timeout)
            for client in clients { client.engine.handleTimeout(at: harness.now) }
            exchange()
        }
        harness.now = end
    }

    private func exchange() {
        var isMoving = true
        while isMoving {
            isMoving = false
            for client in clients {
                while let bytes = client.engine.pollOutput(at: harness.now, using: &random) {
                    isMoving = true
                    if !isLost() { _ = harness.ask(bytes, from: client.endpoint) }
                }
                while let event = client.engine.pollEvent() { client.events.append(event) }
            }
            while seen < harness.sent.count {
                isMoving = true
                let transmit = harness.sent[seen]
                seen += 1
                if let client = clients.first(where: { $0.endpoint == transmit.destination }) {
                    if !isLost() { client.engine.handle(datagram: transmit.bytes, at: harness.now) }
                } else {
                    relayed.append(transmit)
                }
            }
        }
    }

    private func isLost() -> Bool { lossPercent > 0 && random.next() % 100 < lossPercent }

    /// A peer sends to a relayed address.
    func send(_ bytes: [UInt8], from peer: Endpoint, to relayed: Endpoint) throws {
        let path = try #require(harness.path(.datagram, at: relayed))
        harness.handle(.datagram(Datagram(path: path, source: peer, bytes: bytes, arrivedAt: harness.now)))
        run(.zero)
    }
}
