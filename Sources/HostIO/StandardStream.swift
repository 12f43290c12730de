import CSystem

/// Standard output or standard error.
package struct StandardStream: Sendable {
    private let descriptor: Int32

    package static let output = StandardStream(descriptor: 1)
    package static let error = StandardStream(descriptor: 2)

    /// Writes all of the text. A reader that has gone away is EPIPE, and no signal.
    package func write(_ text: String) throws(SystemError) {
        var text = text
        let result = text.withUTF8 { csys_write_all(descriptor, $0.baseAddress, $0.count) }
        _ = try SystemError.check(result, descriptor == 1 ? "write to standard output" : "write to standard error")
    }

    package var isTerminal: Bool { csys_is_terminal(descriptor) }

    /// Columns; nil where it is no terminal.
    package var terminalWidth: Int? {
        let width = Int(csys_terminal_width(descriptor))
        return width > 0 ? width : nil
    }
}
