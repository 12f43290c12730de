import ArgumentParser
import HostIO
import JSON
import Planning
import Reporting

@main
struct Icecheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "icecheck",
        abstract: "Find out why a WebRTC or VoIP call does not connect, and what to change.",
        discussion: """
            Without a command, check runs. Without a server, stun:stun.l.google.com:19302 and \
            stun:stun.cloudflare.com:3478 are queried.
            """,
        version: Version.text,
        subcommands: [
            CheckCommand.self, CandidatesCommand.self, STUNCommand.self, NATCommand.self, TURNCommand.self,
            PredictCommand.self, ReplayCommand.self, ConnectCommand.self, ServeCommand.self,
            DecodeCommand.self, ExplainCommand.self, SchemaCommand.self,
        ],
        defaultSubcommand: CheckCommand.self)

    static func main() {
        StandardStream.ignoreBrokenPipes()
        do {
            let arguments = Process.arguments
            if arguments == ["--experimental-dump-manual"] {
                try Run.write(Manual.json.text(pretty: true) + "\n")
            } else if let plain = PlainCommandLine(arguments[...], commands: commandNames) {
                try plain.run()
            } else {
                var command = try parsed(arguments)
                hideSecrets()
                try command.run()
            }
        } catch {
            leave(after: error)
        }
    }

    /// The parser gives a command's own arguments precedence over its subcommands: `credentials` would be a server of `turn`.
    static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
        arguments.starts(with: ["turn", "credentials"])
            ? try TURNCredentialsCommand.parse(Array(arguments.dropFirst(2))) : try parseAsRoot(arguments)
    }

    static var commandNames: [String] {
        configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    }

    /// Help and version go out as the parser writes them; everything else is one line.
    private static func leave(after error: any Error) -> Never {
        let code = exitCode(for: error)
        if let failure = error as? Failure { failure.leave() }
        if let error = error as? PlanError { Failure(error.description).leave() }
        if code == .success || error is CleanExit { exit(withError: error) }
        if error is ExitCode { exit(withError: error) }
        var said = message(for: error).split(separator: "\n").joined(separator: " ")
        if said.hasPrefix("Unknown option '--json'") { said = "unknown option --json; use --format json" }
        let command = Process.arguments.first.flatMap { commandNames.contains($0) ? $0 : nil } ?? "check"
        Failure("\(said) (see icecheck \(command) --help)").leave()
    }
}

enum Version {
    static let number = "0.1.0"
    static let text = "icecheck \(number)"
}
