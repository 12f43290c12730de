import ArgumentParser
import NetTypes
import Session

struct STUNCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stun",
        abstract: "Asks STUN servers for this machine's mapped address and measures the round trip.",
        discussion: """
            All servers, and all their addresses, are asked at once. The exit status is 0 only where each of them \
            answered.
            """)

    /// What `--transport` takes.
    enum TransportChoice: String, ExpressibleByArgument, CaseIterable {
        case udp
        case tcp
        case all

        var transports: [Transport] {
            switch self {
            case .udp: [.udp]
            case .tcp: [.tcp]
            case .all: [.udp, .tcp]
            }
        }
    }

    @Argument(help: ArgumentHelp("Servers: stun:host[:port] or host[:port].", valueName: "uri"))
    var uris: [String] = []

    @Option(help: ArgumentHelp("Ask over udp, tcp, or all of them.", valueName: "transport"))
    var transport = TransportChoice.udp

    @Option(
        help: ArgumentHelp(
            "Requests to each address, 20 ms apart, to measure round trips, jitter and loss.", valueName: "n"))
    var count = 1

    @OptionGroup var server: ServerArguments
    @OptionGroup var output: OutputArguments

    func run() throws {
        let servers = try server.servers(uris)
        guard !servers.isEmpty else {
            throw Failure(
                status: .usage, "stun needs a server, such as: icecheck stun stun.l.google.com:19302")
        }
        guard (1...10_000).contains(count) else {
            throw Failure(status: .usage, "--count \(count) is out of range; it takes 1 to 10000 requests")
        }
        let options = try server.options(
            .stun, servers: servers, transports: transport.transports, count: count)
        try Run(options, server.settings(output)).start()
    }
}
