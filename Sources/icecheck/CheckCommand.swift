import ArgumentParser
import STUN
import Session

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "The whole diagnosis: candidates, servers, one verdict. This is what icecheck does by itself.",
        discussion: """
            Every server is asked over UDP from each address that a browser would offer; where UDP stays silent for a \
            quarter of a second, TCP is tried as well. The servers that answer first, four at most, are asked how the \
            NAT behaves, as by icecheck nat; where they do not tell, and a relay is there, what it sees and sends tells.
            """)

    @Argument(
        help: ArgumentHelp(
            "STUN or TURN servers: stun:host[:port], turn:host[:port], or host[:port].", valueName: "uri"))
    var uris: [String] = []

    @OptionGroup var nat: NATArguments
    @OptionGroup var turn: TURNArguments
    @OptionGroup var server: ServerArguments
    @OptionGroup var output: OutputArguments

    func run() throws {
        let servers = try server.serversOrBuiltIn(uris)
        var options = try server.options(.check, servers: servers, asksHairpin: nat.hairpin)
        options.turn = try turn.options()
        try Run(options, server.settings(output)).start()
    }
}
