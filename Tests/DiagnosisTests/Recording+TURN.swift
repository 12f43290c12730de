import Engines
import NetTypes
import Planning
import STUN

@testable import Facts

extension Recording {
    static let relayed = Endpoint(server.address, 50000)
    static let relayed6 = Endpoint(server6.address, 50000)
    static let trips: [Duration] = [.milliseconds(50), .milliseconds(48), .milliseconds(52)]

    /// A run that asks servers for relays.
    static func relays(
        _ uris: [String] = ["turn:9.9.9.9"], command: Options.Command = .turn, user: String? = "user",
        realm: String? = nil, isInsecure: Bool = false, families: Set<IPAddress.Family> = [.ipv4, .ipv6],
        count: Int = 3, soaks: Bool = false
    ) throws -> Recording {
        let credentials = ICEServers.Credentials(username: user, credential: user.map { _ in Secret("pencil") })
        var options = Options(
            command: command,
            servers: try uris.map { ICEServers.Entry(uri: try ServerURI(parsing: $0), credentials: credentials) },
            families: families)
        options.turn.realm = realm
        options.turn.load.count = count
        options.turn.soaks = soaks
        options.trust.isInsecure = isInsecure
        return try Recording(options)
    }

    /// An attempt at a relay through which three datagrams went in each lane; what is otherwise is changed.
    mutating func relay(
        _ server: Int = 0, at address: Endpoint = server, over transport: Transport = .udp,
        relaying family: IPAddress.Family = .ipv4, _ change: (inout TURNEvidence) -> Void = { _ in }
    ) {
        let attempt = observations.count
        var evidence = TURNEvidence(
            attempt: attempt, server: server, serverAddress: address, transport: transport,
            source: address.family == .ipv4 ? Self.host : Self.host6, relayFamily: family,
            username: plan.servers[server].turn?.username ?? "")
        evidence.localAddress = Endpoint(evidence.source, 50001)
        evidence.realm = OutsideText("example.org")
        evidence.allocation = .init(
            mappedAddress: Self.mapped, lifetime: 120, roundTrips: 2, elapsed: .milliseconds(40),
            roundTrip: .milliseconds(20), isOpenToAll: false)
        var relay = TURNEvidence.Relay(relayedAddress: family == .ipv4 ? Self.relayed : Self.relayed6)
        relay.permittedAfter = .milliseconds(20)
        relay.boundAfter = .milliseconds(20)
        relay.peerAddress = Endpoint(Self.mapped.address, 62001)
        relay.indications = .init(sent: 3, arrived: 3, roundTrips: Self.trips)
        relay.channel = .init(sent: 3, arrived: 3, roundTrips: Self.trips)
        evidence.relay = relay
        evidence.deletion = .confirmed
        evidence.took = .milliseconds(200)
        change(&evidence)
        note(.turnSeen(evidence), at: 200)
    }

    /// An attempt that ended before there was a relay.
    mutating func refused(
        _ trouble: TURNEvidence.Trouble, _ server: Int = 0, at address: Endpoint = server,
        over transport: Transport = .udp, relaying family: IPAddress.Family = .ipv4,
        _ change: (inout TURNEvidence) -> Void = { _ in }
    ) {
        relay(server, at: address, over: transport, relaying: family) { evidence in
            evidence.allocation = nil
            evidence.relay = nil
            evidence.deletion = nil
            evidence.trouble = trouble
            change(&evidence)
        }
    }
}

extension TURNEvidence.Trouble {
    static func error(_ code: Int, _ stage: RelayStage = .allocate, reason: String? = nil) -> Self {
        var trouble = Self(stage, .errorResponse)
        trouble.code = code
        trouble.reason = reason.map { OutsideText($0) }
        return trouble
    }
}

extension TURNEvidence.Relay {
    /// Sent in vain.
    mutating func silence(arrived: Int = 0) {
        indications = .init(sent: 24, arrived: arrived)
        channel = .init()
        boundAfter = nil
        peerAddress = nil
    }
}

extension TLSEvidence {
    static func facts(_ days: Int64 = 60, faults: [SecureFailure] = []) -> SecureFacts {
        SecureFacts(
            version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", applicationProtocol: OutsideText("stun.turn"),
            chain: [
                CertificateFacts(
                    subject: OutsideText("CN=turn.example.org"), issuer: OutsideText("CN=Example CA"),
                    commonName: OutsideText("turn.example.org"), names: [.dns(OutsideText("turn.example.org"))],
                    notBefore: 0, notAfter: 1_000_000 + days * 86400, keyKind: "EC", keyBits: 256,
                    signatureAlgorithm: "ecdsa-with-SHA256", fingerprint: [UInt8](repeating: 0xAB, count: 32),
                    isSelfSigned: false)
            ], faults: faults, judgedAt: 1_000_000)
    }

    static func fine(days: Int64 = 60, faults: [SecureFailure] = []) -> TLSEvidence {
        TLSEvidence(facts: facts(days, faults: faults), handshake: .milliseconds(30))
    }

    static func failed(_ kind: SecureFailure.Kind, _ detail: String = "") -> TLSEvidence {
        TLSEvidence(
            facts: SecureFacts(), failures: [SecureFailure(kind, detail, certificate: 0)], handshake: .milliseconds(30))
    }
}
