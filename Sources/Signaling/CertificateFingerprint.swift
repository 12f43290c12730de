import STUN

/// The hash of a certificate, as `a=fingerprint` has it (RFC 8122 s5).
package struct CertificateFingerprint: Hashable, Sendable {
    /// The hash function's name in lower case: `sha-256`.
    package var algorithm: String
    package var bytes: [UInt8]

    package init(algorithm: String = "sha-256", bytes: [UInt8]) {
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// Bytes of the hash functions that RFC 8122 s5 names.
    static let lengths: [String: Int] = [
        "md2": 16, "md5": 16, "sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64,
    ]

    /// Why a text is no fingerprint, and what would be right.
    package struct Problem: Error, Hashable {
        package var message: String
        /// Whether it may be a good one, of a hash function that is not known here.
        package var isOfUnknownAlgorithm: Bool
    }

    /// Reads `sha-256 4A:AD:B9...`, in either case.
    package init(parsing text: String) throws(Problem) {
        let fields = text.split(separator: " ")
        guard fields.count == 2, !fields[0].isEmpty else {
            throw Problem(
                message: "a fingerprint is a hash function such as sha-256, a space and bytes in hexadecimal "
                    + "(RFC 8122 s5)", isOfUnknownAlgorithm: false)
        }
        let name = fields[0].lowercased()
        guard let length = Self.lengths[name] else {
            throw Problem(
                message: "the hash function '\(QuotedInput(name))' is not known here; sha-256 is what everyone has "
                    + "(RFC 8122 s5)", isOfUnknownAlgorithm: true)
        }
        let parts = fields[1].utf8.split(separator: UInt8(ascii: ":"), maxSplits: 64, omittingEmptySubsequences: false)
        let bytes = parts.compactMap { Self.byte(Array($0)) }
        guard bytes.count == length, parts.count == length else {
            throw Problem(
                message: "a \(name) fingerprint is \(length) bytes in hexadecimal with ':' between, and this has "
                    + (parts.count == length ? "one that is none" : parts.count < length ? "fewer" : "more")
                    + " (RFC 8122 s5)", isOfUnknownAlgorithm: false)
        }
        self.init(algorithm: name, bytes: bytes)
    }

    private static func byte(_ digits: [UInt8]) -> UInt8? {
        guard digits.count == 2 else { return nil }
        var value: UInt8 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | (digit - UInt8(ascii: "0"))
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | (digit - UInt8(ascii: "A") + 10)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | (digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }
}

extension CertificateFingerprint: CustomStringConvertible {
    /// As SDP has it: `sha-256 4A:AD:B9...`.
    package var description: String {
        "\(algorithm) " + bytes.map { Hex.text([$0]).uppercased() }.joined(separator: ":")
    }
}
