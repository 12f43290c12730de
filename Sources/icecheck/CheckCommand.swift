import ArgumentParser
import Planning

struct CheckCommand: MeasuringCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract:
            "Run the whole diagnosis: candidates, servers, NAT, relays, one verdict. This is the default command.",
        discussion: """
            Every server is queried over UDP from each address that a browser would offer; where UDP stays silent for a \
            quarter of a second, TCP is tried, too. The first servers to answer, at most four, are used to determine the \
            NAT's behaviour, as icecheck nat does; where that is not enough and a relay works, the relay is used.
            """)

    @Argument(
        help: ArgumentHelp(
            "STUN or TURN servers: stun:host[:port], turn:host[:port], or host[:port].", valueName: "uri"))
    var uris: [String] = []

    @OptionGroup var nat: NATArguments
    @OptionGroup var turn: TURNArguments
    @OptionGroup var server: ServerArguments
    @Option(help: .timeout("5"))
    var timeout: Double?
    @OptionGroup var output: CandidateOutputArguments

    var typed: TypedOptions {
        var typed = server.typed(.check, uris, timeout: timeout)
        typed.hairpin = nat.hairpin
        typed.access = turn.typed
        return typed
    }
    var settings: Run.Settings { Run.Settings(server, output.format) }
}
