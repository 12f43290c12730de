import NetTypes
import STUN

extension ServerCredentials {
    /// SHA-256 over the DER of the first certificate (RFC 8122 s5); nil where there is none.
    var fingerprint: [UInt8]? {
        let lines = String(decoding: chainPEM, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: true)
        let body = lines.drop { !$0.hasPrefix("-----BEGIN CERTIFICATE") }.dropFirst().prefix { !$0.hasPrefix("-----") }
        guard !body.isEmpty, let der = Base64.decode(body.map { $0.filter { $0 != "\r" } }.joined()) else { return nil }
        return Digest.sha256(der)
    }
}
