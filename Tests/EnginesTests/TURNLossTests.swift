import NetTypes
import STUN
import SimNet
import Testing

@testable import Engines

@Suite struct TURNLossTests {
    /// D20: every fifth datagram of each direction is lost, and every answer comes twice.
    @Test(arguments: 0..<200)
    func lossAndDuplicationChangeNoVerdict(seed: UInt64) {
        var server = TURNServer()
        server.duplicates = true
        server.nonceUses = seed % 2 == 0 ? 3 : .max
        var harness = TURNHarness(server)
        harness.random = SeededGenerator(seed: seed)
        harness.losesFromClient = { Self.isLost(seed, UInt64($0) * 2) }
        harness.losesFromServer = { Self.isLost(seed, UInt64($0) * 2 + 1) }
        harness.client.createPermission(for: [TURNHarness.peer.address])
        harness.client.bindChannel(to: TURNHarness.peer)
        harness.run(for: .seconds(60))
        #expect(harness.failures.isEmpty, "seed \(seed): \(harness.failures)")
        #expect(harness.events.filter { $0.event.isAllocated }.count == 1, "seed \(seed)")
        #expect(harness.events.filter { $0.event.isPermitted }.count == 1, "seed \(seed)")
        #expect(harness.events.filter { $0.event.isBound }.count == 1, "seed \(seed)")
    }

    private static func isLost(_ seed: UInt64, _ number: UInt64) -> Bool {
        var generator = SeededGenerator(seed: seed &* 1_000_003 &+ number &* 7919)
        return generator.next() % 5 == 0
    }
}
