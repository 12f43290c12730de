import ArgumentParser
import Engines
import NetTypes
import Planning

struct TURNCommand: MeasuringCommand {
    static let configuration = CommandConfiguration(
        commandName: "turn",
        abstract: "Allocate relays on TURN servers, send data through them, and explain each failure.",
        usage: """
            icecheck turn [<options>] [<uri> ...]
            icecheck turn credentials [<options>] [<uri> ...]
            """,
        discussion: """
            Every address of every server is tried at once. A relay passes if datagrams from a second socket go through \
            it and back, both as Send/Data indications and over a channel. Relays that pass are also tried with each \
            other, on each server and between servers. The allocations are deleted at the end. The exit status is 0 only \
            if each relay carries data.
            """,
        subcommands: [TURNCredentialsCommand.self])

    @Argument(help: ArgumentHelp("Servers: turn:host[:port][?transport=udp|tcp] or host[:port].", valueName: "uri"))
    var uris: [String] = []

    @OptionGroup var access: TURNArguments

    @Flag(help: "Try each server over every transport: turn: over UDP and TCP, turns: over TLS and DTLS.")
    var allTransports = false

    @Flag(
        help: """
            Keep each relay busy for 11 minutes, to find what breaks calls after some time. With --timeout N: N - 30 \
            seconds.
            """)
    var soak = false

    @Option(
        help: ArgumentHelp(
            "Datagrams through each relay in indications, and as many over a channel. (default: 3)", valueName: "n"))
    var count: Int?

    @Option(help: ArgumentHelp("Bytes of each datagram, 26 to 8192.", valueName: "bytes"))
    var size = TypedOptions.Relay().size

    @Option(help: ArgumentHelp("Spread each series of datagrams over this many seconds.", valueName: "seconds"))
    var duration: Double?

    /// What `--relay-transport` takes.
    enum RelayTransportChoice: String, ExpressibleByArgument, CaseIterable {
        case udp
        case tcp
    }

    @Option(
        help: ArgumentHelp(
            "What the relay carries between itself and peers. TCP relays (RFC 6062) are allocated over TCP or TLS: "
                + "turn:host is then tried over TCP.", valueName: "transport"))
    var relayTransport = RelayTransportChoice.udp

    @Flag(help: "Ask for an even relayed port (EVEN-PORT).")
    var evenPort = false

    @Flag(help: "Ask for an even relayed port and to reserve the next one, then allocate that (RESERVATION-TOKEN).")
    var nextPort = false

    @Flag(help: "Ask the server not to fragment what it relays (DONT-FRAGMENT).")
    var dontFragment = false

    @Flag(help: "Ask for relayed addresses of both families in one allocation (ADDITIONAL-ADDRESS-FAMILY).")
    var bothFamilies = false

    @OptionGroup var server: ServerArguments
    @Option(help: .timeout("10, with --soak 690"))
    var timeout: Double?
    @OptionGroup var output: OutputArguments

    var typed: TypedOptions {
        var typed = server.typed(.turn, uris, timeout: timeout)
        typed.access = access.typed
        typed.count = count
        typed.relay.allTransports = allTransports
        typed.relay.soak = soak
        typed.relay.size = size
        typed.relay.duration = duration
        typed.relay.transport = relayTransport == .tcp ? .tcp : .udp
        let options: [(AllocationOption, Bool)] = [
            (.evenPort, evenPort), (.nextPort, nextPort), (.dontFragment, dontFragment), (.bothFamilies, bothFamilies),
        ]
        typed.relay.options = Set(options.filter(\.1).map(\.0))
        return typed
    }
    var settings: Run.Settings { Run.Settings(server, output.format) }
}
