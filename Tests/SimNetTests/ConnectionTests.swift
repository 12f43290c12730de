import NetTypes
import Testing

@testable import SimNet

/// TCP, the system's answers and the clock.
@Suite struct ConnectionTests {
    typealias World = NATTests.World

    @Test(arguments: [IPAddress.Family.ipv4, .ipv6])
    func streamThroughANatOpensAfterARoundTripAndCarriesBytesBothWays(_ family: IPAddress.Family) {
        var world = World(.nat(NATBehaviour()), family)
        let server = world.net.addHost(
            addresses: [World.address(3, family)], link: Link(delay: .milliseconds(5)))
        let remote = Endpoint(World.address(3, family), 80)
        let id = world.net.start(Probe([(.zero, .listen(1, at: remote))], echoes: true), on: server)
        let (client, _) = world.run([
            (.zero, .connect(1, to: remote)), (.ms(30), .write(PathID(1), [1, 2])), (.ms(30), .write(PathID(1), [3])),
            (.ms(90), .close(PathID(1))),
        ])
        #expect(client.locals[PathID(1)]?.address == world.inside().address)
        #expect(client.errors.isEmpty)
        #expect(client.streams.map(\.at) == [.ms(50), .ms(50)])
        #expect(bytes(client) == [1, 2, 3])
        let seen: Probe? = world.net.engine(id)
        guard case .accepted(_, let local, let source)? = seen?.streams.first?.kind else {
            Issue.record("nothing was accepted")
            return
        }
        #expect(local == remote && source.address == world.outside().address)
        guard case .ended? = seen?.streams.last?.kind else {
            Issue.record("the end did not come")
            return
        }
    }

    private func bytes(_ probe: Probe) -> [UInt8] {
        probe.streams.flatMap { event -> [UInt8] in
            if case .bytes(let bytes) = event.kind { bytes } else { [] }
        }
    }

    @Test func bytesWrittenBeforeTheHandshakeIsOverFollowIt() {
        var world = World(.nat(NATBehaviour()))
        world.serverScript = [(.zero, .listen(1, at: world.remote(1)))]
        let (_, server) = world.run([(.zero, .connect(1, to: world.remote(1))), (.zero, .write(PathID(1), [7]))])
        #expect(bytes(server) == [7])
    }

    @Test func closedPortRefusesAfterARoundTrip() {
        var world = World(.nat(NATBehaviour()))
        var client = Probe([(.zero, .connect(1, to: world.remote(1)))], until: .ms(50))
        let events = world.net.run(&client, on: world.client)
        guard case .failed(let error, let at)? = events.first else {
            Issue.record("no error")
            return
        }
        #expect(error.kind == .connectionRefused && error.origin == .peer && error.isFatal)
        #expect(at == .ms(20))
    }

    @Test func droppedConnectionAttemptIsSilentUntilTheSystemGivesUp() {
        var world = World(.firewall(FirewallBehaviour(outboundTCP: .drop)))
        let (client, _) = world.run([(.zero, .connect(1, to: world.remote(1)))], until: .ms(126_000))
        #expect(client.errors.isEmpty && client.locals.isEmpty)
        world = World(.firewall(FirewallBehaviour(outboundTCP: .drop)))
        let (later, _) = world.run([(.zero, .connect(1, to: world.remote(1)))], until: .ms(128_000))
        #expect(later.errors.map(\.kind) == [.connectionTimedOut])
    }

    @Test(arguments: [
        (PathError.Kind.connectionRefused, PathError.Origin.peer),
        (.administrativelyProhibited, .icmp(from: World.address(100, .ipv4))),
    ])
    func rejectedConnectionAttemptFailsWithItsKind(_ kind: PathError.Kind, _ origin: PathError.Origin) {
        var world = World(.firewall(FirewallBehaviour(outboundTCP: .reject(kind))))
        let (client, _) = world.run([(.zero, .connect(1, to: world.remote(1)))])
        #expect(client.errors.map(\.kind) == [kind])
        #expect(client.errors.map(\.origin) == [origin] && client.errors.allSatisfy(\.isFatal))
    }

    @Test func unsolicitedConnectionIsDroppedByANat() {
        var world = World(.nat(NATBehaviour()))
        world.serverScript = [(.zero, .connect(1, to: world.outside()))]
        let (client, server) = world.run([(.zero, .listen(1, at: world.inside()))])
        #expect(client.streams.isEmpty && server.errors.isEmpty)
    }

