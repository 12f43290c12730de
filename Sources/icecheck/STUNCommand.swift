import ArgumentParser
import NetTypes
import Planning

struct STUNCommand: MeasuringCommand {
    static let configuration = CommandConfiguration(
        commandName: "stun",
        abstract: "Query STUN servers for this machine's mapped address, and measure the round trip.",
        discussion: """
            All servers, and all their addresses, are queried at once. The exit status is 0 only if each of them \
            answers.
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

    @Option(help: ArgumentHelp("Query over udp, tcp, or all of them.", valueName: "transport"))
    var transport = TransportChoice.udp

    @Option(
        help: ArgumentHelp(
            "Requests to each address, 20 ms apart, to measure round trips, jitter and loss. (default: 1)",
            valueName: "n"))
    var count: Int?

    @OptionGroup var server: ServerArguments
    @Option(help: .timeout("5, with --count 20 ms more for each request"))
    var timeout: Double?
    @OptionGroup var output: OutputArguments

    var typed: TypedOptions {
        var typed = server.typed(.stun, uris, timeout: timeout)
        typed.transports = transport.transports
        typed.count = count
        return typed
    }
    var settings: Run.Settings { Run.Settings(server, output.format) }
}
