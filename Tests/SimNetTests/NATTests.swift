import NetTypes
import Testing

@testable import SimNet

/// NATs and firewalls, by plain datagrams and what arrives from where.
@Suite struct NATTests {
    /// A client at `inside`:5000 behind a NAT with the address `outside`, and a server with two addresses and two
    /// ports (paths 1 to 4) on the internet.
    struct World {
        var family = IPAddress.Family.ipv4
        var net = SimNet(seed: 7)
        var router: RouterID
        var client: HostID
        var server: HostID
        var serverScript: [(at: Instant, output: Output)]

        init(
            _ behaviour: Router.Behaviour, _ family: IPAddress.Family = .ipv4, pool: Int = 1,
            delay: Duration = .milliseconds(5)
        ) {
            self.family = family
            net.isTracing = true
            let external = (0..<pool).map { Self.address(100 + $0, family) }
            router = net.addRouter(behaviour, externalAddresses: external)
            client = net.addHost(
                addresses: [Self.address(10, family)], behind: router, link: Link(delay: delay))
            server = net.addHost(
                addresses: [Self.address(1, family), Self.address(2, family)], link: Link(delay: delay))
            serverScript = []
            for path in UInt32(1)...4 { serverScript.append((.zero, .socket(path, at: remote(path)))) }
        }

        static func address(_ number: Int, _ family: IPAddress.Family) -> IPAddress {
            family == .ipv4
                ? IPAddress(v4: 0xC000_0200 + UInt32(number)) : IPAddress(v6: 0x2001_0DB8 << 96 + UInt128(number))
        }

        /// Path 1 is the first address and port, 2 its other port, 3 the other address, 4 both.
        func remote(_ path: UInt32) -> Endpoint {
            Endpoint(Self.address(path <= 2 ? 1 : 2, family), path % 2 == 1 ? 1000 : 2000)
        }

        func inside(_ number: Int = 10, _ port: UInt16 = 5000) -> Endpoint {
            Endpoint(Self.address(number, family), port)
        }

        func outside(_ port: UInt16 = 5000) -> Endpoint { Endpoint(Self.address(100, family), port) }

        /// Runs both; gives what each was told.
        mutating func run(
            _ script: [(at: Instant, output: Output)], until end: Instant = .ms(1000)
        ) -> (client: Probe, server: Probe) {
            let id = net.start(Probe(serverScript), on: server)
            var client = Probe(script, until: end)
            _ = net.run(&client, on: self.client)
            return (client, net.engine(id) ?? Probe())
        }
    }

    static let cases: [(Dependence, Dependence, IPAddress.Family)] = Dependence.allCases.flatMap { mapping in
        Dependence.allCases.flatMap { filtering in
            [IPAddress.Family.ipv4, .ipv6].map { (mapping, filtering, $0) }
        }
    }

    @Test(arguments: cases)
    func mappingDependsOnWhatItSays(_ mapping: Dependence, _ filtering: Dependence, _ family: IPAddress.Family) {
        var world = World(.nat(NATBehaviour(mapping: mapping, filtering: filtering)), family)
        let (_, server) = world.run(
            [(.zero, .socket(1, at: world.inside()))]
                + (1...4).map { (.ms(Int64($0) * 10), .send(1, to: world.remote($0))) }
                + [(.ms(90), .send(1, to: world.remote(1)))])
        let ports = server.arrivals.map(\.source.port)
        #expect(server.arrivals.map(\.path.number) == [1, 2, 3, 4, 1])
        #expect(server.arrivals.allSatisfy { $0.source.address == world.outside().address })
        guard ports.count == 5 else { return }
        #expect(ports[0] == 5000 && ports[4] == 5000)
        #expect((ports[1] == ports[0]) == (mapping != .addressAndPortDependent))
        #expect((ports[2] == ports[0]) == (mapping == .endpointIndependent))
        #expect((ports[3] == ports[2]) == (mapping != .addressAndPortDependent))
    }

    @Test(arguments: cases)
    func filterAdmitsWhomItSays(_ mapping: Dependence, _ filtering: Dependence, _ family: IPAddress.Family) {
        var world = World(.nat(NATBehaviour(mapping: mapping, filtering: filtering)), family)
        for path in UInt32(1)...4 {
            world.serverScript.append((.ms(5), .send(path, to: world.outside())))
            world.serverScript.append((.ms(100), .send(path, to: world.outside())))
        }
        let (client, _) = world.run([
            (.zero, .socket(1, at: world.inside())), (.ms(50), .send(1, to: world.remote(1))),
        ])
        let admitted = filtering.admitted
        #expect(client.arrivals.map(\.source) == admitted.map { world.remote($0) })
        #expect(client.arrivals.allSatisfy { $0.at == .ms(110) })
        #expect(client.errors.isEmpty)
        #expect(world.net.trace.filter { $0.fate == .dropped(world.router, .noMapping) }.count == 4)
        #expect(world.net.trace.filter { $0.fate == .dropped(world.router, .filtered) }.count == 4 - admitted.count)
    }

