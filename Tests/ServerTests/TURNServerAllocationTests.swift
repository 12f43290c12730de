import NetTypes
import STUN
import Testing

@testable import Server

@Suite struct TURNServerAllocationTests {
    private typealias Client = TURNTestClient
    private let token: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

    // MARK: Allocate

    @Test(arguments: [false, true])
    func anAllocationIsMadeAndDescribed(overTCP: Bool) throws {
        let harness = try Client.server { $0.ports = 50_000...50_100 }
        let client = try Client(harness, overTCP: overTCP)
        let answer = try client.allocate()
        #expect(answer.messageClass == .successResponse)
        let relayed = try #require(answer.relayed.first)
        #expect(answer.relayed.count == 1)
        #expect(relayed.address == ServerHarness.primary)
        #expect((50_000...50_100).contains(relayed.port))
        #expect(try answer.value(.xorMappedAddress) == client.source)
        #expect(answer.lifetime == 600)
        #expect(harness.path(.datagram, at: relayed) != nil)
        let described = TURNServerEvent.Allocation(
            client: client.source, transport: overTCP ? .tcp : .udp, username: "user", relayed: [relayed])
        #expect(harness.allocationEvents == [.made(described, lifetime: 600)])
        #expect(harness.server.allocations?.left == 1)
    }

