/// What a certificate says (RFC 5280), whether it is believed or not.
package struct CertificateFacts: Hashable, Sendable, Codable {
    /// A name that it is for (subjectAltName).
    package enum Name: Hashable, Sendable, Codable {
        case dns(OutsideText)
        case address(IPAddress)
    }

    /// As RFC 4514 writes names: `CN=turn.example.org,O=Example`.
    package var subject: OutsideText
    package var issuer: OutsideText
    /// The subject's common name: a name in there alone is no name to a browser.
    package var commonName: OutsideText
    package var names: [Name]
    /// Seconds since 1970.
    package var notBefore: Int64
    package var notAfter: Int64
    /// `RSA`, `EC`, `ED25519`.
    package var keyKind: String
    package var keyBits: Int
    /// As OpenSSL calls it: `ecdsa-with-SHA256`.
    package var signatureAlgorithm: String
    /// SHA-256 over the whole certificate, 32 bytes.
    package var fingerprint: [UInt8]
    package var isSelfSigned: Bool

    package init(
        subject: OutsideText, issuer: OutsideText, commonName: OutsideText, names: [Name], notBefore: Int64,
        notAfter: Int64, keyKind: String, keyBits: Int, signatureAlgorithm: String, fingerprint: [UInt8],
        isSelfSigned: Bool
    ) {
        self.subject = subject
        self.issuer = issuer
        self.commonName = commonName
        self.names = names
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.keyKind = keyKind
        self.keyBits = keyBits
        self.signatureAlgorithm = signatureAlgorithm
        self.fingerprint = fingerprint
        self.isSelfSigned = isSelfSigned
    }

    /// Whole days until it expires, rounded down; negative once it has.
    package func daysToExpiry(at secondsSince1970: Int64) -> Int64 {
        let (left, overflow) = notAfter.subtractingReportingOverflow(secondsSince1970)
        if overflow { return notAfter < 0 ? .min : .max }
        return left >= 0 ? left / 86400 : (left - 86399) / 86400
    }
}
