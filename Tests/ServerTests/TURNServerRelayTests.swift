import NetTypes
import STUN
import Server
import Testing

@Suite struct TURNServerRelayTests {
    private typealias Client = TURNTestClient
    private let data = Array("hello".utf8)

    private func relayed(_ client: Client) throws -> Endpoint {
        try #require(client.harness.paths.first { $0.key.number >= 0x4000_0000 }?.value.local)
    }

    private func peer(of bytes: [UInt8]) throws -> Endpoint? {
        let message = try Message(decoding: bytes)
        #expect(message.messageClass == .indication)
        #expect(message.method == .data)
        return try message.value(.xorPeerAddress)
    }

    // MARK: Permissions

    @Test(arguments: [false, true])
    func dataGoesBothWaysOncePermitted(overTCP: Bool) throws {
        let client = try Client.allocated(overTCP: overTCP)
        let relayed = try relayed(client)
        #expect(client.relayed(Client.indication(data, to: Client.peer)).isEmpty)
        #expect(try client.fromPeer(data, to: relayed).isEmpty)
        #expect(client.harness.server.allocations?.dropped == 2)
        #expect(try client.permit(Client.peer).messageClass == .successResponse)
        let sent = client.relayed(Client.indication(data, to: Client.peer))
        #expect(sent.map(\.destination) == [Client.peer])
        #expect(sent.map(\.bytes) == [data])
        #expect(sent.allSatisfy { client.harness.paths[$0.path]?.local == relayed })
        let arrived = try client.fromPeer(data, to: relayed)
        #expect(arrived.count == 1)
        #expect(try peer(of: arrived[0]) == Client.peer)
        #expect(try Message(decoding: arrived[0]).rawValue(.data) == data)
        // A permission is for an address, whatever the port.
        #expect(try client.fromPeer(data, Endpoint(Client.peer.address, 1), to: relayed).count == 1)
        #expect(try client.fromPeer(data, Endpoint(IPAddress(192, 168, 7, 6), 4000), to: relayed).isEmpty)
    }

    @Test func aPermissionLivesThreeHundredSeconds() throws {
        let client = try Client.allocated()
        let relayed = try relayed(client)
        _ = try client.permit(Client.peer)
        client.harness.wait(atMost: .milliseconds(299_999))
        #expect(try client.fromPeer(data, to: relayed).count == 1)
        #expect(client.relayed(Client.indication(data, to: Client.peer)).count == 1)
        client.harness.wait(atMost: .milliseconds(1))
        // Neither data nor a Send renews it.
        #expect(try client.fromPeer(data, to: relayed).isEmpty)
        #expect(client.relayed(Client.indication(data, to: Client.peer)).isEmpty)
        _ = try client.permit(Client.peer)
        #expect(try client.fromPeer(data, to: relayed).count == 1)
    }

    @Test func severalPeersArePermittedAtOnceOrNoneOfThem() throws {
        let client = try Client.allocated()
        let relayed = try relayed(client)
        let second = Endpoint(IPAddress(10, 0, 0, 9), 1)
        let forbidden = Endpoint(IPAddress(8, 8, 8, 8), 1)
        #expect(try client.permit(Client.peer, forbidden).code == 403)
        #expect(try client.fromPeer(data, to: relayed).isEmpty)
        #expect(try client.permit(Client.peer, second).code == nil)
        #expect(try client.fromPeer(data, to: relayed).count == 1)
        #expect(try client.fromPeer(data, second, to: relayed).count == 1)
    }

    @Test func aPermissionWithoutAPeerIs400() throws {
        let client = try Client.allocated()
        #expect(try client.ask(.createPermission).code == 400)
        #expect(try client.ask(.createPermission) { $0.appendRaw(.xorPeerAddress, [0, 1, 2]) }.code == 400)
    }

