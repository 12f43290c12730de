import NetTypes
import STUN
import Testing

@testable import Engines

/// RFC 6062.
@Suite struct TURNConnectionTests {
    private let peer = TURNHarness.peer

    private func allocated() -> TURNHarness {
        var configuration = TURNHarness.configuration(isReliable: true)
        configuration.relayTransport = .tcp
        var harness = TURNHarness(TURNServer(), configuration)
        harness.client.createPermission(for: [peer.address])
        harness.client.connect(to: peer)
        harness.run(for: .seconds(1))
        return harness
    }

    @Test func connectGivesTheNumberOfAConnection() throws {
        let harness = allocated()
        #expect(harness.server.methods == [.allocate, .allocate, .createPermission, .connect])
        #expect(harness.events.contains { $0.event == .connected(peer, connectionID: 77) })
        #expect(try harness.server.requests.last?.value(.xorPeerAddress) == peer)
    }

    @Test(arguments: [446, 447])
    func refusedConnectNamesThePeer(code: Int) {
        var harness = allocated()
        harness.server.errors = [.connect: code]
        harness.client.connect(to: peer)
        harness.run(for: .seconds(1))
        #expect(harness.failures.map(\.stage) == [.connect(peer)])
    }

    @Test func attemptOfAPeerIsToldWhereItHasAPermission() {
        var harness = allocated()
        for address in [peer.address, IPAddress(203, 0, 113, 77)] {
            var builder = MessageBuilder(.indication, .connectionAttempt, TransactionID(high: 1, low: 1))
            builder.append(.xorPeerAddress, Endpoint(address, 9))
            builder.append(.connectionID, 5)
            harness.inject(builder.bytes)
        }
        let attempts = harness.events.filter { if case .connectionAttempted = $0.event { true } else { false } }
        #expect(attempts.map(\.event) == [.connectionAttempted(Endpoint(peer.address, 9), connectionID: 5)])
        #expect(harness.client.discards == [.peerWithoutPermission: 1])
    }

    /// T08: signed at once, and what is glued to the success is the peer's.
    @Test(arguments: [1, 7, 10_000])
    func dataConnectionIsBoundAtOnceAndBytesAfterTheSuccessAreThePeers(chunk: Int) throws {
        var harness = allocated()
        var connection = harness.client.dataConnection(for: 77)
        let request = try #require(connection.pollOutput(at: harness.now, using: &harness.random))
        let message = try Message(decoding: request)
        #expect(message.method == .connectionBind && message.verifyIntegrity(key: harness.server.key) == .valid)
        #expect(try message.value(.connectionID) == 77)
        let before = connection.send([1])
        #expect(!before)
        let reply = harness.server.receive(request)[0] + Array("hello".utf8)
        for start in stride(from: 0, to: reply.count, by: chunk) {
            connection.handle(
                Array(reply[start..<min(start + chunk, reply.count)]), at: harness.now + .milliseconds(20))
        }
        var data: [UInt8] = []
        var isBound = false
        while let event = connection.pollEvent() {
            switch event {
            case .bound(let roundTrip):
                isBound = true
                #expect(roundTrip.duration == .milliseconds(20))
            case .received(let bytes): data += bytes
            case .failed(let failure): Issue.record("\(failure)")
            }
        }
        #expect(isBound && data == Array("hello".utf8))
        let after = connection.send([1])
        let written = connection.pollOutput(at: harness.now, using: &harness.random)
        #expect(after && written == [1])
    }

    @Test func staleNonceOnADataConnectionIsRenewed() throws {
        var harness = allocated()
        harness.server.nonceUses = 0
        var connection = harness.client.dataConnection(for: 77)
        let first = try #require(connection.pollOutput(at: harness.now, using: &harness.random))
        connection.handle(harness.server.receive(first)[0], at: harness.now)
        harness.server.nonceUses = 10
        let second = try #require(connection.pollOutput(at: harness.now, using: &harness.random))
        connection.handle(harness.server.receive(second)[0], at: harness.now)
        #expect(connection.isBound)
    }

    @Test func dataConnectionThatIsNotAnsweredOrGetsGarbageFails() throws {
        var harness = allocated()
        var silent = harness.client.dataConnection(for: 77)
        _ = silent.pollOutput(at: harness.now, using: &harness.random)
        let wake = try #require(silent.nextWake)
        #expect(wake - harness.now == .seconds(30))
        silent.handleTimeout(at: wake)
        #expect(silent.pollEvent() == .failed(.noAnswer(transmissions: 1)) && silent.isFinished)
        var garbled = harness.client.dataConnection(for: 77)
        _ = garbled.pollOutput(at: harness.now, using: &harness.random)
        garbled.handle(Array("HTTP/1.1 400 Bad Request\r\n".utf8), at: harness.now)
        #expect(garbled.isFinished)
    }
}
