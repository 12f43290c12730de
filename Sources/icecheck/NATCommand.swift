import ArgumentParser
import Planning

struct NATCommand: MeasuringCommand {
    static let configuration = CommandConfiguration(
        commandName: "nat",
        abstract: "Determine how the NAT behaves, in the terms of RFC 4787.",
        discussion: """
            Servers that speak RFC 5780 (coturn with two addresses, or icecheck serve) show mapping and filtering. Two \
            other servers, such as the two public ones that are queried by default, show the mapping. With a credential, \
            a TURN server's relay shows both: it sees this machine from another port or another address, and sends to it \
            from there. A verdict from silence has a confidence; where the answers are not enough, the verdict is \
            unknown, with the reason. The mapping is also measured over TCP. The exit status is 0 if the mapping of each \
            family is known, and with --lifetime its lifetime.
            """)

    @Argument(
        help: ArgumentHelp(
            "Servers: stun:host[:port], turn:host[:port] with a credential, or host[:port].", valueName: "uri"))
    var uris: [String] = []

    @OptionGroup var nat: NATArguments
    @OptionGroup var turn: TURNArguments
    @Flag(
        help: ArgumentHelp(
            "Measure how long an idle UDP mapping lives, and thus the keepalive interval to set. It takes as long as the "
                + "mapping lives, at most 6 minutes or what --timeout leaves."))
    var lifetime = false

    @OptionGroup var server: ServerArguments
    @Option(help: .timeout("5, with --lifetime 372"))
    var timeout: Double?
    @OptionGroup var output: OutputArguments

    var typed: TypedOptions {
        var typed = server.typed(.nat, uris, timeout: timeout)
        typed.hairpin = nat.hairpin
        typed.lifetime = lifetime
        typed.access = turn.typed
        return typed
    }
    var settings: Run.Settings { Run.Settings(server, output.format) }
}
