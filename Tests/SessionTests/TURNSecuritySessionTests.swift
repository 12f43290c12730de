import Engines
import Facts
import NetTypes
import Planning
import STUN
import SimNet
import TestSupport
import Testing

@testable import Diagnosis

/// Relays over TLS and DTLS: what is asked of the path, and what becomes of its handshake.
@Suite struct TURNSecuritySessionTests {
    private static let facts = SecureFacts(version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", judgedAt: 1)
    private static let overDTLS = "turns:9.9.9.9?transport=udp"
    /// A trip to the server.
    private static let leg = Duration.milliseconds(10)
    private static let relay = Endpoint(Place.relay.address, 5349)
    /// A handshake as it usually goes.
    private static let usual: [(after: Duration, end: HandshakeEnd)] = [(leg * 4, .secured(facts))]

    private static func clients(_ run: SessionLab.Run) -> [SecureClientConfiguration] {
        run.machine.opened.compactMap {
            if case .client(let configuration) = $0.security { configuration } else { nil }
        }
    }

    private typealias Handshake = (Int, PathSpecification) -> [(after: Duration, end: HandshakeEnd)]

    /// - Parameter handshake: how the handshake of this number, from 1, on such a path ends.
    private static func run(
        _ uri: String, _ configure: (inout SessionLab) -> Void = { _ in },
        handshake: @escaping Handshake = { _, _ in usual }
    ) throws -> SessionLab.Run {
        try TURNSessionTests.run(TURNSessionTests.options([uri])) { lab in
            var begun = 0
            lab.relays = [relay]
            lab.names.addresses["turn.example.org"] = [relay.address]
            lab.system = handshakes { specification in
                begun += 1
                return handshake(begun, specification)
            }
            configure(&lab)
        }
    }

    @Test(arguments: [("turns:9.9.9.9", Transport.tls), ("turns:9.9.9.9?transport=udp", .dtls)])
    func relayIsAskedForOnceThePathIsSecured(uri: String, transport: Transport) throws {
        let run = try Self.run(uri)
        let evidence = try #require(run.first)
        #expect(evidence.transport == transport && evidence.trouble == nil)
        #expect(evidence.tls == TLSEvidence(facts: Self.facts, handshake: .milliseconds(40)))
        #expect(evidence.relay?.channel.roundTrips.count == 3 && evidence.deletion == .confirmed)
        #expect(run.log.requests.first?.at == .zero + .milliseconds(50))
        #expect(run.log.left == 0)
        #expect(evidence.connectedAfter == (transport == .tls ? .milliseconds(20) : nil))
    }

    @Test func pathToAServerIsSecuredAsTheOptionsSayAndThePeersIsNot() throws {
        let run = try Self.run("turns:9.9.9.9") { lab in
            lab.options.trust = Plan.TLSTrust(rootsPEM: [1, 2], isInsecure: true, wallClock: 77)
            lab.options.timeout = .seconds(3)
        }
        let configuration = try #require(Self.clients(run).first)
        // Those of the attempt, of its second socket, and of the two relays that send to each other.
        #expect(Self.clients(run).count == 3 && run.machine.opened.count == 4)
        #expect(Set(Self.clients(run)).count == 1)
        #expect(configuration.kind == .tls && configuration.identity == .address(Place.relay.address))
        #expect(configuration.serverName == nil && configuration.applicationProtocols == ["stun.turn"])
        #expect(configuration.trustedPEM == [1, 2] && configuration.isInsecure && configuration.wallClock == 77)
        #expect(configuration.handshakeLimit == .seconds(3))
    }

    @Test func pathWithoutTLSIsNotSecured() throws {
        let run = try Self.run("turn:9.9.9.9") { $0.relays = [Place.relay] }
        #expect(Self.clients(run).isEmpty && run.first?.tls == nil)
    }

    @Test func certificateIsToNameTheHostOfTheURI() throws {
        let run = try Self.run("turns:turn.example.org:5349?transport=udp")
        let configuration = try #require(Self.clients(run).first)
        #expect(configuration.identity == .name("turn.example.org") && configuration.kind == .dtls)
        #expect(configuration.serverName == "turn.example.org")
        #expect(configuration.peer == Endpoint(Place.relay.address, 5349))
    }

    @Test(arguments: ["turns:9.9.9.9", overDTLS])
    func handshakeThatFailsIsTheEndAndNothingIsAsked(uri: String) throws {
        let refusal = SecureRefusal(failures: [SecureFailure(.expired, "2020-01-01", certificate: 0)])
        let run = try Self.run(uri, handshake: { _, _ in [(Self.leg * 4, .refused(refusal))] })
        #expect(run.first?.trouble == TURNEvidence.Trouble(.tls, .notSecured))
        #expect(run.first?.tls?.failures == refusal.failures && run.first?.tls?.handshake == .milliseconds(40))
        #expect(run.log.requests.isEmpty && run.took == 40)
        #expect(run.findings == ["tls-certificate-expired"])
        #expect(run.diagnosis.turn.first?.stage == .tls)
    }

    @Test func handshakeWithoutAnEndIsToldAtTheDeadline() throws {
        let run = try Self.run("turns:9.9.9.9") {
            $0.options.timeout = .seconds(2)
        } handshake: { _, _ in
            []
        }
        #expect(run.took == 2000 && run.first?.trouble == TURNEvidence.Trouble(.tls, .noAnswer))
        #expect(run.diagnosis.turn.first?.error?.kind == .timeout)
    }

    @Test func errorOfThePathDuringTheHandshakeIsOfThatStage() throws {
        let run = try Self.run("turns:9.9.9.9") {
            $0.system = { output, _ in
                guard case .open(let path, _) = output else { return [] }
                return [(Self.leg * 3, .reset(path))]
            }
        }
        #expect(run.first?.trouble?.stage == .tls && run.first?.trouble?.path?.kind == .connectionReset)
    }

    /// A handshake that lost packets is waited for, and not alone.
    @Test func handshakeThatWaitsForItsServersClockIsRunAgainstAnother() throws {
        let run = try Self.run(
            Self.overDTLS,
            handshake: { number, _ in
                number == 1 ? [(.seconds(6), .secured(Self.facts))] : Self.usual
            })
        let evidence = try #require(run.first)
        #expect(evidence.trouble == nil && evidence.relay?.channel.roundTrips.count == 3)
        #expect(evidence.tls?.handshakesBegun == 2 && evidence.tls?.handshake == .milliseconds(40))
        #expect(run.log.requests.first?.at == Instant.zero + HandshakeRace.interval + .milliseconds(50))
        // With those of the pair of relays.
        #expect(Self.clients(run).count == 4 && run.took < 2700 && run.log.left == 0)
        let client = try #require(run.sent.first { $0.destination.port == 5349 })
        #expect(evidence.localAddress == client.local)
    }

    @Test func oldestHandshakeMayStillWin() throws {
        let run = try Self.run(
            Self.overDTLS,
            handshake: { number, _ in
                number == 1 ? [(.seconds(5), .secured(Self.facts))] : []
            })
        #expect(run.first?.trouble == nil && run.first?.tls?.handshakesBegun == 3)
        #expect(run.first?.tls?.handshake == .seconds(5))
    }

    @Test func stallOfOneHandshakeIsNotTheEndOfTheOthers() throws {
        let stall = SecureRefusal(failures: [SecureFailure(.stalled)])
        let run = try Self.run(
            Self.overDTLS,
            handshake: { number, _ in
                number == 1 ? [(.milliseconds(2100), .refused(stall))] : [(.seconds(1), .secured(Self.facts))]
            })
        #expect(run.first?.trouble == nil && run.first?.relay?.channel.roundTrips.count == 3)
    }

    @Test func whatTheServerSaysInOneHandshakeEndsThemAll() throws {
        let refusal = SecureRefusal(failures: [SecureFailure(.expired, "2020-01-01", certificate: 0)])
        let run = try Self.run(
            Self.overDTLS,
            handshake: { number, _ in
                number == 1 ? [] : [(Self.leg, .refused(refusal))]
            })
        #expect(run.findings == ["tls-certificate-expired"] && run.took == 2010)
    }

    @Test func silentServerSeesFourHandshakesAndNoMore() throws {
        let run = try Self.run(Self.overDTLS, handshake: { _, _ in [] })
        #expect(Self.clients(run).count == 4 && run.took == 10000)
        #expect(run.first?.trouble == TURNEvidence.Trouble(.tls, .noAnswer))
    }

    @Test func connectionIsNotRunAgainstAnother() throws {
        let run = try Self.run("turns:9.9.9.9", handshake: { _, _ in [(.seconds(5), .secured(Self.facts))] })
        // With those of the pair of relays.
        #expect(Self.clients(run).count == 3 && run.first?.trouble == nil && run.first?.tls?.handshakesBegun == 1)
    }

    /// The server ends what was agreed to.
    private static let goodbye: (after: Duration, end: HandshakeEnd) = (
        leg * 5, .refused(SecureRefusal(failures: [SecureFailure(.alert, "close notify", alert: 0)]))
    )

    @Test func serverThatEndsTheAssociationIsAskedOnceMoreFromAnotherPort() throws {
        let run = try Self.run(Self.overDTLS) {
            // So long are the requests under way that were sent before.
            $0.faults.drop { request, _ in request.at < .zero + Self.leg * 6 }
        } handshake: { number, _ in
            number == 1 ? Self.usual + [Self.goodbye] : Self.usual
        }
        #expect(run.first?.trouble == nil && run.first?.relay?.channel.roundTrips.count == 3)
        // With those of the pair of relays.
        #expect(Self.clients(run).count == 4 && run.log.left == 0 && run.took < 600)
    }

    @Test(arguments: ["turns:9.9.9.9", overDTLS])
    func serverThatEndsEverySecuredPathIsNamed(uri: String) throws {
        let run = try Self.run(uri) {
            $0.faults.drop()
        } handshake: { _, _ in
            Self.usual + [Self.goodbye]
        }
        #expect(run.first?.trouble == TURNEvidence.Trouble(.allocate, .closed))
        // The handshake was fine, and is told as such.
        #expect(run.first?.tls?.failures.isEmpty == true && run.first?.tls?.facts == Self.facts)
        #expect(run.diagnosis.turn.first?.error?.kind == .connectionClosed && !run.findings.isEmpty)
    }

    private static let otherName = SecureFailure(.wrongName, "other.example.org", certificate: 0)

    /// - Parameter nameless: how a handshake without a server name ends; nil is never.
    private static func namedRun(
        _ uri: String, _ failures: [SecureFailure], without nameless: HandshakeEnd?,
        _ configure: (inout SessionLab) -> Void = { _ in }
    ) throws -> SessionLab.Run {
        try run(uri, configure) { _, specification in
            guard case .client(let configuration)? = specification.security else { return [] }
            if configuration.serverName == nil { return nameless.map { [(leg * 4, $0)] } ?? [] }
            return [(leg * 4, .refused(SecureRefusal(failures: failures)))]
        }
    }

    @Test(arguments: ["turns:turn.example.org", "turns:turn.example.org:5349?transport=udp"])
    func certificateForAnotherNameIsComparedWithTheOneThatIsSentWithoutAName(uri: String) throws {
        let fine = try Self.namedRun(uri, [Self.otherName], without: .secured(Self.facts))
        #expect(fine.first?.trouble == TURNEvidence.Trouble(.tls, .notSecured) && fine.first?.isCutShort == false)
        #expect(fine.first?.tls?.failures == [Self.otherName] && fine.first?.tls?.failuresWithoutServerName == [])
        #expect(fine.log.requests.isEmpty && fine.took == 80)
        let finding = try #require(fine.diagnosis.findings.first)
        #expect(finding.id == "tls-name-mismatch" && finding.evidence.last?.contains("which is fine") == true)
        let same = try Self.namedRun(
            uri, [Self.otherName], without: .refused(SecureRefusal(failures: [Self.otherName])))
        #expect(same.first?.tls?.failuresWithoutServerName == [Self.otherName])
        #expect(same.diagnosis.findings.first?.evidence.last?.contains("the server does the same") == true)
    }

    @Test func nameThatTheServerDoesNotKnowIsComparedToo() throws {
        let alert = SecureFailure(.alert, "unrecognized name", alert: 112)
        let run = try Self.namedRun("turns:turn.example.org", [alert], without: .secured(Self.facts))
        #expect(run.first?.tls?.failuresWithoutServerName == [] && run.first?.tls?.failures == [alert])
    }

    @Test func whatHasNothingToDoWithTheNameIsNotCompared() throws {
        let expired = try Self.namedRun(
            "turns:turn.example.org", [SecureFailure(.expired, "2020-01-01")], without: .secured(Self.facts))
        #expect(expired.first?.tls?.failuresWithoutServerName == nil && expired.took == 40)
        // An address is no name that SNI could give.
        let address = try Self.namedRun("turns:9.9.9.9", [Self.otherName], without: .secured(Self.facts))
        #expect(address.first?.tls?.failuresWithoutServerName == nil && Self.clients(address).isEmpty == false)
    }

    @Test func comparisonThatDoesNotEndIsNoPartOfTheVerdict() throws {
        let run = try Self.namedRun("turns:turn.example.org", [Self.otherName], without: nil) {
            $0.options.timeout = .seconds(2)
        }
        #expect(run.took == 2000 && run.first?.trouble == TURNEvidence.Trouble(.tls, .notSecured))
        #expect(run.first?.tls?.failuresWithoutServerName == nil)
        #expect(run.findings == ["tls-name-mismatch"])
    }

    @Test func redirectWithADomainIsHeldToThatName() throws {
        let other = Endpoint(IPAddress(9, 9, 9, 10), 5349)
        let run = try Self.run("turns:9.9.9.9") {
            $0.relays.append(other)
            $0.faults.redirect([Self.relay: other], domain: "other.example.org")
        }
        #expect(run.first?.redirects == [other] && run.first?.relay?.channel.roundTrips.count == 3)
        // The relays that send to each other are asked for where the attempt was led to.
        let names = Self.clients(run).map(\.identity)
        #expect(names == [.address(Place.relay.address)] + (0..<3).map { _ in .name("other.example.org") })
    }
}
