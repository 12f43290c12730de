import Engines
import Facts
import NetTypes
import Planning

@testable import Diagnosis
@testable import Reporting

extension RelayPairResult {
    /// Two relays of one server that reach each other, one that a server refuses as a peer, and two that were not tried.
    static var fixtures: [RelayPairResult] { [fine, refused, silent, unmeasured] }

    private static func end(_ server: Int, port: UInt16) -> RelayPairEvidence.End {
        let address = IPAddress(198, 51, 100, UInt8(server + 1))
        var end = RelayPairEvidence.End(
            server: server, serverAddress: Endpoint(address, 3478), transport: .udp, relayFamily: .ipv4)
        end.relayedAddress = Endpoint(address, port)
        end.roundTrip = .milliseconds(20)
        end.permittedAfter = .milliseconds(21)
        end.deletion = .confirmed
        return end
    }

    private static func result(_ evidence: RelayPairEvidence, _ outcome: STUNResult.Outcome) -> RelayPairResult {
        let names = ["turn:turn.example.org", "turn:other.example.org"]
        return RelayPairResult(
            first: names[evidence.first.server], second: names[evidence.second.server], outcome: outcome,
            evidence: evidence,
            data: TURNResult.RelayedData(
                [evidence.indications, evidence.channel], altered: 0, toServer: .milliseconds(20)))
    }

    private static var fine: RelayPairResult {
        var evidence = RelayPairEvidence(pair: 0, first: end(0, port: 50001), second: end(0, port: 50002))
        evidence.second.boundAfter = .milliseconds(22)
        evidence.second.peerAddress = evidence.first.relayedAddress
        evidence.indications = .init(sent: 2, arrived: 2, roundTrips: [.milliseconds(41), .milliseconds(43)])
        evidence.channel = .init(sent: 2, arrived: 2, roundTrips: [.milliseconds(42)])
        evidence.took = .milliseconds(130)
        return result(evidence, .answered)
    }

    private static var refused: RelayPairResult {
        var evidence = RelayPairEvidence(pair: 1, first: end(0, port: 50003), second: end(1, port: 50004))
        evidence.second.permittedAfter = nil
        var trouble = TURNEvidence.Trouble(.permission, .errorResponse)
        trouble.code = 403
        evidence.second.trouble = trouble
        let error = ProbeError(
            .errorResponse, "turn:other.example.org: it refused the CreatePermission with 403 (Forbidden)", code: 403,
            reason: OutsideText("Forbidden IP"))
        return result(evidence, .failed(error))
    }

    private static var silent: RelayPairResult {
        var evidence = RelayPairEvidence(pair: 2, first: end(1, port: 50005), second: end(1, port: 50006))
        evidence.indications = .init(sent: 24)
        evidence.reverse = .init(sent: 24, arrived: 0)
        return result(evidence, .failed(ProbeError(.noData, "of 24 datagrams none came")))
    }

    private static var unmeasured: RelayPairResult {
        var evidence = RelayPairEvidence(pair: 3, first: end(1, port: 50007), second: end(1, port: 50008))
        evidence.second.relayedAddress = nil
        return result(
            evidence,
            .notMeasured(NotMeasured(what: "turn:other.example.org", reason: .limit, detail: "no second allocation")))
    }

    /// With hostile text wherever text can come from outside.
    func hostile(_ text: inout HostileText) -> RelayPairResult {
        var result = self
        result.first = text.string()
        result.second = "s" + text.string()
        switch outcome {
        case .answered: break
        case .failed(var error):
            error.message = text.string()
            error.reason = text.outside()
            result.outcome = .failed(error)
        case .notMeasured(var gap):
            gap.what = text.string()
            gap.detail = text.string()
            result.outcome = .notMeasured(gap)
        }
        return result
    }
}

extension Report {
    /// What `icecheck turn` reports of relays that were tried with each other.
    static var pairFixture: Report {
        var report = empty
        report.subject = .turn
        report.relayPairs = RelayPairResult.fixtures
        return report
    }
}
