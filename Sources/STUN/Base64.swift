/// Bytes as base64 or base64url (RFC 4648).
package enum Base64 {
    /// White space and missing padding do no harm; nil where the text is anything else, or holds no byte.
    package static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        var isPadded = false
        for byte in text.utf8 where ![0x20, 0x09, 0x0A, 0x0D].contains(byte) {
            if byte == UInt8(ascii: "=") {
                isPadded = true
                continue
            }
            guard !isPadded, let sextet = sextet(byte) else { return nil }
            bits = bits << 6 | sextet
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
                bits &= 1 << UInt32(count) - 1
            }
        }
        // What is left of the last byte is no data (RFC 4648 s3.5); six bits alone are no byte.
        return count < 6 && bits == 0 && !bytes.isEmpty ? bytes : nil
    }

    /// With padding (RFC 4648 s4).
    package static func encode(_ bytes: [UInt8]) -> String {
        String(
            decoding: text(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=".utf8),
            as: UTF8.self)
    }

    /// base64url without padding (RFC 4648 s5).
    package static func encodeForURL(_ bytes: [UInt8]) -> String {
        let padded = text(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=".utf8)
        return String(decoding: padded.prefix((bytes.count * 8 + 5) / 6), as: UTF8.self)
    }

    /// The last character of the alphabet is the padding.
    private static func text(_ bytes: [UInt8], _ alphabet: String.UTF8View) -> [UInt8] {
        let alphabet = Array(alphabet)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = UInt32(0)
            for index in 0..<3 { bits = bits << 8 | UInt32(start + index < bytes.count ? bytes[start + index] : 0) }
            for index in 0..<4 {
                text.append(alphabet[index <= group.count ? Int(bits >> (18 - 6 * UInt32(index)) & 0x3F) : 64])
            }
        }
        return text
    }

    private static func sextet(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
