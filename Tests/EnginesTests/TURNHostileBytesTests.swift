import NetTypes
import STUN
import SimNet
import Testing

@testable import Engines

@Suite struct TURNHostileBytesTests {
    /// Whatever the server sends, nothing traps, the client ends what it began, and it sends a bounded number of
    /// requests.
    @Test(arguments: 0..<60)
    func mutatedRepliesNeverTrapOrSpin(seed: UInt64) {
        var configuration = TURNHarness.configuration()
        configuration.families = seed % 2 == 0 ? .dual : .unspecified
        var server = TURNServer()
        if seed % 3 == 0 {
            server.algorithms = [.md5, .sha256]
            server.features = [.passwordAlgorithms, .usernameAnonymity]
        }
        var harness = TURNHarness(server, configuration)
        let source = Source(seed)
        harness.server.mutate = { source.next(3) > 0 ? $0 : source.mutate($0) }
        harness.client.createPermission(for: [TURNHarness.peer.address])
        harness.client.bindChannel(to: TURNHarness.peer)
        harness.client.send([1, 2, 3], to: TURNHarness.peer)
        harness.run(for: .seconds(50))
        for _ in 0..<50 {
            harness.inject(source.mutate(TURNServer.dataIndication(TURNHarness.peer, [1, 2, 3])))
            harness.inject((0..<source.next(40)).map { _ in UInt8(source.next(256)) })
            harness.inject(source.mutate([0x40, 0, 0, 4, 1, 2, 3, 4]))
        }
        harness.run(for: .seconds(50))
        harness.client.delete(at: harness.now)
        harness.run(for: .seconds(2))
        #expect(harness.client.isFinished, "seed \(seed)")
        #expect(harness.sent.count < 120, "seed \(seed): \(harness.sent.count) datagrams")
    }

    /// Signed by a server that is hostile itself: what it signs is as little to be trusted in its form.
    @Test(arguments: 0..<60)
    func signedNonsenseNeverTraps(seed: UInt64) {
        let source = Source(seed)
        var server = TURNServer()
        server.override = { message, server in
            guard message.first(.realm) != nil else { return nil }
            let isError = source.next(4) == 0
            var builder = MessageBuilder(
                isError ? .errorResponse : .successResponse, message.method, message.transactionID)
            let types: [AttributeType] = [
                .xorRelayedAddress, .xorMappedAddress, .lifetime, .mobilityTicket, .reservationToken, .errorCode,
                .addressErrorCode, .nonce, .realm, .passwordAlgorithms, .unknownAttributes, .alternateServer,
                .connectionID, .software,
            ]
            for _ in 0..<source.next(12) {
                let size = source.next(5) == 0 ? source.next(4000) : source.next(24)
                builder.appendRaw(types[source.next(types.count)], (0..<size).map { _ in UInt8(source.next(256)) })
            }
            if source.next(2) == 0 { builder.append(.xorRelayedAddress, server.relayed[0]) }
            return [server.signed(builder, .signed)]
        }
        var configuration = TURNHarness.configuration()
        configuration.families = .dual
        var harness = TURNHarness(server, configuration)
        harness.client.createPermission(for: [TURNHarness.peer.address])
        harness.client.connect(to: TURNHarness.peer)
        harness.run(for: .seconds(20))
        harness.client.refresh()
        harness.run(for: .seconds(20))
        harness.client.delete(at: harness.now)
        harness.run(for: .seconds(2))
        #expect(harness.client.isFinished, "seed \(seed)")
    }

    @Test func dataConnectionTakesAnyBytes() {
        var harness = TURNHarness()
        harness.run(for: .seconds(1))
        for seed in UInt64(0)..<200 {
            let source = Source(seed)
            var connection = harness.client.dataConnection(for: 1)
            guard let request = connection.pollOutput(at: harness.now, using: &harness.random) else { return }
            for reply in harness.server.receive(request) { connection.handle(source.mutate(reply), at: harness.now) }
            for _ in 0..<5 {
                connection.handle((0..<source.next(60)).map { _ in UInt8(source.next(256)) }, at: harness.now)
            }
            while connection.pollEvent() != nil {}
        }
    }

    /// A random source that closures can share; a test runs on one thread.
    private final class Source: @unchecked Sendable {
        private var generator: SeededGenerator
        init(_ seed: UInt64) { generator = SeededGenerator(seed: seed) }

        func next(_ bound: Int) -> Int { bound > 0 ? Int(generator.next() % UInt64(bound)) : 0 }

        func mutate(_ bytes: [UInt8]) -> [UInt8] {
            var bytes = bytes
            for _ in 0...next(4) where !bytes.isEmpty {
                switch next(6) {
                case 0: bytes.removeLast(next(bytes.count))
                case 1: bytes += (0..<next(20)).map { _ in UInt8(next(256)) }
                case 2 where bytes.count > 3:
                    bytes[2] = UInt8(next(256))
                    bytes[3] = UInt8(next(256))
                case 3 where bytes.count > 24: bytes[20 + next(bytes.count - 20)] = UInt8(next(256))
                default: bytes[next(bytes.count)] ^= UInt8(1 << next(8))
                }
            }
            return bytes
        }
    }
}
