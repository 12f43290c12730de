/// The start of a nonce that says which security features a server has, so that nobody on the way can take them out
/// of its answer unseen (RFC 8489 s9.2, s18.1).
package struct NonceCookie: Hashable, Sendable {
    /// A set of 24 bits, counted from the least significant (the erratum to RFC 8489 s18.1, with which its
    /// vector B.1 agrees; the printed text counts from the other side).
    package struct Features: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue & 0xFF_FFFF }

        /// Bit 0: the server sends PASSWORD-ALGORITHMS.
        package static let passwordAlgorithms = Features(rawValue: 1 << 0)
        /// Bit 1: the server takes USERHASH in the place of USERNAME.
        package static let usernameAnonymity = Features(rawValue: 1 << 1)
    }

    /// What a nonce with features begins with.
    package static let prefix = "obMatJos2"
    /// Bytes of the prefix and of the four characters after it.
    package static let byteCount = 13

    package let features: Features

    package init(_ features: Features) { self.features = features }

    /// Reads the start of a nonce; nil where it is another, or four characters of base64 do not follow.
    package init?(nonce: [UInt8]) {
        guard nonce.count >= Self.byteCount, nonce.starts(with: Self.prefix.utf8) else { return nil }
        var bits: UInt32 = 0
        for character in nonce[Self.prefix.utf8.count..<Self.byteCount] {
            guard let value = Self.alphabet.firstIndex(of: character) else { return nil }
            bits = bits << 6 | UInt32(value)
        }
        features = Features(rawValue: bits)
    }

    /// The 13 bytes that a nonce with these features begins with.
    package var bytes: [UInt8] {
        Array(Self.prefix.utf8)
            + [18, 12, 6, 0].map { Self.alphabet[Int(features.rawValue >> $0 & 0x3F)] }
    }

    /// RFC 4648 s4.
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}
