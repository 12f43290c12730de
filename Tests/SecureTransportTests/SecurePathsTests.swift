import NetTypes
import SecureTransport
import SimNet
import Testing

/// The decorator, with a client's engine and a server's and a wire between them that a test can hold up.
@Suite struct SecurePathsTests {
    let root: ServerCredentials
    let leaf: ServerCredentials
    let clientEnd = Endpoint(IPAddress(192, 0, 2, 1), 4711)
    let serverEnd = Endpoint(IPAddress(192, 0, 2, 2), 5349)
    let path = PathID(1)
    let accepted = PathID(0x8000_0001)

    init() throws {
        root = try Certificates.authority()
        leaf = try Certificates.leaf(issuer: root)
    }

    private func client(
        _ kind: SecureProtocol, trusting root: ServerCredentials?,
        _ change: (inout SecureClientConfiguration) -> Void = { _ in }
    ) -> SecurePaths<ScriptedEngine> {
        let configuration = ChannelPair.configuration(kind, trusting: root) {
            $0.peer = serverEnd
            change(&$0)
        }
        let form: PathSpecification.Kind = kind == .tls ? .connection(to: serverEnd) : .datagram
        var engine = ScriptedEngine()
        engine.outputs = [.open(path, PathSpecification(form, family: .ipv4, security: .client(configuration)))]
        return SecurePaths(engine)
    }

    private func server(
        _ kind: SecureProtocol, _ change: (inout SecureServerConfiguration) -> Void = { _ in }
    ) throws -> SecurePaths<ScriptedEngine> {
        var configuration = SecureServerConfiguration(kind, leaf)
        change(&configuration)
        var engine = ScriptedEngine()
        engine.isEcho = true
        engine.outputs = [
            .open(
                path,
                PathSpecification(kind == .tls ? .listener : .datagram, family: .ipv4, security: .server(configuration))
            )
        ]
        var paths = SecurePaths(engine)
        guard case .open(path, let specification) = paths.pollOutput(at: .zero) else { throw Missing() }
        #expect(specification.security == nil)
        paths.handle(.opened(path, local: serverEnd), at: .zero)
        return paths
    }

    struct Missing: Error {}

    /// What a connection carries, one way and back, until both are silent. Gives the bytes that the client sent.
    @discardableResult
    private func carry(
        _ client: inout SecurePaths<ScriptedEngine>, _ server: inout SecurePaths<ScriptedEngine>,
        at now: Instant = .zero,
        from source: Endpoint? = nil
    ) -> [UInt8] {
        let source = source ?? clientEnd
        var sent: [UInt8] = []
        var isMoving = true
        while isMoving {
            isMoving = false
            while let output = client.pollOutput(at: now) {
                isMoving = true
                switch output {
                case .write(_, let bytes):
                    sent += bytes
                    server.handle(.stream(StreamEvent(path: accepted, kind: .bytes(bytes), at: now)), at: now)
                case .transmit(let transmit):
                    sent += transmit.bytes
                    server.handle(
                        .datagram(Datagram(path: path, source: source, bytes: transmit.bytes, arrivedAt: now)), at: now)
                case .close:
                    server.handle(.stream(StreamEvent(path: accepted, kind: .ended, at: now)), at: now)
                case .open, .query: break
                }
            }
            while let output = server.pollOutput(at: now) {
                isMoving = true
                switch output {
                case .write(_, let bytes):
                    client.handle(.stream(StreamEvent(path: path, kind: .bytes(bytes), at: now)), at: now)
                case .transmit(let transmit) where transmit.destination == source:
                    client.handle(
                        .datagram(Datagram(path: path, source: serverEnd, bytes: transmit.bytes, arrivedAt: now)),
                        at: now)
                default: break
                }
            }
        }
        return sent
    }

    private func accept(_ server: inout SecurePaths<ScriptedEngine>) {
        let kind = StreamEvent.Kind.accepted(by: path, local: serverEnd, remote: clientEnd)
        server.handle(.stream(StreamEvent(path: accepted, kind: kind, at: .zero)), at: .zero)
    }

    private func opening(_ client: inout SecurePaths<ScriptedEngine>, at now: Instant = .zero) throws {
        guard case .open(path, let specification) = client.pollOutput(at: now) else { throw Missing() }
        #expect(specification.security == nil)
        #expect(client.pollOutput(at: now) == nil, "nothing leaves before the path is open")
        client.handle(.opened(path, local: clientEnd), at: now)
    }

