import Engines
import Session

/// Both sides know each other's candidates, and no pair works.
enum NoPathToPeer: FindingRule {
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
        var causes: [String] = []
        if connect.localCandidates.isEmpty { causes.append("this side has no candidate: there is nothing to check") }
        if connect.remoteCandidates.isEmpty { causes.append("the other side told of no candidate") }
        if connect.kinds.count < Candidate.Kind.allCases.count { causes.append("--force leaves the other kinds out") }
        if !hasRelay {
            causes.append("this side has no relay, and the NATs or firewalls between both let nothing through")
        }
        causes.append("a firewall drops UDP between the two sides")
        let shown = reasons.prefix(6)
        return [
            Finding(
                id: "no-path-to-peer", severity: .error, title: "no pair of candidates works",
                evidence: (shown.isEmpty ? ["\(Words.count(connect.pairs.count, "pair")) checked"] : Array(shown))
                    + (reasons.count > shown.count ? ["and \(reasons.count - shown.count) more pairs"] : []),
                causes: causes,
                remedy: hasRelay
                    ? "Ask icecheck turn whether the relays carry data, and open UDP between the two sides."
                    : "Name a TURN server on at least one side, or open UDP between the two.")
        ]
    }
}
