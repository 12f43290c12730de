import ArgumentParser
import Session

struct NATCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nat",
        abstract: "Finds out how the NAT behaves, in the terms of RFC 4787.",
        discussion: """
            Mapping and filtering are asked of servers that speak RFC 5780 (coturn with two addresses, or icecheck \
            serve). Other servers tell the mapping where there are two of them, as the two public ones that are asked \
            where none is named. With a credential a TURN server's relay tells both: it sees this machine from another \
            port, or another address, and sends to it from there. A verdict from silence goes with its confidence; where answers do not suffice it is \
            unknown, with the reason. The mapping is asked about over TCP as well. The exit status is 0 where the \
            mapping of each family that was asked is known, and with --lifetime how long it lives.
            """)

    @Argument(
        help: ArgumentHelp(
            "Servers: stun:host[:port], turn:host[:port] with a credential, or host[:port].", valueName: "uri"))
    var uris: [String] = []

    @OptionGroup var nat: NATArguments
    @OptionGroup var turn: TURNArguments
    @Flag(
        help: ArgumentHelp(
            "Find out how long an idle UDP mapping lives, and the keepalive interval to set. Takes as long as it "
                + "lives, at most 6 minutes or what --timeout leaves."))
    var lifetime = false

    @OptionGroup var server: ServerArguments
    @OptionGroup var output: OutputArguments

    func run() throws {
        let servers = try server.serversOrBuiltIn(uris)
        var options = try server.options(.nat, servers: servers, asksHairpin: nat.hairpin)
        options.turn = try turn.options()
        options.measuresLifetime = lifetime
        try Run(options, server.settings(output)).start()
    }
}
