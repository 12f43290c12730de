extension JSONValue {
    /// The value as text with a line for each member and element of what is wider than `width` bytes.
    package func text(width: Int) -> String {
        var text = ""
        write(to: &text, indent: 0, width: width)
        return text
    }

    private func write(to text: inout String, indent: Int, width: Int) {
        let line = self.text(pretty: false)
        guard line.utf8.count + indent > width else { return text += line }
        switch self {
        case .array(let elements):
            Self.write(elements, in: ("[", "]"), to: &text, indent) {
                $1.write(to: &$0, indent: indent + 1, width: width)
            }
        case .object(let members):
            Self.write(members, in: ("{", "}"), to: &text, indent) { text, member in
                text += JSONValue.string(member.key).text(pretty: false) + ":"
                member.value.write(to: &text, indent: indent + 1, width: width)
            }
        default: text += line
        }
    }

    private static func write<Part>(
        _ parts: [Part], in brackets: (open: String, close: String), to text: inout String, _ indent: Int,
        part write: (inout String, Part) -> Void
    ) {
        let margin = "\n" + String(repeating: " ", count: indent)
        text += brackets.open
        for (index, part) in parts.enumerated() {
            text += (index > 0 ? "," : "") + margin + " "
            write(&text, part)
        }
        text += margin + brackets.close
    }
}
