import ArgumentParser
import Session

struct CandidatesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "candidates",
        abstract: "Gathers this machine's ICE candidates, as a browser would offer them.",
        discussion: """
            With servers, also the server-reflexive candidates that they show. --format sdp prints the a=candidate \
            lines of those that a browser would offer.
            """)

    @Argument(help: ArgumentHelp("STUN servers, for server-reflexive candidates.", valueName: "uri"))
    var uris: [String] = []

    @OptionGroup var server: ServerArguments
    @OptionGroup var output: OutputArguments

    func run() throws {
        let options = try server.options(.candidates, servers: try server.servers(uris))
        try Run(options, server.settings(output)).start()
    }
}
