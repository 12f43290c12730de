import Engines
import Facts
import NetTypes
import Planning
import STUN
import Server
import SimNet
import TestSupport
import Testing

@testable import Diagnosis

/// A relay kept in use for eleven minutes of virtual time.
@Suite struct TURNSoakSessionTests {
    private static func run(
        timeout: Duration? = nil, _ configure: (inout SessionLab) -> Void = { _ in }
    ) throws -> SessionLab.Run {
        var options = try TURNSessionTests.options(timeout: timeout)
        options.turn.soaks = true
        return try TURNSessionTests.run(options) { lab in
            // So short is the life of an allocation that is not refreshed.
            lab.configureRelays = { $0.defaultLifetime = Plan.soakLifetime }
            configure(&lab)
        }
    }

    @Test func everythingThatACallNeedsIsRenewedInElevenMinutes() throws {
        let run = try Self.run()
        let soak = try #require(run.first?.relay?.soak)
        #expect(soak.length == .seconds(660) && soak.tally.sent == 1321 && soak.tally.roundTrips.count == 1321)
        #expect(soak.permissions >= 2 && soak.channels >= 1 && soak.refreshes >= 33)
        #expect(soak.stoppedAfter == nil && soak.channelLostAfter == nil && soak.revivedBy == nil)
        #expect(run.first?.trouble == nil && run.first?.deletion == .confirmed && run.log.left == 0)
        // What the three lanes began with is not overwritten by what was renewed.
        #expect(run.first?.relay?.permittedAfter == .milliseconds(20) && run.first?.relay?.channel.sent == 3)
        #expect(run.findings.isEmpty && run.took < 661_000)
        // Without the refreshes the allocation would not have lived.
        #expect(run.log.requests(.allocate).last?.lifetime == Plan.soakLifetime)
    }

    @Test func dataThatStopsEndsItAndIsNamed() throws {
        let run = try Self.run { lab in
            lab.faults.carry = { relayed, _ in
                relayed.way == .toRelay && relayed.at > .zero + .seconds(100) ? nil : relayed.bytes
            }
        }
        let soak = try #require(run.first?.relay?.soak)
        #expect(soak.stoppedAfter.map { $0 > .seconds(99) && $0 <= .seconds(100) } == true && soak.revivedBy == nil)
        #expect(run.took < 120_000 && run.log.left == 0)
        #expect(run.findings == ["turn-relay-stops"] && !run.diagnosis.verdict.isOK)
        #expect(run.diagnosis.turn.first?.error?.kind == .relayStopped)
    }

    @Test func allocationThatTheServerForgetsIsNamed() throws {
        let run = try Self.run {
            $0.faults.refuse(437) { request, _ in request.at > .zero + .seconds(65) && request.lifetime != 0 }
        }
        #expect(run.first?.trouble?.kind == .allocationLost && run.took < 85_000)
        let finding = try #require(run.diagnosis.findings.first)
        #expect(finding.id == "turn-relay-stops" && finding.causes.first?.contains("dropped the allocation") == true)
    }

    @Test func allocationWhoseRefreshesAreNotAnsweredRunsOut() throws {
        let run = try Self.run {
            $0.faults.drop { request, _ in request.at > .zero + .seconds(25) && request.lifetime != nil }
        }
        #expect(run.first?.trouble?.kind == .allocationLost || run.first?.trouble?.kind == .noAnswer)
        #expect(!run.diagnosis.verdict.isOK && run.took < 80_000)
    }

    @Test func deadlineOfTheUserIsKept() throws {
        let run = try Self.run(timeout: .seconds(45))
        #expect(run.first?.trouble == nil && run.took < 45_000)
        #expect(run.first?.relay?.soak.map { $0.length >= .seconds(15) } == true)
        #expect(throws: PlanError.self) { try Self.run(timeout: .seconds(20)) }
    }
}