    @Test(
        arguments: [
            "8.8.8.8", "203.0.113.5", "0.0.0.0", "0.0.0.1", "224.0.0.1", "255.255.255.255", "169.254.169.254",
            "240.0.0.1",
        ])
    func peersThatAreNotPrivateAre403(address: String) throws {
        let client = try Client.allocated()
        let peer = Endpoint(try #require(IPAddress(address)), 4000)
        #expect(try client.permit(peer).code == 403)
        #expect(try client.bind(0x4000, to: peer).code == 403)
    }

    @Test(
        arguments: [
            "2001:4860:4860::8888", "fe80::1", "ff02::1", "::", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
            "2002:808:808::1", "64:ff9b::808:808", "2002:a00:9::1", "2002:7f00:1::1", "64:ff9b::a00:9",
        ])
    func peersThatAreNotPrivateAre403OnIPv6(address: String) throws {
        let client = try Client(try Client.server())
        _ = try client.allocate { $0.append(.requestedAddressFamily, .ipv6) }
        #expect(try client.permit(Endpoint(try #require(IPAddress(address)), 4000)).code == 403)
    }

    @Test(arguments: ["127.0.0.1", "10.1.2.3", "172.31.255.255", "192.168.0.1", "100.64.0.1"])
    func privatePeersArePermitted(address: String) throws {
        let client = try Client.allocated()
        #expect(try client.permit(Endpoint(try #require(IPAddress(address)), 0)).code == nil)
    }

    /// A public address is no peer, and that of the server's own relays is: data goes to a relay's port alone.
    @Test func relayOfTheServerIsAPeerAndNothingElseAtItsAddress() throws {
        let client = try Client.allocated()
        let relay = Endpoint(ServerHarness.primary, try relayed(client).port)
        #expect(try client.permit(relay).code == nil)
        #expect(client.relayed(Client.indication(data, to: relay)).map(\.destination) == [relay])
        #expect(client.relayed(Client.indication(data, to: Endpoint(relay.address, 53))).isEmpty)
    }

    /// No NAT sends a server's own packets back to it.
    @Test func relaysBehindANATReachEachOtherWithinTheServer() throws {
        let external = IPAddress(203, 0, 113, 77)
        let harness = try Client.server {
            $0.relays = [.init(bound: ServerHarness.primary, advertised: external)]
        }
        let one = try Client(harness)
        let other = try Client(harness, from: Endpoint(ServerHarness.client.address, ServerHarness.client.port + 1))
        let relay = try #require(try one.allocate().relayed.first)
        let peer = try #require(try other.allocate().relayed.first)
        #expect(try one.permit(peer).code == nil)
        var before = harness.sent.count
        _ = one.send(Client.indication(data, to: peer))
        #expect(harness.sent.count == before)
        #expect(try other.permit(relay).code == nil)
        before = harness.sent.count
        _ = one.send(Client.indication(data, to: peer))
        let arrived = try #require(harness.sent.last)
        #expect(harness.sent.count == before + 1 && arrived.destination == other.source)
        #expect(try self.peer(of: arrived.bytes) == relay)
    }

    @Test func anyPeerMayBePermittedButNoneThatIsNoHost() throws {
        let client = try Client.allocated { $0.allowsAnyPeer = true }
        #expect(try client.permit(Endpoint(IPAddress(8, 8, 8, 8), 0)).code == nil)
        for address in [IPAddress(0, 0, 0, 0), IPAddress(224, 0, 0, 1), IPAddress(255, 255, 255, 255)] {
            #expect(try client.permit(Endpoint(address, 0)).code == 403)
        }
    }

    @Test func aPeerOfAnotherFamilyIs443() throws {
        let client = try Client.allocated()
        let peer = Endpoint(IPAddress(v6: 1), 4000)
        #expect(try client.permit(peer).code == 443)
        #expect(try client.bind(0x4000, to: peer).code == 443)
    }

    @Test func permissionsAndChannelsAreBounded() throws {
        let client = try Client.allocated {
            $0.permissionsPerAllocation = 3
            $0.channelsPerAllocation = 2
        }
        func address(_ number: UInt8) -> Endpoint { Endpoint(IPAddress(10, 0, 0, number), 4000) }
        #expect(try client.bind(0x4000, to: address(1)).code == nil)
        #expect(try client.bind(0x4001, to: address(2)).code == nil)
        #expect(try client.bind(0x4002, to: address(3)).code == 508)
        #expect(try client.permit(address(3)).code == nil)
        #expect(try client.permit(address(4)).code == 508)
        #expect(try client.bind(0x4000, to: address(1)).code == nil)
        // What has run out makes room.
        client.harness.wait(atMost: .seconds(301))
        #expect(try client.permit(address(4), address(5), address(6)).code == nil)
    }

    // MARK: Channels

    @Test(arguments: [false, true])
    func aChannelCarriesDataBothWays(overTCP: Bool) throws {
        let client = try Client.allocated(overTCP: overTCP)
        let relayed = try relayed(client)
        #expect(try client.bind(0x4001, to: Client.peer).messageClass == .successResponse)
        let frame = ChannelData(channel: 0x4001, data: data).encoded(padded: overTCP)
        let sent = client.relayed(frame)
        #expect(sent.map(\.destination) == [Client.peer])
        #expect(sent.map(\.bytes) == [data])
        // Five bytes are padded to eight on a stream, and not in a datagram.
        #expect(try client.fromPeer(data, to: relayed) == [[0x40, 0x01, 0, 5] + data + (overTCP ? [0, 0, 0] : [])])
        // From another port of the peer, it is no data of the channel.
        let other = Endpoint(Client.peer.address, 4001)
        #expect(try peer(of: try client.fromPeer(data, other, to: relayed)[0]) == other)
        // Send indications go on to work.
        #expect(client.relayed(Client.indication(data, to: Client.peer)).count == 1)
    }

    @Test func framesThatComeInPiecesAndTogetherAreToldApart() throws {
        let client = try Client.allocated(overTCP: true)
        _ = try client.bind(0x4001, to: Client.peer)
        let stream = (1...5).flatMap {
            ChannelData(channel: 0x4001, data: [UInt8](repeating: 7, count: $0)).encoded(padded: true)
        }
        #expect(client.relayed(stream).map(\.bytes.count) == [1, 2, 3, 4, 5])
        #expect(stream.flatMap { client.relayed([$0]) }.map(\.bytes.count) == [1, 2, 3, 4, 5])
    }

    @Test func channelDataWithoutAnAllocationEndsAConnection() throws {
        let client = try Client(try Client.server(), overTCP: true)
        _ = client.send(ChannelData(channel: 0x4001, data: data).encoded(padded: true))
        #expect(client.harness.closed.contains(client.path))
    }

    @Test(arguments: [0x0000, 0x3FFF, 0x5000, 0x7FFF, 0xFFFF] as [UInt16])
    func aChannelOutOfRangeIs400(channel: UInt16) throws {
        let client = try Client.allocated()
        #expect(try client.bind(channel, to: Client.peer).code == 400)
    }

    @Test func aChannelHasOnePeerAndAPeerOneChannel() throws {
        let client = try Client.allocated()
        let other = Endpoint(Client.peer.address, 4001)
        #expect(try client.bind(0x4000, to: Client.peer).code == nil)
        #expect(try client.bind(0x4000, to: other).code == 400)
        #expect(try client.bind(0x4001, to: Client.peer).code == 400)
        #expect(try client.bind(0x4001, to: other).code == nil)
        #expect(try client.ask(.channelBind) { $0.append(.channelNumber, 0x4002) }.code == 400)
        #expect(try client.ask(.channelBind) { $0.append(.xorPeerAddress, Client.peer) }.code == 400)
    }

    @Test func aChannelLivesSixHundredSecondsAndItsPermissionThreeHundred() throws {
        let client = try Client.allocated()
        let relayed = try relayed(client)
        let frame = ChannelData(channel: 0x4000, data: data).encoded(padded: false)
        _ = try client.refresh(3600)
        _ = try client.bind(0x4000, to: Client.peer)
        client.harness.wait(atMost: .seconds(300))
        #expect(client.relayed(frame).isEmpty)
        _ = try client.permit(Client.peer)
        #expect(client.relayed(frame).count == 1)
        client.harness.wait(atMost: .milliseconds(299_999))
        #expect(client.relayed(frame).count == 1)
        client.harness.wait(atMost: .milliseconds(1))
        _ = try client.permit(Client.peer)
        #expect(client.relayed(frame).isEmpty)
        #expect(try peer(of: try client.fromPeer(data, to: relayed)[0]) == Client.peer)
        // The number is free for another peer, and the peer for another number.
        #expect(try client.bind(0x4000, to: Endpoint(Client.peer.address, 4001)).code == nil)
        #expect(try client.bind(0x4001, to: Client.peer).code == nil)
    }

    // MARK: What is dropped

    @Test func whatIsNoDataForAPeerIsDropped() throws {
        let client = try Client.allocated()
        _ = try client.permit(Client.peer)
        _ = try client.bind(0x4000, to: Client.peer)
        var withoutPeer = MessageBuilder(.indication, .send, TransactionID(high: 1, low: 1))
        withoutPeer.append(.data, data)
        var withoutData = MessageBuilder(.indication, .send, TransactionID(high: 1, low: 2))
        withoutData.append(.xorPeerAddress, Client.peer)
        var unfragmented = MessageBuilder(.indication, .send, TransactionID(high: 1, low: 3))
        unfragmented.append(.xorPeerAddress, Client.peer)
        unfragmented.append(.data, data)
        unfragmented.append(.dontFragment, true)
        let frames: [[UInt8]] = [
            withoutPeer.bytes, withoutData.bytes, unfragmented.bytes,
            Client.indication(data, to: Endpoint(Client.peer.address, 0)),
            ChannelData(channel: 0x4001, data: data).encoded(padded: false), [0x40, 0x00, 0, 9, 1],
            [0x40, 0x00, 0],
        ]
        for (number, frame) in frames.enumerated() { #expect(client.relayed(frame).isEmpty, "frame \(number)") }
        // Nothing, said on a channel, is something.
        #expect(client.relayed(ChannelData(channel: 0x4000, data: []).encoded(padded: false)).map(\.bytes) == [[]])
    }

    @Test func dataOfAnotherClientIsNotRelayed() throws {
        let client = try Client.allocated()
        _ = try client.permit(Client.peer)
        let other = try Client(client.harness, from: Endpoint(IPAddress(198, 51, 100, 8), 40_000))
        #expect(other.relayed(Client.indication(data, to: Client.peer)).isEmpty)
    }

    @Test(arguments: [65_400, 65_401, 65_507])
    func dataThatDoesNotFitAroundItsHeaderIsDropped(size: Int) throws {
        let client = try Client.allocated()
        let relayed = try relayed(client)
        _ = try client.permit(Client.peer)
        let arrived = try client.fromPeer([UInt8](repeating: 1, count: size), to: relayed)
        #expect(arrived.count == (size <= 65_400 ? 1 : 0))
        #expect(arrived.allSatisfy { $0.count <= 65_507 })
    }

    @Test func anICMPMessageIsPassedOn() throws {
        let client = try Client.allocated()
        let relay = try #require(client.harness.path(.datagram, at: try relayed(client)))
        _ = try client.permit(Client.peer)
        func fails(_ destination: Endpoint) -> [Transmit] {
            let sent = client.harness.sent.count
            let origin = PathError.Origin.icmp(from: destination.address)
            client.harness.handle(
                .pathError(PathError(path: relay, kind: .portUnreachable, origin: origin, destination: destination)))
            return Array(client.harness.sent[sent...])
        }
        let told = fails(Client.peer)
        #expect(told.map(\.destination) == [client.source])
        let message = try Message(decoding: try #require(told.first).bytes)
        #expect(message.method == .data)
        #expect(try message.value(.icmp) == RelayedICMP(type: 3, code: 3, data: 0))
        #expect(try message.value(.xorPeerAddress) == Client.peer)
        #expect(message.first(.data) == nil)
        #expect(fails(Endpoint(IPAddress(10, 9, 9, 9), 1)).isEmpty)
    }

    @Test func aRelayIsNoClient() throws {
        let client = try Client.allocated()
        let relayed = try relayed(client)
        let loop = try Client(client.harness, from: relayed)
        loop.nonce = client.nonce
        #expect(loop.send(loop.signed(.allocate) { $0.append(.requestedTransport, 17) }).isEmpty)
        // To ask for its own address is harmless.
        #expect(loop.send(RawMessage.request.bytes).count == 1)
    }

    @Test func bindingIsServedAsBefore() throws {
        let client = try Client.allocated()
        let answers = client.send(RawMessage.request.fingerprinted.bytes)
        #expect(answers.compactMap { RawMessage($0)?.endpoint(RawMessage.xorMappedAddress) } == [client.source])
    }
}