    @Test(
        arguments: [(nil, 600), (0, 600), (1, 600), (700, 700), (3600, 3600), (UInt32.max, 3600)] as [(UInt32?, UInt32)]
    )
    func theLifetimeIsNoLessThanTheDefaultAndNoMoreThanTheMost(asked: UInt32?, granted: UInt32) throws {
        let client = try Client(try Client.server())
        #expect(try client.allocate { if let asked { $0.append(.lifetime, asked) } }.lifetime == granted)
        if asked != 0 { #expect(try client.refresh(asked).lifetime == granted) }
    }

    @Test func aRequestedFamilyIsGiven() throws {
        let client = try Client(try Client.server())
        let answer = try client.allocate { $0.append(.requestedAddressFamily, .ipv6) }
        #expect(answer.relayed.map(\.address) == [Client.sixth])
    }

    @Test func anIPv6ClientGetsIPv4UnlessItAsks() throws {
        let client = try Client(try Client.server(), from: Endpoint(IPAddress(v6: 0x2001_0DB8 << 96 | 77), 5000))
        #expect(try client.allocate().relayed.map(\.address) == [ServerHarness.primary])
    }

    @Test func bothFamiliesAreGivenToWhoAsksForAnAdditionalOne() throws {
        let client = try Client(try Client.server())
        let answer = try client.allocate { $0.append(.additionalAddressFamily, .ipv6) }
        #expect(answer.relayed.map(\.address) == [ServerHarness.primary, Client.sixth])
        #expect(answer.first(.addressErrorCode) == nil)
    }

    @Test func anAdditionalFamilyThatIsNotThereIsSaid() throws {
        let client = try Client(try Client.server { $0.relays.removeLast() })
        let answer = try client.allocate { $0.append(.additionalAddressFamily, .ipv6) }
        #expect(answer.relayed.map(\.address) == [ServerHarness.primary])
        #expect(try answer.value(.addressErrorCode) == AddressErrorCode(family: .ipv6, error: ErrorCode(440)))
    }

    @Test func anEvenPortIsEvenAndTheNextIsKept() throws {
        let harness = try Client.server()
        let first = try Client(harness)
        let answer = try first.allocate { $0.append(.evenPort, true) }
        let even = try #require(answer.relayed.first)
        #expect(even.port % 2 == 0)
        let token = try #require(answer.rawValue(.reservationToken))
        #expect(token.count == 8)
        let second = try Client(harness, from: Endpoint(IPAddress(198, 51, 100, 8), 40_000))
        let next = try second.allocate { $0.append(.reservationToken, token) }
        #expect(next.relayed == [Endpoint(ServerHarness.primary, even.port + 1)])
        // A token is good once.
        let third = try Client(harness, from: Endpoint(IPAddress(198, 51, 100, 9), 40_000))
        #expect(try third.allocate { $0.append(.reservationToken, token) }.code == 508)
    }

    @Test func aReservationEndsAfterThirtySecondsAndItsSocketWithIt() throws {
        let harness = try Client.server()
        let first = try Client(harness)
        let answer = try first.allocate { $0.append(.evenPort, true) }
        let token = try #require(answer.rawValue(.reservationToken))
        let next = Endpoint(ServerHarness.primary, try #require(answer.relayed.first).port + 1)
        #expect(harness.path(.datagram, at: next) != nil)
        harness.wait(atMost: .seconds(31))
        #expect(harness.path(.datagram, at: next) == nil)
        let second = try Client(harness, from: Endpoint(IPAddress(198, 51, 100, 8), 40_000))
        #expect(try second.allocate { $0.append(.reservationToken, token) }.code == 508)
    }

    @Test func aReservationIsItsUsersAlone() throws {
        let harness = try Client.server()
        let first = try Client(harness)
        let token = try #require(try first.allocate { $0.append(.evenPort, true) }.rawValue(.reservationToken))
        let second = try Client(harness, from: Endpoint(IPAddress(198, 51, 100, 8), 40_000))
        second.username = "other"
        second.password = "pen"
        #expect(try second.allocate { $0.append(.reservationToken, token) }.code == 508)
    }

    @Test func aPortThatAnotherHasIsPassedOver() throws {
        let harness = try Client.server { $0.ports = 50_000...50_003 }
        harness.portsInUse = [50_000, 50_001, 50_002]
        #expect(try Client(harness).allocate().relayed.map(\.port) == [50_003])
        #expect(harness.paths.keys.filter { $0.number >= 0x4000_0000 }.count == 1)
    }

    @Test(arguments: 0..<20)
    func twoPortsSideBySideAreFoundAmongThoseThatOthersHave(attempt: UInt16) throws {
        let harness = try Client.server { $0.ports = 50_000...50_007 }
        harness.portsInUse = [50_001, 50_002, 50_004 + attempt % 2]
        let client = try Client(harness, from: Endpoint(ServerHarness.client.address, 40_000 + attempt))
        let answer = try client.allocate { $0.append(.evenPort, true) }
        #expect(answer.relayed.map(\.port) == [50_006])
        #expect(answer.rawValue(.reservationToken) != nil)
        let open = harness.paths.filter { $0.key.number >= 0x4000_0000 }.compactMap(\.value.local?.port)
        #expect(open.sorted() == [50_006, 50_007])
    }

    @Test func wherePortsRunOutTheAnswerIs508() throws {
        let harness = try Client.server { $0.ports = 50_000...50_001 }
        harness.portsInUse = [50_000, 50_001]
        let client = try Client(harness)
        #expect(try client.allocate().code == 508)
        #expect(harness.allocationEvents == [.refused(client.source, .allocate, code: 508)])
        harness.portsInUse = []
        #expect(try client.allocate().code == nil)
    }

    @Test func anExternalAddressIsTold() throws {
        let external = IPAddress(203, 0, 113, 77)
        let harness = try Client.server {
            $0.relays = [.init(bound: ServerHarness.primary, advertised: external)]
        }
        let client = try Client(harness)
        let relayed = try #require(try client.allocate().relayed.first)
        #expect(relayed.address == external)
        #expect(harness.path(.datagram, at: Endpoint(ServerHarness.primary, relayed.port)) != nil)
    }

    // MARK: What is refused

    private typealias Fill = @Sendable (inout MessageBuilder) -> Void

    @Test func allocatesThatMakeNoSenseAreRefused() throws {
        let cases: [(code: Int, fill: Fill)] = [
            (400, { _ in }),
            (400, { $0.appendRaw(.requestedTransport, [17]) }),
            (442, { $0.append(.requestedTransport, 6) }),
            (442, { $0.append(.requestedTransport, 132) }),
            (
                400,
                {
                    $0.append(.requestedTransport, 17)
                    $0.appendRaw(.lifetime, [1])
                }
            ),
            (
                440,
                {
                    $0.append(.requestedTransport, 17)
                    $0.appendRaw(.requestedAddressFamily, [9, 0, 0, 0])
                }
            ),
            (
                400,
                {
                    $0.append(.requestedTransport, 17)
                    $0.append(.requestedAddressFamily, .ipv4)
                    $0.append(.additionalAddressFamily, .ipv6)
                }
            ),
            (
                400,
                {
                    $0.append(.requestedTransport, 17)
                    $0.append(.additionalAddressFamily, .ipv4)
                }
            ),
            (
                400,
                {
                    $0.append(.requestedTransport, 17)
                    $0.append(.evenPort, true)
                    $0.append(.additionalAddressFamily, .ipv6)
                }
            ),
            (
                400,
                {
                    $0.append(.requestedTransport, 17)
                    $0.append(.evenPort, false)
                    $0.append(.reservationToken, [1, 2, 3, 4, 5, 6, 7, 8])
                }
            ),
            (
                400,
                {
                    $0.append(.requestedTransport, 17)
                    $0.append(.requestedAddressFamily, .ipv4)
                    $0.append(.reservationToken, [1, 2, 3, 4, 5, 6, 7, 8])
                }
            ),
            (
                508,
                {
                    $0.append(.requestedTransport, 17)
                    $0.append(.reservationToken, [1, 2, 3, 4, 5, 6, 7, 8])
                }
            ),
        ]
        for (number, (code, fill)) in cases.enumerated() {
            let client = try Client(try Client.server())
            let answer = try client.ask(.allocate, fill)
            #expect(answer.code == code, "case \(number)")
            #expect(client.isSigned(answer), "case \(number)")
            #expect(client.harness.server.allocations?.made == 0)
        }
    }

    @Test func aFamilyWithoutARelayIs440() throws {
        let client = try Client(try Client.server { $0.relays.removeLast() })
        #expect(try client.allocate { $0.append(.requestedAddressFamily, .ipv6) }.code == 440)
    }

    @Test func whatMustBeUnderstoodAndIsNotIsNamed() throws {
        let client = try Client(try Client.server())
        let answer = try client.allocate {
            $0.append(.dontFragment, true)
            $0.appendRaw(AttributeType(rawValue: 0x7ABC), [1, 2, 3])
            $0.appendRaw(AttributeType(rawValue: 0xFABC), [1, 2, 3])
        }
        #expect(answer.code == 420)
        #expect(try answer.value(.unknownAttributes) == [.dontFragment, AttributeType(rawValue: 0x7ABC)])
        #expect(client.isSigned(answer))
    }

    @Test func aFiveTupleHasOneAllocation() throws {
        let client = try Client.allocated()
        #expect(try client.allocate().code == 437)
        #expect(client.harness.server.allocations?.made == 1)
    }

    @Test func aRetransmittedAllocateGetsTheSameAnswer() throws {
        let client = try Client(try Client.server())
        try client.learnNonce()
        let request = client.signed(.allocate) { $0.append(.requestedTransport, 17) }
        let first = try client.answer(request)
        #expect(try client.answer(request) == first)
        #expect(client.harness.server.allocations?.made == 1)
        client.harness.wait(atMost: .seconds(41))
        #expect(try client.answer(request).code == 437)
    }

    @Test func aRetransmittedDeletionGetsTheSameAnswer() throws {
        let client = try Client.allocated()
        let request = client.signed(.refresh) { $0.append(.lifetime, 0) }
        let first = try client.answer(request)
        #expect(first.lifetime == 0)
        #expect(try client.answer(request) == first)
        #expect(try client.refresh(0).code == 437)
        #expect(client.harness.server.allocations?.deleted == 1)
    }

    @Test(arguments: [Method.refresh, .createPermission, .channelBind])
    func withoutAnAllocationEverythingElseIs437(method: Method) throws {
        let client = try Client(try Client.server())
        let answer = try client.ask(method) { $0.append(.xorPeerAddress, Client.peer) }
        #expect(answer.code == 437)
        #expect(client.isSigned(answer))
    }

    @Test func anotherUsersAllocationIs441() throws {
        let client = try Client.allocated()
        client.username = "other"
        client.password = "pen"
        #expect(try client.refresh(0).code == 441)
        #expect(try client.permit(Client.peer).code == 441)
        #expect(client.harness.server.allocations?.left == 1)
    }

    @Test func aUsersQuotaIs486AndTheServersEndIs508() throws {
        let harness = try Client.server {
            $0.quota = 2
            $0.maximumAllocations = 3
        }
        func client(_ number: UInt8, _ name: String, _ password: String) throws -> Client {
            let client = try Client(harness, from: Endpoint(IPAddress(198, 51, 100, number), 40_000))
            (client.username, client.password) = (name, password)
            return client
        }
        let first = try client(1, "user", "pencil")
        #expect(try first.allocate().code == nil)
        #expect(try client(2, "user", "pencil").allocate().code == nil)
        #expect(try client(3, "user", "pencil").allocate().code == 486)
        #expect(try client(4, "other", "pen").allocate().code == nil)
        #expect(try client(5, "other", "pen").allocate().code == 508)
        // What is deleted makes room.
        #expect(try first.refresh(0).lifetime == 0)
        #expect(try client(3, "user", "pencil").allocate().code == nil)
    }

    // MARK: Refresh and the end

    @Test func anAllocationEndsUnlessItIsRefreshed() throws {
        let client = try Client.allocated()
        let relayed = try #require(client.harness.paths.first { $0.key.number >= 0x4000_0000 }?.value.local)
        client.harness.wait(atMost: .seconds(599))
        #expect(try client.refresh(nil).lifetime == 600)
        client.harness.wait(atMost: .seconds(599))
        #expect(client.harness.server.allocations?.left == 1)
        client.harness.wait(atMost: .seconds(1))
        let described = TURNServerEvent.Allocation(
            client: client.source, transport: .udp, username: "user", relayed: [relayed])
        #expect(client.harness.allocationEvents.last == .expired(described))
        #expect(client.harness.server.allocations?.left == 0)
        #expect(client.harness.path(.datagram, at: relayed) == nil)
        #expect(client.harness.server.nextWake == nil)
        #expect(try client.refresh(600).code == 437)
    }

    @Test func deletionClosesTheRelay() throws {
        let client = try Client.allocated()
        #expect(try client.refresh(0).lifetime == 0)
        #expect(client.harness.paths.keys.allSatisfy { $0.number < 0x4000_0000 })
        #expect(try client.allocate().code == nil)
        #expect(client.harness.server.allocations?.made == 2)
    }

    @Test func oneHalfOfADualAllocationCanBeGivenUp() throws {
        let client = try Client(try Client.server())
        _ = try client.allocate { $0.append(.additionalAddressFamily, .ipv6) }
        let answer = try client.ask(.refresh) {
            $0.append(.lifetime, 0)
            $0.append(.requestedAddressFamily, .ipv4)
        }
        #expect(answer.lifetime == 0)
        #expect(client.harness.paths.filter { $0.key.number >= 0x4000_0000 }.map(\.value.family) == [.ipv6])
        #expect(client.harness.server.allocations?.left == 1)
        #expect(try client.ask(.refresh) { $0.append(.requestedAddressFamily, .ipv4) }.code == 443)
        #expect(try client.refresh(0).lifetime == 0)
        #expect(client.harness.server.allocations?.left == 0)
    }

    @Test func aConnectionTakesItsAllocationWithIt() throws {
        let client = try Client.allocated(overTCP: true)
        client.harness.handle(.stream(StreamEvent(path: client.path, kind: .ended, at: client.harness.now)))
        #expect(client.harness.server.allocations?.disconnected == 1)
        #expect(client.harness.server.allocations?.left == 0)
        #expect(client.harness.paths.keys.allSatisfy { $0.number < 0x4000_0000 })
    }

    @Test func aConnectionThatBreaksTakesItsAllocationWithIt() throws {
        let client = try Client.allocated(overTCP: true)
        let error = PathError(path: client.path, kind: .connectionReset, origin: .peer, isFatal: true)
        client.harness.handle(.pathError(error))
        #expect(client.harness.server.allocations?.disconnected == 1)
        #expect(client.harness.paths.keys.allSatisfy { $0.number < 0x4000_0000 })
    }

    @Test func aSilentConnectionLivesAsLongAsItsAllocation() throws {
        let client = try Client.allocated(overTCP: true)
        client.harness.wait(atMost: .seconds(590))
        #expect(!client.harness.closed.contains(client.path))
        client.harness.wait(atMost: .seconds(45))
        #expect(client.harness.closed.contains(client.path))
        #expect(client.harness.server.allocations?.expired == 1)
    }
}
