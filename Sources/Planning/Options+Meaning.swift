import Engines
import NetTypes
import STUN

extension Options {
    /// The options as meant.
    ///
    /// - Throws: ``PlanError`` with the option and the right form.
    package init(_ typed: TypedOptions, from sources: OptionSources) throws(PlanError) {
        if typed.onlyIPv4, typed.onlyIPv6 {
            throw PlanError("-4 and -6 exclude each other; give neither to use both families")
        }
        self.init(
            command: typed.command, servers: try Self.servers(typed, sources),
            families: typed.onlyIPv4 ? [.ipv4] : typed.onlyIPv6 ? [.ipv6] : [.ipv4, .ipv6],
            transports: typed.transports, interface: typed.interface, bindAddress: try Self.bindAddress(typed),
            timeout: try Self.timeout(typed), count: try Self.count(typed), asksHairpin: typed.hairpin,
            measuresLifetime: typed.lifetime)
        trust = try Self.trust(typed, sources)
        if Self.relayCommands.contains(typed.command) {
            turn.credentials = try typed.access.credentials(from: sources)
            turn.realm = typed.access.realm
            turn.redirects = try typed.access.redirects()
        }
        if typed.command == .turn { try take(typed.relay, count: typed.count) }
    }

    /// Those that ask relays of TURN servers.
    private static let relayCommands: [Command] = [.check, .nat, .turn, .connect]

    // MARK: Servers

    private static let builtIn = ["stun:stun.l.google.com:19302", "stun:stun.cloudflare.com:3478"]

    /// Those of files and arguments, in that order; two public ones of two operators where none is named.
    private static func servers(
        _ typed: TypedOptions, _ sources: OptionSources
    ) throws(PlanError) -> [ICEServers.Entry] {
        var entries: [ICEServers.Entry] = []
        for file in typed.iceServers {
            let text = try sources.read(file, for: "--ice-servers")
            do {
                entries += try ICEServers(parsing: text).entries
            } catch {
                throw PlanError("--ice-servers \(QuotedInput(file)): \(error)")
            }
        }
        let isBuiltIn = typed.usesBuiltInServers && typed.uris.isEmpty && typed.iceServers.isEmpty
        let uris = isBuiltIn ? builtIn : typed.uris
        entries += try Self.entries(typed.command == .turn ? uris.map(turnURI) : uris)
        switch typed.command {
        case .stun where entries.isEmpty:
            throw PlanError("stun needs a server, such as: icecheck stun stun.l.google.com:19302")
        case .turn where entries.isEmpty:
            throw PlanError(
                "turn needs a server, such as: icecheck turn turn:turn.example.org --user alice --password-file pw.txt")
        case .turn:
            // Providers hand out both kinds in one file, and the plan leaves out what is of no use here.
            let hasRelay = entries.contains { $0.uri.scheme.isTURN }
            if let other = entries.first(where: { !$0.uri.scheme.isTURN && ($0.isArgument || !hasRelay) }) {
                throw PlanError(
                    "\(other.place): \(other.uri.text) is not a TURN server; give turn: or turns: URIs, and stun: to "
                        + "icecheck stun")
            }
        default: break
        }
        return entries
    }

    /// The servers of arguments.
    package static func entries(_ uris: [String]) throws(PlanError) -> [ICEServers.Entry] {
        var entries: [ICEServers.Entry] = []
        for uri in uris {
            do {
                entries.append(ICEServers.Entry(uri: try ServerURI(parsing: uri)))
            } catch {
                throw PlanError(error.description)
            }
        }
        return entries
    }

    /// A bare host, which elsewhere is a STUN server, is a TURN server for `turn`.
    private static func turnURI(_ text: String) -> String {
        let schemes = ["stun:", "stuns:", "turn:", "turns:"]
        return schemes.contains { text.lowercased().hasPrefix($0) } ? text : "turn:" + text
    }

    // MARK: How they are reached

    private static func trust(_ typed: TypedOptions, _ sources: OptionSources) throws(PlanError) -> Plan.TLSTrust {
        var trust = Plan.TLSTrust(isInsecure: typed.insecure, wallClock: sources.wallClock)
        guard let file = typed.caFile else { return trust }
        trust.rootsPEM = try sources.read(file, for: "--ca-file")
        guard String(decoding: trust.rootsPEM, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") else {
            throw PlanError(
                "--ca-file \(QuotedInput(file)): the file has no certificate; PEM begins with -----BEGIN CERTIFICATE-----"
            )
        }
        return trust
    }

    private static func bindAddress(_ typed: TypedOptions) throws(PlanError) -> IPAddress? {
        guard let bind = typed.bind else { return nil }
        guard let address = IPAddress(bind) else {
            throw PlanError(
                "--bind '\(QuotedInput(bind))' is not an IP address; the right form is 192.0.2.1 or 2001:db8::1")
        }
        return address
    }

    private static func timeout(_ typed: TypedOptions) throws(PlanError) -> Duration? {
        guard let timeout = typed.timeout else { return nil }
        guard timeout >= 0.1, timeout <= 3600 else {
            throw PlanError("--timeout \(timeout) is out of range; it takes 0.1 to 3600 seconds")
        }
        return .nanoseconds(Int64(timeout * 1e9))
    }

    // MARK: What is measured

    /// Requests to each address; the datagrams of `turn --count` are counted by ``take(_:count:)``.
    private static func count(_ typed: TypedOptions) throws(PlanError) -> Int {
        guard typed.command == .stun, let count = typed.count else { return 1 }
        guard (1...10_000).contains(count) else {
            throw PlanError("--count \(count) is out of range; it takes 1 to 10000 requests")
        }
        return count
    }

    private mutating func take(_ relay: TypedOptions.Relay, count: Int?) throws(PlanError) {
        if let count, !(1...10_000).contains(count) {
            throw PlanError("--count \(count) is out of range; it takes 1 to 10000 datagrams")
        }
        guard (26...8192).contains(relay.size) else {
            throw PlanError("--size \(relay.size) is out of range; it takes 26 to 8192 bytes")
        }
        if let duration = relay.duration, !(duration > 0 && duration <= 600) {
            throw PlanError("--duration \(duration) is out of range; it takes up to 600 seconds")
        }
        if relay.soak, relay.transport != .udp {
            throw PlanError("--soak keeps relays of UDP in use: leave out --relay-transport tcp")
        }
        if let option = AllocationOption.allCases.first(where: relay.options.contains) {
            if relay.transport != .udp {
                throw PlanError("--\(option.rawValue) is for relays of UDP: leave out --relay-transport tcp")
            }
            if relay.options.isSuperset(of: [.nextPort, .bothFamilies]) {
                throw PlanError("--next-port and --both-families exclude each other (RFC 8656 s7.1)")
            }
            if relay.options.contains(.bothFamilies), families.count == 1 {
                throw PlanError("--both-families needs both families: leave out -4 and -6")
            }
        }
        // With a duration but no count, as many as a voice call sends: 50 a second.
        let count = count ?? relay.duration.map { max(1, Int($0 * 50)) } ?? Plan.RelayLoad().count
        turn.load = Plan.RelayLoad(
            count: count, size: relay.size, pace: relay.duration.map { .nanoseconds(Int64($0 * 1e9) / Int64(count)) })
        turn.usesAllTransports = relay.allTransports
        turn.soaks = relay.soak
        turn.options = relay.options
        turn.relayTransport = relay.transport == .tcp ? .tcp : .udp
    }
}
