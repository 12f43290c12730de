import HostIO
import NetTypes
import Reporting

/// Why icecheck stops without a report: an exit status and one line for standard error.
struct Failure: Error {
    let status: ExitStatus
    let message: String

    /// - Parameter status: the command line is at fault where nothing else is said.
    init(_ message: String, status: ExitStatus = .usage) {
        self.status = status
        self.message = message
    }

    func leave() -> Never {
        // Where standard error is gone too, the status is all that is left to say.
        try? StandardStream.error.write(Self.line(message))
        Process.exit(status)
    }

    /// A line for standard error. The argument parser and the system repeat what was typed as it was typed: what a
    /// terminal would obey is escaped.
    static func line(_ message: String) -> String {
        let style = RenderingStyle(width: 80, isColoured: false, isUnicode: Environment.usesUTF8)
        return "icecheck: \(style.shown(OutsideText(message), limit: 900))\n"
    }
}
