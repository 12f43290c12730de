import ArgumentParser
import STUN
import Session

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "The whole diagnosis: candidates, servers, one verdict. This is what icecheck does by itself.",
        discussion: """
            Every server is asked over UDP from each address that a browser would offer; where UDP stays silent for \
            half a second, TCP is tried as well.
            """)

    @Argument(
        help: ArgumentHelp(
            "STUN or TURN servers: stun:host[:port], turn:host[:port], or host[:port].", valueName: "uri"))
    var uris: [String] = []

    @OptionGroup var server: ServerArguments
    @OptionGroup var output: OutputArguments

    func run() throws {
        let servers = try server.serversOrBuiltIn(uris)
        let options = try server.options(.check, servers: servers)
        try Run(options, server.settings(output)).start()
    }
}
