import Engines
import NetTypes
import STUN
import Testing

@testable import Server

/// The relays of `icecheck serve`, against the client that icecheck itself is.
@Suite struct TURNServerTests {
    private func allocated(
        _ world: RelayWorld, _ adjust: (inout TURNConfiguration) -> Void = { _ in }
    ) throws -> RelayWorld.Client {
        let client = world.client(try RelayWorld.credential(), adjust)
        world.run()
        try #require(client.relayed != nil, "\(client.events)")
        return client
    }

    // MARK: Allocations

    @Test func anAllocationIsMadeAndDeletedAndCounted() throws {
        let world = RelayWorld()
        let client = try allocated(world)
        let relayed = try #require(client.relayed)
        #expect(relayed.address == ServerHarness.primary && relayed.port >= 49152)
        #expect(client.engine.allocated?.mappedAddress == client.endpoint)
        #expect(client.engine.allocated?.lifetime.granted == 600)
        #expect(client.engine.allocated?.roundTrips == 2)
        #expect(world.harness.server.relays == (1, 0, 0, 1))
        client.engine.delete(at: world.harness.now)
        world.run()
        #expect(client.events.contains(.deleted(.confirmed)))
        #expect(world.harness.server.relays == (1, 1, 0, 0))
        #expect(world.harness.path(.datagram, at: relayed) == nil)
    }

    @Test func theStrongestAlgorithmIsOfferedWithTheUsersNameHidden() throws {
        let authentication = try #require(try allocated(RelayWorld()).engine.allocated?.authentication)
        #expect(authentication.algorithm == .sha256 && authentication.usesUserhash)
        let plain = try #require(try allocated(RelayWorld { $0.offersSHA256 = false }).engine.allocated?.authentication)
        #expect(plain.algorithm == nil && !plain.usesUserhash)
    }

    @Test(arguments: [false, true]) func aWrongPasswordIsRefused(offersSHA256: Bool) throws {
        let world = RelayWorld { $0.offersSHA256 = offersSHA256 }
        let wrong = world.client(try RelayWorld.credential("alice", "wander"))
        let unknown = world.client(try RelayWorld.credential("bob", "wonder"), port: 40_001)
        world.run(.seconds(1))
        for client in [wrong, unknown] {
            guard case .credentialsRefused = client.failure else {
                Issue.record("\(client.events)")
                continue
            }
        }
        #expect(world.harness.server.relays == (0, 0, 0, 0))
    }

    @Test func aTemporaryCredentialIsGoodUntilItExpires() throws {
        let world = RelayWorld { $0.secret = HiddenText("shared") }
        func client(_ secret: String, _ expiry: Int64, _ port: UInt16) throws -> RelayWorld.Client {
            world.client(try TURNREST.credential(secret: secret, user: "carol", expiry: expiry).longTerm(), port: port)
        }
        let good = try client("shared", 1_800_000_060, 40_001)
        let expired = try client("shared", 1_800_000_000, 40_002)
        let forged = try client("other", 1_800_000_060, 40_003)
        world.run(.seconds(1))
        #expect(good.relayed != nil && expired.relayed == nil && forged.relayed == nil)
        #expect(good.engine.allocated?.authentication?.usesUserhash == false)
        world.run(.seconds(60))
        let late = try client("shared", 1_800_000_060, 40_004)
        world.run(.seconds(1))
        #expect(late.relayed == nil)
    }

