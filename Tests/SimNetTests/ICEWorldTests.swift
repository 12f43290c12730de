import Engines
import NetTypes
import STUN
import SimNet
import Testing

/// Properties that hold in every world, over thousands of seeds; a failure prints its seed.
@Suite struct ICEWorldTests {
    struct World {
        var sides: [ICEDuel.Side]
        var canMeet: Bool
        var hasRelay: Bool

        init(seed: UInt64, loss: Double) {
            var random = SeededGenerator(seed: seed)
            func pick<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
            sides = (0...1).map { _ in
                let link = Link(
                    delay: .milliseconds(pick([1, 5, 30, 100])), jitter: .milliseconds(pick([0, 0, 5])), loss: loss,
                    duplication: pick([0, 0, 0.1]), reordering: pick([0, 0, 0.1]))
                return ICEDuel.Side(
                    middle: pick(ICEAgentTests.kinds), link: link, hasTURN: pick([false, false, true]),
                    usesIPv6: false, change: { _ in })
            }
            for side in 0...1 {
                let pacing = pick([10, 20, 50])
                sides[side].change = { configuration in
                    configuration.pacing = .milliseconds(pacing)
                }
            }
            canMeet = ICEAgentTests.canMeet(sides[0].middle, sides[1].middle)
            hasRelay = sides.contains { $0.hasTURN }
        }
    }

    /// 1,000 worlds without loss; in every second one candidates come late, in disorder and twice.
    @Test(arguments: 0..<10)
    func agentsFindWhatWorksAndAgreeOnIt(_ part: Int) throws {
        for seed in UInt64(part * 100)..<UInt64(part * 100 + 100) {
            let world = World(seed: seed, loss: 0)
            var duel = try ICEDuel(world.sides, seed: seed)
            if seed % 2 == 1 { duel.disorder = SeededGenerator(seed: seed) }
            duel.run()
            let note = Comment(rawValue: "seed \(seed)\n\(duel.dump())")
            #expect(duel.isConnected == (world.canMeet || world.hasRelay), note)
            if duel.isConnected {
                // A direct pair whose candidates come when another is nominated already is too late.
                if duel.disorder == nil { #expect(duel.isRelayed == !world.canMeet, note) }
                holdWhatConnected(&duel, note)
            }
        }
    }

    /// 1,000 worlds with a tenth lost on each link each way, which is a third of all round trips. What such NATs let
    /// through is often one direction of one pair: of the five packets that a check has, all may be lost.
    @Test func lossCostsAlmostNoConnectionAndFoolsNone() throws {
        var misses: [UInt64] = []
        for seed in UInt64(1000)..<2000 {
            let world = World(seed: seed, loss: 0.1)
            var duel = try ICEDuel(world.sides, seed: seed)
            duel.run()
            let note = Comment(rawValue: "seed \(seed)\n\(duel.dump())")
            if duel.isConnected {
                #expect(world.canMeet || world.hasRelay, note)
                holdWhatConnected(&duel, note)
            } else if world.canMeet || world.hasRelay {
                misses.append(seed)
            }
        }
        #expect(misses.count <= 5, "seeds \(misses)")
    }

    private func holdWhatConnected(_ duel: inout ICEDuel, _ note: Comment) {
        // The answer to the last nomination may be on its way still.
        duel.settle()
        #expect(duel.agree, note)
        let isCarrying = duel.exchange()
        #expect(isCarrying, note)
        #expect(Set((0...1).map { duel.agent($0).role }) == [.controlling, .controlled], note)
        // Bounded: what a pair is sent before it is given up, and what triggered checks and the nomination add.
        for side in 0...1 {
            let sent = duel.agent(side).pairs.reduce(0) { $0 + $1.transmissions }
            #expect(sent <= 12 * max(1, duel.agent(side).pairs.count), note)
        }
    }
}
