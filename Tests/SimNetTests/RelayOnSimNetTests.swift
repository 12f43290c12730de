import Engines
import NetTypes
import STUN
import Server
import SimNet
import TestSupport
import Testing

/// The TURN client and the server of `icecheck serve`, both unchanged, with a peer that echoes.
@Suite struct RelayOnSimNetTests {
    struct Kind: Sendable, CustomStringConvertible {
        var family = IPAddress.Family.ipv4
        var overTCP = false
        /// Whether the server names its algorithms and takes USERHASH, or is one of RFC 5389.
        var isModern = true
        var relayFamilies = TURNConfiguration.Families.unspecified
        var secret: String?

        var description: String {
            "\(family.name) over \(overTCP ? "TCP" : "UDP"), \(isModern ? "SHA-256" : "MD5"), relay \(relayFamilies)"
                + (secret == nil ? "" : ", REST")
        }
    }

    static let kinds = [
        Kind(), Kind(overTCP: true), Kind(isModern: false), Kind(overTCP: true, isModern: false),
        Kind(family: .ipv6, relayFamilies: .only(.ipv6)), Kind(family: .ipv6, overTCP: true),
        Kind(relayFamilies: .dual), Kind(relayFamilies: .only(.ipv6)), Kind(secret: "north"),
    ]
    private struct World {
        var net: SimNet
        let client: HostID
        let server: EngineID
        var engine: RelayClient

        init(
            _ kind: Kind, link: Link, seed: UInt64, pings: Int = 8, stay: Duration = .zero, password: String = "pencil",
            lifetime: UInt32? = nil, adjust: (inout TURNServerConfiguration) -> Void = { _ in }
        ) throws {
            func six(_ number: UInt128) -> IPAddress { IPAddress(v6: 0x2001_0DB8 << 96 + number) }
            net = SimNet(seed: seed)
            let addresses = [IPAddress(198, 51, 100, 1), six(1)]
            client = net.addHost(addresses: [IPAddress(203, 0, 113, 2), six(2)], link: link)
            let server = net.addHost(addresses: addresses, link: Link(delay: .milliseconds(5)))
            let peers = [IPAddress(192, 0, 2, 3), six(3)]
            let peerHost = net.addHost(addresses: peers, link: Link(delay: .milliseconds(5)))
            for (number, peer) in peers.enumerated() {
                let specification = PathSpecification(.datagram, family: peer.family, local: Endpoint(peer, 4000))
                let open = Output.open(PathID(UInt32(number)), specification)
                net.start(Probe([(at: .zero, output: open)], echoes: true), on: peerHost)
            }
            let turn = try TURNServerConfiguration.lab(relays: addresses) { turn in
                turn.secret = kind.secret.map { TURNServerConfiguration.SharedSecret($0) }
                if !kind.isModern { turn.algorithms = nil }
                adjust(&turn)
            }
            self.server = net.start(STUNServer.lab(at: addresses, turn, seed: seed), on: server)
            var credential = try LongTermCredential(username: "user", password: password)
            if let secret = kind.secret {
                let made = TURNREST.credential(secret: secret, user: "ann", expiry: STUNServer.labTime + 3600)
                credential = try LongTermCredential(username: made.username, password: made.revealPassword())
            }
            var wanted = TURNConfiguration(credential: credential, isReliable: kind.overTCP)
            wanted.families = kind.relayFamilies
            wanted.lifetime = lifetime
            let isSixth = kind.relayFamilies == .only(.ipv6)
            engine = RelayClient(
                wanted, server: Endpoint(addresses[kind.family == .ipv4 ? 0 : 1], 3478),
                peer: Endpoint(peers[isSixth ? 1 : 0], 4000), pings: pings, stay: stay, seed: seed)
        }

        mutating func run(until end: Duration = .seconds(120)) -> [TURNEvent] {
            net.run(&engine, on: client, until: net.now + end)
        }

        var counts: TURNServerCounts? { net.engine(server, as: STUNServer.self)?.allocations }
    }

    private func success(_ events: [TURNEvent]) -> TURNAllocated? {
        events.compactMap { if case .allocated(let allocated) = $0 { allocated } else { nil } }.first
    }

