import STUN

/// The header and the attributes of a STUN message (RFC 8489 s5, s14), as far as they can be told apart.
struct MessageDissector {
    /// Messages inside the data of others that are taken apart.
    private static let depthLimit = 3

    private let bytes: [UInt8]
    private let base: Int
    private let depth: Int
    private let credentials: Dissection.Credentials?
    /// What could be decoded: the message, or its part before the first fault.
    private let message: Message?
    private let faults: [DecodingError]
    /// Those that came too late to mean anything, and those that are not the first of their type.
    private let unauthenticated: Set<Message.Attribute>
    private let repeated: Set<Message.Attribute>

    /// `base` is where the message begins in what was taken apart.
    init(_ bytes: [UInt8], at base: Int, _ credentials: Dissection.Credentials?, depth: Int = 0) {
        self.bytes = bytes
        self.base = base
        self.depth = depth
        self.credentials = credentials
        (message, faults) = Self.decode(bytes)
        unauthenticated = Set(message?.unauthenticated ?? [])
        var types: Set<AttributeType> = []
        repeated = Set(message?.meaningful.filter { !types.insert($0.type).inserted } ?? [])
    }

    /// Decodes, and after a fault again what stands before it, with a length that fits.
    private static func decode(_ whole: [UInt8]) -> (Message?, [DecodingError]) {
        var bytes = whole
        var faults: [DecodingError] = []
        while true {
            do { return (try Message(decoding: bytes), faults) } catch {
                faults.append(error)
                switch error.rule {
                case .lengthNotMultipleOfFour:
                    bytes += repeatElement(0, count: bytes.count.paddedToFour - bytes.count)
                case .longerThanPacket: bytes.removeLast(bytes.count % 4)
                case .trailingBytes: bytes.removeSubrange(error.offset...)
                // The place is the length; the type stands before it.
                case .attributeOverrun: bytes.removeSubrange((error.offset - 2)...)
                case .shorterThanHeader, .topBitsSet, .value: return (nil, faults)
                }
                let length = bytes.count - Message.headerSize
                bytes[2] = UInt8(truncatingIfNeeded: length >> 8)
                bytes[3] = UInt8(truncatingIfNeeded: length)
            }
        }
    }

    func node() -> Node {
        let problems = faults.map { Problem(offset: base + $0.offset, rule: "\($0.rule) (\(Self.section($0.rule)))") }
        guard let message else {
            return Node(
                "STUN message", bytes: bytes, offset: base, length: bytes.count, problems: problems,
                children: [Node("bytes", bytes: bytes, offset: base, length: bytes.count)])
        }
        var children = header(message)
        for attribute in message.attributes { children.append(node(of: attribute, in: message)) }
        if message.omittedAttributeCount > 0 {
            children.append(Node("further", "\(message.omittedAttributeCount)", note: "attributes that are not shown"))
        }
        let hasIntegrity = message.attributes.contains {
            $0.type == .messageIntegrity || $0.type == .messageIntegritySHA256
        }
        if credentials != nil, !hasIntegrity {
            children.append(Node("MESSAGE-INTEGRITY", "absent", note: "nothing here can be checked with the password"))
        }
        return Node(
            "STUN message", name(message), offset: base, length: bytes.count, problems: problems, children: children)
    }

    // MARK: Header

    private func name(_ message: Message) -> String { "\(message.method) \(message.messageClass.name)" }

    private func header(_ message: Message) -> [Node] {
        let length = Int(bytes[2]) << 8 | Int(bytes[3])
        var nodes = [
            Node(
                "message type", name(message), bytes: Array(bytes[0..<2]), offset: base, length: 2,
                note: message.method.name == nil ? "a method without a name (RFC 8489 s18.2)" : nil),
            Node("message length", "\(length)", offset: base + 2, length: 2),
        ]
        if message.isLegacy {
            let note = "no magic cookie: the sender speaks RFC 3489"
            nodes.append(Node("transaction id", Hex.text(bytes[4..<20]), offset: base + 4, length: 16, note: note))
        } else {
            nodes.append(Node("magic cookie", "0x2112a442", offset: base + 4, length: 4))
            nodes.append(Node("transaction id", "\(message.transactionID)", offset: base + 8, length: 12))
        }
        return nodes
    }

    // MARK: Attributes

    private func node(of attribute: Message.Attribute, in message: Message) -> Node {
        let place = base + attribute.valueOffset - 4
        let length = min(4 + attribute.length.paddedToFour, bytes.count - attribute.valueOffset + 4)
        var node = Node(attribute.type.description, offset: place, length: length)
        do {
            try AttributeDissector(message).describe(attribute, in: &node)
        } catch {
            node.bytes = Array(message.bytes[attribute.range])
            node.refuse(error.rule.description, at: base + error.offset)
        }
        verify(attribute, in: message, &node)
        if attribute.type.name == nil, attribute.type.isComprehensionRequired {
            node.append(note: "unknown and comprehension-required: a receiver answers with error 420 (RFC 8489 s6.3)")
        }
        if unauthenticated.contains(attribute) {
            node.append(note: "ignored: it stands after the integrity (RFC 8489 s14.5)")
        } else if repeated.contains(attribute), !AttributeDissector.mayRepeat(attribute.type) {
            node.append(note: "ignored: it stands for the second time (RFC 8489 s14)")
        }
        if attribute.type == .data {
            let data = Array(message.bytes[attribute.range])
            node.children += Self.inner(data, at: base + attribute.valueOffset, credentials, depth: depth)
        }
        return node
    }

    /// The message that data carries, such as a connectivity check through a relay.
    static func inner(
        _ data: [UInt8], at base: Int, _ credentials: Dissection.Credentials?, depth: Int
    ) -> [Node] {
        guard depth < depthLimit, Demultiplexer.kind(data) == .stun, Demultiplexer.isMessage(data) else { return [] }
        return [MessageDissector(data, at: base, credentials, depth: depth + 1).node()]
    }

    // MARK: Integrity

    private func verify(_ attribute: Message.Attribute, in message: Message, _ node: inout Node) {
        switch attribute.type {
        case .fingerprint:
            guard faults.isEmpty else { return node.append(note: "not checked: the message is not whole") }
            if message.verifyFingerprint() == .valid {
                node.append(note: "it fits the message")
            } else {
                node.refuse(
                    "it does not fit the message, or is not the last attribute (RFC 8489 s14.7)", at: node.offset)
            }
        case .messageIntegrity, .messageIntegritySHA256:
            guard let credentials else { return node.append(note: "not checked: that takes the password") }
            guard !unauthenticated.contains(attribute), !repeated.contains(attribute) else { return }
            let keys = IntegrityKeys(credentials, message)
            if let key = keys.fitting(attribute.type, message) {
                node.append(note: "it fits the message with \(key)")
            } else {
                node.refuse(keys.refusal, at: node.offset)
            }
        default: break
        }
    }

    private static func section(_ rule: DecodingError.Rule) -> String {
        switch rule {
        case .attributeOverrun, .value: "RFC 8489 s14"
        default: "RFC 8489 s5"
        }
    }
}

extension Node {
    mutating func append(note text: String) { note = note.map { "\($0); \(text)" } ?? text }
}
