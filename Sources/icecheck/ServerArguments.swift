import ArgumentParser
import Planning

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

    @Option(help: ArgumentHelp("Also trust the CA certificates in this PEM file.", valueName: "file"))
    var caFile: String?

    @Flag(help: "Do not verify TLS certificates (reported as a warning).")
    var insecure = false

    @Flag(help: "Print the plan and send nothing.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "Also write the run to this new file, for icecheck replay. Secrets are left out.", valueName: "file"))
    var record: String?

    @Flag(name: .customLong("no-progress"), help: "Show no live progress line on the terminal.")
    var noProgress = false

    /// The options of a command so far.
    func typed(_ command: Options.Command, _ uris: [String], timeout: Double?) -> TypedOptions {
        var typed = TypedOptions(command, uris: uris)
        typed.iceServers = iceServers
        typed.onlyIPv4 = onlyIPv4
        typed.onlyIPv6 = onlyIPv6
        typed.interface = interface
        typed.bind = bind
        typed.caFile = caFile
        typed.insecure = insecure
        typed.timeout = timeout
        return typed
    }
}

extension ArgumentHelp {
    /// Of `--timeout`, whose default is the command's own.
    static func timeout(_ usual: String) -> ArgumentHelp {
        ArgumentHelp("The deadline of the whole run in seconds. (default: \(usual))", valueName: "seconds")
    }
}
