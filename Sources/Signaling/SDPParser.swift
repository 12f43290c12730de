import Engines
import NetTypes
import STUN

/// Splits SDP into its sections, line by line, and keeps what ICE and DTLS need.
struct SDPParser {
    static let byteLimit = 1 << 20
    static let lineLimit = 16384
    static let sectionLimit = 256
    /// Of one name in one section; of candidates ``candidateLimit``.
    static let attributeLimit = 256
    /// Candidate lines that are looked at; ``ICEConfiguration/mostRemoteCandidates`` of them are kept.
    static let candidateLimit = 1000

    struct Attribute {
        var line: Int
        var value: String
    }

    /// What stands before the first m-line, or from an m-line to the next.
    struct Section {
        var line = 1
        var media: SessionDescription.Media?
        var attributes: [String: [Attribute]] = [:]
        var candidateCount = 0

        subscript(_ name: String) -> [Attribute] { attributes[name] ?? [] }
        func has(_ name: String) -> Bool { attributes[name] != nil }
    }

    var sections = [Section()]
    var skipped: [SignalingError] = []
    private(set) var skippedCount = 0
    var sessionID: UInt64 = 0
    private var line = 0

    private static let kept: Set<String> = [
        "ice-ufrag", "ice-pwd", "ice-options", "ice-lite", "ice-mismatch", "ice-pacing", "fingerprint", "setup", "mid",
        "group", "bundle-only", "candidate", "end-of-candidates", "rtpmap", "fmtp",
    ]

    mutating func read(_ text: String) throws(SignalingError) {
        let bytes = text.utf8
        guard bytes.count <= Self.byteLimit else {
            throw SignalingError("this is \(bytes.count) bytes long, and SDP of more than 1 MiB is not read")
        }
        var hasBegun = false
        for raw in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            line += 1
            let trimmed = Self.trimmed(raw, isFirst: line == 1)
            if trimmed.isEmpty { continue }
            guard trimmed.count <= Self.lineLimit else {
                skip("it has \(trimmed.count) bytes, and a line of more than \(Self.lineLimit) is not read")
                continue
            }
            let text = String(Substring(trimmed))
            if hasBegun {
                try take(text)
            } else {
                try begin(text)
                hasBegun = true
            }
        }
        guard hasBegun else { throw SignalingError("there is nothing to read: SDP begins with the line v=0") }
    }

    /// Without the line end, and without what pasting adds around a line.
    private static func trimmed(_ line: Substring.UTF8View, isFirst: Bool) -> Substring.UTF8View {
        var line = line
        if isFirst, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        func isSpace(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        while isSpace(line.first) { line = line.dropFirst() }
        while isSpace(line.last) { line = line.dropLast() }
        return line
    }

    private func begin(_ text: String) throws(SignalingError) {
        if text == "v=0" { return }
        if text.hasPrefix(SignalingLine.family) {
            throw SignalingError(
                line: line, "this is icecheck's own line, not SDP: either both sides are run with --sdp or none is")
        }
        if text.hasPrefix("v=0\\") {
            throw SignalingError(
                line: line,
                "the line ends are written as \\r\\n: give the JSON object as a whole, or each line of the SDP by itself"
            )
        }
        if text.hasPrefix("v=") {
            throw SignalingError(line: line, "'\(QuotedInput(text))' is another version: SDP begins with v=0")
        }
        throw SignalingError(
            line: line, "'\(QuotedInput(text))' is not how SDP begins: its first line is v=0 (RFC 8866 s5)")
    }

    private mutating func take(_ text: String) throws(SignalingError) {
        let bytes = Array(text.utf8.prefix(2))
        guard bytes.count == 2, bytes[1] == UInt8(ascii: "="), (0x61...0x7A).contains(bytes[0]) else {
            skip("'\(QuotedInput(text))' is no line of SDP: a letter, '=' and a value (RFC 8866 s5)")
            return
        }
        let value = text.dropFirst(2)
        switch bytes[0] {
        case UInt8(ascii: "v"):
            throw SignalingError(line: line, "a second SDP begins here: give one")
        case UInt8(ascii: "m"):
            try beginSection(value)
        case UInt8(ascii: "o"):
            let fields = value.split(separator: " ", maxSplits: 2)
            sessionID = fields.count > 1 ? UInt64(fields[1]) ?? 0 : 0
        case UInt8(ascii: "a"):
            takeAttribute(value)
        default: break
        }
    }

    private mutating func beginSection(_ value: Substring) throws(SignalingError) {
        let fields = value.split(separator: " ").map { String($0) }
        guard fields.count >= 4, fields.allSatisfy({ $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }),
            let port = UInt16(fields[1].prefix { $0 != "/" })
        else {
            throw SignalingError(
                line: line,
                "'m=\(QuotedInput(value))' is no m-line: it has a media type, a port, a protocol and formats, as in "
                    + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel (RFC 8866 s5.14)")
        }
        guard sections.count <= Self.sectionLimit else {
            throw SignalingError(line: line, "more than \(Self.sectionLimit) m= sections are not read")
        }
        var section = Section(line: line)
        section.media = SessionDescription.Media(
            type: fields[0], port: port, transportProtocol: fields[2], formats: Array(fields[3...]), mid: nil)
        sections.append(section)
    }

    private mutating func takeAttribute(_ text: Substring) {
        let name = String(text.prefix { $0 != ":" })
        guard Self.kept.contains(name) else { return }
        let value = String(text.dropFirst(name.count + 1))
        let last = sections.count - 1
        if name == "candidate" {
            if last == 0 {
                skip("a candidate stands before the first m-line, and it belongs into a section (RFC 8839 s5.1)")
                return
            }
            sections[last].candidateCount += 1
        }
        let limit = name == "candidate" ? Self.candidateLimit : Self.attributeLimit
        guard sections[last].attributes[name, default: []].count < limit else { return }
        sections[last].attributes[name, default: []].append(
            Attribute(line: line, value: name == "candidate" ? "candidate:" + value : value))
    }

    /// Notes a line that is left out.
    mutating func skip(_ message: String, line: Int? = nil) {
        skippedCount += 1
        if skipped.count < SessionDescription.mostSkipped {
            skipped.append(SignalingError(line: line ?? self.line, message))
        }
    }
}
