import STUN

/// Credentials of TURN's REST API (draft-uberti-behave-turn-rest): a user name that says when it expires, and as its
/// password a digest of it with the secret that server and issuer share.
package enum TURNREST {
    /// A credential as it is handed to a client.
    package struct Credential: Hashable, Sendable {
        /// `expiry:user`, or the expiry alone.
        package let username: String
        private let hidden: HiddenBytes

        init(username: String, password: String) {
            self.username = username
            hidden = HiddenBytes(Array(password.utf8))
        }

        /// The password, base64.
        package func revealPassword() -> String { String(decoding: hidden.bytes, as: UTF8.self) }
    }

    /// Makes a credential that is good until `expiry`, in seconds since 1970.
    package static func credential(secret: String, user: String = "", expiry: Int64) -> Credential {
        let username = user.isEmpty ? "\(expiry)" : "\(expiry):\(user)"
        let digest = HMAC.sha1(Array(username.utf8)[...], key: Array(secret.utf8))
        return Credential(username: username, password: Base64.encode(digest))
    }

    /// When a user name of this kind expires, in seconds since 1970; nil where it is no such name.
    ///
    /// Between 2001 and 2286 the number has ten digits: a telephone number before a colon is rarely taken for one.
    package static func expiry(inUsername username: String) -> Int64? {
        let digits = username.utf8.prefix { $0 != UInt8(ascii: ":") }
        guard digits.count == 10, digits.allSatisfy({ (0x30...0x39).contains($0) }), digits.first != 0x30 else {
            return nil
        }
        return digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
    }

    /// How long ago a user name expired by the clock `now` (seconds since 1970), nil where it did not or cannot.
    package static func secondsSinceExpiry(ofUsername username: String, now: Int64) -> Int64? {
        guard let expiry = expiry(inUsername: username), expiry <= now else { return nil }
        return now - expiry
    }
}
