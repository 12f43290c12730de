/// Bytes that were pasted as hexadecimal digits: plain, or as the dumps of xxd, hexdump and Wireshark.
struct HexText {
    var bytes: [UInt8]
    var isDump: Bool
    var problems: [Problem] = []

    /// Reads either form; nil where the text is neither.
    init?(_ pasted: PastedText) {
        if let dump = Self.readDump(pasted) {
            self = dump
        } else if let bytes = Self.plain(pasted.text) {
            self.init(bytes: bytes, isDump: false)
        } else {
            return nil
        }
    }

    private init(bytes: [UInt8], isDump: Bool) {
        self.bytes = bytes
        self.isDump = isDump
    }

    // MARK: Plain digits

    /// Digits in groups, with what programs write between: spaces, colons, commas, `0x`, `\x`, braces.
    private static func plain(_ text: String) -> [UInt8]? {
        let separators: Set<UInt8> = Set(" \t\r\n:,;-{}[]()\"'\\".utf8)
        var digits: [UInt8] = []
        for group in text.utf8.split(whereSeparator: separators.contains) {
            var group = group
            if group.starts(with: "0x".utf8) || group.starts(with: "0X".utf8) {
                group = group.dropFirst(2)
            } else if group.first == UInt8(ascii: "x") {
                group = group.dropFirst()
            }
            // Each group is whole bytes, so that an IPv6 address is not taken for one.
            guard group.count.isMultiple(of: 2) else { return nil }
            for byte in group {
                guard let digit = digit(byte) else { return nil }
                digits.append(digit)
            }
        }
        guard digits.count >= 4, !text.contains("::") else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    // MARK: Dumps

    private static func readDump(_ pasted: PastedText) -> HexText? {
        var dump = HexText(bytes: [], isDump: true)
        for line in pasted.lines {
            if line.text.utf8.allSatisfy({ $0 == UInt8(ascii: "*") || PastedText.isSpace($0) }), !dump.bytes.isEmpty {
                dump.refuse("'*' hides repeated lines of the dump: make it with 'hexdump -Cv'")
                continue
            }
            guard let (offset, bytes) = dumpLine(Array(line.text.utf8)) else { return nil }
            if dump.bytes.isEmpty, offset != 0 { return nil }
            if offset != dump.bytes.count, dump.problems.isEmpty {
                dump.refuse(
                    "the dump goes on at \(offset), and \(dump.bytes.count) bytes stand before: a line is missing")
            }
            dump.bytes += bytes
        }
        return dump.bytes.isEmpty ? nil : dump
    }

    private mutating func refuse(_ rule: String) { problems.append(Problem(offset: bytes.count, rule: rule)) }

    /// `00000010: 0001 0000  text`, `00000010  00 01  |text|` or `0010   00 01   text`.
    private static func dumpLine(_ line: [UInt8]) -> (offset: Int, bytes: [UInt8])? {
        var rest = line.drop(while: PastedText.isSpace)
        if rest.starts(with: "0x".utf8) { rest = rest.dropFirst(2) }
        let offsetDigits = rest.prefix { digit($0) != nil }
        guard (4...8).contains(offsetDigits.count),
            let offset = Int(String(decoding: offsetDigits, as: UTF8.self), radix: 16)
        else { return nil }
        rest = rest.dropFirst(offsetDigits.count)
        let hasColon = rest.first == UInt8(ascii: ":")
        if hasColon { rest = rest.dropFirst() }
        guard rest.isEmpty || hasColon || rest.prefix(while: PastedText.isSpace).count >= 2 else { return nil }
        rest = rest.drop(while: PastedText.isSpace)
        var bytes: [UInt8] = []
        while !rest.isEmpty {
            let group = rest.prefix { !PastedText.isSpace($0) }
            let digits = group.compactMap(digit)
            guard digits.count == group.count, digits.count.isMultiple(of: 2), digits.count <= 16 else { break }
            bytes += stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
            rest = rest.dropFirst(group.count)
            let gap = rest.prefix(while: PastedText.isSpace).count
            // Two spaces part the halves of a line of hexdump; any other gap begins the text.
            if gap > 1, hasColon || gap > 2 || bytes.count != 8 { break }
            if bytes.count >= 32 { break }
            rest = rest.dropFirst(gap)
        }
        return (offset, bytes)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
