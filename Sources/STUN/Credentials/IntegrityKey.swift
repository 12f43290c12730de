/// A secret that no output shows: printing, dumping and interpolating it give `[secret]`.
package protocol HiddenSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension HiddenSecret {
    package var description: String { "[secret]" }
    package var debugDescription: String { "[secret]" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The key of a message with a short-term credential: the prepared password (RFC 8489 s9.1.1).
package struct ShortTermKey: Hashable, Sendable, HiddenSecret {
    package let bytes: [UInt8]

    /// - Throws: ``CredentialError`` where the password cannot be prepared.
    package init(password: some StringProtocol) throws(CredentialError) {
        bytes = try Self.prepared(password)
    }

    static func prepared(_ password: some StringProtocol) throws(CredentialError) -> [UInt8] {
        do {
            return Array(try OpaqueString.prepare(password).utf8)
        } catch {
            throw .unprepared(.password, error)
        }
    }
}

/// The key of a message with a long-term credential: a digest of `username:realm:password` (RFC 8489 s9.2.2, s18.5.1).
package struct LongTermKey: Hashable, Sendable, HiddenSecret {
    package enum Algorithm: UInt16, Hashable, Sendable, CaseIterable {
        case md5 = 1
        case sha256 = 2
    }

    package let algorithm: Algorithm
    package let bytes: [UInt8]

    /// - Throws: ``CredentialError`` where the password cannot be prepared.
    package init(
        username: Username, realm: Realm, password: some StringProtocol, algorithm: Algorithm = .md5
    ) throws(CredentialError) {
        let colon = [UInt8(ascii: ":")]
        let material = username.bytes + colon + realm.keyMaterial + colon + (try ShortTermKey.prepared(password))
        self.algorithm = algorithm
        switch algorithm {
        case .md5: bytes = Digest.md5(material)
        case .sha256: bytes = Digest.sha256(material)
        }
    }
}

/// USERHASH: what stands for a user name that is not to be seen on the way (RFC 8489 s9.2.2, s14.4).
package struct Userhash: Hashable, Sendable {
    package let bytes: [UInt8]

    package init(_ username: Username, _ realm: Realm) {
        bytes = Digest.sha256(username.bytes + [UInt8(ascii: ":")] + realm.keyMaterial)
    }
}
