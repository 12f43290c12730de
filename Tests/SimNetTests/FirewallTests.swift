import NetTypes
import Testing

@testable import SimNet

/// Firewalls and ICMP.
@Suite struct FirewallTests {
    typealias World = NATTests.World

    @Test(arguments: [IPAddress.Family.ipv4, .ipv6], Dependence.allCases)
    func firewallTranslatesNothingAndAdmitsAnswersOnly(_ family: IPAddress.Family, _ filtering: Dependence) {
        var world = World(.firewall(FirewallBehaviour(filtering: filtering)), family)
        for path in UInt32(1)...4 {
            world.serverScript.append((.ms(5), .send(path, to: world.inside())))
            world.serverScript.append((.ms(100), .send(path, to: world.inside())))
        }
        let (client, server) = world.run([
            (.zero, .socket(1, at: world.inside())), (.ms(50), .send(1, to: world.remote(1))),
        ])
        #expect(server.arrivals.map(\.source) == [world.inside()])
        #expect(server.errors.isEmpty)
        #expect(client.arrivals.map(\.source) == filtering.admitted.map { world.remote($0) })
    }

    @Test func firewallThatPassesAdmitsEveryone() {
        var world = World(.firewall(FirewallBehaviour(inbound: .pass)))
        world.serverScript.append((.ms(5), .send(4, to: world.inside())))
        let (client, _) = world.run([(.zero, .socket(1, at: world.inside()))])
        #expect(client.arrivals.map(\.source) == [world.remote(4)])
    }

    @Test(arguments: [
        PathError.Kind.administrativelyProhibited, .hostUnreachable, .networkUnreachable, .portUnreachable,
    ])
    func rejectingFirewallSaysSoToTheSender(_ kind: PathError.Kind) {
        var world = World(.firewall(FirewallBehaviour(inbound: .reject(kind), outboundUDP: .reject(kind))))
        world.serverScript.append((.ms(5), .send(2, to: world.inside())))
        let (client, server) = world.run([
            (.zero, .socket(1, at: world.inside())), (.ms(50), .send(1, to: world.remote(1), [1, 2, 3])),
        ])
        #expect(server.arrivals.isEmpty && client.arrivals.isEmpty)
        for (error, destination) in [(client.errors.first, world.remote(1)), (server.errors.first, world.inside())] {
            #expect(error?.kind == kind)
            #expect(error?.origin == .icmp(from: world.outside().address))
            #expect(error?.destination == destination)
            #expect(error?.isFatal == false)
        }
        #expect(client.errors.first?.quoted == [1, 2, 3])
    }

    @Test func firewallThatDropsUDPPassesTCP() {
        var world = World(.firewall(FirewallBehaviour(outboundUDP: .drop)))
        world.serverScript.append((.zero, .listen(9, at: world.remote(1))))
        let (client, server) = world.run([
            (.zero, .socket(1, at: world.inside())), (.ms(50), .send(1, to: world.remote(1))),
            (.ms(50), .connect(2, to: world.remote(1))),
        ])
        #expect(server.arrivals.isEmpty && client.errors.isEmpty)
        #expect(client.locals[PathID(2)] != nil && server.streams.count == 1)
        #expect(world.net.trace.contains { $0.fate == .dropped(world.router, .outboundRule) })
    }

    @Test(arguments: [IPAddress.Family.ipv4, .ipv6])
    func portWithoutASocketIsUnreachableThroughANat(_ family: IPAddress.Family) {
        var world = World(.nat(NATBehaviour(filtering: .endpointIndependent)), family)
        let closed = Endpoint(world.remote(1).address, 7)
        // The client's own socket is closed when the server's datagram comes through the mapping.
        world.serverScript.append((.ms(100), .send(1, to: world.outside())))
        let (client, server) = world.run([
            (.zero, .socket(1, at: world.inside())), (.ms(50), .send(1, to: closed, [9])), (.ms(80), .close(PathID(1))),
        ])
        #expect(client.errors.map(\.kind) == [.portUnreachable])
        #expect(client.errors.first?.origin == .icmp(from: closed.address))
        #expect(client.errors.first?.destination == closed)
        #expect(client.errors.first?.quoted == [9])
        #expect(server.errors.map(\.kind) == [.portUnreachable])
        #expect(server.errors.first?.destination == world.outside())
        #expect(server.errors.first?.origin == .icmp(from: world.outside().address))
    }

    @Test func addressOfNobodyIsSilent() {
        var world = World(.nat(NATBehaviour()))
        let (client, _) = world.run([
            (.zero, .socket(1, at: world.inside())),
            (.ms(1), .send(1, to: Endpoint(World.address(77, .ipv4), 1))),
        ])
        #expect(client.errors.isEmpty)
        #expect(world.net.trace.map(\.fate) == [.noSuchAddress])
    }
}
