import Engines
import Facts
import NetTypes
import Planning
import STUN
import SimNet
import TestSupport
import Testing

@testable import Diagnosis

/// Relays of TCP (RFC 6062) on a virtual clock: both directions, each way to fail, and nothing is left behind.
@Suite struct TURNTCPRelaySessionTests {
    static func options(_ uri: String = TURNSessionTests.overTCP) throws -> Options {
        var options = try TURNSessionTests.options([uri])
        options.turn.relayTransport = .tcp
        return options
    }

    private static func run(
        interruptAt: Duration? = nil, announces: Bool = true, _ configure: (inout SessionLab) -> Void = { _ in },
        alter: @escaping ([UInt8]) -> [UInt8] = { $0 }
    ) throws -> SessionLab.Run {
        let run = try TURNSessionTests.run(options(), interruptAt: interruptAt) { lab in
            lab.relays = []
            configure(&lab)
            let relay = TCPRelay(
                at: Place.relay, lab.faults, account: lab.account, log: lab.log, announces: announces, alter: alter)
            lab.add(relay, at: Place.relay.address)
        }
        #expect(run.log.left == 0)
        return run
    }

    @Test func connectionsOfBothDirectionsCarryData() throws {
        let run = try Self.run()
        let evidence = try #require(run.first)
        let tcp = try #require(evidence.relay?.tcp)
        #expect(evidence.trouble == nil && evidence.deletion == .confirmed)
        for lane in tcp.lanes {
            #expect(lane.reached == .data && lane.tally.sent == 3 && lane.tally.arrived == 3)
            #expect(lane.tally.roundTrips == [Duration](repeating: .milliseconds(40), count: 3))
            #expect(lane.boundAfter == .milliseconds(20))
        }
        #expect(tcp.lanes.count == 2 && evidence.relay?.peerAddress == evidence.relay?.peerLocalAddress)
        #expect(run.findings.isEmpty && run.diagnosis.verdict.isOK)
        // Both directions at once, and no wait for a deadline.
        #expect(run.took < 400)
    }

    @Test func requestAsksForTCPAndDataConnectionsAreSignedAtOnce() throws {
        let run = try Self.run()
        #expect(run.log.requests(.connect).count == 1 && run.log.requests(.channelBind).isEmpty)
        let binds = run.log.requests(.connectionBind)
        #expect(binds.count == 2 && binds.allSatisfy(\.isSigned))
    }

    @Test func serverWithoutTCPRelaysIsNamed() throws {
        let run = try TURNSessionTests.run(Self.options())
        #expect(run.first?.trouble?.code == 442)
        #expect(run.findings == ["turn-transport-unsupported"])
    }

    @Test func relayPortsThatTakeNoConnectionAreNamed() throws {
        let run = try Self.run(announces: false) {
            $0.loses = { output in
                guard case .open(_, let specification) = output, case .connection(let remote) = specification.kind
                else { return false }
                return remote != Place.relay
            }
        }
        #expect(run.first?.relay?.tcp?.inbound.reached == .connect)
        #expect(run.findings == ["turn-tcp-relay-ports-blocked"])
        #expect(!run.diagnosis.verdict.isOK && run.took < 5000)
        // The other direction is no worse for it.
        #expect(run.first?.relay?.tcp?.outbound?.tally.roundTrips.count == 3)
    }

    @Test func connectionThatIsNotAnnouncedIsNamed() throws {
        let run = try Self.run(announces: false)
        #expect(run.findings == ["turn-tcp-relay-elsewhere"])
    }

    @Test func dataConnectionThatIsRefusedIsNamedWithItsCode() throws {
        let run = try Self.run { $0.faults.refuse(.connectionBind, 447) }
        #expect(run.first?.relay?.tcp?.inbound.code == 447)
        #expect(run.findings == ["turn-tcp-bind-fails"])
        #expect(run.diagnosis.turn.first?.error?.message.contains("447") == true)
    }

    @Test func dataConnectionThatIsNotAnsweredIsGivenUp() throws {
        let run = try Self.run { $0.faults.drop(.connectionBind) }
        #expect(run.findings == ["turn-tcp-bind-fails"] && run.took < 5000)
    }

    @Test func connectThatFailsIsANoteWhereTheRelayWorks() throws {
        let run = try Self.run { $0.faults.refuse(.connect, 447) }
        #expect(run.first?.relay?.tcp?.outbound?.code == 447 && run.first?.trouble == nil)
        #expect(run.findings == ["turn-tcp-connect-fails"])
        #expect(run.diagnosis.findings.map(\.severity) == [.note] && run.diagnosis.verdict.isOK)
    }

    @Test func bytesThatChangeOnTheWayAreAlteredData() throws {
        let run = try Self.run(alter: { $0.map { $0 ^ 1 } })
        #expect(run.first?.relay?.altered == 2 && !run.diagnosis.verdict.isOK)
        #expect(run.findings == ["turn-data-altered"])
    }

    @Test(arguments: [5, 50, 90, 110, 130, 170, 250]) func interruptionLeavesNoAllocation(milliseconds: Int) throws {
        _ = try Self.run(interruptAt: .milliseconds(milliseconds))
    }

    @Test func datagramsToTheServerExcludeATCPRelay() throws {
        for uri in ["turn:9.9.9.9?transport=udp", "turns:9.9.9.9?transport=udp"] {
            let error = #expect(throws: PlanError.self) {
                try Plan(Self.options(uri), interfaces: SessionLab.interfaces)
            }
            #expect(error?.description.contains("RFC 6062") == true)
        }
        let plan = try Plan(Self.options("turn:9.9.9.9"), interfaces: SessionLab.interfaces)
        #expect(plan.servers.map(\.transports) == [[.tcp]])
    }
}
