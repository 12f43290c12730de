import NetTypes
import SecureTransport
import Testing

@Suite struct HandshakeTests {
    let root: ServerCredentials
    let leaf: ServerCredentials

    init() throws {
        root = try Certificates.authority()
        leaf = try Certificates.leaf(issuer: root)
    }

    @Test(arguments: [
        (SecureProtocol.tls, UInt16(0x0303), "TLSv1.2"), (.tls, 0x0304, "TLSv1.3"), (.dtls, 0x0303, "DTLSv1.2"),
    ])
    func bothSidesAgreeAndExchangeBytes(kind: SecureProtocol, version: UInt16, name: String) throws {
        let configuration = ChannelPair.configuration(kind, trusting: root) {
            $0.highestVersion = version
            $0.applicationProtocols = ["stun.turn", "stun.nat-discovery"]
        }
        var server = SecureServerConfiguration(kind, leaf)
        server.applicationProtocols = ["stun.nat-discovery", "stun.turn"]
        var pair = try ChannelPair(configuration, server)
        pair.run()
        #expect(pair.client.state == .open && pair.server.state == .open)
        let facts = pair.client.facts
        #expect(facts.version == name)
        #expect(!facts.cipher.isEmpty && facts.cipher == pair.server.facts.cipher)
        #expect(facts.applicationProtocol == OutsideText("stun.nat-discovery"))
        #expect(facts.faults.isEmpty)
        let certificate = try #require(facts.chain.first)
        #expect(certificate.names == [.dns(OutsideText(Certificates.name)), .address(IPAddress(127, 0, 0, 1))])
        #expect(certificate.issuer == OutsideText("CN=Test Root"))
        #expect(certificate.notAfter == Certificates.now + 30 * Certificates.day)
        #expect(certificate.keyKind == "EC" && certificate.keyBits == 256)
        #expect(certificate.signatureAlgorithm == "ecdsa-with-SHA256")
        #expect(certificate.fingerprint.count == 32 && !certificate.isSelfSigned)
        #expect(facts.trustAnchor?.subject == OutsideText("CN=Test Root"))
        #expect(facts.daysToExpiry == 30)

        pair.client.write(Array("ping".utf8))
        pair.run()
        #expect(pair.server.pollPlaintext() == Array("ping".utf8))
        pair.server.write(Array("pong".utf8))
        pair.run()
        #expect(pair.client.pollPlaintext() == Array("pong".utf8))
        pair.client.close()
        pair.run()
        #expect(pair.server.state == .closed)
    }

    @Test(arguments: [SecureProtocol.tls, .dtls]) func whatIsWrittenTooSoonWaitsForTheVerification(
        kind: SecureProtocol
    ) throws {
        let secret = Array("credentials in the clear".utf8)
        for (trusted, arrives) in [(root, true), (nil, false)] {
            var pair = try ChannelPair(
                ChannelPair.configuration(kind, trusting: trusted), SecureServerConfiguration(kind, leaf))
            #expect(pair.client.write(secret))
            pair.run()
            #expect(pair.server.pollPlaintext() == (arrives ? secret : nil))
            #expect((pair.client.state == .open) == arrives)
            #expect(pair.client.write(secret) == arrives)
        }
    }

    @Test func manyBytesCrossInOrder() throws {
        var pair = try ChannelPair(
            ChannelPair.configuration(.tls, trusting: root), SecureServerConfiguration(.tls, leaf))
        pair.run()
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        pair.client.write(bytes)
        pair.run()
        var arrived: [UInt8] = []
        while let next = pair.server.pollPlaintext() { arrived += next }
        #expect(arrived == bytes)
    }

    @Test func eachDatagramStaysOne() throws {
        var pair = try ChannelPair(
            ChannelPair.configuration(.dtls, trusting: root), SecureServerConfiguration(.dtls, leaf))
        pair.run()
        for size in [1, 20, 1400, SecureChannel.mostInARecord] {
            #expect(pair.client.write([UInt8](repeating: 7, count: size)))
        }
        #expect(!pair.client.write([UInt8](repeating: 7, count: SecureChannel.mostInARecord + 1)))
        pair.run()
        for size in [1, 20, 1400, SecureChannel.mostInARecord] {
            #expect(pair.server.pollPlaintext()?.count == size)
        }
        #expect(pair.server.pollPlaintext() == nil)
    }

    @Test func dtlsFragmentsAFlightToTheMTU() throws {
        let large = try Certificates.leaf(issuer: root) { $0.names += (0..<60).map { "name-\($0).icecheck.dev" } }
        var server = SecureServerConfiguration(.dtls, large)
        server.linkMTU = 576
        let pair = try ChannelPair(ChannelPair.configuration(.dtls, trusting: root), server)
        var sizes: [Int] = []
        for _ in 0..<10 {
            while let bytes = pair.client.pollCiphertext() { pair.server.receive(bytes, at: .zero) }
            while let bytes = pair.server.pollCiphertext() {
                sizes.append(bytes.count)
                pair.client.receive(bytes, at: .zero)
            }
        }
        #expect(pair.client.state == .open)
        #expect(sizes.count > 3 && sizes.allSatisfy { $0 <= 576 - 28 })
    }

