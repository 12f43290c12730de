import Facts
import NetTypes

/// A TURN server sends its clients to another, and icecheck did not go there.
enum TURNRedirected: FindingRule {
    static let kinds = [refused, followed]
    private static let refused = FindingKind(
        "turn-redirected", .error, "The TURN server redirects clients where they should not go",
        meaning:
            "The server redirects its clients (300 Try Alternate) to itself, to a private address, too often or to "
            + "nowhere.",
        causes: [
            "the server's list of alternates is wrong (coturn: alternate-server=)",
            "the answer is forged: a 300 before authentication is not signed",
        ],
        remedy: "Fix the list of alternates; --follow-private also follows redirects to private addresses.")
    private static let followed = FindingKind(
        "turn-redirect-followed", .note, "The TURN server redirected this client to another server",
        meaning: "The server redirected this client (300 Try Alternate), and icecheck tried the other server.",
        causes: ["the server spreads its clients over alternates"],
        remedy: "Nothing is wrong; with --no-redirect icecheck stays with the server that was named.")

    static func findings(in evidence: Evidence) -> [Finding] {
        let isRefused = { (result: TURNResult) in result.error?.kind == .redirected }
        return refused.findings(about: evidence.turn.filter(isRefused)) { $0.complaint + $0.chain }
            + followed.findings(about: evidence.turn.filter { !isRefused($0) && !$0.chain.isEmpty }) {
                "\($0.place)\($0.chain); the credential was also used there"
            }
    }
}

extension TURNResult {
    /// The servers that it was sent to.
    fileprivate var chain: String {
        let redirects = evidence?.redirects ?? []
        return redirects.isEmpty ? "" : "; led to " + redirects.map(\.description).joined(separator: ", then ")
    }
}
