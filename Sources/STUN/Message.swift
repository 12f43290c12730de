/// A STUN message as it was received: checked in its form, with its attributes as ranges into its bytes.
///
/// The bytes are shared with whoever received them; nothing is copied until a value is asked for. Values are decoded
/// by ``value(_:)``, so that one malformed attribute does not cost the others.
package struct Message: Hashable, Sendable {
    /// The most attributes that are kept; of a flood, the rest is counted and only what matters is kept.
    package static let attributeLimit = 256
    package static let headerSize = 20
    package static let magicCookie: UInt32 = 0x2112_A442

    /// An attribute in its place.
    package struct Attribute: Hashable, Sendable {
        package let type: AttributeType
        /// Bytes from the start of the message to the value.
        package let valueOffset: Int
        /// Bytes of the value, without padding.
        package let length: Int

        package var range: Range<Int> { valueOffset..<valueOffset + length }
    }

    package let bytes: [UInt8]
    package let messageClass: MessageClass
    package let method: Method
    package let transactionID: TransactionID
    /// Whether the magic cookie is missing: an RFC 3489 message, whose first 32 bits of transaction id stand there.
    package let isLegacy: Bool
    package let attributes: [Attribute]
    /// The attributes that count for meaning: those before any integrity, and the integrity and fingerprint after it
    /// that the RFC lets follow (RFC 8489 s14.5, s14.6, s14.7).
    package let meaningful: [Attribute]
    /// Attributes that were not kept: see ``attributeLimit``.
    package let omittedAttributeCount: Int

    /// Checks the form of a message that must fill `bytes` exactly.
    ///
    /// - Throws: ``DecodingError`` with the place and the rule.
    package init(decoding bytes: [UInt8]) throws(DecodingError) {
        guard bytes.count >= Self.headerSize else {
            throw DecodingError(offset: 0, .shorterThanHeader(bytes.count))
        }
        guard bytes[0] & 0xC0 == 0 else { throw DecodingError(offset: 0, .topBitsSet(bytes[0])) }
        let length = Int(bytes.uint16(at: 2))
        guard length % 4 == 0 else { throw DecodingError(offset: 2, .lengthNotMultipleOfFour(length)) }
        let present = bytes.count - Self.headerSize
        guard length <= present else {
            throw DecodingError(offset: 2, .longerThanPacket(declared: length, present: present))
        }
        guard length == present else {
            throw DecodingError(offset: Self.headerSize + length, .trailingBytes(present - length))
        }
        let type = bytes.uint16(at: 0)
        self.bytes = bytes
        messageClass = MessageClass(messageType: type)
        method = Method(messageType: type)
        isLegacy = bytes.uint32(at: 4) != Self.magicCookie
        transactionID = TransactionID(high: bytes.uint32(at: 8), low: bytes.uint64(at: 12))
        (attributes, omittedAttributeCount) = try Self.attributes(of: bytes)
        meaningful = Self.meaningful(of: attributes)
    }

    private static func attributes(of bytes: [UInt8]) throws(DecodingError) -> ([Attribute], Int) {
        var attributes: [Attribute] = []
        attributes.reserveCapacity(8)
        var omitted = 0
        var extra = PastTheLimit()
        var offset = headerSize
        // The length is a multiple of four, and so is what each attribute takes: a header is whole, or not there.
        while offset < bytes.count {
            let type = AttributeType(rawValue: bytes.uint16(at: offset))
            let length = Int(bytes.uint16(at: offset + 2))
            let left = bytes.count - offset - 4
            guard length <= left else {
                throw DecodingError(offset: offset + 2, .attributeOverrun(type, declared: length, present: left))
            }
            let isKept = attributes.count < attributeLimit || extra.keeps(type, besides: attributes)
            if isKept {
                attributes.append(Attribute(type: type, valueOffset: offset + 4, length: length))
            } else {
                omitted += 1
            }
            offset += 4 + length.paddedToFour
        }
        return (attributes, omitted)
    }

    // MARK: Attributes

    private static func meaningful(of attributes: [Attribute]) -> [Attribute] {
        /// What may still come, by what has come.
        enum Stage: Int { case anything, afterIntegrity, afterSHA256, afterFingerprint }
        func next(_ stage: Stage, _ type: AttributeType) -> Stage? {
            switch type {
            case .fingerprint: stage.rawValue < Stage.afterFingerprint.rawValue ? .afterFingerprint : nil
            case .messageIntegritySHA256: stage.rawValue < Stage.afterSHA256.rawValue ? .afterSHA256 : nil
            case .messageIntegrity: stage == .anything ? .afterIntegrity : nil
            default: stage == .anything ? .anything : nil
            }
        }
        var stage = Stage.anything
        // A message that is in order shares its array.
        guard attributes.contains(where: { next(stage, $0.type).map { stage = $0 } == nil }) else { return attributes }
        stage = .anything
        return attributes.filter { next(stage, $0.type).map { stage = $0 } != nil }
    }

    /// The attributes that came too late to mean anything: anyone on the way may have added them.
    package var unauthenticated: [Attribute] {
        let kept = Set(meaningful)
        return attributes.filter { !kept.contains($0) }
    }

    /// The first attribute of a type that counts; later ones of the same type are ignored (RFC 8489 s14).
    package func first(_ type: AttributeType) -> Attribute? {
        meaningful.first { $0.type == type }
    }

    /// The value of an attribute, nil where the message has none.
    ///
    /// - Throws: ``DecodingError`` where the value breaks a rule of its type.
    package func value<Value>(_ key: AttributeKey<Value>) throws(DecodingError) -> Value? {
        guard let attribute = first(key.type) else { return nil }
        return try value(key, of: attribute)
    }

    /// The value of one attribute, which may be a later one of its type.
    package func value<Value>(_ key: AttributeKey<Value>, of attribute: Attribute) throws(DecodingError) -> Value {
        do {
            return try key.decode(AttributeValue(bytes: bytes, range: attribute.range))
        } catch {
            throw DecodingError(offset: attribute.valueOffset, .value(attribute.type, error.problem))
        }
    }

    /// The bytes of an attribute's value.
    package func rawValue(_ type: AttributeType) -> [UInt8]? {
        first(type).map { Array(bytes[$0.range]) }
    }

    /// Comprehension-required attributes without a name: a reply with one must not be used (RFC 8489 s6.3.3).
    package var unknownComprehensionRequired: [AttributeType] {
        meaningful.map(\.type).filter { $0.isComprehensionRequired && $0.name == nil }
    }

    /// Types that come more than once among the attributes that count.
    package var duplicates: [AttributeType] {
        var seen: Set<AttributeType> = []
        var twice: [AttributeType] = []
        for attribute in meaningful where !seen.insert(attribute.type).inserted && !twice.contains(attribute.type) {
            twice.append(attribute.type)
        }
        return twice
    }
}

extension [UInt8] {
    func uint16(at offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }
    func uint32(at offset: Int) -> UInt32 { UInt32(uint16(at: offset)) << 16 | UInt32(uint16(at: offset + 2)) }
    func uint128(at offset: Int) -> UInt128 { UInt128(uint64(at: offset)) << 64 | UInt128(uint64(at: offset + 8)) }
    func uint64(at offset: Int) -> UInt64 { UInt64(uint32(at: offset)) << 32 | UInt64(uint32(at: offset + 4)) }
}

extension Int {
    /// The next multiple of four.
    package var paddedToFour: Int { (self + 3) & ~3 }
}

/// Which attributes past the limit still count: a flood before an attribute must not hide it.
///
/// They are the first of each type that has a name, and the first few that must be understood and have none.
private struct PastTheLimit {
    private var seen: Set<AttributeType> = []
    private var unknown = 0

    mutating func keeps(_ type: AttributeType, besides attributes: [Message.Attribute]) -> Bool {
        if seen.isEmpty { seen = Set(attributes.map(\.type)) }
        guard type.name != nil || type.isComprehensionRequired && unknown < 16, seen.insert(type).inserted else {
            return false
        }
        if type.name == nil { unknown += 1 }
        return true
    }
}
