import Foundation
import HostIO
import NetTypes
import SecureTransport
import Testing

/// The decorator on real sockets, on loopback alone: against itself, OpenSSL's own server, and coturn.
@Suite(.serialized) struct LoopbackTests {
    static let loopback = IPAddress(127, 0, 0, 1)
    let root: ServerCredentials
    let leaf: ServerCredentials

    init() throws {
        // The roots and what they judge live in May 2026, whenever the test runs.
        root = try Certificates.authority()
        leaf = try Certificates.leaf(issuer: root)
    }

    /// Opens a server, then a client to it, and ends when the greeting has come back.
    struct Both: Engine {
        typealias Event = Never
        static let server = PathID(1)
        static let client = PathID(2)
        let configuration: SecureClientConfiguration
        var outputs: [Output]
        var facts: SecureFacts?
        var refusal: SecureRefusal?
        var accepted: PathID?
        var echo: [UInt8] = []
        var transmittedAt: Instant?
        var isFinished = false
        var nextWake: Instant? { nil }

        init(_ kind: SecureProtocol, _ leaf: ServerCredentials, trusting root: ServerCredentials?) {
            configuration = ChannelPair.configuration(kind, trusting: root, identity: .address(loopback))
            let security = PathSecurity.server(SecureServerConfiguration(kind, leaf))
            let form: PathSpecification.Kind = kind == .tls ? .listener : .datagram
            let local = Endpoint(loopback, 0)
            outputs = [
                .open(Self.server, PathSpecification(form, family: .ipv4, local: local, security: security))
            ]
        }

        mutating func handle(_ input: Input, at now: Instant) {
            switch input {
            case .opened(Self.server, let local):
                var configuration = configuration
                configuration.peer = local
                let form: PathSpecification.Kind = configuration.kind == .tls ? .connection(to: local) : .datagram
                outputs.append(
                    .open(Self.client, PathSpecification(form, family: .ipv4, security: .client(configuration))))
            case .secured(Self.client, let facts, _):
                self.facts = facts
                let greeting = Array("hello".utf8)
                outputs.append(
                    configuration.kind == .tls
                        ? .write(Self.client, greeting)
                        : .transmit(Transmit(path: Self.client, destination: peer, bytes: greeting)))
            case .stream(let event):
                if case .bytes(let bytes) = event.kind { arrived(bytes, on: event.path) }
            case .datagram(let datagram): arrived(datagram.bytes, on: datagram.path, from: datagram.source)
            case .transmitted(let transmit, let instant):
                if transmit.bytes == Array("hello".utf8) { transmittedAt = instant }
            case .securingFailed(Self.client, let refusal, _):
                self.refusal = refusal
                isFinished = true
            default: break
            }
            if case .opened(Self.server, let local) = input { peer = local }
        }

        private var peer = Endpoint(loopback, 0)

        private mutating func arrived(_ bytes: [UInt8], on path: PathID, from source: Endpoint? = nil) {
            if path == Self.client {
                echo += bytes
                isFinished = true
            } else if let source {
                outputs.append(.transmit(Transmit(path: path, destination: source, bytes: bytes)))
            } else {
                outputs.append(.write(path, bytes))
            }
        }

