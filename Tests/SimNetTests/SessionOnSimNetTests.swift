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
import Testing

/// The session of `icecheck stun` against the server of `icecheck serve`, both unchanged.
@Suite struct SessionOnSimNetTests {
    struct Addresses: Sendable {
        var client: IPAddress
        var external: IPAddress
        var server: IPAddress
        var alternate: IPAddress
    }

    static func addresses(_ family: IPAddress.Family) -> Addresses {
        func six(_ number: UInt128) -> IPAddress { IPAddress(v6: 0x2001_0DB8 << 96 + number) }
        return family == .ipv4
            ? Addresses(
                client: IPAddress(192, 168, 1, 2), external: IPAddress(203, 0, 113, 7),
                server: IPAddress(198, 51, 100, 1), alternate: IPAddress(198, 51, 100, 2))
            : Addresses(client: six(10), external: six(7), server: six(1), alternate: six(2))
    }

    static func plan(_ addresses: Addresses, _ transport: Transport, count: Int = 1, name: String? = nil) throws -> Plan
    {
        let host = name ?? (addresses.server.family == .ipv4 ? "\(addresses.server)" : "[\(addresses.server)]")
        return try Plan(
            Options(
                command: .stun, servers: try .init(["stun:\(host):3478"]), transports: [transport], count: count),
            interfaces: [.ethernet(addresses.client)])
    }

    /// The world of a test: a client behind a NAT, a server with two addresses, 10 ms between them.
    static func world(
        _ addresses: Addresses, seed: UInt64, loss: Double = 0
    ) -> (net: SimNet, client: HostID, server: EngineID) {
        var net = SimNet(seed: seed)
        let router = net.addRouter(
            .nat(NATBehaviour(allocation: .random)), externalAddresses: [addresses.external])
        let client = net.addHost(
            addresses: [addresses.client], behind: router, link: Link(delay: .milliseconds(4), loss: loss))
        let host = net.addHost(
            addresses: [addresses.server, addresses.alternate], link: Link(delay: .milliseconds(6), loss: loss))
        let server = net.start(
            STUNServer(
                configuration: STUNServerConfiguration(
                    addresses: [.init(primary: addresses.server, alternate: addresses.alternate)])), on: host)
        return (net, client, server)
    }

    @Test(arguments: [IPAddress.Family.ipv4, .ipv6], [Transport.udp, .tcp])
    func sessionLearnsItsMappedAddressFromTheServer(_ family: IPAddress.Family, _ transport: Transport) throws {
        let addresses = Self.addresses(family)
        var (net, client, server) = Self.world(addresses, seed: 1)
        let plan = try Self.plan(addresses, transport)
        var session = Session(plan, random: SeededGenerator(seed: 1), from: net.now)
        let diagnosis = Diagnosis(plan, net.run(&session, on: client))
        let answer = try #require(diagnosis.stun.first { $0.isOK }?.answer)
        #expect(answer.mappedAddress.address == addresses.external)
        #expect(answer.mappedAddress.port != answer.localAddress.port)
        #expect(answer.localAddress.address == addresses.client)
        #expect(answer.otherAddress == Endpoint(addresses.alternate, 3479))
        #expect(answer.roundTrip.duration == .milliseconds(20))
        #expect(net.now == .zero + .milliseconds(transport == .udp ? 20 : 40))
        #expect(net.engine(server, as: STUNServer.self)?.counts.answered == 1)
    }

    @Test func sessionResolvesNamesOfTheTable() throws {
        let addresses = Self.addresses(.ipv4)
        var (net, client, _) = Self.world(addresses, seed: 1)
        net.names.addresses["stun.example"] = [addresses.server]
        let plan = try Self.plan(addresses, .udp, name: "stun.example")
        var session = Session(plan, random: SeededGenerator(seed: 1), from: net.now)
        let diagnosis = Diagnosis(plan, net.run(&session, on: client))
        #expect(diagnosis.stun.contains { $0.answer?.mappedAddress.address == addresses.external })
    }

    @Test func interruptedSessionGivesWhatItHas() throws {
        let addresses = Self.addresses(.ipv4)
        var (net, client, _) = Self.world(addresses, seed: 1, loss: 1)
        let plan = try Self.plan(addresses, .udp)
        var session = Session(plan, random: SeededGenerator(seed: 1), from: net.now)
        var observations = net.run(&session, on: client, until: .zero + .milliseconds(300))
        session.conclude(.interrupted, at: net.now)
        observations += net.run(&session, on: client)
        #expect(observations.contains { $0.fact == .interrupted })
        #expect(net.now == .zero + .milliseconds(300))
    }

    @Test func sameSeedGivesTheSameObservationsUnderLoss() throws {
        let addresses = Self.addresses(.ipv4)
        let plan = try Self.plan(addresses, .udp, count: 20)
        func run(_ seed: UInt64) -> [Observation] {
            var (net, client, _) = Self.world(addresses, seed: seed, loss: 0.1)
            var session = Session(plan, random: SeededGenerator(seed: seed), from: net.now)
            return net.run(&session, on: client)
        }
        #expect(run(3) == run(3))
        #expect(run(3) != run(4))
    }

    /// Sixty packets a session; what a thousand cost in a release build is for a benchmark to say.
    @Test func hundredSessionsUnderLossNeverShowAWrongAddress() throws {
        let addresses = Self.addresses(.ipv4)
        let plan = try Self.plan(addresses, .udp, count: 30)
        for seed in UInt64(1)...100 {
            var (net, client, _) = Self.world(addresses, seed: seed, loss: 0.05)
            var session = Session(plan, random: SeededGenerator(seed: seed), from: net.now)
            let diagnosis = Diagnosis(plan, net.run(&session, on: client))
            guard let answer = diagnosis.stun.first?.answer else { continue }
            #expect(answer.mappedAddress.address == addresses.external, "seed \(seed)")
        }
    }
}
