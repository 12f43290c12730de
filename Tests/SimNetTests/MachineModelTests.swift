import Diagnosis
import Engines
import NetTypes
import Planning
import Prediction
import SimNet
import Testing

@testable import Reporting

/// What a check sees of a simulated network, as the predictions take it: from the run itself and from its saved report.
@Suite struct MachineModelTests {
    private static let middles: [NATLab.Middle] =
        [.nothing, .firewall(.addressDependent), .firewallOnUDP(.drop)]
        + Dependence.allCases.flatMap { mapping in
            Dependence.allCases.map { .nat(NATBehaviour(mapping: mapping, filtering: $0, allocation: .random)) }
        }

    @Test(arguments: middles)
    func aRunAndItsReportGiveTheSameMachine(middle: NATLab.Middle) throws {
        let outcome = try NATLab(command: .check, middle: middle).run()
        let plan = try #require(outcome.plan)
        let live = MachineModel(outcome.diagnosis, plan)
        let report = Report(
            toolVersion: "1", startedAt: "2026-01-01T00:00:00Z", duration: .zero, command: "icecheck check",
            timeout: .zero, verdict: outcome.diagnosis.verdict, interfaces: plan.interfaces,
            candidates: outcome.diagnosis.candidates, stun: outcome.diagnosis.stun, nat: outcome.diagnosis.nat,
            findings: [])
        for isPretty in [true, false] {
            var reports = SavedReports()
            reports.append(Array(report.json(pretty: isPretty).utf8))
            guard case .machine(let saved, line: 1) = reports.next(isEnd: true) else {
                Issue.record("the report is not read")
                continue
            }
            #expect(saved == live)
        }
        let ipv4 = live.kind.ipv4
        switch middle {
        case .nothing: #expect(ipv4 == .open)
        case .firewall: #expect(ipv4 == .firewall(.addressDependent))
        case .firewallOnUDP: #expect(ipv4 == .blocked)
        case .nat(let behaviour):
            #expect(ipv4.mapping == NATDependences([NATDependence(rawValue: behaviour.mapping.rawValue) ?? .none]))
            #expect(ipv4.filtering == NATDependences([NATDependence(rawValue: behaviour.filtering.rawValue) ?? .none]))
            #expect(live.mappedIPv4 != nil && live.subnets.count == 1)
        default: break
        }
        #expect(live.kind.ipv6 == .absent && live.kind.relays == RelayKind.none)
    }
}
