/// The header and the attributes of a STUN message (RFC 8489 s5, s14), as far as they can be told apart.
struct MessageDissector {
    /// An attribute by its type, length and value (RFC 8489 s14).
    struct RawAttribute {
        var type: UInt16
        /// Of its header, from the start of the message.
        var offset: Int
        /// Of its value.
        var range: Range<Int>
    }

    private let bytes: [UInt8]
    private let base: Int
    private(set) var attributes: [RawAttribute] = []
    private(set) var problems: [Problem] = []

    /// `base` is where the message begins in what was taken apart.
    init(_ bytes: [UInt8], at base: Int, _ credentials: Dissection.Credentials?) {
        self.bytes = bytes
        self.base = base
        walk()
    }

    private mutating func walk() {
        guard bytes.count >= 20 else {
            return refuse(bytes.count, "a STUN header has 20 bytes, here are \(bytes.count) (RFC 8489 s5)")
        }
        let length = word(2)
        let end = min(20 + length, bytes.count)
        if !length.isMultiple(of: 4) { refuse(2, "the length is a multiple of 4, here is \(length) (RFC 8489 s5)") }
        if 20 + length > bytes.count {
            refuse(2, "the length says \(length) bytes of attributes, and \(bytes.count - 20) are there (RFC 8489 s5)")
        }
        var position = 20
        while position < end {
            guard end - position >= 4 else {
                return refuse(position, "an attribute header has 4 bytes, here are \(end - position) (RFC 8489 s14)")
            }
            let count = word(position + 2)
            guard position + 4 + count <= end else {
                return refuse(
                    position + 2,
                    "the attribute says \(count) bytes, and \(end - position - 4) are left (RFC 8489 s14)")
            }
            let range = (position + 4)..<(position + 4 + count)
            attributes.append(RawAttribute(type: UInt16(word(position)), offset: position, range: range))
            position = range.upperBound + (4 - count % 4) % 4
        }
    }

    private func word(_ offset: Int) -> Int { Int(bytes[offset]) << 8 | Int(bytes[offset + 1]) }

    private mutating func refuse(_ offset: Int, _ rule: String) {
        problems.append(Problem(offset: base + offset, rule: rule))
    }

    func node() -> Node {
        Node(
            "STUN message", offset: base, length: bytes.count, problems: problems,
            children: header() + attributes.map(raw))
    }

    private func header() -> [Node] {
        guard bytes.count >= 20 else { return [Node("bytes", bytes: bytes, offset: base, length: bytes.count)] }
        let hasCookie = bytes[4..<8].elementsEqual(Demultiplexer.magicCookie)
        let identifier = hasCookie ? 8 : 4
        var nodes = [
            Node("type", Dissection.hexadecimal(bytes[0..<2]), offset: base, length: 2),
            Node("length", "\(word(2))", offset: base + 2, length: 2),
        ]
        if hasCookie { nodes.append(Node("magic cookie", "0x2112a442", offset: base + 4, length: 4)) }
        nodes.append(
            Node(
                "transaction id", Dissection.hexadecimal(bytes[identifier..<20]), offset: base + identifier,
                length: 20 - identifier, note: hasCookie ? nil : "no magic cookie: the sender speaks RFC 3489"))
        return nodes
    }

    private func raw(_ attribute: RawAttribute) -> Node {
        Node(
            Dissection.hexadecimal(bytes[attribute.offset..<(attribute.offset + 2)]),
            bytes: Array(bytes[attribute.range]),
            offset: base + attribute.offset, length: attribute.range.count)
    }
}
