import NetTypes
import Server
import Testing

@Suite struct STUNServerConnectionTests {
    private let client = ServerHarness.client

    @Test(arguments: [1, 2, 3, 7, 20, 1000])
    func messagesAreFramedHoweverTheyAreCut(size: Int) throws {
        let harness = ServerHarness.started()
        let path = try harness.connect()
        let three = RawMessage.request.bytes + RawMessage.request.fingerprinted.bytes + RawMessage.request.bytes
        for start in stride(from: 0, to: three.count, by: size) {
            harness.send(Array(three[start..<min(start + size, three.count)]), on: path)
        }
        let answers = harness.events.filter { $0 == .answered(client, .tcp) }
        #expect(answers.count == 3)
        let first = try #require(RawMessage(Array((harness.written[path] ?? []).prefix(56))))
        #expect(first.endpoint(RawMessage.xorMappedAddress) == client)
        #expect(first.endpoint(RawMessage.otherAddress) == Endpoint(ServerHarness.alternate, 3479))
        #expect(!harness.closed.contains(path))
    }

    @Test func aConnectionCannotBeAnsweredFromElsewhere() throws {
        let harness = ServerHarness.started()
        for request in [RawMessage.changing(address: true, port: true), RawMessage.request.askingForPort(41_000)] {
            let path = try harness.connect()
            harness.send(request.bytes, on: path)
            let message = try #require(RawMessage(harness.written[path] ?? []))
            #expect(message.errorCode == 420)
            #expect(harness.sent.isEmpty)
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: icecheck.invalid\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}.....",
    ])
    func whatIsNoSTUNIsClosed(text: String) throws {
        let harness = ServerHarness.started()
        let path = try harness.connect()
        harness.send(Array(text.utf8), on: path)
        #expect(harness.closed.contains(path))
        #expect(harness.written[path] == nil)
        #expect(harness.server.counts.malformed == 1)
    }

    @Test func aSilentConnectionIsClosedWhenItsTimeIsOver() throws {
        let harness = ServerHarness.started()
        let path = try harness.connect()
        harness.wait(atMost: .seconds(29))
        #expect(!harness.closed.contains(path))
        harness.wait(atMost: .seconds(1))
        #expect(harness.closed.contains(path))
        #expect(harness.server.nextWake == nil)
    }

    @Test func aMessageThatDripsInIsCutOff() throws {
        let harness = ServerHarness.started()
        let path = try harness.connect()
        for byte in RawMessage.request.bytes.prefix(8) {
            harness.send([byte], on: path)
            harness.wait(atMost: .seconds(1))
        }
        #expect(harness.closed.contains(path))
        #expect(harness.now < .zero + .seconds(9))
    }

    @Test func aTalkativeConnectionStaysOpen() throws {
        let harness = ServerHarness.started()
        let path = try harness.connect()
        for _ in 0..<10 {
            harness.wait(atMost: .seconds(20))
            harness.send(RawMessage.request.bytes, on: path)
        }
        #expect(!harness.closed.contains(path))
    }

    @Test func oneSourceCannotTakeAllConnections() throws {
        let harness = ServerHarness.started()
        let paths = try (0..<20).map { try harness.connect(from: Endpoint(client.address, 1000 + $0)) }
        #expect(harness.closed.intersection(paths).count == 4)
        let other = try harness.connect(from: Endpoint(IPAddress(198, 51, 100, 8), 1000))
        #expect(!harness.closed.contains(other))
    }

    @Test func allSourcesTogetherCannotTakeMoreThanTheTotal() throws {
        let harness = ServerHarness.started()
        let sources = (0..<300).map { Endpoint(IPAddress(v4: 0x0A00_0000 + $0), 1000) }
        let paths = try sources.map { try harness.connect(from: $0) }
        #expect(harness.closed.intersection(paths).count == 300 - 256)
        // Each that goes makes room for another.
        harness.handle(.stream(StreamEvent(path: paths[0], kind: .ended, at: harness.now)))
        let next = try harness.connect()
        #expect(!harness.closed.contains(next))
    }

    @Test func aPeerThatNeverReadsCannotFillMemory() throws {
        let harness = ServerHarness.started { $0.rate = .init(perSecond: 1_000_000, burst: 1_000_000) }
        let path = try harness.connect()
        let many = Array(repeatElement(RawMessage.request.bytes, count: 100).joined())
        for _ in 0..<20 where !harness.closed.contains(path) { harness.send(many, on: path) }
        #expect(harness.closed.contains(path))
        #expect((harness.written[path]?.count ?? 0) <= 1100 * 60)
    }

    @Test func requestsOnConnectionsCountForTheRateToo() throws {
        let harness = ServerHarness.started { $0.rate = .init(perSecond: 10, burst: 5) }
        let path = try harness.connect()
        for _ in 0..<20 { harness.send(RawMessage.request.bytes, on: path) }
        #expect(harness.events.filter { $0 == .answered(client, .tcp) }.count == 5)
    }

    @Test func aConnectionThatEndsOrBreaksIsForgotten() throws {
        let harness = ServerHarness.started()
        let ended = try harness.connect()
        let broken = try harness.connect()
        harness.handle(.stream(StreamEvent(path: ended, kind: .ended, at: harness.now)))
        harness.handle(.pathError(PathError(path: broken, kind: .connectionReset, origin: .peer, isFatal: true)))
        #expect(harness.closed == [ended])
        harness.send(RawMessage.request.bytes, on: broken)
        #expect(harness.written.isEmpty)
        #expect(harness.server.nextWake == nil)
    }
}
