import Engines
import Session

/// The pair worked, and then it did not.
enum ConsentLost: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect, case .lost(let loss) = connect.consent else { return [] }
        let words: String
        switch loss {
        case .expired: words = "no answer to any consent check for 30 s"
        case .revoked: words = "the other side withdrew its consent (403)"
        case .path(let kind): words = ConnectWords.path(kind)
        }
        return [
            Finding(
                id: "consent-lost", severity: .error, title: "the connection broke",
                evidence: [words] + (connect.selectedPair.map { [ConnectWords.pair($0)] } ?? []),
                causes: ["the other side was ended", "a NAT or firewall dropped the mapping", "the network changed"],
                remedy: "Look at the other side first; icecheck nat --lifetime measures how long a mapping lives.")
        ]
    }
}
