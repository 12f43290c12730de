import NetTypes

extension JSONValue {
    /// The value as JSON text, without a newline at its end; `pretty` puts each member on a line of its own.
    ///
    /// Characters that a terminal would obey or hide are written as `\uXXXX`, so that the text is safe wherever it is
    /// shown, and U+2028 and U+2029 too, which JavaScript takes for the end of a line.
    package func text(pretty: Bool) -> String { text(pretty ? Layout(width: 0, indent: "  ", colon: ": ") : .compact) }

    /// The same with a line for each member and element of what is wider than `width` bytes.
    package func text(width: Int) -> String { text(Layout(width: width, indent: " ", colon: ":")) }

    private struct Layout {
        /// The parts of what is wider have lines of their own.
        var width: Int
        /// What a line of a part is further in by.
        var indent: String
        var colon: String

        static let compact = Layout(width: .max, indent: "", colon: ":")

        func splits(_ value: JSONValue, at depth: Int) -> Bool {
            width < .max && (width == 0 || value.text(.compact).utf8.count + depth > width)
        }

        func newline(_ depth: Int) -> String { "\n" + String(repeating: indent, count: depth) }
    }

    private func text(_ layout: Layout) -> String {
        var text = ""
        write(to: &text, layout, depth: 0)
        return text
    }

    private func write(to text: inout String, _ layout: Layout, depth: Int) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .decimal(let value): text += Self.decimalText(value)
        case .exact(let value): text += value.isFinite ? value.description : "null"
        case .number(let number): text += number
        case .string(let value): Self.write(value, to: &text)
        case .array(let values):
            write(values, in: ("[", "]"), to: &text, layout, depth) { value, text, layout in
                value.write(to: &text, layout, depth: depth + 1)
            }
        case .object(let members):
            write(members, in: ("{", "}"), to: &text, layout, depth) { member, text, layout in
                Self.write(member.key, to: &text)
                text += layout.colon
                member.value.write(to: &text, layout, depth: depth + 1)
            }
        }
    }

    private func write<Part>(
        _ parts: [Part], in brackets: (open: String, close: String), to text: inout String, _ layout: Layout,
        _ depth: Int, part writePart: (Part, inout String, Layout) -> Void
    ) {
        let isSplit = !parts.isEmpty && layout.splits(self, at: depth)
        text += brackets.open
        for (index, part) in parts.enumerated() {
            if index > 0 { text += "," }
            if isSplit { text += layout.newline(depth + 1) }
            writePart(part, &text, isSplit ? layout : .compact)
        }
        text += (isSplit ? layout.newline(depth) : "") + brackets.close
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.isShowable: text.unicodeScalars.append(scalar)
            default:
                for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                    let digits = String(unit, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        text += "\""
    }

    /// With at most three decimals and no exponent, up to the size where a Double has no decimals left.
    package static func decimalText(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        guard let thousandths = Int64(exactly: (value * 1000).rounded()), abs(value) < 0x1p53 else {
            return value.description
        }
        var text = fixedPoint(thousandths)
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }

    /// `12.500` for 12500.
    package static func fixedPoint(_ thousandths: Int64) -> String {
        let (whole, fraction) = thousandths.magnitude.quotientAndRemainder(dividingBy: 1000)
        let digits = String(fraction)
        return (thousandths < 0 ? "-" : "") + "\(whole)." + String(repeating: "0", count: 3 - digits.count) + digits
    }
}
