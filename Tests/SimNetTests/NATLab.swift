import Diagnosis
import Engines
import NetTypes
import STUN
import Server
import Session
import SimNet

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
    }

    /// Builds the network, runs the command on the client, and diagnoses.
    func run(_ change: (inout SimNet) -> Void = { _ in }) throws -> Outcome {
        var net = SimNet(seed: seed)
        let client = addClient(to: &net)
        let own = Self.servers[family] ?? []
        let server = net.addHost(addresses: own, link: Link(delay: link.delay, jitter: link.jitter))
        if let lie {
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
        return Outcome(diagnosis: Diagnosis(plan, observations), net: net, observations: observations)
    }

    private func addClient(to net: inout SimNet) -> (host: HostID, address: IPAddress) {
        switch middle {
        case .nothing: return (net.addHost(addresses: [address(9)], link: link), address(9))
        case .firewall(let filtering, let lifetime):
            let router = net.addRouter(
                .firewall(FirewallBehaviour(filtering: filtering, lifetime: lifetime)), externalAddresses: [address(1)])
            return (net.addHost(addresses: [address(9)], behind: router, link: link), address(9))
        case .firewallOnUDP(let action):
            let router = net.addRouter(
                .firewall(FirewallBehaviour(outboundUDP: action)), externalAddresses: [address(1)])
            return (net.addHost(addresses: [address(9)], behind: router, link: link), address(9))
        case .firewallOnTCP(let action):
            let router = net.addRouter(
                .firewall(FirewallBehaviour(outboundTCP: action)), externalAddresses: [address(1)])
            return (net.addHost(addresses: [address(9)], behind: router, link: link), address(9))
        case .nat(let model):
            let router = net.addRouter(.nat(model), externalAddresses: [address(1), address(2)])
            return (net.addHost(addresses: [privateAddress(9)], behind: router, link: link), privateAddress(9))
        case .carrierGrade(let home, let carrier):
            let outer = net.addRouter(.nat(carrier), externalAddresses: [address(1)])
            let shared = family == .ipv4 ? IPAddress(100, 64, 0, 9) : IPAddress(v6: 0xFD64 << 112 | 9)
            let inner = net.addRouter(.nat(home), externalAddresses: [shared], behind: outer)
            return (net.addHost(addresses: [privateAddress(9)], behind: inner, link: link), privateAddress(9))
        }
    }

    private func plan(_ address: IPAddress) throws -> Plan {
        let server = Endpoint(Self.servers[family]?[0] ?? address, 3478)
        let entries = try (uris ?? ["stun:\(server)"]).map { ICEServers.Entry(uri: try ServerURI(parsing: $0)) }
        return try Plan(
            Options(
                command: command, servers: entries, timeout: timeout, asksHairpin: asksHairpin,
                measuresLifetime: measuresLifetime),
            interfaces: [
                NetworkInterface(
                    name: "eth0", index: 2, kind: .ethernet, addresses: [.init(address, prefixLength: 24)])
            ])
    }
}
