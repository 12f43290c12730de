/// The limits of REALM and NONCE, which a client sends back as they came (RFC 8489 s14.9, s14.10).
enum ChallengeLimit {
    /// Fewer than 128 characters may take this many bytes when they are decoded.
    static let bytes = 763
    static let characters = 127

    static func check(_ bytes: [UInt8], _ part: CredentialError.Part) throws(CredentialError) {
        guard !bytes.isEmpty else { throw .empty(part) }
        guard bytes.count <= Self.bytes else { throw .tooLong(part, bytes: bytes.count, limit: Self.bytes) }
    }

    /// Every byte that does not go on with a character begins one; what is no UTF-8 is counted no lower.
    static func isExceeded(by bytes: [UInt8]) -> Bool {
        bytes.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) } > characters
    }
}

/// The realm of a server, as its bytes came: they are sent back and make the key.
package struct Realm: Hashable, Sendable {
    package let bytes: [UInt8]

    /// - Throws: ``CredentialError`` where it is empty, or too long to be sent back.
    package init(_ bytes: [UInt8]) throws(CredentialError) {
        try ChallengeLimit.check(bytes, .realm)
        self.bytes = bytes
    }

    /// Whether it has more characters than RFC 8489 allows, and yet few enough bytes to be sent back.
    package var isLongerThanAllowed: Bool { ChallengeLimit.isExceeded(by: bytes) }

    /// What keys are made of: prepared, or the bytes themselves where a server's realm cannot be prepared, since that
    /// server then made its keys of them.
    var keyMaterial: [UInt8] {
        guard let text = String(validating: bytes, as: UTF8.self), let prepared = try? OpaqueString.prepare(text)
        else { return bytes }
        return Array(prepared.utf8)
    }
}

/// The nonce of a server, as its bytes came.
package struct Nonce: Hashable, Sendable {
    package let bytes: [UInt8]

    /// - Throws: ``CredentialError`` where it is empty, or too long to be sent back.
    package init(_ bytes: [UInt8]) throws(CredentialError) {
        try ChallengeLimit.check(bytes, .nonce)
        self.bytes = bytes
    }

    /// Whether it has more characters than RFC 8489 allows, and yet few enough bytes to be sent back.
    package var isLongerThanAllowed: Bool { ChallengeLimit.isExceeded(by: bytes) }

    /// What the server says with it about its security features, nil where it is no nonce of RFC 8489.
    package var cookie: NonceCookie? { NonceCookie(nonce: bytes) }
}
