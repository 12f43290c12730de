import HostIO
import NetTypes
import SecureTransport
import SimNet
import Testing

/// DTLS over a link that loses, doubles and reorders, in real time: OpenSSL's timer reads the wall clock.
@Suite struct LossyHandshakeTests {
    @Test(arguments: 0..<12) func theHandshakeSurvivesALossyLink(seed: Int) throws {
        let root = try Certificates.authority()
        let leaf = try Certificates.leaf(issuer: root)
        var server = SecureServerConfiguration(.dtls, leaf)
        server.retransmissionTimeout = .milliseconds(20)
        server.linkMTU = 400
        let configuration = ChannelPair.configuration(.dtls, trusting: root) {
            $0.retransmissionTimeout = .milliseconds(20)
        }
        let pair = try ChannelPair(configuration, server)
        var random = SeededGenerator(seed: UInt64(seed))
        let limit = MonotonicClock.now + .seconds(60)
        var held: [(isForServer: Bool, bytes: [UInt8])] = []
        // The server's end is not enough: what the client needs of its last flight may be lost.
        while !(pair.client.state == .open && pair.server.state == .open), MonotonicClock.now < limit {
            while let bytes = pair.client.pollCiphertext() { held.append((true, bytes)) }
            while let bytes = pair.server.pollCiphertext() { held.append((false, bytes)) }
            held.shuffle(using: &random)
            let arriving = held
            held = []
            for (isForServer, bytes) in arriving {
                let fate = random.next() % 10
                if fate < 2 { continue }
                for _ in 0..<(fate == 2 ? 2 : 1) {
                    (isForServer ? pair.server : pair.client).receive(bytes, at: MonotonicClock.now)
                }
            }
            let now = MonotonicClock.now
            pair.client.handleTimeout(at: now)
            pair.server.handleTimeout(at: now)
        }
        #expect(pair.client.state == .open && pair.server.state == .open, "seed \(seed)")
        pair.client.write([1, 2, 3])
        pair.server.receive(try #require(pair.client.pollCiphertext()), at: MonotonicClock.now)
        #expect(pair.server.pollPlaintext() == [1, 2, 3], "seed \(seed)")
    }

    @Test func flightWhoseLargerPartsNeverComeIsToldFromSilence() throws {
        var server = SecureServerConfiguration(.dtls, try Certificates.leaf(issuer: try Certificates.authority()))
        server.linkMTU = 400
        let pair = try ChannelPair(ChannelPair.configuration(.dtls, trusting: nil), server)
        var largest = 0
        var isMoving = true
        while isMoving {
            isMoving = false
            while let bytes = pair.client.pollCiphertext() { pair.server.receive(bytes, at: .zero) }
            while let bytes = pair.server.pollCiphertext() {
                guard bytes.count <= 200 else { continue }
                largest = max(largest, bytes.count)
                pair.client.receive(bytes, at: .zero)
                isMoving = true
            }
        }
        pair.client.giveUp()
        #expect(largest > 0 && pair.refusal?.failures == [SecureFailure(.flightLost, "\(largest) bytes")])
    }

    @Test func retransmissionBeginsAtTheTimeGivenAndBacksOff() throws {
        let client = try SecureChannel(
            client: ChannelPair.configuration(.dtls, trusting: nil) { $0.retransmissionTimeout = .milliseconds(100) },
            at: MonotonicClock.now)
        let start = MonotonicClock.now
        #expect(client.pollCiphertext() != nil)
        var times: [Double] = []
        while times.count < 3, MonotonicClock.now - start < .seconds(20) {
            client.handleTimeout(at: MonotonicClock.now)
            while client.pollCiphertext() != nil { times.append((MonotonicClock.now - start).milliseconds) }
        }
        try #require(times.count == 3)
        // OpenSSL takes what is due within 15 ms as due; a loaded machine is late, and never early.
        #expect(times[0] >= 80 && times[1] >= times[0] + 180 && times[2] >= times[1] + 380)
    }
}
