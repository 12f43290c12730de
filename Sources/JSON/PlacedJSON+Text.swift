extension PlacedJSON {
    /// The value as text: on one line, or with a line for each member and element of what is wider than `width`.
    package func text(width: Int? = nil) -> String {
        var text = ""
        write(to: &text, indent: 0, width: width)
        return text
    }

    private func write(to text: inout String, indent: Int, width: Int?) {
        switch value {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .number(let number): text += number
        case .string(let string): Self.write(string, to: &text)
        case .array(let elements): writeParts(elements, ("[", "]"), to: &text, indent, width) { ("", $0) }
        case .object(let members): writeParts(members, ("{", "}"), to: &text, indent, width) { ($0.key, $0.value) }
        }
    }

    private func writeParts<Part>(
        _ parts: [Part], _ brackets: (open: String, close: String), to text: inout String, _ indent: Int, _ width: Int?,
        _ split: (Part) -> (key: String, value: PlacedJSON)
    ) {
        if let width {
            let line = self.text()
            if line.utf8.count + indent <= width || parts.isEmpty { return text += line }
        }
        let margin = width == nil ? "" : "\n" + String(repeating: " ", count: indent)
        text += brackets.open
        for (index, part) in parts.enumerated() {
            let (key, value) = split(part)
            text += (index > 0 ? "," : "") + margin + (width == nil ? "" : " ")
            if brackets.open == "{" {
                Self.write(key, to: &text)
                text += ":"
            }
            value.write(to: &text, indent: indent + 1, width: width)
        }
        text += margin + brackets.close
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case "\n": text += "\\n"
            case " "..."~": text.unicodeScalars.append(scalar)
            default:
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        text += "\""
    }
}
