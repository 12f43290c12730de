import NetTypes
package import STUN

/// Why a text is not a candidate line: where, the rule, and what would be right.
package struct CandidateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line, fit to be shown.
    package let input: QuotedInput
    /// Bytes from the start of the line.
    package let offset: Int
    /// One sentence: what is wrong, the rule and the right form.
    package let message: String

    package var description: String { "'\(input)' at byte \(offset): \(message)" }
}

extension Candidate {
    /// Reads `a=candidate:...` or `candidate:...` (RFC 8839 s5.1); a line end after it is dropped.
    ///
    /// Extension attributes are kept as they are, in order. `raddr`, `rport` and `tcptype` are understood wherever
    /// they stand after the type. What ``description`` wrote comes back to the letter; of a line from elsewhere, the
    /// case of the transport, the spelling of an IPv6 address and the place of those three are made the same.
    package init(parsingAttribute line: String) throws(CandidateError) {
        var grammar = CandidateGrammar(line)
        self = try grammar.parse()
    }
}

/// The grammar of a candidate line, field by field.
struct CandidateGrammar {
    /// Longer than any line that an agent writes.
    static let limit = 4096
    /// The most extension attributes that a line may have.
    static let extensionLimit = 32

    private static let example = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host"

    /// A field and where it begins.
    private struct Field {
        var text: String
        var offset: Int
    }

    private let line: String
    private var fields: ArraySlice<Field> = []
    private var end = 0
    private var tcpTypeOffset = 0

    init(_ line: String) {
        self.line = line
    }

    mutating func parse() throws(CandidateError) -> Candidate {
        try split()
        let foundation = try next("the foundation")
        guard (1...32).contains(foundation.text.utf8.count),
            foundation.text.utf8.allSatisfy(ICECredentials.isICECharacter)
        else {
            throw error(foundation, "a foundation is 1 to 32 letters, digits, '+' and '/'")
        }
        let component = try number(next("the component"), 1...256, "a component is a number from 1 to 256")
        let transport = try transport()
        let priority = try number(
            next("the priority"), 1...Int(UInt32.max), "a priority is a number from 1 to 4294967295")
        let address = try address(next("the address"))
        let portField = try next("the port")
        let port = try number(portField, 0...65535, "a port is a number from 0 to 65535")
        let kind = try kind()
        var candidate = Candidate(
            kind, transport: transport, component: component, foundation: foundation.text, priority: UInt32(priority),
            address: address, port: UInt16(port))
        try attributes(of: &candidate)
        try check(candidate, portField)
        return candidate
    }

    /// Takes the prefix away and splits what follows at single spaces.
    private mutating func split() throws(CandidateError) {
        var bytes = line.utf8.prefix(Self.limit + 3)[...]
        if bytes.last == UInt8(ascii: "\n") { bytes = bytes.dropLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes = bytes.dropLast() }
        guard bytes.count <= Self.limit else {
            throw error(Self.limit, "a candidate line has at most \(Self.limit) bytes here")
        }
        end = bytes.count
        if let bad = bytes.enumerated().first(where: { $0.element < 0x20 || $0.element == 0x7F }) {
            throw error(bad.offset, "a candidate line has no control characters and no second line")
        }
        let prefix = bytes.starts(with: "a=".utf8) ? "a=candidate:" : "candidate:"
        guard bytes.starts(with: prefix.utf8) else {
            throw error(0, "a candidate line begins with 'a=candidate:' or 'candidate:', as in \(Self.example)")
        }
        var offset = prefix.utf8.count
        let parts = bytes.dropFirst(offset).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        var fields: [Field] = []
        for part in parts {
            fields.append(Field(text: String(part) ?? "", offset: offset))
            offset += part.count + 1
        }
        self.fields = fields[...]
    }

    // MARK: Fields

    private mutating func next(_ name: String) throws(CandidateError) -> Field {
        guard let field = fields.popFirst() else { throw error(end, "\(name) is missing, as in \(Self.example)") }
        guard !field.text.isEmpty else {
            throw error(field, "\(name) is missing here: one space stands between two fields")
        }
        return field
    }

