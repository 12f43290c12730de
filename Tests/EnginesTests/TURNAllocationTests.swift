import NetTypes
import STUN
import Testing

@testable import Engines

@Suite struct TURNAllocationTests {
    private let peer = TURNHarness.peer

    @Test(arguments: [false, true])
    func allocationTakesTwoRoundTripsAndWhatFollowsIsPipelined(isReliable: Bool) throws {
        var harness = TURNHarness(TURNServer(), TURNHarness.configuration(isReliable: isReliable))
        harness.client.createPermission(for: [peer.address])
        let channel = harness.client.bindChannel(to: peer)
        let queued = harness.client.send([1, 2, 3], to: peer)
        #expect(channel == 0x4000 && queued == .queued)
        harness.run(for: .seconds(1))
        let allocated = try #require(harness.allocated)
        #expect(harness.time(\.isAllocated) == 40)
        #expect(allocated.roundTrips == 2 && allocated.elapsed == .milliseconds(40))
        #expect(allocated.roundTrip.duration == .milliseconds(20) && !allocated.roundTrip.isAmbiguous)
        #expect(allocated.relayedAddresses == [Endpoint(IPAddress(192, 0, 2, 9), 50000)])
        #expect(allocated.mappedAddress == Endpoint(IPAddress(198, 51, 100, 7), 40000))
        #expect(allocated.software == TURNServer.software)
        // Two Allocates; then permission, channel and data in one go, and all of it answered a round trip later.
        #expect(harness.sentTimes == [0, 20, 40, 40, 40])
        #expect(harness.server.methods == [.allocate, .allocate, .createPermission, .channelBind])
        #expect(harness.time(\.isPermitted) == 60 && harness.time(\.isBound) == 60)
        #expect(harness.received == [TURNReceived(peer: peer, bytes: [1, 2, 3], channel: nil)])
        #expect(harness.failures.isEmpty && harness.client.discards.isEmpty)
    }