    private func deletions(_ events: [TURNEvent]) -> [TURNDeletion] {
        events.compactMap { if case .deleted(let deletion) = $0 { deletion } else { nil } }
    }

    @Test(arguments: kinds)
    func bytesGoThroughTheRelayAndNothingIsLeft(_ kind: Kind) throws {
        var world = try World(kind, link: Link(delay: .milliseconds(10)), seed: 1)
        let events = world.run()
        let allocated = try #require(success(events), "\(events)")
        #expect(allocated.roundTrips == 2)
        #expect(allocated.relayedAddresses.count == (kind.relayFamilies == .dual ? 2 : 1))
        #expect(allocated.unusableAddresses.isEmpty)
        let authentication = try #require(allocated.authentication)
        #expect(authentication.algorithm == (kind.isModern ? .sha256 : nil))
        #expect(authentication.usesUserhash == (kind.isModern && kind.secret == nil))
        #expect(world.engine.echoes.count == 8)
        #expect(deletions(events) == [.confirmed])
        #expect(world.engine.allocation.discards.isEmpty)
        let counts = try #require(world.counts)
        #expect((counts.made, counts.deleted, counts.left) == (1, 1, 0))
        #expect((counts.relayedToPeers, counts.relayedToClients, counts.dropped) == (8, 8, 0))
    }

    /// D20: loss, doubling and overtaking change no outcome, only how long it takes.
    @Test(arguments: 1...60 as ClosedRange<UInt64>, [false, true])
    func lossReorderingAndDuplicationLeaveNothingBehind(seed: UInt64, overTCP: Bool) throws {
        let kind = Kind(overTCP: overTCP, isModern: seed % 2 == 0)
        let link = Link(
            delay: .milliseconds(10), jitter: .milliseconds(15), loss: 0.15, duplication: 0.2, reordering: 0.2)
        var world = try World(kind, link: link, seed: seed)
        let events = world.run()
        #expect(success(events) != nil, "seed \(seed): \(events)")
        #expect(world.engine.echoes.count == 8, "seed \(seed)")
        #expect(deletions(events).count == 1, "seed \(seed)")
        let counts = try #require(world.counts)
        #expect(counts.made == 1, "seed \(seed)")
        // Three deletions in 1.5 s may all be lost; over TCP the end of the connection stands for them.
        if deletions(events) == [.confirmed] || overTCP {
            world.net.advance(to: world.net.now + .seconds(60))
            #expect(world.counts?.left == 0, "seed \(seed): \(counts)")
        } else {
            world.net.advance(to: world.net.now + .seconds(600))
            #expect(world.counts?.left == 0, "seed \(seed): \(counts)")
        }
    }

    /// Refreshes, permissions, channels and nonces all run out meanwhile, and are renewed.
    @Test(arguments: [false, true])
    func anAllocationLivesThroughAllItsTimers(overTCP: Bool) throws {
        var world = try World(
            Kind(overTCP: overTCP), link: Link(delay: .milliseconds(10)), seed: 3, stay: .seconds(2000)
        ) { $0.nonceLifetime = .seconds(100) }
        let events = world.run(until: .seconds(2100))
        #expect(events.filter { if case .failed = $0 { true } else { false } }.isEmpty)
        #expect(events.filter { if case .refreshed = $0 { true } else { false } }.count >= 3)
        #expect(events.contains { if case .challenged(let challenge) = $0 { challenge.code == 438 } else { false } })
        #expect(deletions(events) == [.confirmed])
        #expect(world.counts?.left == 0)
    }

    @Test(arguments: [false, true])
    func aWrongPasswordIsRefusedAndMakesNothing(isModern: Bool) throws {
        var world = try World(
            Kind(isModern: isModern), link: Link(delay: .milliseconds(10)), seed: 1, password: "pencils")
        let events = world.run()
        let failures = events.compactMap { if case .failed(_, let failure) = $0 { failure } else { nil } }
        #expect(failures == [.credentialsRefused(realm: Array("example.org".utf8))])
        #expect(world.counts == TURNServerCounts())
    }
}