    private func number(_ field: Field, _ range: ClosedRange<Int>, _ rule: String) throws(CandidateError) -> Int {
        guard field.text.utf8.count <= 10, field.text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int(field.text), range.contains(value)
        else { throw error(field, rule) }
        return value
    }

    private mutating func transport() throws(CandidateError) -> Candidate.Transport {
        let field = try next("the transport")
        guard let transport = Candidate.Transport(rawValue: field.text.lowercased()) else {
            throw error(field, "the transport is udp or tcp; an agent skips a candidate with another one")
        }
        return transport
    }

    private mutating func kind() throws(CandidateError) -> Candidate.Kind {
        let label = try next("'typ'")
        guard label.text == "typ" else { throw error(label, "'typ' and the type follow the port") }
        let field = try next("the type")
        guard let kind = Candidate.Kind(rawValue: field.text) else {
            throw error(field, "the type is host, srflx, prflx or relay; an agent skips a candidate with another one")
        }
        return kind
    }

    private func address(_ field: Field) throws(CandidateError) -> Candidate.Address {
        if let address = IPAddress(field.text) { return .address(address) }
        if let percent = field.text.utf8.firstIndex(of: UInt8(ascii: "%")) {
            throw error(
                field.offset + field.text.utf8.distance(from: field.text.utf8.startIndex, to: percent),
                "an address in a candidate has no zone: it means nothing on another machine")
        }
        if field.text.contains(":") { throw error(field, "this is not an IPv6 address; it stands without brackets") }
        let name: DomainName
        do { name = try DomainName(field.text) } catch { throw self.error(field.offset + error.offset, error.message) }
        return .name(name.ascii)
    }

    private mutating func attributes(of candidate: inout Candidate) throws(CandidateError) {
        while let name = fields.popFirst() {
            guard !name.text.isEmpty, name.text.utf8.allSatisfy(Self.isVisible) else {
                throw error(name, "pairs of a name and a value follow the type, with one space between")
            }
            guard let value = fields.popFirst() else {
                throw error(end, "the attribute '\(QuotedInput(name.text))' has no value")
            }
            switch name.text {
            case "raddr":
                guard candidate.relatedAddress == nil else { throw error(name, "'raddr' stands once") }
                candidate.relatedAddress = try address(value)
            case "rport":
                guard candidate.relatedPort == nil else { throw error(name, "'rport' stands once") }
                candidate.relatedPort = UInt16(try number(value, 0...65535, "a port is a number from 0 to 65535"))
            case "tcptype":
                guard candidate.tcpType == nil else { throw error(name, "'tcptype' stands once") }
                guard let type = Candidate.TCPType(rawValue: value.text) else {
                    throw error(value, "the tcptype is active, passive or so (RFC 6544 s4.5)")
                }
                candidate.tcpType = type
                tcpTypeOffset = name.offset
            default:
                guard candidate.extensions.count < Self.extensionLimit else {
                    throw error(name, "a candidate line has at most \(Self.extensionLimit) extension attributes here")
                }
                candidate.extensions.append(.init(name: name.text, value: value.text))
            }
        }
    }

    private func check(_ candidate: Candidate, _ port: Field) throws(CandidateError) {
        switch candidate.transport {
        case .tcp where candidate.tcpType == nil:
            throw error(end, "a TCP candidate has 'tcptype' with active, passive or so (RFC 6544 s4.5)")
        case .udp where candidate.tcpType != nil:
            throw error(tcpTypeOffset, "'tcptype' stands with TCP only (RFC 6544 s4.5)")
        default: break
        }
        // The port of an active candidate is chosen when it connects (RFC 6544 s4.5).
        if candidate.port == 0, candidate.tcpType != .active {
            throw error(port, "port 0 reaches nothing: it is from 1 to 65535")
        }
    }

    // MARK: Parts

    private func error(_ field: Field, _ message: String) -> CandidateError { error(field.offset, message) }

    private func error(_ offset: Int, _ message: String) -> CandidateError {
        CandidateError(input: QuotedInput(line), offset: offset, message: message + " (RFC 8839 s5.1)")
    }

    private static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }
}
