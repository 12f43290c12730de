import ArgumentParser
import HostIO

@main
struct Icecheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "icecheck",
        abstract: "Says which ICE path to a peer would succeed, why the others would not, and what to change.",
        discussion: """
            Without a command, icecheck checks: it gathers this machine's candidates, asks the STUN servers, and \
            reports. With no server named it asks stun:stun.l.google.com:19302 and stun:stun.cloudflare.com:3478.
            """,
        version: Version.text,
        subcommands: [
            CheckCommand.self, CandidatesCommand.self, STUNCommand.self, NATCommand.self, TURNCommand.self,
            PredictCommand.self, ReplayCommand.self, ConnectCommand.self, ServeCommand.self,
            DecodeCommand.self, ExplainCommand.self,
        ],
        defaultSubcommand: CheckCommand.self)

    static func main() {
        StandardStream.ignoreBrokenPipes()
        do {
            let arguments = Process.arguments
            if let plain = PlainCommandLine(arguments[...], commands: commandNames) {
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
    private static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
        arguments.starts(with: ["turn", "credentials"])
            ? try TURNCredentialsCommand.parse(Array(arguments.dropFirst(2))) : try parseAsRoot(arguments)
    }

    private static var commandNames: [String] {
        configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    }

    /// Help and version go out as the parser writes them; everything else is one line.
    private static func leave(after error: any Error) -> Never {
        let code = exitCode(for: error)
        if let failure = error as? Failure { failure.leave() }
        if code == .success || error is CleanExit { exit(withError: error) }
        if error is ExitCode { exit(withError: error) }
        Failure(
            status: .usage, "\(message(for: error).split(separator: "\n").joined(separator: " ")) (see icecheck --help)"
        ).leave()
    }
}

enum Version {
    static let number = "0.1.0"
    static let text = "icecheck \(number)"
}
