import STUN

extension Dissection {
    /// Bytes as one message, or as a stream of several.
    static func dissect(binary bytes: [UInt8], _ credentials: Credentials?) -> Dissection {
        guard !bytes.isEmpty else { return Dissection(unknown: bytes, "it is empty") }
        if case .foreign(let name) = Demultiplexer.kind(bytes) {
            return Dissection(unknown: bytes, "its first byte says that it is \(name)")
        }
        let parts = MessageSplitter(bytes)
        var nodes: [Node] = []
        for part in parts.messages.prefix(nodeLimit) {
            let message = bytes[part.range]
            nodes.append(
                part.kind == .stun
                    ? MessageDissector(Array(message), at: part.range.lowerBound, credentials).node()
                    : channelData(message, credentials))
        }
        if let only = nodes.first, parts.messages.count == 1 {
            let kind = parts.messages[0].kind == .stun ? Kind.stunMessage : .channelData
            return Dissection(
                kind, .binary, byteCount: bytes.count, nodes: only.children, problems: only.problems + parts.problems)
        }
        for index in nodes.indices { nodes[index].name = "message \(index + 1)" }
        if parts.messages.count > nodeLimit {
            nodes.append(Node("further", "\(parts.messages.count - nodeLimit)", note: "messages that are not shown"))
        }
        return Dissection(.stream, .binary, byteCount: bytes.count, nodes: nodes, problems: parts.problems)
    }

    /// RFC 8656 s12.4.
    private static func channelData(_ bytes: ArraySlice<UInt8>, _ credentials: Credentials?) -> Node {
        let start = bytes.startIndex
        var node = Node("ChannelData", "ChannelData", offset: start, length: bytes.count)
        guard bytes.count >= 4 else {
            node.refuse(
                "a ChannelData header has 4 bytes, here are \(bytes.count) (RFC 8656 s12.4)", at: bytes.endIndex)
            return node
        }
        let length = Int(bytes[start + 2]) << 8 | Int(bytes[start + 3])
        let data = bytes.dropFirst(4).prefix(length)
        let channel = Hex.number(UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1]))
        let inner = MessageDissector.inner(Array(data), at: start + 4, credentials, depth: 0)
        node.value = "ChannelData on channel \(channel), \(length) bytes"
        node.children = [
            Node("channel number", channel, offset: start, length: 2),
            Node("length", "\(length)", offset: start + 2, length: 2),
            Node("data", bytes: Array(data), offset: start + 4, length: data.count, children: inner),
        ]
        if data.count < length {
            node.refuse(
                "the length says \(length) bytes of data, and \(data.count) are there (RFC 8656 s12.4)",
                at: bytes.endIndex)
        }
        let padding = bytes.count - 4 - data.count
        if padding > 0 { node.children.append(Node("padding", "\(padding) bytes", offset: start + 4 + data.count)) }
        return node
    }
}

/// Where the messages of a stream begin and end (RFC 8489 s6.2.2, RFC 8656 s12.5).
private struct MessageSplitter {
    struct Part {
        var kind: Demultiplexer.Kind
        var range: Range<Int>
    }

    private(set) var messages: [Part] = []
    private(set) var problems: [Problem] = []

    init(_ bytes: [UInt8]) {
        var position = 0
        while position < bytes.count {
            let rest = bytes[position...]
            let kind = Demultiplexer.kind(rest)
            if case .foreign = kind {
                let rule = "\(rest.count) bytes follow that begin no STUN or ChannelData message (RFC 8656 s12.5)"
                problems.append(Problem(offset: position, rule: rule))
                return
            }
            let end = min(position + Self.size(rest, kind), bytes.count)
            messages.append(Part(kind: kind, range: position..<end))
            position = end
        }
    }

    /// Bytes of the message that begins here, by its header; all that is left where that is cut off.
    private static func size(_ bytes: ArraySlice<UInt8>, _ kind: Demultiplexer.Kind) -> Int {
        guard bytes.count >= 4 else { return bytes.count }
        let length = Int(bytes[bytes.startIndex + 2]) << 8 | Int(bytes[bytes.startIndex + 3])
        if kind == .stun { return 20 + length }
        // In a stream ChannelData is padded to four bytes.
        return 4 + (length + 3) / 4 * 4
    }
}
