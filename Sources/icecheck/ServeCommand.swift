import ArgumentParser
import HostIO
import NetTypes
import STUN
import SecureTransport
import Server

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run a STUN and TURN server to test against, between your own machines. Not for production.",
        usage: "icecheck serve [<options>]",
        discussion: """
            It serves Binding over UDP and TCP and, with an alternate address, NAT behaviour discovery (RFC 5780). By \
            default it listens on loopback: 127.0.0.1 with 127.0.0.2 as its alternate, and ::1. Answers are limited \
            for each source and never larger than three times the request.

            With a --user or a --secret it is also a TURN server, over UDP, TCP, TLS and DTLS, which relays over UDP \
            to loopback and private addresses.
            """)

    @Option(
        name: .customLong("listen"),
        help: ArgumentHelp("Listen on this address; once for each family.", valueName: "address"))
    var listen: [String] = []

    @Option(
        name: .customLong("alternate"),
        help: ArgumentHelp("The second address of RFC 5780, of the same family as a --listen.", valueName: "address"))
    var alternate: [String] = []

    @Option(help: ArgumentHelp("The port; 0 leaves the choice to the system.", valueName: "port"))
    var port: UInt16 = 3478

    @Option(help: ArgumentHelp("The second port of RFC 5780. (default: the port after --port)", valueName: "port"))
    var alternatePort: UInt16?

    @Option(
        help: ArgumentHelp(
            "The port for TLS and DTLS, which are served where TURN is, or --cert is given; 0 leaves the choice to the "
                + "system.", valueName: "port"))
    var tlsPort: UInt16 = 5349

    @Option(
        help: ArgumentHelp(
            "The certificate chain for TLS and DTLS (PEM). (default: one made for the run)", valueName: "file"))
    var cert: String?

    @Option(help: ArgumentHelp("The key of --cert (PEM).", valueName: "file"))
    var key: String?

    @OptionGroup(title: "TURN")
    var relaying: RelayArguments

    @Flag(name: [.short, .long], help: "Print a line for each answer and for what becomes of each allocation.")
    var verbose = false

    func run() throws {
        var configuration = STUNServerConfiguration(
            addresses: try addresses(), port: port,
            alternatePort: alternatePort ?? (port == 0 ? 0 : port == .max ? port - 1 : port + 1),
            software: Version.text)
        configuration.acceptsConnections = true
        let turn = try relaying.configuration(listening: configuration.addresses.map(\.primary))
        let what = turn == nil ? "STUN" : "STUN and TURN"
        try Run.write("\(Version.text): a \(what) server for tests between your own machines, not for production\n")
        configuration.securePort = tlsPort
        configuration.credentials = try credentials(for: configuration, isRelaying: turn != nil)
        if configuration.credentials != nil, cert == nil {
            try Run.write(
                "TLS and DTLS with a certificate made for this run: clients need --insecure, or --cert here\n")
        }
        var server = SecurePaths(Self.server(configuration, turn))
        var console = ServerConsole(configuration, turn, isVerbose: verbose)
        console.start()
        let end = try Run.driver().run(&server, until: nil) { console.show($0) }
        guard case .interrupted(let signal) = end else {
            throw Failure("no port could be opened", status: .negative)
        }
        try Run.write("\(server.base.counts.answered) answered, \(server.base.counts.malformed) malformed, ")
        try Run.write("\(server.base.counts.rateLimited) over the rate\n")
        if let counts = server.base.allocations { console.summarize(counts) }
        Process.exit(.signal(signal))
    }

    private static func server(_ configuration: STUNServerConfiguration, _ turn: TURNServerConfiguration?) -> STUNServer
    {
        guard let turn else { return STUNServer(configuration: configuration) }
        let now = WallClock.nanosecondsSince1970
        // From when the present second began: else a temporary credential would be good for up to a second too long.
        let start = MonotonicClock.now.advanced(by: .nanoseconds(-(now % 1_000_000_000)))
        return STUNServer(
            configuration: configuration, turn: turn, from: start, secondsSince1970: now / 1_000_000_000,
            random: SystemRandomNumberGenerator())
    }

    /// The certificate and its key: as given, or made for the run where there are relays to protect.
    private func credentials(
        for configuration: STUNServerConfiguration, isRelaying: Bool
    ) throws -> ServerCredentials? {
        switch (cert, key) {
        case (let cert?, let key?):
            return ServerCredentials(
                chainPEM: try Input.read(cert, for: "--cert"), keyPEM: try Input.read(key, for: "--key"))
        case (nil, nil): break
        default: throw Failure("--cert and --key go together; give both, or neither for one made here")
        }
        guard isRelaying else { return nil }
        let now = WallClock.secondsSince1970
        var request = CertificateRequest(
            commonName: "icecheck serve", notBefore: now - 3600, notAfter: now + 30 * 86400)
        request.names = ["localhost"]
        request.addresses = configuration.addresses.map(\.primary)
        do throws(SecureFailure) {
            return try ServerCredentials.make(request)
        } catch {
            throw Failure("no certificate could be made: \(error.detail.cleaned())", status: .internal)
        }
    }

    /// The pairs of primary and alternate address, matched by family in the order given.
    private func addresses() throws -> [STUNServerConfiguration.Addresses] {
        if listen.isEmpty, alternate.isEmpty {
            return [
                .init(primary: IPAddress(127, 0, 0, 1), alternate: IPAddress(127, 0, 0, 2)),
                .init(primary: IPAddress(v6: 1)),
            ]
        }
        var alternates = try alternate.map { try address($0, of: "--alternate") }
        let pairs = try listen.map { text -> STUNServerConfiguration.Addresses in
            let primary = try address(text, of: "--listen")
            guard let match = alternates.firstIndex(where: { $0.family == primary.family }) else {
                return .init(primary: primary)
            }
            return .init(primary: primary, alternate: alternates.remove(at: match))
        }
        guard let unmatched = alternates.first else { return pairs }
        throw Failure(
            "--alternate \(unmatched) has no --listen of \(unmatched.family.name); give both, as in "
                + "--listen 127.0.0.1 --alternate 127.0.0.2")
    }

    private func address(_ text: String, of option: String) throws -> IPAddress {
        guard let address = IPAddress(text) else {
            throw Failure(
                "\(option) '\(QuotedInput(text))' is not an IP address; the right form is 192.0.2.1 or 2001:db8::1")
        }
        return address
    }
}
