import Engines
import NetTypes
import Session

/// Packets are lost on the way, or come late, though answers come in the end.
enum AnswersLost: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        // Where requests are repeated sooner than most paths answer, a second one shows no loss.
        let isPatient = evidence.record.plan.schedule.initialTimeout >= RetransmissionSchedule.standard.initialTimeout
        let lossy = evidence.stun.compactMap { result -> String? in
            if let statistics = result.statistics, statistics.received < statistics.sent {
                return "\(result.place): \(statistics.sent - statistics.received) of \(statistics.sent) requests lost"
            }
            guard isPatient, result.statistics == nil, result.transport == .udp, result.isOK, result.attempts > 1 else {
                return nil
            }
            return "\(result.place): answered only after \(result.attempts) requests"
        }
        guard !lossy.isEmpty else { return [] }
        return [
            Finding(
                id: "answers-lost", severity: .warning, title: "Packets are lost or late on the way",
                evidence: lossy,
                causes: [
                    "a weak wireless link or a full uplink near this machine",
                    "the server or a firewall limits the rate",
                    "the round trip is longer than the first wait for an answer, 500 ms",
                ],
                remedy: "Measure again with --count 50; compare a wired link, and another server.")
        ]
    }
}
