/// Where a message breaks a rule, and which.
package struct DecodingError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Rule: Hashable, Sendable {
        case shorterThanHeader(Int)
        case topBitsSet(UInt8)
        case lengthNotMultipleOfFour(Int)
        case longerThanPacket(declared: Int, present: Int)
        case trailingBytes(Int)
        case attributeOverrun(AttributeType, declared: Int, present: Int)
        /// The value of an attribute: what it has, and what would be right.
        case value(AttributeType, String)
    }

    /// Bytes from the start of the message.
    package let offset: Int
    package let rule: Rule

    package init(offset: Int, _ rule: Rule) {
        self.offset = offset
        self.rule = rule
    }

    package var description: String { "at byte \(offset): \(rule)" }
}

extension DecodingError.Rule: CustomStringConvertible {
    package var description: String {
        switch self {
        case .shorterThanHeader(let count): "\(count) bytes are fewer than the 20 of a header"
        case .topBitsSet(let byte):
            "the two top bits of the message type must be 0, and the first byte is 0x\(Hex.text([byte]))"
        case .lengthNotMultipleOfFour(let length): "the message length \(length) is not a multiple of 4"
        case .longerThanPacket(let declared, let present):
            "the message length says \(declared) bytes after the header, and there are \(present)"
        case .trailingBytes(let count): "\(count) bytes follow the end of the message"
        case .attributeOverrun(let type, let declared, let present):
            "\(type) says that it has \(declared) bytes, and \(present) are left"
        case .value(let type, let problem): "\(type) \(problem)"
        }
    }
}
