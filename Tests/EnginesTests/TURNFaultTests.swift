import NetTypes
import STUN
import Testing

@testable import Engines

@Suite struct TURNFaultTests {
    private let peer = TURNHarness.peer

    private func allocated(
        _ server: TURNServer = TURNServer(), _ configuration: TURNConfiguration = TURNHarness.configuration()
    ) -> TURNHarness {
        var harness = TURNHarness(server, configuration)
        harness.client.createPermission(for: [peer.address])
        harness.run(for: .seconds(1))
        return harness
    }

    // MARK: Data

    /// T05.
    @Test func dataThatNobodyAskedForIsDroppedAndCounted() {
        var harness = allocated()
        let stranger = Endpoint(IPAddress(203, 0, 113, 99), 1)
        harness.inject(TURNServer.dataIndication(stranger, [1]))
        harness.inject(TURNServer.dataIndication(stranger, [2]))
        harness.inject(ChannelData(channel: 0x4000, data: [1]).encoded(padded: false))
        harness.inject(ChannelData(channel: 0x5000, data: [1]).encoded(padded: false))
        harness.inject([0x40, 0x00, 0xFF, 0xFF, 1])
        harness.inject([0x3F, 0xFF, 0x00, 0x01, 1])
        var empty = MessageBuilder(.indication, .data, TransactionID(high: 1, low: 1))
        empty.append(.xorPeerAddress, peer)
        harness.inject(empty.bytes)
        harness.inject(MessageBuilder(.request, .binding, TransactionID(high: 1, low: 1)).bytes)
        harness.inject(MessageBuilder(.indication, .send, TransactionID(high: 1, low: 1)).bytes)
        harness.inject(MessageBuilder(.successResponse, .refresh, TransactionID(high: 1, low: 1)).bytes)
        #expect(harness.received.isEmpty)
        #expect(
            harness.client.discards == [
                .peerWithoutPermission: 2, .unknownChannel: 1, .malformedChannelData: 2, .malformed: 1,
                .malformedIndication: 1, .noResponse: 2, .noTransaction: 1,
            ])
        // A flood is one event of each kind.
        #expect(harness.events.filter { if case .discarded = $0.event { true } else { false } }.count == 7)
    }

    @Test func badFingerprintIsDropped() {
        var harness = allocated()
        var bytes = TURNServer.dataIndication(peer, [1])
        var builder = MessageBuilder(.indication, .data, TransactionID(high: 1, low: 2))
        builder.append(.xorPeerAddress, peer)
        builder.append(.data, [1])
        builder.appendFingerprint()
        bytes = builder.bytes
        harness.inject(bytes)
        #expect(harness.received.count == 1)
        bytes[bytes.count - 1] ^= 1
        harness.inject(bytes)
        #expect(harness.received.count == 1 && harness.client.discards == [.badFingerprint: 1])
    }

    @Test func icmpAtTheRelayIsTold() {
        var harness = allocated()
        var builder = MessageBuilder(.indication, .data, TransactionID(high: 1, low: 2))
        builder.append(.xorPeerAddress, peer)
        builder.append(.icmp, RelayedICMP(type: 3, code: 3, data: 0))
        harness.inject(builder.bytes)
        #expect(
            harness.events.contains { $0.event == .relayedICMP(RelayedICMP(type: 3, code: 3, data: 0), peer: peer) })
    }

    @Test func channelDataThatOvertakesItsConfirmationIsTaken() {
        var harness = allocated()
        harness.client.bindChannel(to: peer)
        harness.inject(ChannelData(channel: 0x4000, data: [7]).encoded(padded: false))
        #expect(harness.received == [TURNReceived(peer: peer, bytes: [7], channel: 0x4000)])
    }

    @Test func datagramBeforeTheAllocationIsNoData() {
        var harness = TURNHarness()
        harness.client.createPermission(for: [peer.address])
        harness.inject(TURNServer.dataIndication(peer, [1]))
        harness.inject(ChannelData(channel: 0x4000, data: [1]).encoded(padded: false))
        #expect(harness.received.isEmpty && harness.client.discards == [.withoutAllocation: 2])
    }

    // MARK: Refusals

    @Test func refusedPermissionAndChannelAreToldApartAndTheAllocationLivesOn() {
        var server = TURNServer()
        server.errors = [.createPermission: 403, .channelBind: 508]
        var harness = TURNHarness(server)
        harness.client.createPermission(for: [peer.address])
        harness.client.bindChannel(to: peer)
        harness.run(for: .seconds(1))
        #expect(harness.failures.map(\.stage) == [.permission([peer.address]), .channel(peer)])
        let codes = harness.failures.compactMap {
            if case .errorResponse(let error) = $0.failure { error.code } else { nil }
        }
        #expect(codes == [403, 508] && !harness.client.isFinished)
        let way = harness.client.send([1], to: peer)
        #expect(way == .indication)
        harness.inject(TURNServer.dataIndication(peer, [1]))
        #expect(harness.client.discards == [.peerWithoutPermission: 1])
    }

    @Test func refusedRefreshIsToldAndALostAllocationIsTheEnd() {
        var harness = allocated()
        harness.server.errors = [.refresh: 437]
        harness.client.refresh()
        harness.run(for: .seconds(1))
        #expect(harness.failures.map(\.stage) == [.refresh] && harness.client.isFinished)
        #expect(harness.deletion == nil)
    }

    @Test func silentRefreshLeavesTheAllocationToItsLifetime() {
        var harness = allocated()
        harness.losesFromClient = { _ in true }
        harness.client.refresh()
        harness.run(for: .seconds(700))
        #expect(harness.failures.first?.stage == .refresh)
        #expect(harness.events.last?.event == .expired && harness.client.isFinished)
    }

    /// D13.
    @Test func unknownAttributeThatMustBeUnderstoodMakesASuccessUnusable() {
        let unknown = AttributeType(rawValue: 0x7777)
        var server = TURNServer()
        server.override = { message, server in
            guard message.method == .allocate, message.first(.realm) != nil else { return nil }
            return [
                server.success(message) {
                    $0.append(.xorRelayedAddress, server.relayed[0])
                    $0.appendRaw(unknown, [1, 2, 3, 4])
                }
            ]
        }
        let harness = allocated(server)
        #expect(harness.failures.map(\.failure) == [.unknownAttributes([unknown])])
        #expect(harness.allocated == nil && harness.client.isFinished)
    }

    /// D17.
    @Test func errorWithoutASensibleCodeIsMalformed() {
        for value in [nil, [0, 0, 7, 1], [0, 0, 4, 100], [0, 0]] as [[UInt8]?] {
            var server = TURNServer()
            server.override = { message, _ in
                var builder = MessageBuilder(.errorResponse, message.method, message.transactionID)
                if let value { builder.appendRaw(.errorCode, value) }
                return [builder.bytes]
            }
            let harness = allocated(server)
            guard case .malformed(let text)? = harness.failures.first?.failure else {
                Issue.record("\(harness.failures)")
                return
            }
            #expect(text.contains("ERROR-CODE") && harness.sent.count == 1)
        }
    }

    @Test func unknownAttributesOfARefusalAreTold() {
        var server = TURNServer()
        server.override = { message, server in
            guard message.first(.realm) != nil else { return nil }
            var builder = MessageBuilder(.errorResponse, message.method, message.transactionID)
            builder.append(.errorCode, ErrorCode(420))
            builder.append(.unknownAttributes, [.dontFragment])
            return [server.signed(builder, .signed)]
        }
        let harness = allocated(server)
        guard case .errorResponse(let error)? = harness.failures.first?.failure else {
            Issue.record("\(harness.failures)")
            return
        }
        #expect(error.code == 420 && error.unknownAttributes == [.dontFragment])
    }

    // MARK: Relayed addresses

    /// R06.
    @Test(arguments: [
        (Endpoint(IPAddress(0, 0, 0, 0), 5000), TURNUnusableAddress.Reason.noHost(.unspecified)),
        (Endpoint(IPAddress(224, 0, 0, 1), 5000), .noHost(.multicast)),
        (Endpoint(IPAddress(8, 8, 8, 8), 0), .portZero),
        (Endpoint(IPAddress(10, 0, 0, 1), 5000), .notGlobal(.privateUse)),
        (Endpoint(IPAddress(127, 0, 0, 1), 5000), .notGlobal(.loopback)),
        (Endpoint(IPAddress(v6: 0xFFFF_7F00_0001), 5000), .notGlobal(.loopback)),
    ])
    func unusableRelayedAddressIsAVerdictAndTheAllocationIsDeleted(
        address: Endpoint, reason: TURNUnusableAddress.Reason
    ) {
        var configuration = TURNHarness.configuration()
        configuration.server = IPAddress(9, 9, 9, 9)
        var server = TURNServer()
        server.relayed = [address]
        let harness = allocated(server, configuration)
        #expect(
            harness.failures.map(\.failure)
                == [.unusableRelayedAddress([TURNUnusableAddress(address: address, reason: reason)])])
        #expect(harness.deletion == .confirmed && !harness.server.isAllocated)
        #expect(!harness.events.contains { $0.event.isAllocated })
    }

    @Test func insideAddressOfAnInsideServerIsUsed() {
        var configuration = TURNHarness.configuration()
        configuration.server = IPAddress(127, 0, 0, 1)
        var server = TURNServer()
        server.relayed = [Endpoint(IPAddress(127, 0, 0, 1), 5000)]
        #expect(allocated(server, configuration).allocated != nil)
    }

    @Test func missingRelayedAddressAndTheWrongFamilyAreNoAllocation() {
        var server = TURNServer()
        server.relayed = []
        #expect(
            allocated(server).failures.map(\.failure)
                == [.unusableRelayedAddress([TURNUnusableAddress(address: nil, reason: .missing)])])
        var configuration = TURNHarness.configuration()
        configuration.families = .only(.ipv6)
        let good = TURNServer()
        #expect(
            allocated(good, configuration).failures.map(\.failure)
                == [.unusableRelayedAddress([TURNUnusableAddress(address: good.relayed[0], reason: .wrongFamily)])])
    }

    // MARK: Redirects

    @Test func redirectIsHandedToTheOwner() {
        let target = Endpoint(IPAddress(8, 8, 4, 4), 3478)
        var server = TURNServer()
        server.override = { message, server in
            guard message.first(.realm) != nil else { return nil }
            var builder = MessageBuilder(.errorResponse, message.method, message.transactionID)
            builder.append(.errorCode, ErrorCode(300))
            builder.append(.alternateServer, target)
            builder.append(.alternateDomain, "turn.example.net")
            return [server.signed(builder, .signed)]
        }
        let harness = allocated(server)
        #expect(
            harness.failures.map(\.failure) == [
                .redirected(
                    TURNRedirect(server: target, domain: Array("turn.example.net".utf8), isAuthenticated: true))
            ])
        #expect(harness.client.isFinished && harness.sent.count == 2)
    }

    // MARK: Driving

    @Test func hastenedRequestIsSentEarlyAndTheKernelsTimeCounts() throws {
        var harness = TURNHarness()
        harness.drain()
        harness.client.hasten(to: .zero + .milliseconds(5))
        #expect(harness.client.nextWake == .zero + .milliseconds(5))
        harness.client.left(harness.sent[0].bytes, at: .zero + .milliseconds(2))
        harness.run(for: .milliseconds(20)) { $0.server.requests.count == 2 }
        #expect(harness.sentTimes.prefix(2) == [0, 5])
        harness.client.abandon()
        #expect(harness.client.isFinished && harness.client.nextWake == nil)
    }
}
