import Engines
import Facts
import Planning
import STUN
import Server
import Session
import SimNet

@testable import NetTypes

/// A command on a machine in a simulated network, and its record: the same for the same seed.
///
/// The network's random numbers and the session's have seeds of their own: what the session draws (transaction ids,
/// content of datagrams) changes nothing in a record.
struct SeededRun: Sendable {
    /// Adds the servers to a network, given a seed.
    struct Far: Sendable {
        let start: @Sendable (inout SimNet, UInt64) throws -> Void
        init(_ start: @escaping @Sendable (inout SimNet, UInt64) throws -> Void) { self.start = start }
    }

    var name: String
    var command: Options.Command
    /// What the machine is behind; with IPv6 it has no NAT beside an IPv4 that has one.
    var middle = NATLab.Middle.nat(NATBehaviour())
    var families: [IPAddress.Family] = [.ipv4]
    var link = Link(delay: .milliseconds(5))
    var seed: UInt64 = 1
    var uris = ["stun:11.0.0.1"]
    var far: Far = SeededRun.discovery
    var interruptedAt: Duration?
    /// Interfaces beside `eth0`, which the network knows nothing of.
    var moreInterfaces: [NetworkInterface] = []
    var change: @Sendable (inout Options) -> Void = { _ in }

    static let credentials = ICEServers.Credentials(username: "user", credential: Secret("pencil"))
    static let primary = [IPAddress(11, 0, 0, 1), IPAddress(v6: 0x2A00 << 112 | 1)]
    static let alternate = [IPAddress(12, 0, 0, 1), IPAddress(v6: 0x2A01 << 112 | 1)]
    /// When the simulated runs happen.
    static let wallClock: Int64 = 1_800_000_000

    // MARK: Servers

    private static func pairs(_ alternates: [IPAddress]) -> [STUNServerConfiguration.Addresses] {
        zip(primary, alternates).map { .init(primary: $0, alternate: $1) }
    }

    private static let farLink = Link(delay: .milliseconds(5))

    /// A server with RFC 5780 at both families.
    static let discovery = Far { net, _ in
        let host = net.addHost(addresses: primary + alternate, link: farLink)
        net.start(STUNServer(configuration: STUNServerConfiguration(addresses: pairs(alternate))), on: host)
    }

    /// Two servers at the two addresses, neither with RFC 5780.
    static let twoServers = Far { net, _ in
        for addresses in [primary, alternate] {
            let host = net.addHost(addresses: addresses, link: farLink)
            let configuration = STUNServerConfiguration(addresses: addresses.map { .init(primary: $0) })
            net.start(STUNServer(configuration: configuration), on: host)
        }
    }

    static func lying(_ lie: LyingServer.Lie, overTCP: Bool = false) -> Far {
        Far { net, _ in
            let host = net.addHost(addresses: [primary[0], alternate[0]], link: farLink)
            net.start(LyingServer([primary[0], alternate[0]], lie, listens: overTCP), on: host)
        }
    }

    /// Hosts without a server: they answer with ICMP and RST.
    static let nobody = Far { net, _ in _ = net.addHost(addresses: primary + alternate, link: farLink) }
    static let silence = Far { _, _ in }

    /// A TURN server at each place, of which the first has the fault.
    static func turn(
        _ fault: FaultyRelay.Fault? = nil, at places: [[IPAddress]] = [primary], relaysFrom relays: [IPAddress]? = nil,
        change: @escaping @Sendable (inout TURNServerConfiguration) -> Void = { _ in }
    ) -> Far {
        Far { net, seed in
            for (number, addresses) in places.enumerated() {
                let host = net.addHost(addresses: addresses + (number == 0 ? relays ?? [] : []), link: farLink)
                var turn = try TURNServerConfiguration(
                    realm: "example.org", relays: (relays ?? addresses).map { .init(bound: $0) })
                try turn.addAccount(username: "user", password: "pencil")
                turn.allowsAnyPeer = true
                change(&turn)
                let server = STUNServer(
                    configuration: STUNServerConfiguration(addresses: addresses.map { .init(primary: $0) }),
                    turn: turn, from: net.now, secondsSince1970: wallClock,
                    random: SeededGenerator(seed: seed &+ UInt64(number)))
                if let fault, number == 0 {
                    net.start(FaultyRelay(server, fault), on: host)
                } else {
                    net.start(server, on: host)
                }
            }
        }
    }

    // MARK: The machine

