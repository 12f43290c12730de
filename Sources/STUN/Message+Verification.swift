/// What a check of a message says.
package enum Verification: String, Hashable, Sendable {
    /// The message does not carry what was to be checked.
    case absent
    case valid
    case invalid
}

extension Message {
    /// Whether the FINGERPRINT, which must be the last attribute, fits.
    package func verifyFingerprint() -> Verification {
        guard let attribute = attributes.first(where: { $0.type == .fingerprint }) else { return .absent }
        guard attribute.length == 4, attribute.valueOffset + 4 == bytes.count else { return .invalid }
        return bytes.uint32(at: attribute.valueOffset) == Fingerprint.of(bytes[..<(attribute.valueOffset - 4)])
            ? .valid : .invalid
    }

    /// Whether MESSAGE-INTEGRITY fits the key.
    package func verifyIntegrity(key: [UInt8]) -> Verification {
        verify(.messageIntegrity, sizes: [HMAC.sha1Size]) { HMAC.sha1($0, key: key) }
    }

    /// Whether MESSAGE-INTEGRITY-SHA256 fits the key; it may be cut to 16 bytes at the least.
    package func verifyIntegritySHA256(key: [UInt8]) -> Verification {
        verify(.messageIntegritySHA256, sizes: Array(stride(from: 16, through: 32, by: 4))) {
            HMAC.sha256($0, key: key)
        }
    }

    private func verify(
        _ type: AttributeType, sizes: [Int], _ digest: (ArraySlice<UInt8>) -> [UInt8]
    ) -> Verification {
        guard let attribute = first(type) else { return .absent }
        guard sizes.contains(attribute.length) else { return .invalid }
        // The length field counts up to the end of this attribute, whatever follows it.
        var covered = Array(bytes[..<(attribute.valueOffset - 4)])
        let length = attribute.range.upperBound - Self.headerSize
        covered[2] = UInt8(truncatingIfNeeded: length >> 8)
        covered[3] = UInt8(truncatingIfNeeded: length)
        return HMAC.areEqual(digest(covered[...]).prefix(attribute.length), bytes[attribute.range]) ? .valid : .invalid
    }
}