    @Test func aConnectionIsOpenedThenSecuredThenCarriesPlaintext() throws {
        var client = client(.tls, trusting: root)
        var server = try server(.tls)
        try opening(&client)
        client.base.outputs = [.write(path, Array("early".utf8))]
        accept(&server)
        let sent = carry(&client, &server, at: .zero + .milliseconds(40))
        #expect(client.base.story == ["opened", "secured TLSv1.3 40.0", "bytes early"])
        #expect(server.base.story == ["opened", "accepted", "secured TLSv1.3 40.0", "bytes early"])
        #expect(!String(decoding: sent, as: UTF8.self).contains("early"))
        client.base.outputs = [.close(path)]
        carry(&client, &server)
        // close_notify, and the FIN behind it is no second end.
        #expect(server.base.story.suffix(1) == ["ended"])
    }

    @Test func nothingOfTheEngineLeavesWhereTheCertificateIsRefused() throws {
        for kind in [SecureProtocol.tls, .dtls] {
            var client = client(kind, trusting: nil)
            var server = try server(kind)
            try opening(&client)
            let early = Array("early".utf8)
            client.base.outputs = [
                kind == .tls
                    ? .write(path, early) : .transmit(Transmit(path: path, destination: serverEnd, bytes: early))
            ]
            if kind == .tls { accept(&server) }
            carry(&client, &server)
            #expect(client.base.story == ["opened", "failed missingIntermediate"])
            #expect(!server.base.story.contains("bytes early") && !server.base.story.contains("datagram early"))
            guard case .securingFailed(_, let refusal, _) = client.base.inputs.last else { throw Missing() }
            #expect(refusal.facts.chain.first?.names.first == .dns(OutsideText(Certificates.name)))
            if kind == .tls { #expect(server.base.story.contains("failed alert")) }
            // The path is gone: what the engine still writes goes nowhere, and its close is the driver's affair.
            #expect(client.nextWake == nil)
        }
    }

    @Test func aDatagramPathSpeaksDTLSToItsPeerAndTheServerSeesItsSource() throws {
        var client = client(.dtls, trusting: root)
        var server = try server(.dtls)
        try opening(&client)
        carry(&client, &server, at: .zero + .milliseconds(5))
        #expect(client.base.story == ["opened", "secured DTLSv1.2 5.0"])
        client.base.outputs = [.transmit(Transmit(path: path, destination: serverEnd, bytes: Array("ping".utf8)))]
        carry(&client, &server)
        #expect(client.base.story.last == "datagram ping")
        guard case .datagram(let datagram) = server.base.inputs.last else { throw Missing() }
        #expect(datagram.source == clientEnd && datagram.bytes == Array("ping".utf8))
        // Strangers are not heard.
        let count = client.base.inputs.count
        let stranger = Datagram(path: path, source: clientEnd, bytes: [1, 1, 0, 0], arrivedAt: .zero)
        client.handle(.datagram(stranger), at: .zero)
        #expect(client.base.inputs.count == count)
    }

    @Test func whatTheSystemSaysOfADatagramIsToldOfItsPlaintext() throws {
        var client = client(.dtls, trusting: root)
        var server = try server(.dtls)
        try opening(&client)
        carry(&client, &server)
        client.base.outputs = [.transmit(Transmit(path: path, destination: serverEnd, bytes: Array("ping".utf8)))]
        guard case .transmit(let encrypted) = client.pollOutput(at: .zero) else { throw Missing() }
        client.handle(.transmitted(encrypted, at: .zero), at: .zero)
        #expect(client.base.story.last == "transmitted ping")
        let error = PathError(
            path: path, kind: .portUnreachable, origin: .icmp(from: nil), quoted: Array(encrypted.bytes.prefix(20)))
        client.handle(.pathError(error), at: .zero)
        #expect(client.base.story.last == "error portUnreachable quoting ping")
        let count = client.base.inputs.count
        client.handle(.transmitted(Transmit(path: path, destination: serverEnd, bytes: [22, 1]), at: .zero), at: .zero)
        #expect(client.base.inputs.count == count)
    }

    @Test func aHandshakeThatStallsEndsAtItsLimit() throws {
        for kind in [SecureProtocol.tls, .dtls] {
            var client = client(kind, trusting: root) { $0.handshakeLimit = .seconds(3) }
            client.base.nextWake = .zero + .seconds(60)
            try opening(&client)
            while client.pollOutput(at: .zero) != nil {}
            let wake = try #require(client.nextWake)
            #expect(wake <= .zero + .seconds(3))
            client.handle(.timeout, at: .zero + .seconds(3))
            // The engine's own time has not come.
            #expect(client.base.story == ["opened", "failed stalled"])
            #expect(client.nextWake == .zero + .seconds(60))
            var outputs: [Output] = []
            while let output = client.pollOutput(at: .zero) { outputs.append(output) }
            guard case .close(path) = outputs.last else { throw Missing() }
        }
    }

    @Test func aConnectionThatEndsInTheHandshakeIsNamed() throws {
        var client = client(.tls, trusting: root)
        try opening(&client)
        client.handle(.stream(StreamEvent(path: path, kind: .ended, at: .zero)), at: .zero)
        #expect(client.base.story == ["opened", "failed closedDuringHandshake"])
        var reset = self.client(.tls, trusting: root)
        try opening(&reset)
        reset.handle(.pathError(PathError(path: path, kind: .connectionReset, origin: .peer, isFatal: true)), at: .zero)
        #expect(reset.base.story == ["opened", "error connectionReset quoting "])
        #expect(reset.nextWake == nil)
    }

    @Test func aConfigurationThatCannotBeUsedOpensNothing() throws {
        var client = client(.tls, trusting: root) { $0.trustedPEM = [1, 2, 3] }
        #expect(client.pollOutput(at: .zero) == nil)
        #expect(client.base.story == ["failed unusableConfiguration"])
    }

    @Test func aDTLSServerHoldsAsManyClientsAsItMayAndLetsTheSilentGo() throws {
        var server = try server(.dtls) {
            $0.mostPeers = 3
            $0.idleLimit = .seconds(100)
        }
        func connect(_ port: UInt16, at now: Instant) throws -> Bool {
            var client = client(.dtls, trusting: root)
            try opening(&client, at: now)
            carry(&client, &server, at: now, from: Endpoint(clientEnd.address, port))
            return client.base.story.contains { $0.hasPrefix("secured") }
        }
        for port in [1, 2, 3] as [UInt16] { #expect(try connect(port, at: .zero)) }
        #expect(try !connect(4, at: .zero + .seconds(1)))
        // The longest silent makes room, once it has been silent for a while.
        #expect(try connect(4, at: .zero + .seconds(40)))
        // A client that begins again from the same port is a new one.
        #expect(try connect(4, at: .zero + .seconds(41)))
        #expect(server.nextWake == .zero + .seconds(100))
        var closings = 0
        server.handle(.timeout, at: .zero + .seconds(100))
        while let output = server.pollOutput(at: .zero + .seconds(100)) {
            if case .transmit = output { closings += 1 }
        }
        #expect(closings == 2)
        #expect(server.nextWake == .zero + .seconds(141))
    }

    @Test func junkAtADTLSServerCostsNothing() throws {
        var server = try server(.dtls)
        var random = SeededGenerator(seed: 3)
        for number in 0..<3000 {
            var bytes = (0..<Int(random.next() % 300)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if number % 2 == 0, bytes.count > 14 {
                bytes.replaceSubrange(
                    0..<14,
                    with: [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, UInt8(truncatingIfNeeded: bytes.count - 13), 1])
            }
            let source = Endpoint(clientEnd.address, UInt16(truncatingIfNeeded: number))
            server.handle(.datagram(Datagram(path: path, source: source, bytes: bytes, arrivedAt: .zero)), at: .zero)
            while case .transmit(let answer)? = server.pollOutput(at: .zero) {
                #expect(answer.destination == source && answer.bytes.count <= max(bytes.count, 60))
            }
        }
        #expect(server.base.story == ["opened"])
        #expect(server.nextWake == nil)
        var client = client(.dtls, trusting: root)
        try opening(&client)
        carry(&client, &server)
        #expect(client.base.story.count == 2)
    }

    @Test func whatAsksForNoSecurityPassesAsItIs() {
        var engine = ScriptedEngine()
        let specification = PathSpecification(.datagram, family: .ipv4)
        let transmit = Transmit(path: path, destination: serverEnd, bytes: [1])
        engine.outputs = [.open(path, specification), .transmit(transmit), .close(path)]
        engine.nextWake = .zero + .seconds(7)
        var paths = SecurePaths(engine)
        guard case .open(path, specification) = paths.pollOutput(at: .zero),
            case .transmit(transmit) = paths.pollOutput(at: .zero), case .close(path) = paths.pollOutput(at: .zero)
        else {
            Issue.record("something else came out")
            return
        }
        #expect(paths.pollOutput(at: .zero) == nil)
        paths.handle(.opened(path, local: clientEnd), at: .zero)
        paths.handle(.datagram(Datagram(path: path, source: serverEnd, bytes: [65], arrivedAt: .zero)), at: .zero)
        paths.handle(.timeout, at: .zero)
        #expect(paths.base.story == ["opened", "datagram A", "timeout"])
        #expect(paths.nextWake == .zero + .seconds(7))
    }
}
