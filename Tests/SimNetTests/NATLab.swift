import Diagnosis
import Engines
import Facts
import NetTypes
import Planning
import STUN
import Server
import Session
import SimNet
import TestSupport

/// A client behind something, and a STUN server with RFC 5780 on the Internet: the simulated twin of the kernel labs.
struct NATLab {
    enum Middle: Hashable, Sendable {
        case nothing
        case firewall(Dependence, lifetime: Duration = .seconds(120))
        /// A firewall that lets TCP out, and of UDP this.
        case firewallOnUDP(FirewallBehaviour.Action)
        case firewallOnTCP(FirewallBehaviour.Action)
        case nat(NATBehaviour)
        /// A home NAT behind a carrier's.
        case carrierGrade(home: NATBehaviour, carrier: NATBehaviour)
    }

    var command = Options.Command.nat
    var middle: Middle
    var family: IPAddress.Family = .ipv4
    /// Of the client; the server has the other half of the delay and no loss of its own.
    var link = Link(delay: .milliseconds(5))
    var seed: UInt64 = 1
    var asksHairpin = false
    var uris: [String]?
    var timeout: Duration?
    var measuresLifetime = false
    /// What the server lies about; nil for icecheck's own server.
    var lie: LyingServer.Lie?
    var liesOverTCP = false
    /// The TURN servers, which the client has the credential of; nil leaves them out.
    var relays: RelayServers?

    /// Where relays are.
    enum RelayServers: String, CaseIterable, CustomStringConvertible, Sendable {
        /// One server without RFC 5780, whose relays have its own address.
        case oneServer = "one server"
        /// One server, whose relays have another address.
        case elsewhere = "one server that relays elsewhere"
        case twoServers = "two servers"
        /// One server with RFC 5780 as well.
        case besideDiscovery = "one server with RFC 5780"

        var description: String { rawValue }
    }

    static let servers: [IPAddress.Family: [IPAddress]] = [
        .ipv4: [IPAddress(11, 0, 0, 1), IPAddress(12, 0, 0, 1)],
        .ipv6: [IPAddress(v6: 0x2A00 << 112 | 1), IPAddress(v6: 0x2A01 << 112 | 1)],
    ]

    private func address(_ number: UInt32) -> IPAddress {
        family == .ipv4 ? IPAddress(v4: 0x0E00_0000 + number) : IPAddress(v6: 0x2A0E << 112 | UInt128(number))
    }

    private func privateAddress(_ number: UInt32) -> IPAddress {
        family == .ipv4 ? IPAddress(v4: 0xC0A8_0000 + number) : IPAddress(v6: 0xFD00 << 112 | UInt128(number))
    }

    struct Outcome {
        var diagnosis: Diagnosis
        var net: SimNet
        var observations: [Observation]
        var relayServers: [EngineID] = []
        var plan: Plan?
    }

    /// Builds the network, runs the command on the client, and diagnoses.
    func run(_ change: (inout SimNet) -> Void = { _ in }) throws -> Outcome {
        var net = SimNet(seed: seed)
        let client = addClient(to: &net)
        let own = Self.servers[family] ?? []
        var relayServers: [EngineID] = []
        let server = net.addHost(addresses: own, link: Link(delay: link.delay, jitter: link.jitter))
        if let relays {
            relayServers = try start(relays, own, on: server, &net)
        } else if let lie {
            _ = net.start(LyingServer(own, lie, listens: liesOverTCP), on: server)
        } else {
            _ = net.start(
                STUNServer(
                    configuration: STUNServerConfiguration(addresses: [.init(primary: own[0], alternate: own[1])])),
                on: server)
        }
        change(&net)
        let plan = try plan(client.address)
        var session = Session(plan, random: SeededGenerator(seed: seed &+ 77), from: net.now)
        let observations = net.run(&session, on: client.host)
        return Outcome(
            diagnosis: Diagnosis(plan, observations), net: net, observations: observations, relayServers: relayServers,
            plan: plan)
    }

    private func start(_ relays: RelayServers, _ own: [IPAddress], on host: HostID, _ net: inout SimNet) throws
        -> [EngineID]
    {
        var started: [EngineID] = []
        let addresses: [(primary: IPAddress, alternate: IPAddress?, relay: IPAddress)] =
            switch relays {
            case .oneServer: [(own[0], nil, own[0])]
            case .elsewhere: [(own[0], nil, own[1])]
            case .twoServers: [(own[0], nil, own[0]), (own[1], nil, own[1])]
            case .besideDiscovery: [(own[0], own[1], own[0])]
            }
        for (place, address) in addresses.enumerated() {
            let places = [
                STUNServerConfiguration.Addresses(primary: address.primary, alternate: address.alternate)
            ]
            let server = STUNServer.lab(
                at: places, try .lab(relays: [address.relay]), seed: seed &+ UInt64(place))
            started.append(net.start(server, on: host))
        }
        return started
    }

    private func addClient(to net: inout SimNet) -> (host: HostID, address: IPAddress) {
        let inside = middle.translates ? privateAddress(9) : address(9)
        let router = middle.router(&net, outside: [address(1), address(2)])
        return (net.addHost(addresses: [inside], behind: router, link: link), inside)
    }

    private func plan(_ address: IPAddress) throws -> Plan {
        let servers = (Self.servers[family] ?? []).map { Endpoint($0, 3478) }
        let named = relays == .twoServers ? servers : Array(servers.prefix(1))
        let uris = uris ?? named.map { "\(relays == nil ? "stun" : "turn"):\($0)" }
        let options = Options(
            command: command, servers: try .init(uris, account: relays == nil ? nil : RelayAccount()), timeout: timeout,
            asksHairpin: asksHairpin,
            measuresLifetime: measuresLifetime)
        return try Plan(options, interfaces: [.ethernet(address)])
    }
}