    private static let outside = [IPAddress(14, 0, 0, 1), IPAddress(14, 0, 0, 2), IPAddress(v6: 0x2A0E << 112 | 1)]

    private func addClient(to net: inout SimNet) -> (host: HostID, addresses: [IPAddress]) {
        let router = middle.router(&net, outside: Self.outside)
        let inside = families.map { family in
            family == .ipv4
                ? (middle.translates ? IPAddress(192, 168, 1, 9) : IPAddress(14, 0, 0, 9))
                : (middle.translates && families == [.ipv6]
                    ? IPAddress(v6: 0xFD00 << 112 | 9) : IPAddress(v6: 0x2A0E << 112 | 9))
        }
        let sixth = middle.translates && families.count > 1 ? nil : router
        let host = net.addHost(addresses: inside, behindForIPv4: router, behindForIPv6: sixth, link: link)
        return (host, inside)
    }

    func interfaces(_ addresses: [IPAddress]) -> [NetworkInterface] {
        [
            NetworkInterface(
                name: "lo", index: 1, kind: .loopback, mtu: 65_536,
                addresses: [.init(IPAddress(127, 0, 0, 1), prefixLength: 8)]),
            NetworkInterface(
                name: "eth0", index: 2, kind: .ethernet,
                addresses: addresses.map { .init($0, prefixLength: $0.family == .ipv4 ? 24 : 64) }),
        ] + moreInterfaces
    }

    // MARK: The run

    /// - Parameter own: of the session's random numbers.
    func record(own: UInt64 = 1) throws -> RecordedRun {
        var net = SimNet(seed: seed)
        let client = addClient(to: &net)
        try far.start(&net, seed)
        net.names.addresses["stun.example"] = Self.primary
        net.names.addresses["both.example"] = [Self.primary[0], Self.alternate[0]]
        net.names.addresses["stun-1.example"] = [Self.primary[0]]
        net.names.serviceRecords["_stun._udp.service.example"] = [
            ServiceRecord(priority: 1, weight: 1, port: 3478, target: "stun-1.example")
        ]
        net.names.unanswered = ["slow.example"]
        let entries = try uris.map { uri in
            let uri = try ServerURI(parsing: uri)
            return ICEServers.Entry(
                uri: uri, credentials: uri.scheme.isTURN ? Self.credentials : ICEServers.Credentials())
        }
        var options = Options(command: command, servers: entries)
        options.trust.wallClock = Self.wallClock
        change(&options)
        let plan = try Plan(options, interfaces: interfaces(client.addresses))
        var session = Session(plan, random: SeededGenerator(seed: own), from: net.now)
        var observations = net.run(&session, on: client.host, until: interruptedAt.map { net.now + $0 })
        if interruptedAt != nil, !session.isFinished {
            session.conclude(.interrupted, at: net.now)
            observations += net.run(&session, on: client.host)
        }
        return RecordedRun(
            toolVersion: "0", startedAt: "2027-01-15T08:00:00Z",
            command: (["icecheck", command.rawValue] + uris).joined(separator: " "), wallClock: Self.wallClock,
            duration: net.now - .zero, end: interruptedAt == nil ? .finished : .interrupted(signal: 2), plan: plan,
            observations: observations)
    }
}

extension NATLab.Middle {
    var translates: Bool {
        switch self {
        case .nat, .carrierGrade: true
        default: false
        }
    }

    /// Adds what it is; nil for nothing.
    func router(_ net: inout SimNet, outside: [IPAddress]) -> RouterID? {
        switch self {
        case .nothing: return nil
        case .firewall(let filtering, let lifetime):
            let behaviour = FirewallBehaviour(filtering: filtering, lifetime: lifetime)
            return net.addRouter(.firewall(behaviour), externalAddresses: outside)
        case .firewallOnUDP(let action):
            return net.addRouter(.firewall(FirewallBehaviour(outboundUDP: action)), externalAddresses: outside)
        case .firewallOnTCP(let action):
            return net.addRouter(.firewall(FirewallBehaviour(outboundTCP: action)), externalAddresses: outside)
        case .nat(let behaviour): return net.addRouter(.nat(behaviour), externalAddresses: outside)
        case .carrierGrade(let home, let carrier):
            let outer = net.addRouter(.nat(carrier), externalAddresses: outside)
            return net.addRouter(.nat(home), externalAddresses: [IPAddress(100, 64, 0, 9)], behind: outer)
        }
    }
}
