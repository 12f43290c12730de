import NetTypes
import SecureTransport
import SimNet
import Testing

@Suite struct HostilePeerTests {
    let root: ServerCredentials
    let leaf: ServerCredentials

    init() throws {
        root = try Certificates.authority()
        leaf = try Certificates.leaf(issuer: root)
    }

    @Test(arguments: [
        Array("HTTP/1.1 400 Bad Request\r\n".utf8), Array("SSH-2.0-OpenSSH_9.2\r\n".utf8),
        [0x01, 0x01, 0x00, 0x0C, 0x21, 0x12, 0xA4, 0x42], [0, 0, 0, 0],
    ]) func whatIsNoTLSIsNamedByItsFirstBytes(bytes: [UInt8]) throws {
        let client = try SecureChannel(client: ChannelPair.configuration(.tls, trusting: root), at: .zero)
        client.receive(bytes, at: .zero)
        guard case .failed(let refusal) = client.state else {
            Issue.record("still \(client.state)")
            return
        }
        #expect(refusal.failures == [SecureFailure(.notTLS, OutsideText(bytes: bytes))])
        #expect(refusal.firstBytes == bytes)
        let server = try SecureChannel(server: SecureServerConfiguration(.tls, leaf))
        server.receive(bytes, at: .zero)
        #expect(server.pollPlaintext() == nil)
        #expect(server.state != .handshaking)
    }

    @Test func aDatagramThatIsNoDTLSIsDroppedAndNamedAtTheEnd() throws {
        let client = try SecureChannel(client: ChannelPair.configuration(.dtls, trusting: root), at: .zero)
        let stun: [UInt8] = [0x01, 0x01, 0x00, 0x00, 0x21, 0x12, 0xA4, 0x42]
        client.receive(stun, at: .zero)
        #expect(client.state == .handshaking)
        client.giveUp()
        guard case .failed(let refusal) = client.state else { return }
        #expect(refusal.failures.map(\.kind) == [.notTLS] && refusal.firstBytes == stun)
    }

    @Test(arguments: [SecureProtocol.tls, .dtls], 0..<40) func randomAndBrokenBytesNeverTrapNorOpen(
        kind: SecureProtocol, seed: Int
    ) throws {
        var random = SeededGenerator(seed: UInt64(seed) &* 77 &+ 5)
        let pair = try ChannelPair(
            ChannelPair.configuration(kind, trusting: root), SecureServerConfiguration(kind, leaf))
        for _ in 0..<60 {
            while let bytes = pair.client.pollCiphertext() {
                for piece in random.broken(bytes, kind) { pair.server.receive(piece, at: pair.now) }
            }
            while let bytes = pair.server.pollCiphertext() {
                for piece in random.broken(bytes, kind) { pair.client.receive(piece, at: pair.now) }
            }
            #expect(pair.client.pollPlaintext() == nil && pair.server.pollPlaintext() == nil, "seed \(seed)")
        }
        pair.client.close()
        pair.server.close()
    }