    @Test func lossDelaysBytesAndLosesNone() {
        var net = SimNet(seed: 3)
        let link = Link(delay: .milliseconds(5), jitter: .milliseconds(5), loss: 0.2, reordering: 0.2)
        let client = net.addHost(addresses: [LinkTests.here.address], link: link)
        let server = net.addHost(addresses: [LinkTests.there.address], link: link)
        let id = net.start(Probe([(.zero, .listen(1, at: LinkTests.there))]), on: server)
        var script: [(at: Instant, output: Output)] = [(.zero, .connect(1, to: LinkTests.there))]
        script += (0..<200).map { (.ms(Int64($0)), .write(PathID(1), [UInt8($0)])) }
        var probe = Probe(script, until: .ms(60_000))
        _ = net.run(&probe, on: client)
        #expect(probe.errors.isEmpty)
        #expect(bytes(net.engine(id) ?? Probe()) == (0..<200).map { UInt8($0) })
    }

    @Test func bytesForAClosedConnectionAreReset() {
        var world = World(.nat(NATBehaviour()))
        world.serverScript = [(.zero, .listen(1, at: world.remote(1))), (.ms(40), .close(PathID(0x8000_0001)))]
        let (client, _) = world.run([
            (.zero, .connect(1, to: world.remote(1))), (.ms(100), .write(PathID(1), [1])),
        ])
        #expect(client.errors.map(\.kind) == [.connectionReset])
    }

    // MARK: The system

    @Test func systemRefusesWhatItCannotOpen() {
        var world = World(.nat(NATBehaviour()))
        let (client, _) = world.run([
            (.zero, .socket(1, at: world.inside())), (.zero, .socket(2, at: world.inside())),
            (.zero, .socket(3, at: world.inside(99))),
            (.zero, .connect(4, to: Endpoint(World.address(1, .ipv6), 80))),
        ])
        #expect(client.errors.map(\.kind) == [.addressInUse, .addressNotAvailable, .networkUnreachable])
        #expect(client.errors.allSatisfy { $0.isFatal && $0.origin == .local })
    }

    @Test func systemKnowsItsAddressesAndTheNamesOfTheTable() {
        var world = World(.nat(NATBehaviour()))
        let address = World.address(1, .ipv4)
        world.net.names.addresses["a.example"] = [address]
        world.net.names.unanswered = ["silent.example"]
        world.net.names.delay = .milliseconds(4)
        let questions: [SystemQuery] = [
            .source(to: world.remote(1), interface: nil),
            .source(to: Endpoint(World.address(1, .ipv6), 1), interface: nil),
            .addresses(name: "a.example", family: .ipv4), .addresses(name: "a.example", family: .ipv6),
            .addresses(name: "b.example", family: .ipv4), .addresses(name: "silent.example", family: .ipv4),
        ]
        var probe = Probe(
            questions.enumerated().map { (.zero, .query(QueryID(UInt32($0)), $1)) }, until: .ms(50))
        var answers: [UInt32: (SystemAnswer, Instant)] = [:]
        for event in world.net.run(&probe, on: world.client) {
            if case .answered(let query, let answer, let at) = event { answers[query.number] = (answer, at) }
        }
        #expect(answers.count == 5)
        #expect(answers[0]?.0 == .source(world.inside().address) && answers[0]?.1 == .zero)
        #expect(answers[1]?.0 == .failed(.noRoute(errno: 101)))
        #expect(answers[2]?.0 == .addresses([address]) && answers[2]?.1 == .ms(4))
        #expect(answers[3]?.0 == .failed(.noRecords))
        #expect(answers[4]?.0 == .failed(.noSuchName))
    }

    // MARK: The clock

    @Test func engineThatWasLeftGoesOnWhereItWas() {
        var world = World(.nat(NATBehaviour()))
        world.serverScript.append((.ms(60), .send(1, to: world.outside())))
        world.net.start(Probe(world.serverScript), on: world.server)
        var client = Probe(
            [(.zero, .socket(1, at: world.inside())), (.ms(10), .send(1, to: world.remote(1)))], until: .ms(200))
        _ = world.net.run(&client, on: world.client, until: .ms(50))
        #expect(world.net.now == .ms(50) && client.arrivals.isEmpty)
        world.net.advance(to: .ms(100))
        _ = world.net.run(&client, on: world.client)
        #expect(world.net.now == .ms(200) && client.arrivals.count == 1)
    }

    @Test func nextRunOnAHostStartsAfresh() {
        var world = World(.nat(NATBehaviour()))
        for _ in 0..<2 {
            var client = Probe(
                [(.zero, .socket(1, at: world.inside()))], until: world.net.now + .milliseconds(10))
            _ = world.net.run(&client, on: world.client)
            #expect(client.locals == [PathID(1): world.inside()] && client.errors.isEmpty)
        }
    }

    @Test func stoppedEngineLeavesClosedPorts() {
        var world = World(.nat(NATBehaviour()))
        let id = world.net.start(Probe(world.serverScript), on: world.server)
        world.net.stop(id)
        var client = Probe(
            [(.zero, .socket(1, at: world.inside())), (.ms(1), .send(1, to: world.remote(1)))], until: .ms(100))
        _ = world.net.run(&client, on: world.client)
        #expect(client.errors.map(\.kind) == [.portUnreachable])
    }
}
