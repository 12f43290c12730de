/// Why what the other side sent cannot be used: one line, fit to be shown.
package struct SignalingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line of the text that is wrong, from 1; nil where it is no single one.
    package let line: Int?
    /// One sentence: what is wrong, and what would be right. What it quotes is safe to show.
    package let message: String

    package init(line: Int? = nil, _ message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { line.map { "line \($0): \(message)" } ?? message }
}