    @Test(arguments: [SecureProtocol.tls, .dtls]) func endlessBytesEndOrAreDropped(kind: SecureProtocol) throws {
        for first in [0, 20, 21, 22, 23, 25] as [UInt8] {
            let client = try SecureChannel(client: ChannelPair.configuration(kind, trusting: root), at: .zero)
            let head: [UInt8] =
                kind == .tls
                ? [first, 3, 3, 0x40, 0] : [first, 0xFE, 0xFD] + [UInt8](repeating: 0, count: 8) + [3, 0xF3]
            let bytes = head + [UInt8](repeating: 0, count: 1011)
            for _ in 0..<2000 { client.receive(bytes, at: .zero) }
            #expect(client.state != .open && client.pollPlaintext() == nil)
            if kind == .tls { #expect(client.state != .handshaking, "type \(first)") }
        }
    }

    @Test func forgedDatagramsDoNotKillAFinishedHandshake() throws {
        var pair = try ChannelPair(
            ChannelPair.configuration(.dtls, trusting: root), SecureServerConfiguration(.dtls, leaf))
        pair.run()
        var random = SeededGenerator(seed: 9)
        for number in 0..<5000 {
            // A fatal alert in the clear, then one that says that it is of this epoch.
            let epoch = UInt8(number & 1)
            let alert: [UInt8] = [
                21, 0xFE, 0xFD, 0, epoch, 0, 0, 0, 0, 0, UInt8(truncatingIfNeeded: number), 0, 2, 2, 40,
            ]
            pair.client.receive(alert, at: .zero)
            let noise = [23, 0xFE, 0xFD, 0, 1] + (0..<40).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            pair.client.receive(noise, at: .zero)
        }
        #expect(pair.client.state == .open)
        pair.server.write([1, 2, 3])
        pair.run()
        #expect(pair.client.pollPlaintext() == [1, 2, 3])
    }

    @Test func cookiesWithoutEndAreAnsweredOneForOneUntilTheLimit() throws {
        let client = try SecureChannel(client: ChannelPair.configuration(.dtls, trusting: root), at: .zero)
        while client.pollCiphertext() != nil {}
        for number in 0..<300 {
            // HelloVerifyRequest with another cookie each time.
            let cookie = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 8)
            let body: [UInt8] = [0xFE, 0xFF, 8] + cookie
            let sequence = UInt8(truncatingIfNeeded: number >> 8)
            let header: [UInt8] = [
                22, 0xFE, 0xFF, 0, 0, 0, 0, 0, 0, sequence, UInt8(truncatingIfNeeded: number), 0, 23,
            ]
            let handshake: [UInt8] = [3, 0, 0, 11, 0, UInt8(truncatingIfNeeded: number), 0, 0, 0, 0, 0, 11]
            client.receive(header + handshake + body, at: .zero)
            var answers = 0
            while client.pollCiphertext() != nil { answers += 1 }
            #expect(answers <= 1)
        }
        #expect(client.state != .open)
        client.giveUp()
        guard case .failed = client.state else {
            Issue.record("still \(client.state)")
            return
        }
    }

    @Test func aHugeChainIsRefusedBeforeItIsWhole() throws {
        let large = try Certificates.leaf(issuer: root) {
            $0.names = [Certificates.name] + (0..<80).map { "a-long-name-that-fills-a-certificate-\($0).icecheck.dev" }
        }
        let huge = ServerCredentials(
            chainPEM: large.chainPEM + (0..<40).flatMap { _ in large.chainPEM }, keyPEM: large.keyPEM)
        var pair = try ChannelPair(
            ChannelPair.configuration(.tls, trusting: root), SecureServerConfiguration(.tls, huge))
        pair.run()
        #expect(pair.refusal?.failures.map(\.kind) == [.chainTooLong])
        #expect(pair.answered > 100_000)
    }

    @Test func alertsThatOnlyWarnCannotGoOnForEver() throws {
        let client = try SecureChannel(client: ChannelPair.configuration(.tls, trusting: root), at: .zero)
        for _ in 0..<2000 { client.receive([21, 3, 3, 0, 2, 1, 112], at: .zero) }
        #expect(client.state != .handshaking && client.state != .open)
    }

    @Test func writesBeforeTheEndOfTheHandshakeAreBounded() throws {
        let client = try SecureChannel(client: ChannelPair.configuration(.tls, trusting: root), at: .zero)
        var taken = 0
        while client.write([UInt8](repeating: 1, count: 1000)), taken < 10_000 { taken += 1 }
        #expect(taken == SecureChannel.mostUnencrypted / 1000)
    }
}

extension SeededGenerator {
    /// The bytes cut, changed or followed by noise; now and then as they were.
    mutating func broken(_ bytes: [UInt8], _ kind: SecureProtocol) -> [[UInt8]] {
        var bytes = bytes
        switch next() % 6 {
        case 0: return [bytes]
        case 1: bytes.removeLast(Int(next() % UInt64(bytes.count)))
        case 2: for _ in 0..<4 { bytes[Int(next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: next()) }
        case 3: return [bytes, (0..<Int(next() % 300 + 1)).map { _ in UInt8(truncatingIfNeeded: next()) }]
        case 4: return [bytes, bytes]
        default: return kind == .dtls ? bytes.indices.prefix(20).map { Array(bytes[$0...]) } : [bytes.reversed()]
        }
        return [bytes]
    }
}
