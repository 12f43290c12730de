import CSystem
import Glibc

/// This process.
package enum Process {
    /// Ends it now, and leaves the terminal as it was. A resolver thread that still waits for an answer is not waited for.
    package static func exit(_ status: ExitStatus) -> Never {
        csys_terminal_restore()
        _exit(status.number)
    }

    /// The arguments after the process's own name. They come from the C library and not from /proc, which may be
    /// missing: without them a run would be another than the one that was asked for.
    package static var arguments: [String] {
        var arguments: [String] = []
        while let text = csys_argument(Int32(arguments.count + 1)) { arguments.append(String(cString: text)) }
        return arguments
    }

    /// Writes over what follows the first `count` bytes of an argument, so that the process list no longer shows it.
    package static func hideArgument(_ index: Int, after count: Int = 0) {
        guard let text = csys_argument(Int32(index + 1)) else { return }
        let length = strlen(text)
        for offset in min(count, length)..<length { text[offset] = CChar(UInt8(ascii: "x")) }
    }

    /// Lets the next signal end the process, also where it waits for a reader of its output.
    package static func endAtNextSignal() { csys_signals_end_at_next() }
}
