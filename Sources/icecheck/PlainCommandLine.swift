import HostIO
import NetTypes
import Reporting
import STUN
import Session

/// A command line of servers alone, such as `icecheck stun 192.0.2.1`: there are no options to parse.
///
/// The argument parser costs two milliseconds, as much as all the rest of a run on a short path. What it would make of
/// such a line is known: each command with its defaults.
struct PlainCommandLine {
    private let command: Options.Command
    private let uris: [String]

    /// Nil where the line has an option, names no server, or is another command's.
    init?(_ arguments: ArraySlice<String>, commands: [String]) {
        guard let first = arguments.first, arguments.allSatisfy({ !$0.isEmpty && !$0.hasPrefix("-") }) else {
            return nil
        }
        switch first {
        case "stun": command = .stun
        case "nat": command = .nat
        case "check": command = .check
        case _ where commands.contains(first): return nil
        default: command = .check
        }
        uris = Array(commands.contains(first) ? arguments.dropFirst() : arguments)
        if uris.isEmpty { return nil }
    }

    func run() throws {
        var options = Options(command: command, servers: try ServerArguments.entries(uris))
        options.trust.wallClock = WallClock.secondsSince1970
        try Run(options, Run.Settings()).start()
    }
}
