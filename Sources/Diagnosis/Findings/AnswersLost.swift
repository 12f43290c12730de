import Engines
import NetTypes
import Planning

/// Packets are lost on the way, or come late, though answers come in the end.
enum AnswersLost: OneKindRule {
    static let kind = FindingKind(
        "answers-lost", .warning, "Packets are lost or late",
        meaning:
            "Requests were answered only after they had been sent again, or not at all, though the server answers.",
        causes: [
            "a weak wireless link or a full uplink near this machine",
            "the server or a firewall limits the rate",
            "the round trip is longer than the first wait for an answer, 500 ms",
        ],
        remedy: "Measure again with --count 50; compare a wired link and another server.")

    static func findings(in evidence: Evidence) -> [Finding] {
        // Where requests are repeated sooner than most paths answer, a second one shows no loss.
        let isPatient = evidence.record.plan.schedule.initialTimeout >= RetransmissionSchedule.standard.initialTimeout
        func loss(_ result: STUNResult) -> String? {
            if let statistics = result.statistics, statistics.received < statistics.sent {
                return "\(statistics.sent - statistics.received) of \(statistics.sent) requests lost"
            }
            guard isPatient, result.statistics == nil, result.transport == .udp, result.isOK, result.attempts > 1 else {
                return nil
            }
            return "answered only after \(result.attempts) requests"
        }
        return kind.findings(about: evidence.stun.filter { loss($0) != nil }) { "\($0.place): \(loss($0) ?? "")" }
    }
}
