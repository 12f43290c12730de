/// Input that is text: valid UTF-8 without control characters, trimmed.
struct PastedText {
    let text: String
    /// Bytes that were cut off in front: a byte-order mark and white space.
    let offset: Int

    init?(_ input: [UInt8]) {
        var start = input.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        guard let whole = String(validating: input[start...], as: UTF8.self),
            !input.contains(where: { $0 < 0x20 && !Self.isSpace($0) })
        else { return nil }
        let body = whole.utf8
        let leading = body.prefix(while: Self.isSpace).count
        start += leading
        let trailing = body.reversed().prefix(while: Self.isSpace).count
        guard leading < body.count else { return nil }
        text = String(decoding: input[start..<(input.count - trailing)], as: UTF8.self)
        offset = start
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D: true
        default: false
        }
    }

    /// A line without its end, and where it begins in ``text``.
    struct Line {
        var text: String
        var offset: Int
    }

    /// The lines that are not empty.
    var lines: [Line] {
        let bytes = Array(text.utf8)
        var lines: [Line] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            let last = end > start && bytes[end - 1] == UInt8(ascii: "\r") ? end - 1 : end
            if last > start {
                lines.append(Line(text: String(decoding: bytes[start..<last], as: UTF8.self), offset: start))
            }
            start = end + 1
        }
        return lines
    }
}
