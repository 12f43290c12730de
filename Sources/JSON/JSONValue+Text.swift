import NetTypes

extension JSONValue {
    /// The value as JSON text, without a newline at its end; `pretty` puts each member on a line of its own.
    ///
    /// Characters that a terminal would obey or hide are written as `\uXXXX`, so that the text is safe wherever it is
    /// shown, and U+2028 and U+2029 too, which JavaScript takes for the end of a line.
    package func text(pretty: Bool) -> String {
        var text = ""
        write(to: &text, indent: pretty ? 0 : nil)
        return text
    }

    /// Appends the value; `indent` is the depth of the line it starts on, or nil for everything on one line.
    private func write(to text: inout String, indent: Int?) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .unsigned(let value): text += String(value)
        case .decimal(let value): text += Self.decimalText(value)
        case .exact(let value): text += value.isFinite ? value.description : "null"
        case .number(let number): text += number
        case .string(let value): Self.write(value, to: &text)
        case .array(let values):
            Self.write(values, in: ("[", "]"), to: &text, indent: indent) { value, text, indent in
                value.write(to: &text, indent: indent)
            }
        case .object(let members):
            Self.write(members, in: ("{", "}"), to: &text, indent: indent) { member, text, indent in
                Self.write(member.key, to: &text)
                text += indent == nil ? ":" : ": "
                member.value.write(to: &text, indent: indent)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element], in brackets: (open: String, close: String), to text: inout String, indent: Int?,
        element writeElement: (Element, inout String, Int?) -> Void
    ) {
        text += brackets.open
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            if let indent { text += newline(indent + 1) }
            writeElement(element, &text, indent.map { $0 + 1 })
        }
        if let indent, !elements.isEmpty { text += newline(indent) }
        text += brackets.close
    }

    private static func newline(_ indent: Int) -> String { "\n" + String(repeating: "  ", count: indent) }

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
