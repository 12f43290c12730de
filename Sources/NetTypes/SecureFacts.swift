/// What a TLS or DTLS handshake brought to light, whether it was completed or not.
package struct SecureFacts: Hashable, Sendable, Codable {
    /// `TLSv1.3`, `DTLSv1.2`; empty where the handshake did not get as far.
    package var version: String
    /// As OpenSSL calls it: `TLS_AES_256_GCM_SHA384`; empty where the handshake did not get as far.
    package var cipher: String
    /// The protocol that the server chose (ALPN, RFC 7301); nil where it chose none.
    package var applicationProtocol: OutsideText?
    /// The certificates as the server sent them, its own first; at most 16.
    package var chain: [CertificateFacts]
    /// The trusted root that the chain ends in.
    package var trustAnchor: CertificateFacts?
    /// What is wrong with the certificates, the most specific first: with `--insecure` a handshake is completed in
    /// spite of it.
    package var faults: [SecureFailure]
    /// Seconds since 1970 at which the certificates were judged.
    package var judgedAt: Int64

    package init(
        version: String = "", cipher: String = "", applicationProtocol: OutsideText? = nil,
        chain: [CertificateFacts] = [], trustAnchor: CertificateFacts? = nil, faults: [SecureFailure] = [],
        judgedAt: Int64 = 0
    ) {
        self.version = version
        self.cipher = cipher
        self.applicationProtocol = applicationProtocol
        self.chain = chain
        self.trustAnchor = trustAnchor
        self.faults = faults
        self.judgedAt = judgedAt
    }

    /// Whole days until the first of the certificates expires; nil where none was seen.
    package var daysToExpiry: Int64? { chain.map { $0.daysToExpiry(at: judgedAt) }.min() }
}
