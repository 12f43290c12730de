/// A server answers, but its answers cannot be used.
enum ServerAnswersBadly: OneKindRule {
    static let kind = FindingKind(
        "server-answers-badly", .error, "A server's answers cannot be used",
        meaning: "A server answers with an error or with a malformed or altered message, or its answers come from "
            + "another address.",
        causes: [
            "the server is misconfigured or defective",
            "a device on the path answers in the server's place, or alters what the server says",
        ],
        remedy: "Try another server; show this report to the operator of this one.")

    static func findings(in evidence: Evidence) -> [Finding] {
        kind.findings(
            about: evidence.contacts(failing: [
                .errorResponse, .malformed, .unusableAddress, .unknownAttribute, .wrongSource, .foreignAnswer,
                .badFingerprint, .truncated,
            ]), seen: \.complaint)
    }
}
