/// A username fragment and a password of one ICE session (RFC 8445 s5.3).
///
/// Both pass through signaling in the clear; the password signs checks and nothing else, for one session. All the same
/// it is shown by no description.
package struct ICECredentials: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// 4 to 256 characters of `ice-char`.
    package let usernameFragment: String
    /// 22 to 256 characters of `ice-char`.
    package let password: String

    /// Nil where a length or a character is against RFC 8839 s5.4.
    package init?(usernameFragment: String, password: String) {
        guard (4...256).contains(usernameFragment.utf8.count), (22...256).contains(password.utf8.count),
            usernameFragment.utf8.allSatisfy(Self.isICECharacter), password.utf8.allSatisfy(Self.isICECharacter)
        else { return nil }
        self.usernameFragment = usernameFragment
        self.password = password
    }

    /// 48 and 144 random bits, of which RFC 8445 s5.3 asks 24 and 128.
    package init(using random: inout some RandomNumberGenerator) {
        usernameFragment = Self.text(8, &random)
        password = Self.text(24, &random)
    }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".unicodeScalars)

    private static func text(_ count: Int, _ random: inout some RandomNumberGenerator) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<count {
            let bits: UInt64 = random.next()
            text.append(alphabet[Int(bits & 63)])
        }
        return String(text)
    }

    /// `ice-char` (RFC 8839 s5.1).
    package static func isICECharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }

    package var description: String { "ICE credentials of \(usernameFragment)" }
    package var customMirror: Mirror { Mirror(self, children: ["usernameFragment": usernameFragment]) }
}
