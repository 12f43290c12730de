extension OutsideText {
    /// The characters of an outside text that are shown.
    package static let shownCharacters = 256

    /// The text as it may be shown to people: what a terminal would obey, or would not show, is a visible escape.
    ///
    /// A character that is not ``Unicode/Scalar/isShowable`` becomes `\u{1b}`, a byte that is no UTF-8 `\x{ff}`. NULs
    /// at the end are padding and are left out. A text of more than `limit` characters (escapes counted as they are
    /// written) is cut and followed by `… (N bytes)`. Cleaning what is clean changes nothing.
    package func cleaned(limit: Int = shownCharacters) -> String {
        var text = ""
        var count = 0
        var rest = bytes[...]
        while rest.last == 0 { rest.removeLast() }
        while let piece = Self.takeFirst(of: &rest) {
            count += piece.unicodeScalars.count
            if count > limit { return text + "… (\(bytes.count) bytes)" }
            text += piece
        }
        return text
    }

    /// Takes one character off the front, or one byte that is no UTF-8, as it may be shown.
    private static func takeFirst(of bytes: inout ArraySlice<UInt8>) -> String? {
        guard let first = bytes.first else { return nil }
        // At most four bytes make a character: decoding no more than those keeps a long text linear.
        var decoder = Unicode.UTF8()
        var input = bytes.prefix(4).makeIterator()
        guard case .scalarValue(let encoded) = decoder.decode(&input) else {
            bytes.removeFirst()
            return "\\x{\(String(first, radix: 16))}"
        }
        bytes.removeFirst(UTF8.width(encoded))
        return encoded.isShowable ? String(encoded) : "\\u{\(String(encoded.value, radix: 16))}"
    }
}

extension Unicode.Scalar {
    /// Whether it shows itself, and does nothing else: no control, no direction or format character, no line or
    /// paragraph separator, nothing invisible, nothing without a meaning of its own (unassigned, private use).
    package var isShowable: Bool {
        if value < 0x7F { return value >= 0x20 }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return false
        default: return !properties.isDefaultIgnorableCodePoint
        }
    }
}

extension String {
    /// The text as it may be shown to people; see ``OutsideText/cleaned(limit:)``.
    package func cleaned(limit: Int = OutsideText.shownCharacters) -> String {
        OutsideText(self).cleaned(limit: limit)
    }
}
