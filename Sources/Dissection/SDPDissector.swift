/// The lines of a session description (RFC 8866), with what ICE and DTLS-SRTP add to it.
struct SDPDissector {
    /// A session part or one of the media parts, with what it must have.
    private struct Section {
        var node: Node
        var proto = ""
        var attributes: [String: String] = [:]
        var candidateCount = 0
        /// The port of the m-line; 0 is a part that was refused.
        var port: Int?
    }

    private let lines: [PastedText.Line]
    private let start: Int
    private var sections: [Section]

    init(_ lines: [PastedText.Line], _ start: Int) {
        self.lines = lines
        self.start = start
        sections = [Section(node: Node("session", offset: start))]
    }

    /// Whether the lines are SDP: all of it, or the media or attribute lines of one.
    static func isDescription(_ lines: [PastedText.Line]) -> Bool {
        guard let first = lines.first?.text else { return false }
        return ["v=0", "m=", "a="].contains(where: first.hasPrefix)
    }

    consuming func nodes() -> [Node] {
        let isWhole = lines.first?.text.hasPrefix("v=") == true
        for line in lines { take(line) }
        for index in sections.indices.dropFirst() { check(index) }
        if isWhole { checkSession() }
        return sections.map { section in
            var node = section.node
            node.children = node.children.limited(to: 4 * Dissection.nodeLimit)
            return node
        }.filter { !$0.children.isEmpty }.limited()
    }

    private mutating func take(_ line: PastedText.Line) {
        let offset = start + line.offset
        let bytes = Array(line.text.utf8)
        guard bytes.count >= 2, bytes[1] == UInt8(ascii: "="), let name = Self.names[line.text.prefix(1)] else {
            var node = Node("line", line.text, offset: offset, length: bytes.count)
            node.refuse("a line is a letter, '=' and a value (RFC 8866 s5)", at: offset)
            return append(node)
        }
        let value = String(line.text.dropFirst(2))
        var node = Node(name, value, offset: offset, length: bytes.count)
        switch bytes[0] {
        case UInt8(ascii: "m"): begin(value, node)
        case UInt8(ascii: "a"): append(attribute(line.text, node))
        case UInt8(ascii: "c"):
            if value.hasSuffix(" 0.0.0.0") || value.hasSuffix(" ::") {
                node.note = "no default candidate (RFC 8839 s4.2.1)"
            }
            append(node)
        case UInt8(ascii: "k"):
            node.value = SDPAttribute.hidden(value)
            append(node)
        default: append(node)
        }
    }

    private mutating func append(_ node: Node) {
        sections[sections.count - 1].node.children.append(node)
    }

    private mutating func begin(_ value: String, _ line: Node) {
        let fields = value.split(separator: " ")
        var section = Section(node: Node("media", value, offset: line.offset))
        var line = line
        if fields.count < 4 {
            line.refuse(
                "an m-line has a media type, a port, a protocol and formats (RFC 8866 s5.14)", at: line.offset)
        } else {
            section.proto = String(fields[2])
            section.port = Int(fields[1].prefix { $0 != "/" })
            switch section.port {
            case nil: line.refuse("the port of an m-line is a number (RFC 8866 s5.14)", at: line.offset)
            case 0: line.note = "port 0: refused, or bundled with another"
            case 9: line.note = "port 9: the candidates say where (RFC 8839 s4.2.1)"
            default: break
            }
        }
        section.node.children.append(line)
        sections.append(section)
    }

    private mutating func attribute(_ line: String, _ node: Node) -> Node {
        let text = line.dropFirst(2)
        let name = String(text.prefix { $0 != ":" })
        let value = String(text.dropFirst(name.count + 1))
        let offset = node.offset ?? 0
        if name == "candidate" {
            sections[sections.count - 1].candidateCount += 1
            return CandidateDissector.node(line, offset: offset)
        }
        sections[sections.count - 1].attributes[name] = value
        return SDPAttribute.node(name, value, offset: offset, length: node.length ?? 0)
    }

    // MARK: What must be there

    private mutating func check(_ index: Int) {
        let section = sections[index]
        guard section.port != 0 else { return }
        func has(_ name: String) -> Bool {
            section.attributes[name] != nil || sections[0].attributes[name] != nil
        }
        func refuse(_ rule: String) { sections[index].node.refuse(rule, at: section.node.offset) }
        let hasUser = has("ice-ufrag")
        let hasPassword = has("ice-pwd")
        if hasUser != hasPassword {
            refuse("ice-ufrag and ice-pwd stand together (RFC 8839 s5.4)")
        } else if !hasUser, section.candidateCount > 0 {
            refuse("candidates have an ice-ufrag and an ice-pwd (RFC 8839 s5.4)")
        }
        if section.proto.contains("TLS/"), !has("fingerprint") {
            refuse("\(section.proto) has a fingerprint (RFC 8122 s5)")
        }
        if section.proto.contains("TLS/"), !has("setup") {
            refuse("\(section.proto) has a setup (RFC 8842 s5.1)")
        }
    }

    private mutating func checkSession() {
        let kinds = Set(sections[0].node.children.map(\.name))
        for (letter, name) in [("o", "origin"), ("s", "session name"), ("t", "time")] where !kinds.contains(name) {
            sections[0].node.refuse("a session description has a line '\(letter)=' (RFC 8866 s5)", at: start)
        }
    }

    private static let names: [Substring: String] = [
        "v": "version", "o": "origin", "s": "session name", "i": "information", "u": "URI", "e": "e-mail address",
        "p": "telephone number", "c": "connection", "b": "bandwidth", "t": "time", "r": "repeat times",
        "z": "time zones", "k": "encryption key", "a": "attribute", "m": "media",
    ]
}