    @Test func aDTLSServerKeepsNothingWithoutTheCookie() throws {
        let configuration = ChannelPair.configuration(.dtls, trusting: root)
        let pair = try ChannelPair(configuration, SecureServerConfiguration(.dtls, leaf))
        let hello = try #require(pair.client.pollCiphertext())
        for _ in 0..<50 {
            pair.server.receive(hello, at: .zero)
            let answer = try #require(pair.server.pollCiphertext())
            // HelloVerifyRequest: never more than it was asked with.
            #expect(answer.count <= hello.count && answer[13] == 3)
            #expect(pair.server.state == .listening)
        }
        // Somebody else's cookie is none.
        pair.server.receive(hello, at: .zero)
        pair.client.receive(try #require(pair.server.pollCiphertext()), at: .zero)
        let second = try #require(pair.client.pollCiphertext())
        pair.server.setPeer(Endpoint(IPAddress(192, 0, 2, 66), 4711))
        pair.server.receive(second, at: .zero)
        #expect(pair.server.state == .listening)
    }

    @Test func aServerThatOffersNoneOfTheProtocolsIsNamed() throws {
        let configuration = ChannelPair.configuration(.tls, trusting: root) { $0.applicationProtocols = ["stun.turn"] }
        var server = SecureServerConfiguration(.tls, leaf)
        server.applicationProtocols = ["http/1.1"]
        var lenient = try ChannelPair(configuration, server)
        lenient.run()
        #expect(lenient.client.state == .open && lenient.client.facts.applicationProtocol == nil)
        server.requiresProtocol = true
        var strict = try ChannelPair(configuration, server)
        strict.run()
        #expect(
            strict.refusal?.failures == [
                SecureFailure(.alpnMismatch, "no application protocol", alert: 120)
            ])
        #expect(strict.serverRefusal?.failures.first?.kind == .alpnMismatch)
    }

    @Test func aServerOfTLS10IsNamed() throws {
        var server = SecureServerConfiguration(.tls, leaf)
        server.lowestVersion = 0x0301
        server.highestVersion = 0x0301
        server.ciphers = "ALL:@SECLEVEL=0"
        var pair = try ChannelPair(ChannelPair.configuration(.tls, trusting: root), server)
        pair.run()
        #expect(pair.refusal?.failures.first?.kind == .protocolVersion)
    }

    @Test func aServerOfTLS13AloneIsNamedToAClientOf12() throws {
        var server = SecureServerConfiguration(.tls, leaf)
        server.lowestVersion = 0x0304
        let configuration = ChannelPair.configuration(.tls, trusting: root) { $0.highestVersion = 0x0303 }
        var pair = try ChannelPair(configuration, server)
        pair.run()
        #expect(pair.refusal?.failures.map(\.kind) == [.protocolVersion])
        #expect(pair.refusal?.failures.first?.alert == 70)
        #expect(pair.serverRefusal?.failures.first?.kind == .protocolVersion)
    }

    @Test func noCommonCipherIsNamed() throws {
        // An RSA key exchange with an ECDSA certificate: there is none.
        var server = SecureServerConfiguration(.tls, leaf)
        server.highestVersion = 0x0303
        server.ciphers = "AES128-GCM-SHA256"
        var pair = try ChannelPair(ChannelPair.configuration(.tls, trusting: root), server)
        pair.run()
        #expect(pair.refusal?.failures.map(\.kind) == [.noCommonCipher])
        #expect(pair.serverRefusal?.failures.map(\.kind) == [.noCommonCipher])
    }

    @Test func anAlertAndAnEndInTheHandshakeAreNamed() throws {
        let configuration = ChannelPair.configuration(.tls, trusting: root)
        let alerted = try SecureChannel(client: configuration, at: .zero)
        // unrecognized_name, fatal.
        alerted.receive([21, 3, 3, 0, 2, 2, 112], at: .zero)
        guard case .failed(let refusal) = alerted.state else { throw Missing() }
        #expect(refusal.failures == [SecureFailure(.alert, "unrecognized name", alert: 112)])
        let ended = try SecureChannel(client: configuration, at: .zero)
        ended.receiveEnd()
        guard case .failed(let end) = ended.state else { throw Missing() }
        #expect(end.failures.map(\.kind) == [.closedDuringHandshake])
        let stalled = try SecureChannel(client: configuration, at: .zero)
        stalled.giveUp()
        guard case .failed(let stall) = stalled.state else { throw Missing() }
        #expect(stall.failures.map(\.kind) == [.stalled])
    }

    struct Missing: Error {}
}
