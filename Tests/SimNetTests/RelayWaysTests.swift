import Diagnosis
import Facts
import NetTypes
import Planning
import SimNet
import Testing

/// A relay is proven by whatever way a call could take: where UDP does not get out, from relay to relay.
@Suite struct RelayWaysTests {
    private func run(
        _ command: Options.Command, _ middle: NATLab.Middle, _ uris: [String], roundTrip: Int = 20, seed: UInt64 = 1
    ) throws -> NATLab.Outcome {
        var lab = NATLab(
            command: command, middle: middle, link: Link(delay: .microseconds(roundTrip * 250)), seed: seed)
        lab.relays = .oneServer
        lab.uris = uris
        return try lab.run()
    }

    @Test(arguments: [FirewallBehaviour.Action.drop, .reject(.administrativelyProhibited)], [1, 20, 100])
    func relayOverTCPIsProvenWhereUDPIsBlocked(_ action: FirewallBehaviour.Action, roundTrip: Int) throws {
        let outcome = try run(
            .turn, .firewallOnUDP(action), ["turn:11.0.0.1?transport=tcp"], roundTrip: roundTrip)
        let result = try #require(outcome.diagnosis.turn.first)
        #expect(result.isOK && result.relay?.way == .relayToRelay)
        #expect(try #require(result.data?.roundTrips?.median) >= .milliseconds(roundTrip))
        #expect(outcome.diagnosis.verdict.isOK)
        #expect(outcome.diagnosis.findings.map(\.id) == ["turn-relay-to-relay-only"])
    }

    @Test func relayIsProvenAsSoonAsThePathAllows() throws {
        let outcome = try run(
            .check, .firewallOnUDP(.drop), ["turn:11.0.0.1", "turn:11.0.0.1?transport=tcp"], roundTrip: 20)
        #expect(outcome.diagnosis.turn.map(\.isOK) == [false, true])
        #expect(try #require(outcome.observations.last).at < .milliseconds(1500))
    }

    @Test func secondSocketIsEnoughWhereItGetsThrough() throws {
        let outcome = try run(.turn, .nat(NATBehaviour()), ["turn:11.0.0.1?transport=tcp"])
        let relay = try #require(outcome.diagnosis.turn.first?.relay)
        #expect(relay.way == .secondSocket && relay.pair == nil)
    }
}
