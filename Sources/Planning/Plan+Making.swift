import Engines
package import NetTypes
import STUN

extension Plan {
    /// Makes the plan.
    ///
    /// - Throws: ``PlanError`` where an option names something that this machine does not have.
    package init(_ options: Options, interfaces: [NetworkInterface]) throws(PlanError) {
        try Self.check(options, interfaces)
        let used = interfaces.filter { options.interface == nil || $0.name == options.interface }
        command = options.command
        self.interfaces = interfaces
        bases = Self.bases(interfaces, options)
        families = options.usedFamilies
        interface = options.interface
        bindAddress = options.bindAddress
        count = options.count
        requestInterval = .milliseconds(20)
        idleTimes = try Self.idleTimes(options)
        let longestIdle = idleTimes.last.map { $0 + NATLifetimeLadder.margin } ?? .zero
        soak = options.turn.soaks ? try Self.soak(options) : nil
        // A relay takes several exchanges, and DTLS servers send again only after a second, and then two.
        let least: Duration = options.command == .turn ? .seconds(10) : .seconds(5)
        timeout =
            options.timeout ?? soak.map { $0 + Self.soakMargin }
            ?? max(least + requestInterval * (options.count - 1) + options.turn.load.duration, longestIdle)
        schedule = options.command == .nat ? .brisk : .standard
        // As long as a browser waits for one address before it tries the next (RFC 8305 s5); a discovery asks at a brisker pace.
        fallbackWait = options.command == .nat ? schedule.initialTimeout : .milliseconds(250)
        gathersReflexive = [.check, .candidates, .connect].contains(options.command)
        natDiscovery =
            switch options.command {
            case .nat, .connect: .atOnce
            case .check: .onceAnswered
            case .candidates, .stun, .turn, .predict: .never
            }
        asksBinding = ![.turn, .connect].contains(options.command)
        relay = options.turn.load
        relayTransport = options.turn.relayTransport
        let asked = AllocationOption.allCases.filter(options.turn.options.contains)
        allocationOptions = asked.isEmpty ? nil : asked
        redirects = options.turn.redirects
        trust = options.trust
        connect = options.connect
        asksHairpin = options.asksHairpin
        servers = []
        for entry in options.servers.prefix(Self.maximumServers) {
            servers.append(try Self.server(entry, options, interfaces))
        }
        // Else the results of the servers tell of them.
        notMeasured = options.command == .turn ? servers.compactMap(\.excluded) : []
        if options.servers.count > Self.maximumServers {
            notMeasured.append(
                NotMeasured(
                    what: "\(options.servers.count - Self.maximumServers) more servers", reason: .limit,
                    detail: "one run asks \(Self.maximumServers) servers at most"))
        }
        for family in [IPAddress.Family.ipv4, .ipv6] {
            if !options.usedFamilies.contains(family) {
                notMeasured.append(
                    NotMeasured(
                        what: family.name, family: family, reason: .excluded,
                        detail: "the options leave it out"))
            } else if !used.contains(where: { $0.isUp && $0.hasUsableAddress(family) }) {
                notMeasured.append(
                    NotMeasured(
                        what: family.name, family: family, reason: .noRoute,
                        detail: used.contains { $0.isUp && $0.kind != .loopback }
                            ? "no interface that is up has an \(family.name) address beyond its own link"
                            : "no interface is up but loopback"))
            }
        }
    }

    /// Beyond the ten minutes of a channel, the longest lifetime of what a call needs.
    private static let longestSoak = Duration.seconds(660)
    /// What a run takes beside its soak.
    private static let soakMargin = Duration.seconds(10) + RelaySoak.longestRest
    private static let shortestSoak = Duration.seconds(10)

    private static func soak(_ options: Options) throws(PlanError) -> Duration {
        guard let timeout = options.timeout else { return longestSoak }
        guard timeout >= soakMargin + shortestSoak else {
            throw PlanError(
                "--soak takes time: with --timeout give \(Int((soakMargin + shortestSoak).inSeconds.rounded(.up))) seconds "
                    + "or more, or leave it out for 11 minutes")
        }
        return timeout - soakMargin
    }

    /// The idle times that fit into the time that there is.
    private static func idleTimes(_ options: Options) throws(PlanError) -> [Duration] {
        guard options.measuresLifetime, options.command == .nat else { return [] }
        let most = options.timeout.map { $0 - NATLifetimeLadder.margin(within: $0) } ?? NATLifetimeLadder.longest
        let times = NATLifetimeLadder.idleTimes(upTo: most)
        guard !times.isEmpty else {
            throw PlanError(
                "--lifetime takes time: with --timeout give 3 seconds or more, or leave it out for 6 minutes")
        }
        return times
    }