    @Test func anAllocationThatIsNotRefreshedExpires() throws {
        let world = RelayWorld()
        let client = try allocated(world) { $0.refreshing.refreshesAllocation = false }
        world.run(.seconds(601))
        #expect(world.harness.server.relays == (1, 0, 1, 0))
        #expect(
            world.harness.events.contains { if case .expired(_, client.endpoint, "alice") = $0 { true } else { false } }
        )
    }

    @Test func aRefreshedAllocationLivesOverNonceAndPermissionsAndChannels() throws {
        let world = RelayWorld { $0.nonceLifetime = .seconds(100) }
        let client = try allocated(world)
        client.engine.bindChannel(to: RelayWorld.peer)
        world.run(.seconds(3000))
        #expect(world.harness.server.relays == (1, 0, 0, 1))
        #expect(client.failure == nil, "\(client.events)")
        client.engine.send([1], to: RelayWorld.peer)
        world.run()
        #expect(world.relayed.map(\.bytes) == [[1]])
    }

    @Test func aPortThatIsTakenIsNotTheEnd() throws {
        let taken: Set<Endpoint> = [Endpoint(ServerHarness.primary, 50_000)]
        let client = try allocated(RelayWorld(refusing: taken) { $0.relayPorts = 50_000...50_001 })
        #expect(client.relayed?.port == 50_001)
        let none = RelayWorld(refusing: taken.union([Endpoint(ServerHarness.primary, 50_001)])) {
            $0.relayPorts = 50_000...50_001
        }
        let refused = none.client(try RelayWorld.credential())
        none.run(.seconds(1))
        #expect(refused.failureCode == 508)
        #expect(none.harness.server.relays == (0, 0, 0, 0))
    }

    @Test func quotasHoldForAUserAndForAll() throws {
        let world = RelayWorld {
            $0.accounts.append(.init(username: "bob", password: "builder"))
            $0.mostAllocationsOfAUser = 1
            $0.mostAllocations = 2
        }
        let first = try allocated(world)
        let second = world.client(try RelayWorld.credential(), port: 40_001)
        let other = world.client(try RelayWorld.credential("bob", "builder"), port: 40_002)
        world.run(.seconds(1))
        #expect(second.failureCode == 486 && other.relayed != nil)
        first.engine.delete(at: world.harness.now)
        world.run()
        let third = world.client(try RelayWorld.credential(), port: 40_003)
        world.run(.seconds(1))
        #expect(third.relayed != nil)
        let full = RelayWorld { $0.mostAllocations = 1 }
        _ = try allocated(full)
        let late = full.client(try RelayWorld.credential(), port: 40_001)
        full.run(.seconds(1))
        #expect(late.failureCode == 508)
    }

    // MARK: Refusals

    @Test func whatCannotBeRelayedIsRefusedByItsOwnCode() throws {
        func code(_ adjust: (inout TURNConfiguration) -> Void) throws -> Int? {
            let world = RelayWorld()
            let client = world.client(try RelayWorld.credential(), adjust)
            world.run(.seconds(1))
            return client.failureCode
        }
        #expect(try code { $0.relayTransport = .tcp } == 442)
        #expect(try code { $0.families = .only(.ipv6) } == 440)
        #expect(try code { $0.dontFragment = true } == 420)
        #expect(try code { $0.port = .even(reservingNext: true) } == 508)
        #expect(try code { $0.port = .reserved(token: [1, 2, 3, 4, 5, 6, 7, 8]) } == 508)
        #expect(try allocated(RelayWorld()) { $0.port = .even(reservingNext: false) }.relayed.map { $0.port % 2 } == 0)
    }

    @Test func aSecondAllocationOfAFiveTupleIsAMismatch() throws {
        let world = RelayWorld()
        _ = try allocated(world)
        let again = RelayWorld.Client(
            world.clients[0].endpoint, TURNConfiguration(credential: try RelayWorld.credential()))
        world.clients = [again]
        world.run(.seconds(1))
        #expect(again.failureCode == 437)
        #expect(world.harness.server.relays.left == 1)
    }

    @Test func anotherUserOfTheSameFiveTupleHasWrongCredentials() throws {
        let world = RelayWorld { $0.accounts.append(.init(username: "bob", password: "builder")) }
        let client = try allocated(world)
        // Bob signs a deletion of what is Alice's.
        let bob = RelayWorld.Client(
            client.endpoint, TURNConfiguration(credential: try RelayWorld.credential("bob", "builder")))
        world.clients = [bob]
        world.run(.seconds(1))
        #expect(bob.failureCode == 437)
        bob.engine.delete(at: world.harness.now)
        world.run(.seconds(2))
        #expect(world.harness.server.relays == (1, 0, 0, 1))
    }

    @Test func peersOutsideAreForbiddenUnlessTheyAreAllowed() throws {
        let outside = Endpoint(IPAddress(9, 9, 9, 9), 7000)
        let world = RelayWorld()
        let client = try allocated(world)
        client.engine.createPermission(for: [RelayWorld.peer.address, outside.address])
        world.run()
        #expect(client.failureCode == 403)
        client.engine.send([1], to: RelayWorld.peer)
        world.run()
        #expect(world.relayed.isEmpty, "one forbidden address forbids the whole request")
        let open = RelayWorld { $0.allowsAnyPeer = true }
        let free = try allocated(open)
        free.engine.createPermission(for: [outside.address])
        free.engine.send([1], to: outside)
        open.run()
        #expect(open.relayed.map(\.destination) == [outside])
    }

    @Test func aPeerOfTheOtherFamilyIsAMismatch() throws {
        let world = RelayWorld()
        let client = try allocated(world)
        client.engine.createPermission(for: [IPAddress(v6: 1)])
        world.run()
        #expect(client.failureCode == 443)
    }

    // MARK: Data

    @Test func dataGoesBothWaysInIndicationsAndOverAChannel() throws {
        let world = RelayWorld()
        let client = try allocated(world)
        let relayed = try #require(client.relayed)
        client.engine.createPermission(for: [RelayWorld.peer.address])
        client.engine.send([1, 2, 3], to: RelayWorld.peer)
        world.run()
        #expect(world.relayed.map(\.bytes) == [[1, 2, 3]] && world.relayed.map(\.destination) == [RelayWorld.peer])
        try world.send([4, 5], from: RelayWorld.peer, to: relayed)
        let inIndication = try #require(client.received.first)
        #expect(inIndication.peer == RelayWorld.peer && inIndication.bytes == [4, 5] && inIndication.channel == nil)
        let number = client.engine.bindChannel(to: RelayWorld.peer)
        world.run()
        client.engine.send([6], to: RelayWorld.peer)
        world.run()
        #expect(world.relayed.last?.bytes == [6])
        try world.send([7], from: RelayWorld.peer, to: relayed)
        let overChannel = try #require(client.received.last)
        #expect(number != nil && overChannel.channel == number && overChannel.bytes == [7])
    }

    @Test func whatHasNoPermissionGoesNowhere() throws {
        let world = RelayWorld()
        let client = try allocated(world)
        let relayed = try #require(client.relayed)
        client.engine.send([1], to: RelayWorld.peer)
        world.run()
        try world.send([2], from: RelayWorld.peer, to: relayed)
        #expect(world.relayed.isEmpty && client.received.isEmpty)
        client.engine.createPermission(for: [IPAddress(10, 0, 0, 8)])
        world.run()
        try world.send([2], from: RelayWorld.peer, to: relayed)
        #expect(client.received.isEmpty)
    }

    @Test func permissionsAndChannelsRunOut() throws {
        let world = RelayWorld()
        let client = try allocated(world) {
            $0.refreshing.permissions = nil
            $0.refreshing.channels = nil
        }
        let relayed = try #require(client.relayed)
        client.engine.bindChannel(to: RelayWorld.peer)
        world.run(.seconds(299))
        try world.send([1], from: RelayWorld.peer, to: relayed)
        #expect(client.received.count == 1)
        world.run(.seconds(2))
        try world.send([2], from: RelayWorld.peer, to: relayed)
        #expect(client.received.count == 1, "a channel's permission lives 300 s, the channel 600 s")
        client.engine.createPermission(for: [RelayWorld.peer.address])
        world.run(.seconds(100))
        try world.send([3], from: RelayWorld.peer, to: relayed)
        #expect(client.received.last?.channel != nil)
        world.run(.seconds(195))
        client.engine.createPermission(for: [RelayWorld.peer.address])
        world.run(.seconds(30))
        try world.send([4], from: RelayWorld.peer, to: relayed)
        #expect(client.received.last?.channel == nil)
    }

    @Test func overAConnectionChannelDataIsPaddedAndTheAllocationEndsWithIt() throws {
        let world = RelayWorld()
        let path = try world.harness.connect()
        var engine = TURNAllocation(TURNConfiguration(credential: try RelayWorld.credential(), isReliable: true))
        var framer = StreamFramer()
        var read = 0
        func exchange() throws {
            var isMoving = true
            while isMoving {
                isMoving = false
                while let bytes = engine.pollOutput(at: world.harness.now, using: &world.random) {
                    isMoving = true
                    // One byte at a time: what is framed does not depend on segments.
                    for byte in bytes { world.harness.send([byte], on: path) }
                }
                let written = world.harness.written[path] ?? []
                framer.append(written[read...])
                read = written.count
                while let frame = try framer.next() { engine.handle(frame, at: world.harness.now) }
            }
        }
        try exchange()
        let relayed = try #require(engine.allocated?.relayedAddresses.first)
        engine.bindChannel(to: RelayWorld.peer)
        try exchange()
        world.harness.handle(
            .datagram(
                Datagram(
                    path: try #require(world.harness.path(.datagram, at: relayed)), source: RelayWorld.peer,
                    bytes: [1, 2, 3], arrivedAt: world.harness.now)))
        let written = world.harness.written[path] ?? []
        #expect(Array(written[read...]) == [0x40, 0, 0, 3, 1, 2, 3, 0])
        // Silence does not end a connection that holds an allocation.
        world.harness.wait(atMost: .seconds(120))
        #expect(!world.harness.closed.contains(path))
        world.harness.handle(.stream(StreamEvent(path: path, kind: .ended, at: world.harness.now)))
        #expect(world.harness.server.relays == (1, 0, 1, 0))
    }

    // MARK: Hostile networks

    @Test(arguments: 0..<50) func lossChangesNothingButTime(seed: UInt64) throws {
        let world = RelayWorld(seed: seed &* 7919)
        world.lossPercent = 20
        let client = world.client(try RelayWorld.credential())
        client.engine.createPermission(for: [RelayWorld.peer.address])
        world.run(.seconds(60))
        #expect(client.relayed != nil && client.failure == nil, "seed \(seed): \(client.events)")
        client.engine.delete(at: world.harness.now)
        world.run(.seconds(2))
        #expect(world.harness.server.relays.made >= 1 && world.harness.server.relays.left <= 1)
    }

    @Test func noBytesTrapTheServer() throws {
        let world = RelayWorld(seed: 99)
        let client = try allocated(world)
        client.engine.bindChannel(to: RelayWorld.peer)
        var samples: [[UInt8]] = []
        while let bytes = client.engine.pollOutput(at: world.harness.now, using: &world.random) {
            samples.append(bytes)
        }
        samples.append(ChannelData(channel: 0x4000, data: [1, 2, 3]).encoded(padded: false))
        for _ in 0..<20_000 {
            var bytes = samples[Int(world.random.next() % UInt64(samples.count))]
            for _ in 0..<(1 + world.random.next() % 4) where !bytes.isEmpty {
                let place = Int(world.random.next() % UInt64(bytes.count))
                switch world.random.next() % 3 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: world.random.next())
                case 1: bytes.removeLast(bytes.count - place)
                default: bytes += bytes[place...]
                }
            }
            _ = world.harness.ask(bytes, from: client.endpoint)
            world.harness.forget()
        }
        #expect(world.harness.server.relays.left == 1)
    }

    @Test func answersToTheUnknownAreHeldToARate() throws {
        let world = RelayWorld()
        var builder = MessageBuilder(.request, .allocate, TransactionID(high: 1, low: 1))
        builder.append(.requestedTransport, 17)
        for _ in 0..<2000 { _ = world.harness.ask(builder.bytes) }
        #expect(world.harness.sent.count <= SourceRateLimiter.Limits().burst)
        #expect(world.harness.sent.allSatisfy { $0.bytes.count <= builder.bytes.count * 6 })
    }

    @Test func nothingOfItPrintsAPassword() {
        let configuration = TURNServerConfiguration(
            accounts: [RelayWorld.account], secret: HiddenText("shared"), wallClock: 0, relayAddresses: [])
        var text = "\(configuration)"
        dump(configuration, to: &text)
        #expect(!text.contains("wonder") && !text.contains("shared"))
    }
}
