package import NetTypes

/// What the terminal, or whatever reads the text, can show.
package struct RenderingStyle: Hashable, Sendable {
    /// In columns, at least 40. Values that people copy, such as addresses, are never cut for it.
    package var width: Int
    package var isColoured: Bool
    /// Whether it reads UTF-8; where not, everything is ASCII.
    package var isUnicode: Bool

    package init(width: Int = 100, isColoured: Bool = false, isUnicode: Bool = true) {
        self.width = max(width, 40)
        self.isColoured = isColoured
        self.isUnicode = isUnicode
    }

    /// The SGR parameters (ECMA-48 s8.3.117) of what is coloured.
    package enum Colour: String, Sendable {
        case bold = "1"
        case faint = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    package func coloured(_ text: String, _ colour: Colour?) -> String {
        guard isColoured, let colour, !text.isEmpty else { return text }
        return "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m"
    }

    /// `text` as it may be shown in this style; see ``OutsideText/cleaned(limit:)``.
    package func shown(_ text: OutsideText, limit: Int = OutsideText.shownCharacters) -> String {
        let cleaned = text.cleaned(limit: limit)
        return isUnicode ? cleaned : Self.ascii(cleaned)
    }

    /// A sentence of our own, which may quote what came from outside: cut much later than an outside text.
    package func shown(_ text: String) -> String { shown(OutsideText(text), limit: 2000) }

    private static func ascii(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            if scalar.isASCII { return String(scalar) }
            return transcriptions[scalar] ?? "\\u{\(String(scalar.value, radix: 16))}"
        }.joined()
    }

    /// The typography of this tool's own sentences.
    private static let transcriptions: [Unicode.Scalar: String] = [
        "…": "...", "–": "-", "—": "-", "→": "->", "×": "x", "‘": "'", "’": "'", "“": "\"", "”": "\"", "µ": "u",
    ]
}
