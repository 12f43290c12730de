/// Writes a message into one buffer, its length kept right after each attribute.
package struct MessageBuilder: Sendable {
    private var writer: AttributeWriter

    package init(_ messageClass: MessageClass, _ method: Method, _ transactionID: TransactionID) {
        writer = AttributeWriter(bytes: [])
        writer.bytes.reserveCapacity(128)
        writer.append(messageClass.typeBits | method.typeBits)
        writer.append(UInt16(0))
        writer.append(Message.magicCookie)
        writer.append(transactionID.high)
        writer.append(transactionID.low)
    }

    /// Begins an RFC 3489 message: `legacyPrefix` stands where the magic cookie would.
    package init(
        _ messageClass: MessageClass, _ method: Method, legacyPrefix: UInt32, _ transactionID: TransactionID
    ) {
        self.init(messageClass, method, transactionID)
        for index in 0..<4 {
            writer.bytes[4 + index] = UInt8(truncatingIfNeeded: legacyPrefix >> (24 - 8 * UInt32(index)))
        }
    }

    package var bytes: [UInt8] { writer.bytes }

    package mutating func append<Value>(_ key: AttributeKey<Value>, _ value: Value) {
        append(key.type) { key.encode(value, &$0) }
    }

    package mutating func append(_ key: AttributeKey<[UInt8]>, _ text: String) {
        append(key, Array(text.utf8))
    }

    package mutating func appendRaw(_ type: AttributeType, _ value: some Sequence<UInt8>) {
        append(type) { $0.append(value) }
    }

    /// Adds MESSAGE-INTEGRITY: an HMAC-SHA1 of all before it, the length counted as if it were the last attribute.
    package mutating func appendMessageIntegrity(key: [UInt8]) {
        appendIntegrity(.messageIntegrity, HMAC.sha1Size) { HMAC.sha1($0, key: key) }
    }

    /// Adds MESSAGE-INTEGRITY-SHA256, cut to `size` bytes: 16 to 32, a multiple of 4 (RFC 8489 s14.6).
    package mutating func appendMessageIntegritySHA256(key: [UInt8], truncatedTo size: Int = HMAC.sha256Size) {
        precondition((16...32).contains(size) && size % 4 == 0, "an HMAC-SHA256 has 16 to 32 bytes, in fours")
        appendIntegrity(.messageIntegritySHA256, size) { Array(HMAC.sha256($0, key: key).prefix(size)) }
    }

    package mutating func appendFingerprint() {
        append(.fingerprint) { $0.append(UInt32(0)) }
        let start = writer.bytes.count - 4
        let value = Fingerprint.of(writer.bytes[..<(start - 4)])
        for index in 0..<4 {
            writer.bytes[start + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(index)))
        }
    }

    private mutating func appendIntegrity(_ type: AttributeType, _ size: Int, _ digest: (ArraySlice<UInt8>) -> [UInt8])
    {
        append(type) { $0.append(repeatElement(0, count: size)) }
        let start = writer.bytes.count - size
        writer.bytes.replaceSubrange(start..., with: digest(writer.bytes[..<(start - 4)]))
    }

    private mutating func append(_ type: AttributeType, _ write: (inout AttributeWriter) -> Void) {
        let start = writer.bytes.count
        writer.append(type.rawValue)
        writer.append(UInt16(0))
        write(&writer)
        let length = writer.bytes.count - start - 4
        writer.append(repeatElement(0, count: length.paddedToFour - length))
        let body = writer.bytes.count - Message.headerSize
        precondition(length <= 0xFFFF && body <= 0xFFFF, "a STUN message has at most 65,535 bytes after its header")
        patch(UInt16(length), at: start + 2)
        patch(UInt16(body), at: 2)
    }

    private mutating func patch(_ value: UInt16, at offset: Int) {
        writer.bytes[offset] = UInt8(value >> 8)
        writer.bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
