import NetTypes
import Session

/// ICE has a pair, and DTLS over it fails.
enum ConnectionNotSecured: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect, let failure = connect.failure, let dtls = connect.dtls else { return [] }
        var seen = ["this side is the DTLS \(dtls.isClient ? "client" : "server")"]
        var causes: [String]
        switch failure {
        case .notSecured(let refusal):
            seen += refusal.failures.map { "\($0.kind.rawValue): \($0.detail.cleaned())" }
            causes = [
                "both sides wait, or both begin: a=setup of the two does not fit",
                "large datagrams are lost on the path",
            ]
        case .otherCertificate:
            seen += ["told \(dtls.signaledFingerprint)", "shown \(dtls.shownFingerprint ?? "none")"]
            causes = [
                "the description is of another session", "someone between both sides answers instead of the peer",
            ]
        case .noComparableFingerprint:
            seen.append("told \(dtls.signaledFingerprint)")
            causes = ["the other side uses a hash function other than SHA-256"]
        default: return []
        }
        return [
            Finding(
                id: "connection-not-secured", severity: .error, title: ConnectWords.failure(failure), evidence: seen,
                causes: causes, remedy: "Compare a=fingerprint and a=setup of the two descriptions.")
        ]
    }
}
