import CSystem
import Glibc

/// Standard output or error: whole writes, and what the executable asks about a terminal.
package enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    package enum WriteError: Error, Hashable, CustomStringConvertible {
        /// The reader of a pipe is gone (EPIPE); with SIGPIPE caught this is no death.
        case closed
        /// ENOSPC and others.
        case failed(SystemError)

        package var description: String {
            switch self {
            case .closed: "whoever reads it is gone"
            case .failed(let error): error.description
            }
        }
    }

    /// Writes everything, however long the reader takes.
    package func write(_ text: String) throws(WriteError) {
        var text = text
        let result = text.withUTF8 { csys_write_all(rawValue, $0.baseAddress, $0.count) }
        if result == -EPIPE { throw .closed }
        if result < 0 { throw .failed(SystemError("write to standard \(self)", errno: -result)) }
    }

    package var isTerminal: Bool { csys_is_terminal(rawValue) }

    /// Columns, or nil where it is no terminal or does not say.
    package var terminalWidth: Int? {
        let columns = Int(csys_terminal_width(rawValue))
        return columns > 0 ? columns : nil
    }

    /// Makes a write to a closed pipe an error instead of the end of the process. Catching signals does so too.
    package static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }
}
