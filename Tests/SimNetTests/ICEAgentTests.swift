import Engines
import NetTypes
import STUN
import SimNet
import Testing

@Suite struct ICEAgentTests {
    static let kinds: [ICEDuel.Middle] =
        [.nothing] + Dependence.allCases.flatMap { mapping in Dependence.allCases.map { .nat(mapping, $0) } }

    /// Whether two NATs let two hosts find each other by UDP, by reasoning about who can learn whose external endpoint
    /// (RFC 4787 s4.1, s5), not by running anything.
    static func canMeet(_ a: ICEDuel.Middle, _ b: ICEDuel.Middle) -> Bool {
        guard case .nat(let mapA, let filterA) = a, case .nat(let mapB, let filterB) = b else { return true }
        switch (mapA, mapB) {
        case (.endpointIndependent, .endpointIndependent): return true
        // The other's endpoint is another towards this one: it is learned by its check, or not at all.
        case (.endpointIndependent, _): return filterA != .addressAndPortDependent
        case (_, .endpointIndependent): return filterB != .addressAndPortDependent
        case (.addressAndPortDependent, .addressAndPortDependent): return false
        default:
            return filterA == .endpointIndependent && filterB != .addressAndPortDependent
                || filterB == .endpointIndependent && filterA != .addressAndPortDependent
        }
    }

    @Test func twoHostsConnectInLessThanThreeRoundTripsAfterBothHaveCandidates() throws {
        let link = Link(delay: .milliseconds(5))
        var duel = try ICEDuel([.init(link: link), .init(link: link)], seed: 1)
        duel.signals = false
        duel.advance(.seconds(3))
        let start = duel.net.now
        duel.signals = true
        duel.run()
        #expect(duel.isConnected && duel.agree)
        // Each crosses two links of 5 ms: a round trip is 20 ms.
        #expect(duel.net.now - start < .milliseconds(60), "\(duel.net.now - start)\n\(duel.dump())")
    }

    @Test(arguments: kinds, kinds)
    func agentsMeetWhereverTheirNATsLetThem(_ a: ICEDuel.Middle, _ b: ICEDuel.Middle) throws {
        for seed in 1...5 as ClosedRange<UInt64> {
            var duel = try ICEDuel([.init(middle: a), .init(middle: b)], seed: seed)
            duel.run()
            #expect(duel.isConnected == Self.canMeet(a, b), "seed \(seed)\n\(duel.dump())")
            if duel.isConnected { #expect(duel.agree && !duel.isRelayed, "seed \(seed)\n\(duel.dump())") }
        }
    }

    @Test(arguments: kinds, kinds)
    func aRelayOfOneSideIsUsedWhereNothingElseWorks(_ a: ICEDuel.Middle, _ b: ICEDuel.Middle) throws {
        for (turnA, turnB) in [(true, false), (false, true)] {
            var duel = try ICEDuel([.init(middle: a, hasTURN: turnA), .init(middle: b, hasTURN: turnB)], seed: 7)
            duel.run()
            #expect(duel.isConnected && duel.agree, "\(duel.dump())")
            #expect(duel.isRelayed == !Self.canMeet(a, b), "\(duel.dump())")
        }
    }
}
