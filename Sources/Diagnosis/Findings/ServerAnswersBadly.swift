/// A server answers, and what it says cannot be used.
enum ServerAnswersBadly: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let kinds: [ProbeError.Kind] = [
            .errorResponse, .malformed, .unusableAddress, .unknownAttribute, .wrongSource, .foreignAnswer,
            .badFingerprint, .truncated,
        ]
        let bad = evidence.contacts.filter { $0.error.map { kinds.contains($0.kind) } ?? false }
        guard !bad.isEmpty else { return [] }
        return [
            Finding(
                id: "server-answers-badly", severity: .error, title: "A server's answers cannot be used",
                evidence: bad.map(\.complaint),
                causes: [
                    "the server is misconfigured or defective",
                    "a device on the way answers in its place, or alters what it says",
                ],
                remedy: "Ask another server; show this report to the operator of this one.")
        ]
    }
}
