import Facts
import NetTypes

/// ICE has a pair, but DTLS over it fails.
enum ConnectionNotSecured: OneKindRule {
    static let kind = FindingKind(
        "connection-not-secured", .error, "ICE connected, but DTLS failed",
        meaning:
            "ICE found a pair, but the DTLS handshake over it failed, or the peer showed another certificate than its "
            + "description announces.",
        causes: handshake + otherCertificate + otherHash,
        remedy: "Compare a=fingerprint and a=setup of the two descriptions.")
    private static let handshake = [
        "a=setup of the two descriptions does not match: both sides wait, or both begin",
        "large datagrams are lost on the path",
    ]
    private static let otherCertificate = [
        "the description belongs to another session", "someone between the two sides answers instead of the peer",
    ]
    private static let otherHash = ["the peer's fingerprint uses a hash function other than SHA-256"]

    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect, let failure = connect.failure, let dtls = connect.dtls else { return [] }
        var seen = [ConnectWords.failure(failure), "this side is the DTLS \(dtls.isClient ? "client" : "server")"]
        let causes: [String]
        switch failure {
        case .notSecured(let refusal):
            seen += refusal.failures.map { "\($0.kind.rawValue): \($0.detail.cleaned())" }
            causes = handshake
        case .otherCertificate:
            seen += ["announced \(dtls.signaledFingerprint)", "shown \(dtls.shownFingerprint ?? "none")"]
            causes = otherCertificate
        case .noComparableFingerprint:
            seen.append("announced \(dtls.signaledFingerprint)")
            causes = otherHash
        default: return []
        }
        return kind.finding(seen: seen, causes: causes)
    }
}