    private static func check(_ options: Options, _ interfaces: [NetworkInterface]) throws(PlanError) {
        if let name = options.interface, !interfaces.contains(where: { $0.name == name }) {
            let names = interfaces.map(\.name).joined(separator: ", ")
            throw PlanError("--interface \(QuotedInput(name)): this machine has no such interface; it has \(names)")
        }
        if let address = options.bindAddress {
            let owners = interfaces.filter { $0.addresses.contains { $0.address.withoutZone == address.withoutZone } }
            guard let owner = owners.first else {
                let all = interfaces.flatMap(\.addresses).map(\.address.description).joined(separator: ", ")
                throw PlanError("--bind \(address): no interface has this address; there are \(all)")
            }
            if let name = options.interface, !owners.contains(where: { $0.name == name }) {
                throw PlanError("--bind \(address) is an address of \(owner.name), not of --interface \(name)")
            }
            if !options.families.contains(address.family) {
                throw PlanError("--bind \(address) is \(address.family.name), which the family option leaves out")
            }
        }
    }

    private static func server(
        _ entry: ICEServers.Entry, _ options: Options, _ interfaces: [NetworkInterface]
    ) throws(PlanError) -> Server {
        let uri = entry.uri
        if case .address(let address, _) = uri.host, let objection = address.objectionAsServer {
            throw PlanError("\(uri.text): \(address) is \(objection); a server has the address of one host")
        }
        var server = Server(
            uri: uri, zone: try zone(of: uri, options, interfaces), transports: options.transports,
            fallsBackToTCP: false, excluded: nil)
        if options.command == .turn, !uri.scheme.isTURN {
            server.excluded = NotMeasured(
                what: uri.text, reason: .excluded,
                detail: "turn queries TURN servers only; icecheck stun queries this one")
            server.transports = []
            return server
        }
        switch (uri.scheme, uri.transport) {
        case (.stuns, _), (.turns, _):
            let isRelay = uri.scheme == .turns && credentials(of: entry, options).credential != nil
            guard options.command != .nat || isRelay else {
                server.excluded = NotMeasured(
                    what: uri.text, reason: .notSupported,
                    detail:
                        "a NAT's behavior is asked about over UDP and TCP; "
                        + (uri.scheme == .stuns
                            ? "stun: names a server for it" : "turn: names a server for it, and a credential a relay"))
                server.transports = []
                break
            }
            let asked: [Transport] = options.transports.count > 1 ? [.tls, .dtls] : [.tls]
            server.transports = uri.transport == .udp ? [.dtls] : uri.transport == .tcp ? [.tls] : asked
        case (_, .tcp): server.transports = [.tcp]
        case (_, .udp): server.transports = [.udp]
        case (_, nil):
            let needsPath = options.command == .check || options.command == .nat
            server.fallsBackToTCP = needsPath && options.transports == [.udp]
        }
        server.turn = try access(to: entry, server, options)
        if options.command == .connect, let turn = server.turn { server.transports = turn.transports }
        if options.command == .turn { server.transports = server.turn?.transports ?? [] }
        return server
    }

    /// How a relay is asked for: where the command is about relays, or a credential for one is there.
    private static func access(
        to entry: ICEServers.Entry, _ server: Server, _ options: Options
    ) throws(PlanError) -> Access? {
        guard entry.uri.scheme.isTURN, server.excluded == nil else { return nil }
        guard [.turn, .check, .nat, .connect].contains(options.command) else { return nil }
        let used = credentials(of: entry, options)
        guard options.command == .turn || used.credential != nil else { return nil }
        var all: [Transport] = entry.uri.scheme.isSecure ? [.tls, .dtls] : [.udp, .tcp]
        if options.turn.relayTransport == .tcp {
            guard entry.uri.transport != .udp else {
                throw PlanError(
                    "\(entry.uri.text): a TCP relay is asked for over TCP or TLS only (RFC 6062 s4.1); give "
                        + "?transport=tcp, or leave --relay-transport out")
            }
            all = all.filter(\.isStream)
        }
        // As browsers read it: turn: is over UDP and turns: over TLS, unless ?transport says another.
        let named: [Transport] = entry.uri.transport == nil ? [all[0]] : entry.uri.transports(among: all)
        let credential = try credential(used, for: entry)
        return Access(
            credential: credential, tokenKeySize: credential?.macKeySize, username: used.username ?? "",
            transports: options.turn.usesAllTransports ? entry.uri.transports(among: all) : named,
            realm: options.turn.realm, tokenExpiry: used.expiry)
    }

    /// The server's own, or those of the command line.
    private static func credentials(of entry: ICEServers.Entry, _ options: Options) -> ICEServers.Credentials {
        let own = entry.credentials
        return own.credential == nil && own.username == nil ? options.turn.credentials : own
    }

    private static func credential(
        _ credentials: ICEServers.Credentials, for entry: ICEServers.Entry
    ) throws(PlanError) -> LongTermCredential? {
        guard let username = credentials.username, let secret = credentials.credential else { return nil }
        do {
            if credentials.type == .oauth {
                // Texts that are no base64 were refused where they were read; as bytes they are empty.
                return try LongTermCredential(
                    keyID: username, accessToken: Base64.decode(credentials.accessToken?.reveal() ?? "") ?? [],
                    macKey: Base64.decode(secret.reveal()) ?? [])
            }
            return try LongTermCredential(username: username, password: secret.reveal())
        } catch {
            throw PlanError("\(entry.uri.text): \(error)")
        }
    }

