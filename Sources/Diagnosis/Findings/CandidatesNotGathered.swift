import Engines
import Session

/// A server that candidates were to come from gave none.
enum CandidatesNotGathered: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect else { return [] }
        let seen =
            connect.notGathered.map { "\(ConnectWords.place($0.source)): \(ConnectWords.reason($0.reason))" }
            + connect.notResolved.map { "\($0.server): \($0.reason)" }
        guard !seen.isEmpty else { return [] }
        return [
            Finding(
                id: "candidates-not-gathered", severity: .warning, title: "a server gave no candidate",
                evidence: Array(seen.prefix(8)) + (seen.count > 8 ? ["and \(seen.count - 8) more"] : []),
                causes: ["the server does not answer from here", "the credential is not the server's"],
                remedy: "Ask icecheck stun or icecheck turn about the server.")
        ]
    }
}
