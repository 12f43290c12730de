import ArgumentParser
import HostIO
import NetTypes
import STUN
import Session

/// The options that name servers and what may be used to reach them: the same for every command that measures.
struct ServerArguments: ParsableArguments {
    @Option(
        name: .customLong("ice-servers"),
        help: ArgumentHelp(
            "Servers from a file in the shape of RTCConfiguration or its iceServers; - reads standard input.",
            valueName: "file"))
    var iceServers: [String] = []

    @Flag(name: [.customShort("4"), .customLong("ipv4")], help: "Use IPv4 only.")
    var onlyIPv4 = false

    @Flag(name: [.customShort("6"), .customLong("ipv6")], help: "Use IPv6 only.")
    var onlyIPv6 = false

    @Option(name: .customLong("interface"), help: ArgumentHelp("Use this interface only.", valueName: "name"))
    var interface: String?

    @Option(
        name: .customLong("bind"), help: ArgumentHelp("Send from this local address only.", valueName: "address"))
    var bind: String?

    @Option(
        help: ArgumentHelp(
            "Believe certificates of these authorities as well as the system's (PEM).", valueName: "file"))
    var caFile: String?

    @Flag(help: "Go on whatever a server's certificate is. The report says what is wrong with it.")
    var insecure = false

    @Option(
        help: ArgumentHelp(
            "The deadline of the whole run in seconds. (default: 5, for turn 10, with --soak 690; with stun --count, 20 ms more for each request; with nat "
                + "--lifetime, 372)",
            valueName: "seconds"))
    var timeout: Double?

    @Flag(help: "Print what would be asked, from where and until when, and send nothing.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "Also write the run to this new file, without secrets, for icecheck replay.", valueName: "file"))
    var record: String?

    @Flag(name: .customLong("no-progress"), help: "Show no live progress line on the terminal.")
    var noProgress = false

    /// The servers of files and arguments, in that order.
    ///
    /// - Throws: ``Failure`` with the place and the right form.
    func servers(_ arguments: [String]) throws -> [ICEServers.Entry] {
        var entries: [ICEServers.Entry] = []
        for file in iceServers {
            let text = try Input.read(file, for: "--ice-servers")
            do {
                entries += try ICEServers(parsing: text).entries
            } catch {
                throw Failure(status: .usage, "--ice-servers \(QuotedInput(file)): \(error)")
            }
        }
        return entries + (try Self.entries(arguments))
    }

    /// The servers of files and arguments, or two public ones of two operators where none is named.
    func serversOrBuiltIn(_ arguments: [String]) throws -> [ICEServers.Entry] {
        try servers(arguments.isEmpty && iceServers.isEmpty ? Self.builtIn : arguments)
    }

    private static let builtIn = ["stun:stun.l.google.com:19302", "stun:stun.cloudflare.com:3478"]

    /// The servers of arguments.
    static func entries(_ arguments: [String]) throws -> [ICEServers.Entry] {
        var entries: [ICEServers.Entry] = []
        for argument in arguments {
            do {
                entries.append(ICEServers.Entry(uri: try ServerURI(parsing: argument)))
            } catch {
                throw Failure(status: .usage, error.description)
            }
        }
        return entries
    }

    /// The options as meant.
    func options(
        _ command: Options.Command, servers: [ICEServers.Entry], transports: [Transport] = [.udp], count: Int = 1,
        asksHairpin: Bool = false
    ) throws -> Options {
        if onlyIPv4, onlyIPv6 {
            throw Failure(status: .usage, "-4 and -6 exclude each other; give neither to use both families")
        }
        var options = Options(
            command: command, servers: servers,
            families: onlyIPv4 ? [.ipv4] : onlyIPv6 ? [.ipv6] : [.ipv4, .ipv6], transports: transports,
            interface: interface, bindAddress: try bindAddress(), timeout: try deadline(), count: count,
            asksHairpin: asksHairpin)
        options.trust = try trust()
        return options
    }

    private func trust() throws -> Plan.TLSTrust {
        var trust = Plan.TLSTrust(isInsecure: insecure, wallClock: WallClock.secondsSince1970)
        guard let caFile else { return trust }
        trust.rootsPEM = try Input.read(caFile, for: "--ca-file")
        guard String(decoding: trust.rootsPEM, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") else {
            throw Failure(
                status: .usage,
                "--ca-file \(QuotedInput(caFile)): the file has no certificate; PEM begins with -----BEGIN CERTIFICATE-----"
            )
        }
        return trust
    }

    func settings(_ output: OutputArguments) -> Run.Settings {
        Run.Settings(format: output.format, isDryRun: dryRun, showsProgress: !noProgress, record: record)
    }

    private func bindAddress() throws -> IPAddress? {
        guard let bind else { return nil }
        guard let address = IPAddress(bind) else {
            throw Failure(
                status: .usage,
                "--bind '\(QuotedInput(bind))' is not an IP address; the right form is 192.0.2.1 or 2001:db8::1")
        }
        return address
    }

    private func deadline() throws -> Duration? {
        guard let timeout else { return nil }
        guard timeout >= 0.1, timeout <= 3600 else {
            throw Failure(status: .usage, "--timeout \(timeout) is out of range; it takes 0.1 to 3600 seconds")
        }
        return .nanoseconds(Int64(timeout * 1e9))
    }
}