    // MARK: Ports and addresses

    private func mappedPorts(_ behaviour: NATBehaviour, sockets: UInt32 = 20) -> [UInt16] {
        var world = World(.nat(behaviour))
        var script: [(at: Instant, output: Output)] = []
        for path in 1...sockets {
            script.append((.zero, .socket(path, at: world.inside(10, 5000 + UInt16(path) * 7))))
            script.append((.ms(Int64(path)), .send(path, to: world.remote(1))))
        }
        return world.run(script).server.arrivals.map(\.source.port)
    }

    @Test func preservingAllocationKeepsPorts() {
        #expect(mappedPorts(NATBehaviour(allocation: .preserving)) == (1...20).map { 5000 + $0 * 7 })
    }

    @Test(arguments: [1, 2, 7, -1, 30000])
    func sequentialAllocationTakesItsSteps(_ step: Int) {
        let ports = mappedPorts(NATBehaviour(allocation: .sequential(step: step)), sockets: 200).map(Int.init)
        #expect(ports.count == 200 && Set(ports).count == 200)
        for (earlier, later) in zip(ports, ports.dropFirst()) {
            #expect((later - earlier - step) % 64512 == 0)
        }
    }

    @Test func randomAllocationHasNoOrderAndNoDoubles() {
        let ports = mappedPorts(NATBehaviour(allocation: .random), sockets: 300).map(Int.init)
        #expect(Set(ports).count == 300)
        #expect(Set(zip(ports, ports.dropFirst()).map { $1 - $0 }).count > 250)
        #expect(ports.allSatisfy { $0 >= 1024 })
    }

    @Test func collidingHostGetsAnotherPort() {
        var world = World(.nat(NATBehaviour()))
        let other = world.net.addHost(addresses: [World.address(11, .ipv4)], behind: world.router)
        world.net.start(
            Probe([(.zero, .socket(1, at: world.inside(11))), (.ms(1), .send(1, to: world.remote(1)))]), on: other)
        let (_, server) = world.run([
            (.zero, .socket(1, at: world.inside())), (.ms(50), .send(1, to: world.remote(1))),
        ])
        #expect(server.arrivals.count == 2)
        #expect(server.arrivals.first?.source == world.outside())
        #expect(server.arrivals.last?.source.port != 5000)
    }

