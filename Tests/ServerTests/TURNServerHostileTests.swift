import NetTypes
import STUN
import Server
import SimNet
import Testing

@Suite struct TURNServerHostileTests {
    private typealias Client = TURNTestClient

    /// A request with attributes of every kind, some of them wrong, mostly well signed: past the door is most to break.
    private func anyRequest(_ client: Client, _ random: inout SeededGenerator) -> [UInt8] {
        let methods: [Method] = [.allocate, .refresh, .createPermission, .channelBind, .connect, .send, .data]
        let method = methods.randomElement(using: &random) ?? .allocate
        let isSigned = Int.random(in: 0..<8, using: &random) != 0
        func fill(_ builder: inout MessageBuilder) {
            if Bool.random(using: &random) { builder.append(.requestedTransport, 17) }
            if Bool.random(using: &random) { builder.append(.xorPeerAddress, Client.peer) }
            for _ in 0..<Int.random(in: 0..<4, using: &random) {
                let types: [UInt16] = [
                    0x000C, 0x000D, 0x0012, 0x0013, 0x0017, 0x0018, 0x0019, 0x001A, 0x0022, 0x8000, 0x8030, 0x0006,
                    0x001D, 0x8002, 0x001E, 0x7ABC,
                ]
                let length = [0, 1, 4, 4, 4, 8, 8, 20, 200].randomElement(using: &random) ?? 4
                let isNear = Bool.random(using: &random)
                let value = (0..<length).map { _ in UInt8.random(in: 0...(isNear ? 0x40 : 0xFF), using: &random) }
                builder.appendRaw(AttributeType(rawValue: types.randomElement(using: &random) ?? 0), value)
            }
        }
        client.namesAlgorithms = Bool.random(using: &random)
        return isSigned ? client.signed(method) { fill(&$0) } : client.unsigned(method) { fill(&$0) }.bytes
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 0...2, using: &random) where !bytes.isEmpty {
            let position = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes.removeLast(bytes.count - position)
            case 2: bytes += [UInt8](repeating: bytes[position], count: Int.random(in: 1...40, using: &random))
            default: bytes[0] = UInt8.random(in: 0...0x7F, using: &random)
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64], [false, true])
    func outlivesAnyBytesAndLeavesNothingBehind(seed: UInt64, overTCP: Bool) throws {
        var random = SeededGenerator(seed: seed)
        let harness = try Client.server {
            $0.maximumAllocations = 40
            $0.nonceLifetime = .seconds(100_000)
        }
        var client = try Client(harness, overTCP: overTCP)
        try client.learnNonce()
        for round in 0..<5000 {
            if harness.closed.contains(client.path) || round % 50 == 0 {
                let nonce = client.nonce
                let source = Endpoint(client.source.address, UInt16(1024 + round))
                client = try Client(harness, from: source, overTCP: overTCP)
                client.nonce = nonce
                if Bool.random(using: &random) {
                    _ = client.send(client.signed(.allocate) { $0.append(.requestedTransport, 17) })
                }
            }
            var bytes = anyRequest(client, &random)
            mutate(&bytes, &random)
            _ = client.send(bytes)
            for relay in harness.paths.keys.filter({ $0.number >= 0x4000_0000 }).prefix(2) {
                harness.handle(
                    .datagram(Datagram(path: relay, source: Client.peer, bytes: bytes, arrivedAt: harness.now)))
            }
            if round % 20 == 0 { harness.wait(atMost: .seconds(Int64.random(in: 0...40, using: &random))) }
            guard let counts = harness.server.allocations, counts.left >= 0,
                harness.paths.keys.filter({ $0.number >= 0x4000_0000 }).count <= 80
            else {
                Issue.record("seed \(seed), round \(round): \(bytes)")
                return
            }
            if round % 500 == 0 { harness.forget() }
        }
        let made = try #require(harness.server.allocations?.made)
        #expect(made > 50)
        harness.wait(atMost: .seconds(3700))
        #expect(harness.server.allocations?.left == 0)
        #expect(harness.paths.keys.allSatisfy { $0.number < 0x4000_0000 })
        #expect(harness.server.nextWake == nil)
    }

    @Test(arguments: [4, 5] as [UInt64])
    func whoIsNoUserGetsNoMoreThanThreeTimesWhatItSends(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let harness = try Client.server(adjustSTUN: { $0.rate = .init(perSecond: 1_000_000, burst: 1_000_000) })
        let client = try Client(harness)
        client.password = "wrong"
        client.nonce = [1]
        for _ in 0..<10_000 {
            var bytes = anyRequest(client, &random)
            mutate(&bytes, &random)
            let answers = client.send(bytes)
            guard answers.reduce(0, { $0 + $1.count }) <= 3 * bytes.count else {
                Issue.record("seed \(seed): \(bytes) gave \(answers)")
                return
            }
            harness.forget()
        }
        #expect(harness.server.counts.answered > 1000)
        #expect(harness.server.allocations?.made == 0)
        #expect(harness.server.allocations?.relayedToPeers == 0)
    }
}
