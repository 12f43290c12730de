import NetTypes
import Server
import SimNet
import Testing

@Suite struct STUNServerHostileTests {
    /// A request with attributes of every kind, some of them wrong.
    private func anyRequest(_ random: inout SeededGenerator) -> RawMessage {
        var request = RawMessage.request
        if Int.random(in: 0..<8, using: &random) == 0 { request.cookie = UInt32.random(in: 0...(.max), using: &random) }
        let types: [UInt16] = [
            RawMessage.changeRequest, RawMessage.padding, RawMessage.responsePort, RawMessage.software, 0x0006, 0x0008,
            0x0024, 0x7ABC, 0xFABC, RawMessage.mappedAddress, RawMessage.responseAddress, 0x8029, 0x001C, 0x0025,
        ]
        for _ in 0..<Int.random(in: 0..<5, using: &random) {
            let length = [0, 1, 4, 4, 8, 20, 200].randomElement(using: &random) ?? 4
            let value = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            request = request.adding(types.randomElement(using: &random) ?? 0, value)
        }
        return Bool.random(using: &random) ? request.fingerprinted : request
    }

    /// One to three of: a flipped bit, another byte, a cut, more bytes, another length.
    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let position = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[position] = UInt8.random(in: 0...255, using: &random)
            case 2: bytes.removeLast(bytes.count - position)
            case 3: bytes += [UInt8](repeating: bytes[position], count: Int.random(in: 1...40, using: &random))
            default:
                if bytes.count >= 4 { bytes.replaceSubrange(2..<4, with: [0xFF, bytes[position]]) }
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func noAnswerIsLongerThanThreeTimesItsRequest(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let harness = ServerHarness.started { $0.rate = .init(perSecond: 1_000_000, burst: 1_000_000) }
        for _ in 0..<20_000 {
            let request = anyRequest(&random)
            let transmits = harness.ask(request.bytes)
            #expect(transmits.count <= 1)
            for transmit in transmits {
                guard transmit.bytes.count <= 3 * request.bytes.count,
                    transmit.destination.address == ServerHarness.client.address,
                    let answer = RawMessage(transmit.bytes), answer.transaction == request.transaction,
                    answer.cookie == request.cookie, [0x0101, 0x0111].contains(answer.type)
                else {
                    Issue.record("seed \(seed): \(request.bytes) gave \(transmit)")
                    return
                }
            }
            harness.forget()
        }
        #expect(harness.server.counts.answered > 1000)
    }

    @Test func outlivesAMillionMalformedDatagrams() throws {
        let seed: UInt64 = 20_260_101
        var random = SeededGenerator(seed: seed)
        let harness = ServerHarness.started()
        let templates = (0..<500).map { _ in anyRequest(&random).bytes }
        let path = try #require(harness.path(.datagram, at: Endpoint(ServerHarness.primary, 3478)))
        for round in 0..<1_000_000 {
            var bytes = templates[round % templates.count]
            mutate(&bytes, &random)
            let source = Endpoint(IPAddress(v4: 0x0A00_0000 + UInt32(round & 0xFFFF)), 5000)
            for transmit in harness.ask(bytes, on: path, from: source)
            where transmit.bytes.count > 3 * bytes.count {
                Issue.record("seed \(seed), round \(round): \(bytes) gave \(transmit)")
                return
            }
            harness.now = harness.now + .microseconds(10)
            harness.forget()
        }
        #expect(harness.server.counts.malformed > 100_000)
        // It still serves, once the many sources have left the table.
        harness.wait(atMost: .seconds(3))
        #expect(!harness.ask(RawMessage.request.bytes).isEmpty)
    }

    @Test func outlivesGarbageOnAThousandConnections() throws {
        var random = SeededGenerator(seed: 7)
        let harness = ServerHarness.started()
        for round in 0..<1000 {
            let path = try harness.connect(from: Endpoint(IPAddress(v4: 0x0A00_0000 + UInt32(round)), 5000))
            var bytes = anyRequest(&random).bytes + anyRequest(&random).bytes
            mutate(&bytes, &random)
            for start in stride(from: 0, to: bytes.count, by: 7) {
                harness.send(Array(bytes[start..<min(start + 7, bytes.count)]), on: path)
            }
            harness.wait(atMost: .milliseconds(200))
        }
        harness.wait(atMost: .seconds(60))
        #expect(harness.server.nextWake == nil)
        #expect(harness.closed.count == 1000)
    }
}
