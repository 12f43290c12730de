import Engines
import NetTypes
import Planning

@testable import Diagnosis
@testable import Facts
@testable import Reporting

extension TURNResult {
    /// A relay over TLS that carries data, one that a server refuses, one whose certificate is for another name, and
    /// one that was not measured.
    static var fixtures: [TURNResult] { [fine, refused, unverified, unmeasured] }

    private static let endpoint = Endpoint(IPAddress(198, 51, 100, 1), 5349)
    private static let local = IPAddress(192, 168, 1, 5)

    private static func evidence(
        _ attempt: Int, at server: Endpoint, over transport: Transport
    ) -> TURNEvidence {
        var evidence = TURNEvidence(
            attempt: attempt, server: 0, serverAddress: server, transport: transport, source: local, relayFamily: .ipv4,
            username: "1777900000:alice")
        evidence.localAddress = Endpoint(local, 51234)
        evidence.realm = OutsideText("example.org")
        evidence.software = OutsideText("Coturn-4.6.1")
        evidence.took = .milliseconds(212)
        return evidence
    }

    private static var fine: TURNResult {
        var evidence = evidence(0, at: endpoint, over: .tls)
        evidence.connectedAfter = .milliseconds(20)
        evidence.tls = TLSEvidence(
            facts: .fixture, handshake: .microseconds(31_500))
        evidence.allocation = .init(
            mappedAddress: Endpoint(IPAddress(203, 0, 113, 7), 62000), lifetime: 120, roundTrips: 2,
            elapsed: .milliseconds(41), roundTrip: .milliseconds(20), isOpenToAll: false)
        var relay = TURNEvidence.Relay(relayedAddress: Endpoint(IPAddress(198, 51, 100, 1), 50000))
        relay.peerAddress = Endpoint(IPAddress(203, 0, 113, 7), 62001)
        relay.permittedAfter = .milliseconds(20)
        relay.boundAfter = .milliseconds(21)
        relay.indications = .init(sent: 3, arrived: 3, roundTrips: [.milliseconds(40), .milliseconds(44)])
        relay.channel = .init(sent: 3, arrived: 3, roundTrips: [41, 42, 43].map { .milliseconds($0) })
        evidence.relay = relay
        evidence.deletion = .confirmed
        return TURNResult(
            server: "turns:turn.example.org", transport: .tls, family: .ipv4, serverAddress: endpoint, stage: .relay,
            outcome: .answered, evidence: evidence,
            data: RelayedData(
                sent: 6, returned: 5, altered: 0,
                roundTrips: RoundTripStatistics(
                    sent: 5, received: 5, minimum: .milliseconds(40), median: .milliseconds(42),
                    percentile95: .milliseconds(44), maximum: .milliseconds(44), jitter: .milliseconds(2)),
                overhead: .milliseconds(2)))
    }

    private static var refused: TURNResult {
        let address = Endpoint(endpoint.address, 3478)
        var evidence = evidence(1, at: address, over: .udp)
        evidence.redirects = [Endpoint(IPAddress(198, 51, 100, 2), 3478), address]
        var trouble = TURNEvidence.Trouble(.allocate, .errorResponse)
        trouble.code = 486
        trouble.reason = OutsideText("Allocation Quota Reached")
        evidence.trouble = trouble
        return TURNResult(
            server: "turn:turn.example.org", transport: .udp, family: .ipv4, serverAddress: address, stage: .allocate,
            outcome: .failed(ProbeError(trouble, of: evidence)), evidence: evidence)
    }

    private static var unverified: TURNResult {
        var evidence = evidence(2, at: endpoint, over: .dtls)
        evidence.realm = nil
        evidence.software = nil
        evidence.tls = TLSEvidence(
            facts: .fixture,
            failures: [SecureFailure(.wrongName, "turn.example.org", certificate: 0)], handshake: .milliseconds(40))
        evidence.trouble = TURNEvidence.Trouble(.tls, .notSecured)
        return TURNResult(
            server: "turns:other.example.org?transport=udp", transport: .dtls, family: .ipv4, serverAddress: endpoint,
            stage: .tls, outcome: .failed(ProbeError(evidence.tls, over: .dtls)), evidence: evidence)
    }

    private static var unmeasured: TURNResult {
        TURNResult(
            server: "turn:turn.example.org", transport: .udp, family: .ipv6, serverAddress: nil, stage: .resolve,
            outcome: .notMeasured(
                NotMeasured(what: "turn:turn.example.org", family: .ipv6, reason: .noRoute, detail: "no IPv6 route")))
    }

    /// With hostile text wherever text can come from outside.
    func hostile(_ text: inout HostileText) -> TURNResult {
        var result = self
        result.server = text.string()
        result.evidence?.realm = text.outside()
        result.evidence?.software = text.outside()
        result.evidence?.username = "u" + text.string()
        if var tls = result.evidence?.tls {
            tls.facts = tls.facts.hostile(&text)
            tls.failures = tls.failures.map { SecureFailure($0.kind, text.outside(), certificate: $0.certificate) }
            result.evidence?.tls = tls
        }
        switch outcome {
        case .answered: break
        case .failed(var error):
            error.message = text.string()
            error.reason = text.outside()
            result.outcome = .failed(error)
        case .notMeasured(var gap):
            gap.what = text.string()
            gap.detail = text.string()
            result.outcome = .notMeasured(gap)
        }
        return result
    }
}

extension SecureFacts {
    static var fixture: SecureFacts {
        let own = CertificateFacts(
            subject: OutsideText("CN=turn.example.org"), issuer: OutsideText("CN=Example CA"),
            commonName: OutsideText("turn.example.org"),
            names: [.dns(OutsideText("turn.example.org")), .address(IPAddress(198, 51, 100, 1))],
            notBefore: 1_770_000_000, notAfter: 1_780_000_000, keyKind: "EC", keyBits: 256,
            signatureAlgorithm: "ecdsa-with-SHA256", fingerprint: [UInt8](repeating: 0xAB, count: 32),
            isSelfSigned: false)
        var issuer = own
        issuer.subject = OutsideText("CN=Example CA")
        issuer.names = []
        return SecureFacts(
            version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", applicationProtocol: OutsideText("stun.turn"),
            chain: [own, issuer], judgedAt: 1_777_860_000)
    }

    func hostile(_ text: inout HostileText) -> SecureFacts {
        var facts = self
        facts.applicationProtocol = text.outside()
        facts.chain = chain.map { certificate in
            var certificate = certificate
            certificate.subject = text.outside()
            certificate.issuer = text.outside()
            certificate.commonName = text.outside()
            certificate.names = (0..<6).map { _ in .dns(text.outside()) }
            return certificate
        }
        return facts
    }
}

extension Report {
    /// What `icecheck turn` reports.
    static var relayFixture: Report {
        var report = empty
        report.subject = .turn
        report.verdict = Verdict(
            isOK: false, best: .relayed, summary: "1 of 4 relays carries data.",
            families: [.init(family: .ipv4, isOK: false, best: .relayed, summary: "1 of 4 relays carries data")])
        report.turn = TURNResult.fixtures
        return report
    }
}
