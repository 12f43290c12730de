import Planning

/// A command line of servers only, such as `icecheck stun 192.0.2.1`: there are no options to parse.
///
/// The argument parser costs two milliseconds, as much as all the rest of a run on a short path. What it makes of such a
/// line is known: the command's options as typed, each with its default.
struct PlainCommandLine {
    let typed: TypedOptions

    /// Nil where the line has an option, names no server, or is another command's.
    init?(_ arguments: ArraySlice<String>, commands: [String]) {
        guard let first = arguments.first, arguments.allSatisfy({ !$0.isEmpty && !$0.hasPrefix("-") }) else {
            return nil
        }
        let command: Options.Command
        switch first {
        case "stun": command = .stun
        case "nat": command = .nat
        case "check": command = .check
        case _ where commands.contains(first): return nil
        default: command = .check
        }
        typed = TypedOptions(command, uris: Array(commands.contains(first) ? arguments.dropFirst() : arguments))
        if typed.uris.isEmpty { return nil }
    }

    func run() throws { try Run(Options(typed, from: .system), Run.Settings()).start() }
}
