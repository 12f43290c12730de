/// A reason not to talk over TLS or DTLS.
package struct SecureFailure: Error, Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        // The certificate, in the order in which they are told: first what names its own remedy, last what follows
        // from the others.

        /// An issuer is a product that opens TLS to look inside.
        case interceptionSuspected
        case revoked
        case expired
        case notYetValid
        /// It is for other names.
        case wrongName
        /// RSA or DSA below 2048 bits, EC below 224.
        case weakKey
        /// Signed over MD5 or SHA-1.
        case weakHash
        case chainTooLong
        /// The server sent its own certificate alone, and who issued it is no known root.
        case missingIntermediate
        case selfSigned
        /// The chain is whole, and ends in a root that is not trusted here.
        case unknownRoot
        /// Anything else that verification found, in OpenSSL's words.
        case certificateRefused

        // The handshake.

        /// The server's first bytes are no TLS.
        case notTLS
        /// No version in common.
        case protocolVersion
        /// Nothing in common: ciphers, groups or signatures.
        case noCommonCipher
        /// None of the protocols offered suits the server (RFC 7301), or it chose one that was not offered.
        case alpnMismatch
        /// The peer refused with an alert.
        case alert
        /// FIN before the handshake was complete.
        case closedDuringHandshake
        /// No end of the handshake within its time.
        case stalled
        /// DTLS: the server answers, and some of what it sends never comes; the detail is the largest of what came.
        case flightLost
        /// The peer broke the protocol, in OpenSSL's words.
        case malformed
        /// A server's certificate or a file of roots that cannot be used: this side's own.
        case unusableConfiguration
    }

    package var kind: Kind
    /// What there is to say beyond the kind: the names that it has, the date, the alert's name, the first bytes.
    package var detail: OutsideText
    /// Which certificate of the chain, 0 for the server's own.
    package var certificate: Int?
    /// The number of the alert that the peer sent (RFC 8446 s6).
    package var alert: UInt8?

    package init(_ kind: Kind, _ detail: OutsideText = OutsideText(""), certificate: Int? = nil, alert: UInt8? = nil) {
        self.kind = kind
        self.detail = detail
        self.certificate = certificate
        self.alert = alert
    }

    package init(_ kind: Kind, _ detail: String, certificate: Int? = nil, alert: UInt8? = nil) {
        self.init(kind, OutsideText(detail), certificate: certificate, alert: alert)
    }
}

/// A path that could not be secured, and is closed.
package struct SecureRefusal: Hashable, Sendable, Codable {
    /// At least one; the most specific first.
    package var failures: [SecureFailure]
    /// As far as the handshake got.
    package var facts: SecureFacts
    /// The peer's first bytes, up to 64, where they are no TLS: whoever knows protocols can name them.
    package var firstBytes: [UInt8]

    package init(failures: [SecureFailure], facts: SecureFacts = SecureFacts(), firstBytes: [UInt8] = []) {
        self.failures = failures
        self.facts = facts
        self.firstBytes = firstBytes
    }
}
