import NetTypes

extension Words {
    /// Why a handshake failed, as a clause after "the TLS handshake failed: ".
    static func failure(_ failure: SecureFailure) -> String {
        let detail = failure.detail.cleaned(limit: 200)
        let which = failure.certificate.map { $0 == 0 ? "the certificate" : "certificate \($0) of the chain" } ?? ""
        switch failure.kind {
        case .interceptionSuspected: return "someone opens TLS on the way (\(detail))"
        case .revoked: return "\(which) is revoked"
        case .expired: return "\(which) expired on \(detail)"
        case .notYetValid: return "\(which) is not valid before \(detail)"
        case .wrongName: return detail.isEmpty ? "the certificate names nobody" : "the certificate is for \(detail)"
        case .weakKey: return "\(which) has a weak key (\(detail))"
        case .weakHash: return "\(which) is signed with a weak hash (\(detail))"
        case .chainTooLong: return "the certificate chain is too long"
        case .missingIntermediate: return "the server sent its own certificate alone, issued by \(detail)"
        case .selfSigned: return "the certificate is self-signed (\(detail))"
        case .unknownRoot: return "the chain ends in a root that is not trusted here (\(detail))"
        case .certificateRefused: return "\(which) is refused: \(detail)"
        case .notTLS: return "what answers there does not speak TLS"
        case .protocolVersion: return "there is no TLS version in common"
        case .noCommonCipher: return "there is no cipher in common"
        case .alpnMismatch: return "the server takes no application protocol that was offered (ALPN)"
        case .alert: return "the server refused with the alert \(detail)"
        case .closedDuringHandshake: return "the server closed the connection"
        case .stalled: return "it did not come to an end in time"
        case .flightLost:
            return "the server answered, and part of its flight never came (nothing larger than \(detail))"
        case .malformed: return "the server broke the protocol (\(detail))"
        case .unusableConfiguration: return "it cannot be begun here: \(detail)"
        }
    }
}
