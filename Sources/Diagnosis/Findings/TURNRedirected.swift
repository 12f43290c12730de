import NetTypes
import Session

/// A TURN server sends its clients to another, and icecheck did not go there.
enum TURNRedirected: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let refused = evidence.turn.filter { $0.error?.kind == .redirected }
        let followed = evidence.turn.filter {
            $0.error?.kind != .redirected && !($0.evidence?.redirects.isEmpty ?? true)
        }
        var findings: [Finding] = []
        if !refused.isEmpty {
            findings.append(
                Finding(
                    id: "turn-redirected", severity: .error,
                    title: "The TURN server sends its clients where they should not go",
                    evidence: refused.map { $0.complaint + $0.chain },
                    causes: [
                        "the server's list of alternates is wrong (coturn: alternate-server=)",
                        "the answer is forged: a 300 before authentication is not signed",
                    ],
                    remedy: "Mend the list of alternates; --follow-private goes to addresses inside as well."))
        }
        if !followed.isEmpty {
            findings.append(
                Finding(
                    id: "turn-redirect-followed", severity: .note,
                    title: "The TURN server sent this client to another server",
                    evidence: followed.map { "\($0.place)\($0.chain); the credential was used there as well" },
                    causes: ["the server spreads its clients over alternates"],
                    remedy: "--no-redirect stays with the server that was named."))
        }
        return findings
    }
}

extension TURNResult {
    /// The servers that it was sent to.
    fileprivate var chain: String {
        let redirects = evidence?.redirects ?? []
        return redirects.isEmpty ? "" : "; led to " + redirects.map(\.description).joined(separator: ", then ")
    }
}