    @Test func firstRequestIsUnsignedAndTheSecondCarriesTheCredential() throws {
        var harness = TURNHarness()
        harness.run(for: .seconds(1))
        let requests = harness.server.requests
        #expect(requests[0].attributes.map(\.type) == [.requestedTransport])
        #expect(
            requests[1].attributes.map(\.type) == [.requestedTransport, .username, .realm, .nonce, .messageIntegrity])
        #expect(requests[0].transactionID != requests[1].transactionID)
        let challenged = harness.events.compactMap {
            if case .challenged(let challenge) = $0.event { challenge } else { nil }
        }
        #expect(challenged.map(\.code) == [401])
        #expect(challenged.first?.realm == Array("example.org".utf8))
        #expect(challenged.first?.software == TURNServer.software)
    }

    @Test func boundChannelCarriesChannelDataPaddedOnStreamsOnly() throws {
        for isReliable in [false, true] {
            var harness = TURNHarness(TURNServer(), TURNHarness.configuration(isReliable: isReliable))
            harness.client.bindChannel(to: peer)
            harness.run(for: .seconds(1))
            let way = harness.client.send([1, 2, 3, 4, 5], to: peer)
            let other = harness.client.send([6], to: peer, usesChannel: false)
            #expect(way == .channel(0x4000) && other == .indication)
            harness.run(for: .seconds(1))
            let written = try #require(harness.sent.first { $0.bytes[0] == 0x40 }).bytes
            #expect(written.count == (isReliable ? 12 : 9))
            #expect(harness.received.map(\.bytes) == [[1, 2, 3, 4, 5], [6]])
            #expect(harness.received.map(\.channel) == [0x4000, nil])
            #expect(harness.server.sent.map(\.bytes) == [[1, 2, 3, 4, 5], [6]])
        }
    }

    @Test func lostDatagramsAreSentAgainAndLoseNothing() throws {
        var harness = TURNHarness()
        harness.losesFromClient = { $0 == 0 || $0 == 1 }
        harness.losesFromServer = { $0 == 1 }
        harness.run(for: .seconds(30))
        let allocated = try #require(harness.allocated)
        // 0, 500 lost; 1500 answered; then the signed one at 1520, whose answer is lost, and again at 2020.
        #expect(Array(harness.sentTimes.prefix(5)) == [0, 500, 1500, 1520, 2020])
        #expect(allocated.roundTrips == 2 && allocated.roundTrip.isAmbiguous && allocated.roundTrip.transmissions == 2)
        #expect(harness.sent[3].bytes == harness.sent[4].bytes)
        #expect(harness.client.transmissions == 5)
    }

    @Test func silenceEndsAfterThirtyNineAndAHalfSecondsOverBothKindsOfPath() {
        for (isReliable, count) in [(false, 7), (true, 1)] {
            var harness = TURNHarness(TURNServer(), TURNHarness.configuration(isReliable: isReliable))
            harness.losesFromClient = { _ in true }
            harness.run(for: .seconds(100))
            #expect(harness.failures.map(\.failure) == [.noAnswer(transmissions: count)])
            #expect(harness.time(\.isFailed) == 39500)
            #expect(harness.sent.count == count && harness.client.isFinished)
        }
    }

    @Test func everyOptionOfAnAllocateIsWritten() throws {
        var configuration = TURNHarness.configuration()
        configuration.lifetime = 120
        configuration.dontFragment = true
        configuration.families = .only(.ipv6)
        configuration.port = .even(reservingNext: true)
        configuration.software = Array("icecheck".utf8)
        configuration.relayTransport = .tcp
        var harness = TURNHarness(TURNServer(), configuration)
        harness.run(for: .milliseconds(30))
        let request = try #require(harness.server.requests.last)
        #expect(try request.value(.lifetime) == 120)
        #expect(try request.value(.requestedTransport) == 6)
        #expect(try request.value(.dontFragment) == true)
        #expect(try request.value(.requestedAddressFamily) == .ipv6)
        #expect(try request.value(.evenPort) == true)
        #expect(request.rawValue(.software) == Array("icecheck".utf8))
        configuration.port = .reserved(token: [1, 2, 3, 4, 5, 6, 7, 8])
        var second = TURNHarness(TURNServer(), configuration)
        second.run(for: .milliseconds(30))
        let reserving = try #require(second.server.requests.last)
        #expect(reserving.rawValue(.reservationToken) == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(reserving.first(.requestedAddressFamily) == nil && reserving.first(.evenPort) == nil)
    }

    @Test func dualAllocationHasOneAddressOfEachFamily() throws {
        var configuration = TURNHarness.configuration()
        configuration.families = .dual
        var server = TURNServer()
        let second = Endpoint(IPAddress(v6: 0x2001_0DB8 << 96 | 9), 50001)
        server.relayed.append(second)
        var harness = TURNHarness(server, configuration)
        harness.run(for: .seconds(1))
        #expect(try harness.server.requests[1].value(.additionalAddressFamily) == .ipv6)
        #expect(harness.allocated?.relayedAddresses == [server.relayed[0], second])
    }

    /// coturn sends a second relayed address of 0.0.0.0:0 beside the error of the other family.
    @Test func familyThatFailedInADualAllocationIsNamedAndItsEmptyAddressIsNotUsed() throws {
        var configuration = TURNHarness.configuration()
        configuration.families = .dual
        var server = TURNServer()
        let good = server.relayed[0]
        server.override = { message, server in
            guard message.method == .allocate, message.first(.realm) != nil else { return nil }
            return [
                server.success(message) {
                    $0.append(.xorRelayedAddress, good)
                    $0.append(.xorRelayedAddress, Endpoint(IPAddress(0, 0, 0, 0), 0))
                    $0.append(.addressErrorCode, AddressErrorCode(family: .ipv6, error: ErrorCode(440)))
                    $0.append(.lifetime, 600)
                }
            ]
        }
        var harness = TURNHarness(server, configuration)
        harness.run(for: .seconds(1))
        let allocated = try #require(harness.allocated)
        #expect(allocated.relayedAddresses == [good])
        #expect(allocated.unusableAddresses.map(\.reason) == [.noHost(.unspecified)])
        #expect(allocated.addressErrors.map(\.error.code) == [440] && allocated.addressErrors[0].family == .ipv6)
    }

    @Test func reservationTokenAndOpenRelayAreTold() throws {
        var configuration = TURNHarness.configuration()
        configuration.port = .even(reservingNext: true)
        var server = TURNServer()
        server.isOpen = true
        var harness = TURNHarness(server, configuration)
        harness.run(for: .seconds(1))
        let allocated = try #require(harness.allocated)
        #expect(allocated.reservationToken == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(allocated.authentication == nil && allocated.roundTrips == 1)
    }

    @Test func manyPermissionsGoIntoFewRequests() {
        var harness = TURNHarness()
        harness.client.createPermission(for: (0..<70).map { IPAddress(203, 0, 113, UInt8($0)) })
        harness.run(for: .seconds(1))
        #expect(harness.server.methods.filter { $0 == .createPermission }.count == 3)
        #expect(harness.server.permissions.count == 70)
    }

    @Test func moreDataThanADatagramHoldsIsRefused() {
        var harness = TURNHarness()
        harness.client.bindChannel(to: peer)
        harness.run(for: .seconds(1))
        let limit = TURNAllocation.dataLimit
        let over = harness.client.send([UInt8](repeating: 0, count: limit + 1), to: peer)
        let most = harness.client.send([UInt8](repeating: 0, count: limit), to: peer, usesChannel: false)
        #expect(over == .refused && most == .indication)
        harness.drain()
    }

    // MARK: Time

    @Test func anHourOfRefreshingKeepsAllocationPermissionsAndChannels() {
        var harness = TURNHarness()
        let other = IPAddress(203, 0, 113, 6)
        harness.client.createPermission(for: [other])
        harness.client.bindChannel(to: peer)
        harness.run(for: .seconds(3600))
        let methods = harness.server.methods
        // Every 540 s, from 40 ms, with 20 ms for each answer: six times in an hour.
        #expect(methods.filter { $0 == .refresh }.count == 6)
        // The permission of the channel runs out after 300 s as any other: both are renewed in one request, 240 s apart.
        #expect(methods.filter { $0 == .createPermission }.count == 1 + 14)
        #expect(methods.filter { $0 == .channelBind }.count == 1 + 6)
        #expect(harness.failures.isEmpty && harness.events.contains { $0.event.isRefreshed })
        #expect(harness.client.isFinished == false)
    }

    /// A channel lives 600 s, and the permission that came with it 300 s.
    @Test func permissionThatCameWithAChannelIsRenewedBeforeTheChannelIs() throws {
        var harness = TURNHarness()
        harness.client.bindChannel(to: peer)
        harness.run(for: .seconds(300))
        #expect(harness.server.methods == [.allocate, .allocate, .channelBind, .createPermission])
        #expect(try harness.server.requests.last?.value(.xorPeerAddress)?.address == peer.address)
        #expect(harness.sentTimes.last == 240_060)
    }

    @Test func nothingIsRefreshedWhereTheOwnerWantsToSeeItExpire() {
        var configuration = TURNHarness.configuration()
        configuration.refreshing.refreshesAllocation = false
        configuration.refreshing.permissions = nil
        configuration.refreshing.channels = nil
        var harness = TURNHarness(TURNServer(), configuration)
        harness.client.bindChannel(to: peer)
        harness.run(for: .seconds(3600))
        #expect(harness.server.methods == [.allocate, .allocate, .channelBind])
        #expect(harness.time { $0 == .expired } == 600_040)
        #expect(harness.client.isFinished)
    }

    @Test func nonceThatExpiresEachMinuteNeverAddsUpToAFailure() {
        var server = TURNServer()
        server.nonceUses = 2
        var harness = TURNHarness(server)
        harness.client.createPermission(for: [peer.address])
        harness.run(for: .seconds(3600))
        #expect(harness.failures.isEmpty)
        #expect(harness.server.nonceNumber > 8)
    }

    /// T03.
    @Test(arguments: [
        (UInt32?.none, Duration.seconds(600), Duration.seconds(540)),
        (0, .seconds(10), .seconds(5)),
        (1, .seconds(10), .seconds(5)),
        (100, .seconds(100), .seconds(50)),
        (4_294_967_295, .seconds(86_400), .seconds(86_340)),
    ])
    func oddLifetimesAreUsedButClamped(granted: UInt32?, used: Duration, refreshAfter: Duration) {
        var configuration = TURNHarness.configuration()
        configuration.lifetime = 120
        var server = TURNServer()
        server.lifetime = granted
        var harness = TURNHarness(server, configuration)
        harness.run(for: .seconds(100_000)) { $0.events.contains { $0.event.isRefreshed } }
        #expect(harness.allocated?.lifetime.granted == granted)
        #expect(harness.allocated?.lifetime.used == used)
        #expect(harness.time(\.isRefreshed) == 40 + refreshAfter.nanoseconds / 1_000_000 + 20)
    }

    // MARK: Deletion

    @Test func deletionIsConfirmedInARoundTrip() {
        var harness = TURNHarness()
        harness.run(for: .seconds(1))
        #expect(harness.server.isAllocated)
        harness.client.delete(at: harness.now)
        harness.run(for: .seconds(5))
        #expect(harness.deletion == .confirmed && !harness.server.isAllocated && harness.client.isFinished)
        #expect(harness.time { if case .deleted = $0 { true } else { false } } == 1020)
    }

    /// T06: silent, and never content with a nonce.
    @Test func deletionEndsInASecondAndAHalf() {
        var silent = TURNHarness()
        silent.run(for: .seconds(1))
        silent.losesFromClient = { _ in true }
        let before = silent.sent.count
        silent.client.delete(at: silent.now)
        silent.run(for: .seconds(60))
        // From three measured round trips of 20 ms, doubled as often as half the limit allows.
        #expect(silent.sentTimes.dropFirst(before) == [1000, 1060, 1180, 1420])
        #expect(silent.time { if case .deleted = $0 { true } else { false } } == 2500)
        #expect(silent.deletion == .unconfirmed(.milliseconds(600_040 - 2500)))
        #expect(silent.client.isFinished && silent.client.nextWake == nil)

        var stale = TURNHarness()
        stale.run(for: .seconds(1))
        stale.server.acceptsNonces = false
        stale.client.delete(at: stale.now)
        stale.run(for: .seconds(60))
        #expect(stale.failures.map(\.failure) == [.nonceNeverAccepted(newNonces: 3)])
        #expect(stale.client.isFinished)
    }

    @Test func deletionDuringTheSignedAllocateLeavesNothingBehind() {
        var harness = TURNHarness()
        harness.run(for: .milliseconds(25))
        harness.client.delete(at: harness.now)
        harness.run(for: .seconds(5))
        #expect(harness.deletion == .confirmed && !harness.server.isAllocated)
    }

    @Test func deletionBeforeAnySignedAllocateSendsNothing() {
        var harness = TURNHarness()
        harness.run(for: .milliseconds(5))
        harness.client.delete(at: harness.now)
        harness.run(for: .seconds(5))
        #expect(harness.deletion == .absent && harness.sent.count == 1)
    }

    /// The server may have made what it could not say.
    @Test func allocationWhoseSuccessNeverCameIsDeletedAllTheSame() {
        var harness = TURNHarness()
        harness.losesFromServer = { $0 >= 1 && $0 < 8 }
        harness.run(for: .seconds(100))
        #expect(harness.failures.map(\.failure) == [.noAnswer(transmissions: 7)])
        #expect(harness.deletion == .confirmed && !harness.server.isAllocated)
    }
}
