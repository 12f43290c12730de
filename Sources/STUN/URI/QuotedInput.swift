/// Text from outside as an error message may show it: one line, short, nothing that a terminal acts on.
package struct QuotedInput: Hashable, Sendable, CustomStringConvertible {
    /// The longest that is shown, in characters of the original.
    package static let limit = 80

    package let description: String

    package init(_ text: some StringProtocol) {
        var shown = ""
        for (count, scalar) in text.unicodeScalars.prefix(Self.limit + 1).enumerated() {
            if count == Self.limit {
                shown += "..."
            } else if Self.isSafe(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        description = shown
    }

    /// Controls, the characters that turn or hide text, and what is not assigned are not.
    private static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: !scalar.properties.isDefaultIgnorableCodePoint
        }
    }
}
