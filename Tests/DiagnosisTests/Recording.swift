import Facts
import NetTypes
import Planning
import STUN

/// Writes the observations of a run that never took place, fact by fact.
struct Recording {
    var plan: Plan
    private(set) var observations: [Observation] = []
    private var probeCount = 0

    static let host = IPAddress(192, 168, 1, 5)
    static let host6 = IPAddress(v6: 0x2600 << 112 | 5)
    static let mapped = Endpoint(IPAddress(8, 8, 4, 4), 62000)
    /// A server on the Internet.
    static let server = Endpoint(IPAddress(9, 9, 9, 9), 3478)
    static let server6 = Endpoint(IPAddress(v6: 0x2600 << 112 | 9), 3478)
    static let ethernet = NetworkInterface(
        name: "eth0", index: 2, kind: .ethernet,
        addresses: [.init(host, prefixLength: 24), .init(host6, prefixLength: 64)])
    /// A bridge that leads to containers only.
    static let bridge = NetworkInterface(
        name: "docker0", index: 3, kind: .bridge, addresses: [.init(IPAddress(172, 17, 0, 1), prefixLength: 16)])

    init(
        _ uris: [String] = ["stun:9.9.9.9"], command: Options.Command = .stun, transports: [Transport] = [.udp],
        count: Int = 1, interfaces: [NetworkInterface] = [ethernet]
    ) throws {
        let servers = try uris.map { ICEServers.Entry(uri: try ServerURI(parsing: $0)) }
        plan = try Plan(
            Options(command: command, servers: servers, transports: transports, count: count),
            interfaces: interfaces)
    }

    init(_ options: Options, interfaces: [NetworkInterface] = [ethernet]) throws {
        plan = try Plan(options, interfaces: interfaces)
    }

    mutating func note(_ fact: Observation.Fact, at milliseconds: Int = 0) {
        observations.append(Observation(at: .milliseconds(milliseconds), fact: fact))
    }

    /// Starts a probe and sends its requests, half a second apart; gives its number.
    @discardableResult
    mutating func probe(
        _ server: Int = 0, to address: Endpoint = server, over transport: Transport = .udp,
        role: Probe.Role = .primary, source: IPAddress? = nil, base: Int? = nil, sequence: Int = 0, requests: Int = 1
    ) -> Int {
        defer { probeCount += 1 }
        note(
            .probeStarted(
                probeCount,
                Probe(
                    server: server, serverAddress: address, transport: transport, role: role,
                    source: source ?? (address.family == .ipv4 ? Self.host : Self.host6), base: base,
                    sequence: sequence)))
        for attempt in 0..<requests { note(.sent(probeCount, attempt: attempt + 1), at: attempt * 500) }
        return probeCount
    }

    /// A probe that is answered.
    mutating func answered(
        _ server: Int = 0, by address: Endpoint = server, over transport: Transport = .udp,
        role: Probe.Role = .primary, seenAs mapped: Endpoint = mapped, from local: Endpoint = Endpoint(host, 50000),
        base: Int? = nil, sequence: Int = 0, requests: Int = 1, after milliseconds: Int = 12,
        _ change: (inout BindingAnswer) -> Void = { _ in }
    ) {
        let index = probe(
            server, to: address, over: transport, role: role, source: local.address, base: base, sequence: sequence,
            requests: requests)
        var answer = BindingAnswer(
            mappedAddress: mapped, localAddress: local, source: address,
            roundTrip: RoundTrip(
                duration: .milliseconds(milliseconds), attempt: requests, isAmbiguous: requests > 1,
                isKernelTimed: true))
        change(&answer)
        note(.answered(index, answer), at: (requests - 1) * 500 + milliseconds)
    }

    /// A probe that fails.
    mutating func failed(
        _ failure: ProbeFailure, _ server: Int = 0, by address: Endpoint = server, over transport: Transport = .udp,
        role: Probe.Role = .primary, source: IPAddress? = nil, base: Int? = nil, sequence: Int = 0, requests: Int = 4,
        after milliseconds: Int = 5000, ignoring ignored: [IgnoredReplies.Reason] = []
    ) {
        let index = probe(
            server, to: address, over: transport, role: role, source: source, base: base, sequence: sequence,
            requests: requests)
        for reason in ignored {
            note(.ignored(index, IgnoredReplies(reason: reason, count: 2, from: Endpoint(IPAddress(9, 9, 9, 8), 53))))
        }
        note(.failed(index, failure), at: milliseconds)
    }

    /// A probe that a path error ends.
    mutating func failed(
        _ kind: PathError.Kind, _ origin: PathError.Origin = .icmp(from: nil), _ server: Int = 0,
        over transport: Transport = .udp
    ) {
        failed(.path(PathTrouble(kind: kind, origin: origin)), server, over: transport, requests: 1, after: 3)
    }
}