    /// The index of the interface that a link-local address is on: the URI's own zone, else `--interface`.
    private static func zone(
        of uri: ServerURI, _ options: Options, _ interfaces: [NetworkInterface]
    ) throws(PlanError) -> UInt32 {
        guard case .address(let address, let zone) = uri.host, address.family == .ipv6 else { return 0 }
        guard let name = zone ?? (address.isLinkLocal ? options.interface : nil) else {
            guard !uri.lacksZone else {
                throw PlanError(
                    "\(uri.text): a link-local address needs its interface, as in stun:[\(address)%25eth0], or --interface"
                )
            }
            return 0
        }
        guard let interface = interfaces.first(where: { $0.name == name || String($0.index) == name }) else {
            let names = interfaces.map(\.name).joined(separator: ", ")
            throw PlanError("\(uri.text): this machine has no interface \(QuotedInput(name)); it has \(names)")
        }
        return interface.index
    }

    private static func bases(_ interfaces: [NetworkInterface], _ options: Options) -> [Base] {
        let all = interfaces.flatMap { interface in interface.addresses.map { (interface, $0) } }
        let order = LocalPreference.order(
            all.map { interface, address in
                LocalPreference.Choice(
                    address.address, interfaceOrder: interface.kind.preference,
                    isTemporary: address.isTemporary, isDeprecated: address.isDeprecated)
            })
        return zip(all, order).map { pair, preference in
            let (interface, address) = pair
            return Base(
                address: address, interface: interface.name, interfaceKind: interface.kind,
                localPreference: preference, withheld: withheld(address, of: interface, options))
        }.sorted { $0.localPreference > $1.localPreference }
    }

    /// Why a browser would not offer `address` as a host candidate, or nil (RFC 8445 s5.1.1.1 and what browsers do).
    private static func withheld(
        _ address: NetworkInterface.Address, of interface: NetworkInterface, _ options: Options
    ) -> String? {
        if !options.usedFamilies.contains(address.address.family) {
            return "\(address.address.family.name) is left out"
        }
        if let name = options.interface, name != interface.name { return "not of --interface \(name)" }
        if let bind = options.bindAddress, bind.withoutZone != address.address.withoutZone {
            return "not the address of --bind"
        }
        if !interface.isUp { return "the interface is down" }
        if (address.address.isLoopback || interface.kind == .loopback) && !options.usesLoopback {
            return "loopback: reaches this machine only"
        }
        if !interface.isRunning { return "the interface has no carrier" }
        if address.isTentative { return "duplicate address detection is not over" }
        if address.isDeprecated { return "deprecated: its preferred lifetime is over" }
        if address.address.family == .ipv6 {
            if address.address.isIPv4Mapped { return "IPv4-mapped" }
            switch address.address.realm {
            case .linkLocal: return "link-local: reaches this link only"
            case .reserved: return "reserved or site-local"
            default: break
            }
            let isShadowed =
                !address.isTemporary
                && interface.addresses.contains {
                    $0.isTemporary && !$0.isDeprecated && !$0.isTentative
                        && $0.address.hasPrefix(address.address, length: address.prefixLength)
                }
            if isShadowed { return "a temporary address (RFC 8981) is offered instead" }
        }
        return nil
    }
}

extension Options {
    /// Whether two ends on this machine are to be connected: they were told to use loopback.
    fileprivate var usesLoopback: Bool {
        command == .connect && (bindAddress?.isLoopback == true || interface == "lo" || interface == "lo0")
    }

    /// Those that may be used: a local address leaves the other family out.
    fileprivate var usedFamilies: Set<IPAddress.Family> {
        bindAddress.map { families.intersection([$0.family]) } ?? families
    }
}

extension IPAddress {
    /// Why no single host answers there; nil where one can.
    fileprivate var objectionAsServer: String? {
        switch realm {
        case .unspecified, .multicast, .broadcast: realm.rawValue
        default: nil
        }
    }
}

extension NetworkInterface {
    /// Whether it has an address of `family` that reaches beyond its own link or machine.
    fileprivate func hasUsableAddress(_ family: IPAddress.Family) -> Bool {
        addresses.contains {
            $0.address.family == family && !$0.address.isLoopback
                && !(family == .ipv6 && $0.address.isLinkLocal)
        }
    }
}

extension NetworkInterface.Kind {
    /// The order in which interfaces are preferred: wired, wireless, unknown, then what wraps another.
    fileprivate var preference: Int {
        switch self {
        case .ethernet: 0
        case .wireless: 1
        case .other: 2
        case .tunnel: 3
        case .bridge: 4
        case .loopback: 5
        }
    }
}
