import ArgumentParser
import Planning

struct CandidatesCommand: MeasuringCommand {
    static let configuration = CommandConfiguration(
        commandName: "candidates",
        abstract: "Gather this machine's ICE candidates, as a browser would offer them.",
        discussion: """
            With servers, the server-reflexive candidates that they show are included. --format sdp prints the \
            a=candidate lines of those that a browser would offer.
            """)

    @Argument(help: ArgumentHelp("STUN servers, for server-reflexive candidates.", valueName: "uri"))
    var uris: [String] = []

    @OptionGroup var server: ServerArguments
    @Option(help: .timeout("5"))
    var timeout: Double?
    @OptionGroup var output: CandidateOutputArguments

    var typed: TypedOptions { server.typed(.candidates, uris, timeout: timeout) }
    var settings: Run.Settings { Run.Settings(server, output.format) }
}