    @Test func pairedPoolingKeepsTheAddressAndArbitraryDoesNot() {
        for pooling in [NATBehaviour.Pooling.paired, .arbitrary] {
            var world = World(.nat(NATBehaviour(pooling: pooling)), pool: 4)
            let other = world.net.addHost(addresses: [World.address(11, .ipv4)], behind: world.router)
            world.net.start(
                Probe([(.zero, .socket(1, at: world.inside(11))), (.ms(1), .send(1, to: world.remote(2)))]), on: other)
            var script: [(at: Instant, output: Output)] = []
            for path in UInt32(1)...40 {
                script.append((.zero, .socket(path, at: world.inside(10, 6000 + UInt16(path)))))
                script.append((.ms(50), .send(path, to: world.remote(1))))
            }
            let (_, server) = world.run(script)
            let addresses = Set(server.arrivals.filter { $0.path == PathID(1) }.map(\.source.address))
            #expect(server.arrivals.count == 41)
            #expect(addresses.count == (pooling == .paired ? 1 : 4))
            if pooling == .paired { #expect(!addresses.contains(world.outside().address)) }
        }
    }

    // MARK: Lifetime

    @Test func mappingEndsWithItsLifetimeAndIsKeptByOutboundTraffic() {
        var world = World(.nat(NATBehaviour(allocation: .random, lifetime: .seconds(30))))
        let times: [Int64] = [0, 29_000, 58_000, 89_000]
        let (_, server) = world.run(
            [(.zero, .socket(1, at: world.inside()))] + times.map { (.ms($0 + 1), .send(1, to: world.remote(1))) },
            until: .ms(100_000))
        let ports = server.arrivals.map(\.source.port)
        #expect(ports.count == 4)
        #expect(Set(ports.prefix(3)).count == 1 && ports.last != ports.first)
    }

    @Test(arguments: [false, true])
    func inboundTrafficRefreshesWhereItIsSaidTo(_ refreshes: Bool) {
        var world = World(.nat(NATBehaviour(lifetime: .seconds(30), inboundRefreshes: refreshes)))
        for time in [20_000, 40_000, 60_000] as [Int64] {
            world.serverScript.append((.ms(time), .send(1, to: world.outside())))
        }
        let (client, _) = world.run(
            [(.zero, .socket(1, at: world.inside())), (.ms(1), .send(1, to: world.remote(1)))], until: .ms(70_000))
        #expect(client.arrivals.count == (refreshes ? 3 : 1))
    }

    // MARK: Hairpin and chains

    @Test(arguments: [false, true])
    func hairpinShowsTheExternalSource(_ hairpins: Bool) {
        var world = World(.nat(NATBehaviour(filtering: .endpointIndependent, hairpins: hairpins)))
        let other = world.net.addHost(addresses: [World.address(11, .ipv4)], behind: world.router)
        let id = world.net.start(
            Probe([(.zero, .socket(1, at: world.inside(11, 6000))), (.ms(1), .send(1, to: world.remote(1)))]),
            on: other)
        _ = world.run([(.zero, .socket(1, at: world.inside())), (.ms(50), .send(1, to: world.outside(6000)))])
        let received: Probe? = world.net.engine(id)
        #expect(received?.arrivals.map(\.source) == (hairpins ? [world.outside()] : []))
        #expect(hairpins != world.net.trace.contains { $0.fate == .dropped(world.router, .noHairpin) })
    }

    @Test func hostsOfOneRealmReachEachOtherDirectly() {
        var world = World(.nat(NATBehaviour()))
        let other = world.net.addHost(addresses: [World.address(11, .ipv4)], behind: world.router)
        let id = world.net.start(Probe([(.zero, .socket(1, at: world.inside(11)))]), on: other)
        _ = world.run([(.zero, .socket(1, at: world.inside())), (.ms(50), .send(1, to: world.inside(11)))])
        let received: Probe? = world.net.engine(id)
        #expect(received?.arrivals.map(\.source) == [world.inside()])
    }

    @Test func natBehindANatTranslatesTwiceAndBack() {
        var net = SimNet(seed: 1)
        let carrier = net.addRouter(
            .nat(NATBehaviour(allocation: .sequential(step: 1))), externalAddresses: [IPAddress(203, 0, 113, 1)],
            link: Link(delay: .milliseconds(3)))
        let home = net.addRouter(
            .nat(NATBehaviour()), externalAddresses: [IPAddress(100, 64, 0, 9)], behind: carrier,
            link: Link(delay: .milliseconds(4)))
        let client = net.addHost(
            addresses: [IPAddress(192, 168, 1, 2)], behind: home, link: Link(delay: .milliseconds(1)))
        let neighbour = net.addHost(addresses: [IPAddress(100, 64, 0, 10)], behind: carrier)
        let server = net.addHost(addresses: [IPAddress(198, 51, 100, 1)], link: Link(delay: .milliseconds(10)))
        let remote = Endpoint(IPAddress(198, 51, 100, 1), 3478)
        let middle = Endpoint(IPAddress(100, 64, 0, 10), 3478)
        let atServer = net.start(Probe([(.zero, .socket(1, at: remote))], echoes: true), on: server)
        let atNeighbour = net.start(Probe([(.zero, .socket(1, at: middle))], echoes: true), on: neighbour)
        var probe = Probe(
            [
                (.zero, .socket(1, at: Endpoint(IPAddress(192, 168, 1, 2), 5000))), (.zero, .send(1, to: remote)),
                (.zero, .send(1, to: middle)),
            ], until: .ms(100))
        _ = net.run(&probe, on: client)
        let seen: Probe? = net.engine(atServer)
        let seenInside: Probe? = net.engine(atNeighbour)
        #expect(seen?.arrivals.map(\.source.address) == [IPAddress(203, 0, 113, 1)])
        #expect(seen?.arrivals.first?.source.port != 5000)
        #expect(seenInside?.arrivals.map(\.source) == [Endpoint(IPAddress(100, 64, 0, 9), 5000)])
        #expect(probe.arrivals.map(\.source) == [middle, remote])
        #expect(probe.arrivals.map(\.at) == [.ms(10), .ms(36)])
    }

    @Test func natWithoutAnAddressOfTheFamilyRejects() {
        var net = SimNet(seed: 1)
        let router = net.addRouter(.nat(NATBehaviour()), externalAddresses: [IPAddress(203, 0, 113, 1)])
        let local = World.address(10, .ipv6)
        let client = net.addHost(addresses: [local], behind: router)
        var probe = Probe(
            [
                (.zero, .socket(1, at: Endpoint(local, 5000))),
                (.ms(1), .send(1, to: Endpoint(World.address(1, .ipv6), 1))),
            ], until: .ms(10))
        _ = net.run(&probe, on: client)
        #expect(probe.errors.map(\.kind) == [.networkUnreachable])
    }
}

extension Dependence {
    /// The server's sockets of which a filter of this kind admits what they send, where only the first was sent to.
    var admitted: [UInt32] {
        switch self {
        case .endpointIndependent: [1, 2, 3, 4]
        case .addressDependent: [1, 2]
        case .addressAndPortDependent: [1]
        }
    }
}
