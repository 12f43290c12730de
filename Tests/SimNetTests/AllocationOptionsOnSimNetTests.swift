import Diagnosis
import Engines
import Facts
import NetTypes
import Server
import SimNet
import Testing

/// What `icecheck turn` asks of allocations beyond the usual, and what `icecheck serve` makes of it.
@Suite struct AllocationOptionsOnSimNetTests {
    typealias World = RelayPairsOnSimNetTests.World

    @Test(arguments: [Transport.udp, .tcp])
    func theNextPortIsTakenUpAndARefusedOptionCostsNothing(_ transport: Transport) throws {
        var world = try World(
            transport, link: Link(delay: .milliseconds(10)), seed: 1, options: [.nextPort, .dontFragment])
        let diagnosis = world.run()
        #expect(diagnosis.turn.count == 2 && diagnosis.verdict.isOK && diagnosis.findings.isEmpty)
        for result in diagnosis.turn {
            let evidence = try #require(result.evidence)
            let relayed = try #require(evidence.relay?.relayedAddress)
            #expect(result.isOK && relayed.port % 2 == 0)
            // DONT-FRAGMENT is refused first, and the rest is asked for again.
            #expect(
                evidence.options == [
                    AllocationOptionAnswer(.dontFragment, .refused, code: 420),
                    AllocationOptionAnswer(.nextPort, .granted, address: Endpoint(relayed.address, relayed.port + 1)),
                ])
        }
        #expect(world.left == 0)
    }

    /// The reserved port counts for the quota, and there is no room for it: that is no failure of the relay.
    @Test func aReservedPortThatCannotBeHadIsToldWithItsCode() throws {
        var world = try World(link: Link(delay: .milliseconds(10)), seed: 2, options: [.nextPort]) { $0.quota = 1 }
        let diagnosis = world.run()
        for result in diagnosis.turn {
            #expect(result.isOK)
            #expect(result.evidence?.options == [AllocationOptionAnswer(.nextPort, .refused, code: 486)])
        }
        #expect(world.left == 0)
    }

    @Test func aServerWithoutRelaysOfTheSecondFamilyRefusesThatOption() throws {
        var world = try World(link: Link(delay: .milliseconds(10)), seed: 3, options: [.bothFamilies, .evenPort])
        let answers = world.run().turn.compactMap(\.evidence?.options)
        let expected = [
            AllocationOptionAnswer(.evenPort, .granted), AllocationOptionAnswer(.bothFamilies, .refused, code: 440),
        ]
        #expect(answers == [expected, expected])
    }
}