        mutating func pollOutput(at now: Instant) -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }
        mutating func pollEvent() -> Never? { nil }
    }

    @Test(arguments: [SecureProtocol.tls, .dtls]) func bytesCrossBetweenRealSockets(kind: SecureProtocol) throws {
        var engine = SecurePaths(Both(kind, leaf, trusting: root))
        let end = try Driver().run(&engine, until: MonotonicClock.now + .seconds(20))
        #expect(end == .finished)
        #expect(engine.base.echo == Array("hello".utf8))
        #expect(engine.base.facts?.trustAnchor?.subject == OutsideText("CN=Test Root"))
        // The kernel's stamp of a datagram finds its way to the plaintext.
        if kind == .dtls { #expect(engine.base.transmittedAt != nil) }
    }

    @Test(arguments: [SecureProtocol.tls, .dtls]) func aCertificateIsRefusedOnRealSockets(kind: SecureProtocol) throws {
        var engine = SecurePaths(Both(kind, leaf, trusting: nil))
        #expect(try Driver().run(&engine, until: MonotonicClock.now + .seconds(20)) == .finished)
        #expect(engine.base.refusal?.failures.first?.kind == .missingIntermediate)
        #expect(engine.base.echo.isEmpty)
    }

    // MARK: - Others' servers

    /// A process that ends with the test; its files are in a folder of its own.
    final class Other {
        let process = Foundation.Process()
        let folder: URL
        private let output = Pipe()
        private let input = Pipe()

        init(_ program: String, _ arguments: [String], _ credentials: ServerCredentials) throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "icecheck-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(credentials.chainPEM).write(to: folder.appending(path: "chain.pem"))
            try Data(credentials.keyPEM).write(to: folder.appending(path: "key.pem"))
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments.map { $0.replacing("FOLDER", with: folder.path()) }
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            process.standardInput = input
            try process.run()
        }

        /// Reads until `mark` has been written, and gives everything so far.
        func wait(for mark: String) -> String {
            var text = ""
            while !text.contains(mark) {
                let data = output.fileHandleForReading.availableData
                if data.isEmpty { break }
                text += String(decoding: data, as: UTF8.self)
            }
            return text
        }

        func say(_ text: String) { input.fileHandleForWriting.write(Data(text.utf8)) }

        deinit {
            // A child of a test may have the polite signals blocked.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            try? FileManager.default.removeItem(at: folder)
        }
    }

    private func secure(_ kind: SecureProtocol, at server: Endpoint) throws -> ScriptedEngine {
        let configuration = ChannelPair.configuration(kind, trusting: root, identity: .address(Self.loopback)) {
            $0.peer = server
            $0.serverName = Certificates.name
            $0.applicationProtocols = ["stun.turn"]
        }
        var engine = ScriptedEngine()
        engine.finishesOnEcho = true
        // A Binding request: coturn answers, OpenSSL's server turns lines around.
        engine.greeting = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42] + Array("abcdefghijk\n".utf8)
        engine.peer = kind == .dtls ? server : nil
        let form: PathSpecification.Kind = kind == .tls ? .connection(to: server) : .datagram
        engine.outputs = [
            .open(PathID(1), PathSpecification(form, family: .ipv4, security: .client(configuration)))
        ]
        var paths = SecurePaths(engine)
        _ = try Driver().run(&paths, until: MonotonicClock.now + .seconds(5))
        return paths.base
    }

    static let hasOpenSSL = FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")
    static let hasCoturn = FileManager.default.isExecutableFile(atPath: "/usr/bin/turnserver")

    @Test(.enabled(if: hasOpenSSL), arguments: ["-tls1_2", "-tls1_3"]) func openSSLsServerIsUnderstood(
        version: String
    ) throws {
        let files = ["-cert", "FOLDER/chain.pem", "-key", "FOLDER/key.pem"]
        let server = try Other(
            "/usr/bin/openssl",
            ["s_server", "-accept", "127.0.0.1:0", "-rev", "-alpn", "stun.turn", version] + files, leaf)
        let text = server.wait(for: "ACCEPT 127.0.0.1:")
        let port = try #require(UInt16(text.suffix(while: { $0 != ":" }).filter(\.isNumber)))
        let engine = try secure(.tls, at: Endpoint(Self.loopback, port))
        guard case .secured(_, let facts, _) = engine.inputs.dropFirst().first else {
            Issue.record("\(engine.story)")
            return
        }
        #expect(facts.applicationProtocol == OutsideText("stun.turn"))
        #expect(facts.version == (version == "-tls1_2" ? "TLSv1.2" : "TLSv1.3"))
        #expect(engine.story.last?.hasPrefix("bytes kjihgfedcba") == true)
    }

    @Test(.enabled(if: hasCoturn), arguments: [SecureProtocol.tls, .dtls]) func coturnIsUnderstood(
        kind: SecureProtocol
    ) throws {
        let port = try freePort()
        let server = try Other(
            "/usr/bin/turnserver",
            [
                "-n", "--no-cli", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--listening-port=\(port)",
                "--tls-listening-port=\(port + 1)", "--cert=FOLDER/chain.pem", "--pkey=FOLDER/key.pem", "--no-auth",
                "--log-file=stdout", "--pidfile=FOLDER/pid", "--userdb=FOLDER/db",
            ], leaf)
        defer { withExtendedLifetime(server) {} }
        // Its log tells nothing before a buffer is full: it is there when it takes connections.
        let limit = MonotonicClock.now + .seconds(15)
        var engine = try secure(kind, at: Endpoint(Self.loopback, port + 1))
        while engine.story.first?.hasPrefix("error") == true, MonotonicClock.now < limit {
            engine = try secure(kind, at: Endpoint(Self.loopback, port + 1))
        }
        let facts = engine.inputs.compactMap { input -> SecureFacts? in
            if case .secured(_, let facts, _) = input { facts } else { nil }
        }
        #expect(facts.first?.chain.first?.issuer == OutsideText("CN=Test Root"), "\(engine.story)")
        let answers = engine.inputs.compactMap { input -> [UInt8]? in
            switch input {
            case .datagram(let datagram): return datagram.bytes
            case .stream(let event):
                guard case .bytes(let bytes) = event.kind else { return nil }
                return bytes
            default: return nil
            }
        }
        #expect(answers.first?.starts(with: [1, 1]) == true, "\(engine.story)")
    }

    @Test(.enabled(if: hasOpenSSL)) func aRevokedCertificateIsNamedWhereTheListIsGiven() throws {
        let script = """
            set -e; cd FOLDER; : > index.txt
            openssl x509 -in chain.pem -out leaf.pem
            printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index.txt\\ncertificate=root.pem\\nprivate_key=root.key\\n' > conf
            printf 'default_md=sha256\\ndefault_crl_days=3\\n' >> conf
            read line; openssl ca -config conf -revoke leaf.pem; openssl ca -config conf -gencrl -out crl.pem; echo DONE
            """
        let other = try Other("/bin/sh", ["-c", script], leaf)
        try Data(root.chainPEM).write(to: other.folder.appending(path: "root.pem"))
        try Data(root.keyPEM).write(to: other.folder.appending(path: "root.key"))
        other.say("go\n")
        _ = other.wait(for: "DONE")
        let list = try Data(contentsOf: other.folder.appending(path: "crl.pem"))
        let configuration = ChannelPair.configuration(.tls, trusting: root) { $0.trustedPEM += Array(list) }
        var pair = try ChannelPair(configuration, SecureServerConfiguration(.tls, leaf))
        pair.run()
        #expect(pair.refusal?.failures.map(\.kind) == [.revoked])
        let fresh = try Certificates.leaf(issuer: root)
        var good = try ChannelPair(configuration, SecureServerConfiguration(.tls, fresh))
        good.run()
        #expect(good.client.state == .open)
    }

    /// A port that nothing listens at, and the next one neither as far as can be told.
    private func freePort() throws -> UInt16 {
        var engine = ScriptedEngine()
        let local = Endpoint(Self.loopback, 0)
        engine.outputs = [.open(PathID(1), PathSpecification(.listener, family: .ipv4, local: local))]
        _ = try Driver().run(&engine, until: MonotonicClock.now + .milliseconds(20))
        guard case .opened(_, let opened) = engine.inputs.first else { throw Missing() }
        return opened.port
    }

    struct Missing: Error {}
}

extension String {
    /// What is behind the last character that does not satisfy `predicate`.
    fileprivate func suffix(while predicate: (Character) -> Bool) -> Substring {
        self[(lastIndex { !predicate($0) }.map(index(after:)) ?? startIndex)...]
    }
}
