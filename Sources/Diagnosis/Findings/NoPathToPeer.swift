import Engines
import Facts

/// Both sides know each other's candidates, and no pair works.
enum NoPathToPeer: OneKindRule {
    static let kind = FindingKind(
        "no-path-to-peer", .error, "No pair of candidates works",
        meaning: "Of all pairs of this side's and the peer's candidates, none carried a check and its answer.",
        causes: [noLocal, noRemote, forced, noRelay, firewall],
        remedy: "Give both sides a TURN server over UDP and over TCP, or allow UDP between the two sides.")
    private static let noLocal = "this side has no candidate: there is nothing to check"
    private static let noRemote = "the peer offered no candidate"
    private static let forced = "--force excludes the other kinds"
    private static let noRelay = "this side has no relay, and the NATs or firewalls in between let nothing through"
    private static let firewall = "a firewall drops UDP between the two sides"

    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect else { return [] }
        switch connect.failure {
        case .noPath, .noCandidates, .deadline(.checking): break
        default: return []
        }
        let reasons = connect.pairs.compactMap { pair in
            pair.failure.map { "\(ConnectWords.pair(pair)): \(ConnectWords.failure($0))" }
        }
        let hasRelay = connect.localCandidates.contains { $0.kind == .relayed }
        let causes = [
            connect.localCandidates.isEmpty ? noLocal : nil, connect.remoteCandidates.isEmpty ? noRemote : nil,
            connect.kinds.count < Candidate.Kind.allCases.count ? forced : nil, hasRelay ? nil : noRelay, firewall,
        ].compactMap(\.self)
        let shown = reasons.prefix(6)
        return kind.finding(
            seen: (shown.isEmpty ? ["\(Words.count(connect.pairs.count, "pair")) checked"] : Array(shown))
                + (reasons.count > shown.count ? ["and \(reasons.count - shown.count) more pairs"] : []),
            causes: causes,
            remedy: hasRelay
                ? "Run `icecheck turn SERVER` to see whether the relays carry data, and allow UDP between the two sides."
                : "Give at least one side a TURN server, or allow UDP between the two sides.")
    }
}
