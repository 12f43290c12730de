import Engines
import Facts
import NetTypes
import Testing

@testable import Diagnosis

/// What TLS showed, as findings.
@Suite struct TLSFindingTests {
    static let address = Endpoint(IPAddress(9, 9, 9, 9), 5349)

    private func findings(
        _ tls: TLSEvidence, isInsecure: Bool = false, over transport: Transport = .tls
    ) throws -> [Finding] {
        let recording = try Recording.relays(["turns:9.9.9.9"], isInsecure: isInsecure)
        return TURNFindingTests.findings(recording) { recording in
            if tls.failures.isEmpty {
                recording.relay(at: Self.address, over: transport) { $0.tls = tls }
            } else {
                recording.refused(.init(.tls, .notSecured), at: Self.address, over: transport) { $0.tls = tls }
            }
        }
    }

    private static func id(of kind: SecureFailure.Kind) -> String {
        switch kind {
        case .interceptionSuspected: "tls-interception-suspected"
        case .revoked: "tls-certificate-revoked"
        case .expired: "tls-certificate-expired"
        case .notYetValid: "tls-certificate-not-yet-valid"
        case .wrongName: "tls-name-mismatch"
        case .weakKey, .weakHash: "tls-certificate-weak"
        case .missingIntermediate: "tls-chain-incomplete"
        case .selfSigned: "tls-self-signed"
        case .unknownRoot: "tls-unknown-authority"
        case .notTLS: "wrong-service"
        case .flightLost: "dtls-flight-lost"
        case .protocolVersion, .noCommonCipher, .alpnMismatch, .alert, .closedDuringHandshake, .malformed, .stalled,
            .chainTooLong, .certificateRefused, .unusableConfiguration:
            "tls-handshake-failed"
        }
    }

    @Test(arguments: SecureFailure.Kind.allCases, [Transport.tls, .dtls])
    func faultOfTheHandshakeDecidesTheFinding(kind: SecureFailure.Kind, transport: Transport) throws {
        let findings = try findings(.failed(kind, "detail"), over: transport)
        #expect(findings.map(\.id) == [Self.id(of: kind)])
        #expect(findings.allSatisfy { !$0.causes.isEmpty && $0.remedy.hasSuffix(".") && !$0.evidence.isEmpty })
    }

    @Test func handshakeThatWorksHasNoFinding() throws {
        #expect(try findings(.fine()).isEmpty)
    }

    @Test func firstFaultGivesTheFindingAndTheOthersAreEvidence() throws {
        var tls = TLSEvidence.failed(.expired, "2020-01-01")
        tls.failures.append(SecureFailure(.selfSigned, "CN=a"))
        let findings = try findings(tls)
        #expect(findings.map(\.id) == ["tls-certificate-expired"] && findings.first?.evidence.count == 2)
    }

    @Test(arguments: [(Int64(0), true), (13, true), (14, false), (400, false)])
    func certificateThatEndsSoonIsAWarning(days: Int64, isSoon: Bool) throws {
        let findings = try findings(.fine(days: days))
        #expect(findings.map(\.id) == (isSoon ? ["tls-certificate-expires-soon"] : []))
        #expect(findings.allSatisfy { $0.severity == .warning })
    }

    @Test func insecureIsSaidLoudlyWithAndWithoutAFault() throws {
        let clean = try findings(.fine(), isInsecure: true)
        #expect(clean.map(\.id) == ["tls-not-verified"])
        #expect(clean.first?.remedy == "Remove --insecure.")
        let fault = SecureFailure(.selfSigned, "CN=a", certificate: 0)
        let faulty = try findings(.fine(days: 1, faults: [fault]), isInsecure: true)
        #expect(faulty.map(\.id) == ["tls-not-verified"])
        #expect(faulty.first?.evidence.first?.contains("self-signed (CN=a)") == true)
    }

    @Test func oneWayThatManyAskedOverIsToldOnce() throws {
        let findings = TURNFindingTests.findings(try .relays(["turns:9.9.9.9"])) { recording in
            for family in [IPAddress.Family.ipv4, .ipv6] {
                recording.refused(.init(.tls, .notSecured), at: Self.address, over: .tls, relaying: family) {
                    $0.tls = .failed(.expired, "2020-01-01")
                }
            }
        }
        #expect(findings.map(\.id) == ["tls-certificate-expired"] && findings.first?.evidence.count == 1)
    }

    @Test func textOfACertificateIsCleanedInTheEvidence() throws {
        let findings = try findings(.failed(.wrongName, "\u{1b}[31mevil\u{202e}"))
        #expect(findings.flatMap(\.evidence).allSatisfy { !$0.contains("\u{1b}") && !$0.contains("\u{202e}") })
    }
}
