import Engines
import Facts
import NetTypes
import Planning
import STUN
import Testing

@testable import Diagnosis

/// Relays over TLS and DTLS: what is asked of the path, and what becomes of its handshake.
@Suite struct TURNSecuritySessionTests {
    private static let facts = SecureFacts(version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", judgedAt: 1)
    private static let leg = RelayServer.leg

    private static func clients(_ network: VirtualNetwork) -> [SecureClientConfiguration] {
        network.specifications.compactMap {
            if case .client(let configuration) = $0.security { configuration } else { nil }
        }
    }

    private static func run(
        _ uri: String, _ change: (inout Options) -> Void = { _ in },
        _ configure: (inout VirtualNetwork, RelayServer) -> Void = { _, _ in }
    ) throws -> TURNSessionTests.Run {
        var options = try TURNSessionTests.options([uri])
        change(&options)
        return try TURNSessionTests.run(options) { network, server in
            network.handshake = { _ in (leg * 4, .secured(facts)) }
            configure(&network, server)
        }
    }

    @Test(arguments: [("turns:9.9.9.9", Transport.tls), ("turns:9.9.9.9?transport=udp", .dtls)])
    func relayIsAskedForOnceThePathIsSecured(uri: String, transport: Transport) throws {
        let run = try Self.run(uri)
        let evidence = try #require(run.first)
        #expect(evidence.transport == transport && evidence.trouble == nil)
        #expect(evidence.tls == TLSEvidence(facts: Self.facts, handshake: .milliseconds(40)))
        #expect(evidence.relay?.channel.roundTrips.count == 3 && evidence.deletion == .confirmed)
        #expect(run.server.requests.first?.at == Instant.zero + .milliseconds(40))
        #expect(run.server.allocations.isEmpty)
        #expect(evidence.connectedAfter == (transport == .tls ? .milliseconds(20) : nil))
    }

    @Test func pathToAServerIsSecuredAsTheOptionsSayAndThePeersIsNot() throws {
        let run = try Self.run("turns:9.9.9.9") { options in
            options.trust = Plan.TLSTrust(rootsPEM: [1, 2], isInsecure: true, wallClock: 77)
            options.timeout = .seconds(3)
        }
        let configuration = try #require(Self.clients(run.network).first)
        // Those of the attempt, of its second socket, and of the two relays that send to each other.
        #expect(Self.clients(run.network).count == 3 && run.network.specifications.count == 4)
        #expect(Set(Self.clients(run.network)).count == 1)
        #expect(configuration.kind == .tls && configuration.identity == .address(RelayServer.address))
        #expect(configuration.serverName == nil && configuration.applicationProtocols == ["stun.turn"])
        #expect(configuration.trustedPEM == [1, 2] && configuration.isInsecure && configuration.wallClock == 77)
        #expect(configuration.handshakeLimit == .seconds(3))
    }

    @Test func pathWithoutTLSIsNotSecured() throws {
        let run = try Self.run("turn:9.9.9.9")
        #expect(Self.clients(run.network).isEmpty && run.first?.tls == nil)
    }

    @Test func certificateIsToNameTheHostOfTheURI() throws {
        let run = try Self.run("turns:turn.example.org:5349?transport=udp") { _ in
        } _: { network, _ in
            let system = network.answer
            network.answer = { query in
                guard case .addresses(_, let family) = query else { return system(query) }
                return (.zero, family == .ipv4 ? .addresses([RelayServer.address]) : .failed(.noSuchName))
            }
        }
        let configuration = try #require(Self.clients(run.network).first)
        #expect(configuration.identity == .name("turn.example.org") && configuration.kind == .dtls)
        #expect(configuration.serverName == "turn.example.org")
        #expect(configuration.peer == Endpoint(RelayServer.address, 5349))
    }

    @Test(arguments: ["turns:9.9.9.9", "turns:9.9.9.9?transport=udp"])
    func handshakeThatFailsIsTheEndAndNothingIsAsked(uri: String) throws {
        let refusal = SecureRefusal(failures: [SecureFailure(.expired, "2020-01-01", certificate: 0)])
        let run = try Self.run(uri) { _ in
        } _: { network, _ in
            network.handshake = { _ in (Self.leg * 4, .refused(refusal)) }
        }
        #expect(run.first?.trouble == TURNEvidence.Trouble(.tls, .notSecured))
        #expect(run.first?.tls?.failures == refusal.failures && run.first?.tls?.handshake == .milliseconds(40))
        #expect(run.server.requests.isEmpty && run.took == 40)
        #expect(run.diagnosis.findings.map(\.id) == ["tls-certificate-expired"])
        #expect(run.diagnosis.turn.first?.stage == .tls)
    }

    @Test func handshakeWithoutAnEndIsToldAtTheDeadline() throws {
        let run = try Self.run("turns:9.9.9.9") {
            $0.timeout = .seconds(2)
        } _: { network, _ in
            network.handshake = { _ in nil }
        }
        #expect(run.took == 2000 && run.first?.trouble == TURNEvidence.Trouble(.tls, .noAnswer))
        #expect(run.diagnosis.turn.first?.error?.kind == .timeout)
    }

    @Test func errorOfThePathDuringTheHandshakeIsOfThatStage() throws {
        let run = try Self.run("turns:9.9.9.9") { _ in
        } _: { network, _ in
            network.handshake = { _ in nil }
            network.connect = { _ in [(Self.leg, .connected), (Self.leg * 2, .reset)] }
        }
        #expect(run.first?.trouble?.stage == .tls && run.first?.trouble?.path?.kind == .connectionReset)
    }

    /// A handshake that lost packets is waited for, and not alone.
    @Test func handshakeThatWaitsForItsServersClockIsRunAgainstAnother() throws {
        var begun = 0
        let run = try Self.run("turns:9.9.9.9?transport=udp") { _ in
        } _: { network, _ in
            network.handshake = { _ in
                begun += 1
                return begun == 1 ? (.seconds(6), .secured(Self.facts)) : (Self.leg * 4, .secured(Self.facts))
            }
        }
        let evidence = try #require(run.first)
        #expect(evidence.trouble == nil && evidence.relay?.channel.roundTrips.count == 3)
        #expect(evidence.tls?.handshakesBegun == 2 && evidence.tls?.handshake == .milliseconds(40))
        #expect(run.server.requests.first?.at == Instant.zero + HandshakeRace.interval + .milliseconds(40))
        // With those of the pair of relays.
        #expect(begun == 4 && run.took < 2700 && run.server.allocations.isEmpty)
        let client = try #require(run.network.sent.first { $0.transmit.destination.port == 5349 })
        #expect(evidence.localAddress == client.local)
    }

    @Test func oldestHandshakeMayStillWin() throws {
        var begun = 0
        let run = try Self.run("turns:9.9.9.9?transport=udp") { _ in
        } _: { network, _ in
            network.handshake = { _ in
                begun += 1
                return begun == 1 ? (.seconds(5), .secured(Self.facts)) : nil
            }
        }
        #expect(run.first?.trouble == nil && run.first?.tls?.handshakesBegun == 3)
        #expect(run.first?.tls?.handshake == .seconds(5))
    }

    @Test func stallOfOneHandshakeIsNotTheEndOfTheOthers() throws {
        let stall = SecureRefusal(failures: [SecureFailure(.stalled)])
        var begun = 0
        let run = try Self.run("turns:9.9.9.9?transport=udp") { _ in
        } _: { network, _ in
            network.handshake = { _ in
                begun += 1
                return begun == 1 ? (.milliseconds(2100), .refused(stall)) : (.seconds(1), .secured(Self.facts))
            }
        }
        #expect(run.first?.trouble == nil && run.first?.relay?.channel.roundTrips.count == 3)
    }

    @Test func whatTheServerSaysInOneHandshakeEndsThemAll() throws {
        let refusal = SecureRefusal(failures: [SecureFailure(.expired, "2020-01-01", certificate: 0)])
        var begun = 0
        let run = try Self.run("turns:9.9.9.9?transport=udp") { _ in
        } _: { network, _ in
            network.handshake = { _ in
                begun += 1
                return begun == 1 ? nil : (Self.leg, .refused(refusal))
            }
        }
        #expect(run.diagnosis.findings.map(\.id) == ["tls-certificate-expired"] && run.took == 2010)
    }

    @Test func silentServerSeesFourHandshakesAndNoMore() throws {
        var begun = 0
        let run = try Self.run("turns:9.9.9.9?transport=udp") { _ in
        } _: { network, _ in
            network.handshake = { _ in
                begun += 1
                return nil
            }
        }
        #expect(begun == 4 && run.took == 10000 && run.first?.trouble == TURNEvidence.Trouble(.tls, .noAnswer))
    }

    @Test func connectionIsNotRunAgainstAnother() throws {
        var begun = 0
        let run = try Self.run("turns:9.9.9.9") { _ in
        } _: { network, _ in
            network.handshake = { _ in
                begun += 1
                return (.seconds(5), .secured(Self.facts))
            }
        }
        // With those of the pair of relays.
        #expect(begun == 3 && run.first?.trouble == nil && run.first?.tls?.handshakesBegun == 1)
    }

    @Test func serverThatEndsTheAssociationIsAskedOnceMoreFromAnotherPort() throws {
        var begun = 0
        let run = try Self.run("turns:9.9.9.9?transport=udp") { _ in
        } _: { network, server in
            network.goodbye = { _ in
                begun += 1
                return begun == 1 ? Self.leg * 5 : nil
            }
            server.isDropped = { $0.at < Instant.zero + Self.leg * 5 }
        }
        #expect(run.first?.trouble == nil && run.first?.relay?.channel.roundTrips.count == 3)
        // With those of the pair of relays.
        #expect(Self.clients(run.network).count == 4 && run.server.allocations.isEmpty && run.took < 600)
    }

    @Test(arguments: ["turns:9.9.9.9", "turns:9.9.9.9?transport=udp"])
    func serverThatEndsEverySecuredPathIsNamed(uri: String) throws {
        let run = try Self.run(uri) { _ in
        } _: { network, server in
            network.goodbye = { _ in Self.leg * 5 }
            server.isDropped = { _ in true }
        }
        #expect(run.first?.trouble == TURNEvidence.Trouble(.allocate, .closed))
        // The handshake was fine, and is told as such.
        #expect(run.first?.tls?.failures.isEmpty == true && run.first?.tls?.facts == Self.facts)
        #expect(run.diagnosis.turn.first?.error?.kind == .connectionClosed && !run.diagnosis.findings.isEmpty)
    }

    private static let otherName = SecureFailure(.wrongName, "other.example.org", certificate: 0)

    private static func namedRun(
        _ uri: String, _ failures: [SecureFailure], without nameless: VirtualNetwork.Handshake?,
        _ change: (inout Options) -> Void = { _ in }
    ) throws -> TURNSessionTests.Run {
        try run(uri, change) { network, _ in
            let system = network.answer
            network.answer = { query in
                guard case .addresses(_, let family) = query else { return system(query) }
                return (.zero, family == .ipv4 ? .addresses([RelayServer.address]) : .failed(.noSuchName))
            }
            network.handshake = { specification in
                guard case .client(let configuration)? = specification.security else { return nil }
                if configuration.serverName == nil { return nameless.map { (leg * 4, $0) } }
                return (leg * 4, .refused(SecureRefusal(failures: failures)))
            }
        }
    }

    @Test(arguments: ["turns:turn.example.org", "turns:turn.example.org:5349?transport=udp"])
    func certificateForAnotherNameIsComparedWithTheOneThatIsSentWithoutAName(uri: String) throws {
        let fine = try Self.namedRun(uri, [Self.otherName], without: .secured(Self.facts))
        #expect(fine.first?.trouble == TURNEvidence.Trouble(.tls, .notSecured) && fine.first?.isCutShort == false)
        #expect(fine.first?.tls?.failures == [Self.otherName] && fine.first?.tls?.failuresWithoutServerName == [])
        #expect(fine.server.requests.isEmpty && fine.took == 80)
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
        #expect(address.first?.tls?.failuresWithoutServerName == nil && Self.clients(address.network).isEmpty == false)
    }

    @Test func comparisonThatDoesNotEndIsNoPartOfTheVerdict() throws {
        let run = try Self.namedRun("turns:turn.example.org", [Self.otherName], without: nil) {
            $0.timeout = .seconds(2)
        }
        #expect(run.took == 2000 && run.first?.trouble == TURNEvidence.Trouble(.tls, .notSecured))
        #expect(run.first?.tls?.failuresWithoutServerName == nil)
        #expect(run.diagnosis.findings.map(\.id) == ["tls-name-mismatch"])
    }

    @Test func redirectWithADomainIsHeldToThatName() throws {
        let other = Endpoint(IPAddress(9, 9, 9, 10), 5349)
        let run = try Self.run("turns:9.9.9.9") { _ in
        } _: { _, server in
            server.redirects = [Endpoint(RelayServer.address, 5349): other]
            server.alternateDomain = "other.example.org"
        }
        #expect(run.first?.redirects == [other] && run.first?.relay?.channel.roundTrips.count == 3)
        // The relays that send to each other are asked for where the attempt was led to.
        let names = Self.clients(run.network).map(\.identity)
        #expect(names == [.address(RelayServer.address)] + (0..<3).map { _ in .name("other.example.org") })
    }
}
