import ArgumentParser
import Engines
import HostIO
import NetTypes
import Planning
import Reporting
import STUN
import SecureTransport

struct ConnectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Connect to a peer by ICE, send data over the path that is found, and explain why other paths fail.",
        discussion: """
            Both sides run this command. Each prints one line, which goes to the peer's standard input: by copy and paste, \
            over ssh (--via 'ssh host icecheck connect --stdio'), or as files. With --sdp the peer may be a browser or any \
            WebRTC stack. The line holds the password of this session only. The exit status is 0 only if both are \
            connected.
            """)

    @Argument(
        help: ArgumentHelp(
            "STUN or TURN servers: stun:host[:port], turn:host[:port], or host[:port].", valueName: "uri"))
    var uris: [String] = []

    @Option(
        help: ArgumentHelp(
            "Run this with sh -c; its standard input and output lead to the peer.", valueName: "command"))
    var via: String?

    @Flag(help: "Standard input and output lead to the peer: nothing but signaling is written there.")
    var stdio = false

    @Option(help: ArgumentHelp("Write the local line to a file or FIFO.", valueName: "file"))
    var send: String?

    @Option(
        help: ArgumentHelp("Read the peer's line from a file or FIFO, which may appear later.", valueName: "file"))
    var receive: String?

    @Flag(help: "Speak SDP: a JSON object with type and sdp on a line, and trickled candidates on others.")
    var sdp = false

    @Flag(help: "With --sdp: wait for an offer and answer it.")
    var answer = false

    @Option(help: ArgumentHelp("Use one kind of candidate only: host, srflx or relay.", valueName: "kind"))
    var force: String?

    @Flag(help: "Finish checking all pairs even after one is selected.")
    var allPairs = false

    @Option(help: ArgumentHelp("Send data for this many seconds, 0.1 to 600.", valueName: "seconds"))
    var duration = 1.0

    @Flag(help: "Also measure throughput for the same time, yielding to other traffic.")
    var throughput = false

    @Flag(help: "Also offer TCP candidates (RFC 6544).")
    var tcp = false

    @Flag(help: "Send no checks to the peer's private addresses.")
    var noPrivate = false

    @Option(name: .customLong("output"), help: ArgumentHelp("Write the report to this file.", valueName: "file"))
    var outputFile: String?

    @OptionGroup var access: TURNArguments
    @OptionGroup var server: ServerArguments
    @Option(help: .timeout("60 where a program carries the lines, else 600"))
    var timeout: Double?
    @OptionGroup var output: OutputArguments

    func run() throws {
        let ends = try ends()
        let kinds = try kinds()
        guard (0.1...600).contains(duration) else {
            throw Failure("--duration \(duration) is out of range; it takes 0.1 to 600 seconds")
        }
        if answer, !sdp {
            throw Failure("--answer goes with --sdp: with icecheck's own line both ends are the same")
        }
        var options = try Options(typed(kinds), from: .system)
        // People take minutes to bring a line over; a program does not.
        options.timeout = options.timeout ?? (stdio || via != nil ? .seconds(60) : .seconds(600))
        let connect = try connectPlan(kinds, ends, wallClock: options.trust.wallClock)
        options.connect = connect
        var settings = Run.Settings(server, output.format)
        settings.outputFile = outputFile
        settings.peer = PeerChannel(ends: ends, form: connect.form, isQuiet: stdio)
        settings.words = words
        try Run(options, settings).start()
    }

    /// How the two ends reach each other.
    private func ends() throws -> ChannelEnds {
        let ways = [via != nil, stdio, send != nil || receive != nil].count(where: \.self)
        guard ways <= 1 else {
            throw Failure("--via, --stdio and --send with --receive exclude each other; give one of them")
        }
        if let via { return .command(via) }
        switch (send, receive) {
        case (nil, nil): return .standardStreams
        case (let send?, let receive?):
            guard send != receive else {
                throw Failure("--send and --receive are two files: one for each direction")
            }
            return .files(send: send, receive: receive)
        default: throw Failure("--send and --receive go together: one file for each direction")
        }
    }

    private func kinds() throws -> Set<Candidate.Kind> {
        switch force {
        case nil: return Set(Candidate.Kind.allCases)
        case "host": return [.host]
        case "srflx": return [.serverReflexive, .peerReflexive]
        case "relay": return [.relayed]
        case let other?:
            throw Failure("--force \(QuotedInput(other)): it is host, srflx or relay")
        }
    }

    private func typed(_ kinds: Set<Candidate.Kind>) -> TypedOptions {
        var typed = server.typed(.connect, uris, timeout: timeout)
        typed.access = access.typed
        let isLocal = server.interface == "lo" || server.bind.flatMap { IPAddress($0) }?.isLoopback == true
        // Public servers say nothing about loopback, and host candidates need none.
        typed.usesBuiltInServers = !isLocal && kinds != [.host]
        return typed
    }

    private func connectPlan(
        _ kinds: Set<Candidate.Kind>, _ ends: ChannelEnds, wallClock: Int64
    ) throws -> ConnectPlan {
        var connect = ConnectPlan(sdp ? .sdp(answers: answer) : .line, isLive: stdio || via != nil)
        connect.kinds = kinds
        connect.usesTCP = tcp
        connect.checksAllPairs = allPairs
        connect.refusesPrivate = noPrivate
        connect.duration = .nanoseconds(Int64(duration * 1e9))
        connect.measuresThroughput = throughput
        connect.readsAgain = !ends.isLive
        if sdp { connect.credentials = try certificate(wallClock) }
        return connect
    }

    /// A certificate of this run's own: its fingerprint goes with the description (RFC 8842 s5.1).
    private func certificate(_ now: Int64) throws -> ServerCredentials {
        do {
            return try ServerCredentials.make(
                CertificateRequest(commonName: "icecheck", notBefore: now - 86_400, notAfter: now + 30 * 86_400))
        } catch {
            throw Failure("no certificate can be made: \(error.detail.cleaned())", status: .internal)
        }
    }

    /// The options that are this command's only, as a report shows them.
    private var words: [String] {
        var words: [String] = []
        // A command may hold anything, also a secret.
        if via != nil { words.append("--via ...") }
        if stdio { words.append("--stdio") }
        if send != nil { words.append("--send ... --receive ...") }
        if sdp { words.append("--sdp") }
        if answer { words.append("--answer") }
        if let force { words.append("--force \(force)") }
        if allPairs { words.append("--all-pairs") }
        if duration != 1 { words.append("--duration \(duration)") }
        if throughput { words.append("--throughput") }
        if tcp { words.append("--tcp") }
        if noPrivate { words.append("--no-private") }
        return words
    }
}

extension Plan {
    /// A relay that could not be allocated would be missed only when the peer waits.
    func requireCredentials() throws {
        guard command == .connect else { return }
        for server in servers where server.excluded == nil && server.uri.scheme.isTURN {
            guard server.turn?.credential == nil else { continue }
            throw Failure("\(server.uri.text) needs a credential: give --user and --password-file, or --secret-file")
        }
    }
}
