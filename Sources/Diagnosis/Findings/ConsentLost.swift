import Engines
import Facts

/// The pair worked, and then it did not.
enum ConsentLost: OneKindRule {
    static let kind = FindingKind(
        "consent-lost", .error, "The connection broke",
        meaning: "The selected pair carried data, and then the peer's consent expired or was withdrawn (RFC 7675).",
        causes: ["the peer ended", "a NAT or firewall dropped the mapping", "the network changed"],
        remedy: "Look at the peer first; `icecheck nat --lifetime` measures how long a mapping lives.")

    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect, case .lost(let loss) = connect.consent else { return [] }
        let words =
            switch loss {
            case .expired: "no answer to any consent check for 30 s"
            case .revoked: "the peer withdrew its consent (403)"
            case .path(let kind): ConnectWords.path(kind)
            }
        return kind.finding(seen: [words] + [connect.selectedPair.map(ConnectWords.pair)].compactMap(\.self))
    }
}
