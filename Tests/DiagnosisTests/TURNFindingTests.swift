import Facts
import NetTypes
import Testing

@testable import Diagnosis
@testable import Engines

/// Each rule about relays is provoked by evidence, and stays silent in the case next to it.
@Suite struct TURNFindingTests {
    typealias Trouble = TURNEvidence.Trouble

    static func findings(
        _ recording: Recording, wallClock: Int64? = nil, _ record: (inout Recording) -> Void
    ) -> [Finding] {
        var recording = recording
        record(&recording)
        return Diagnosis(recording.plan, recording.observations, wallClock: wallClock).findings
    }

    private func ids(_ record: (inout Recording) -> Void) throws -> [String] {
        Self.findings(try .relays(), record).map(\.id)
    }

    @Test(arguments: [Transport.udp, .tcp]) func relayThatCarriesDataHasNoFindings(transport: Transport) throws {
        #expect(try ids { $0.relay(over: transport) }.isEmpty)
    }

    // MARK: The exchange of credentials

    @Test(
        arguments: [
            (.credentialsNeeded, "turn-credentials-needed"), (.nonceNeverAccepted, "turn-nonce-never-accepted"),
            (.realmKeepsChanging, "turn-realm-keeps-changing"), (.brokenChallenge, "turn-challenge-broken"),
            (.possibleDowngrade, "turn-possible-downgrade"), (.noCommonAlgorithm, "turn-no-common-algorithm"),
            (.notAuthenticated, "turn-answer-not-authenticated"), (.credentialsRefused, "turn-credentials-refused"),
            (.tokenNotTaken, "turn-token-not-taken"), (.redirected, "turn-redirected"),
            (.unusableRelayedAddress, "turn-relayed-address-unusable"), (.noAnswer, "turn-signed-request-silent"),
            (.foreignProtocol, "wrong-service"), (.malformed, "server-answers-badly"),
            (.unknownAttributes, "server-answers-badly"), (.truncated, "server-answers-badly"),
        ] as [(Trouble.Kind, String)])
    func kindOfTroubleDecidesTheFinding(kind: Trouble.Kind, id: String) throws {
        #expect(try ids { $0.refused(Trouble(.allocate, kind, detail: "4")) } == [id])
    }

    /// What the server's own words, or the request that it refused, leave as the only cause.
    @Test(
        arguments: [
            (486, "Allocation Bandwidth Quota Reached", "bps-capacity="), (508, "Cannot create socket", "relay-ip="),
            (442, "Unsupported Transport Protocol", "no-udp-relay"), (400, "Bad request", "blank"),
        ] as [(Int, String, String)])
    func wordsOfTheServerNameTheCause(code: Int, reason: String, words: String) throws {
        let findings = try Self.findings(.relays(user: "user name")) { $0.refused(.error(code, reason: reason)) }
        let finding = try #require(findings.first)
        #expect(finding.causes.count == 1 && finding.causes[0].contains(words))
    }

    @Test(arguments: [("Coturn-4.6.1 'Gorst'", false), ("", true)])
    func addressOfAnotherFamilyIsNoRelayOfIt(software: String, isOptional: Bool) throws {
        var recording = try Recording.relays()
        var trouble = Trouble(.allocate, .unusableRelayedAddress, detail: "11.0.0.2:50000 (not of the family)")
        trouble.unusable = [TURNUnusableAddress(address: Recording.relayed, reason: .wrongFamily)]
        recording.relay()
        recording.refused(trouble, relaying: .ipv6) { $0.software = software.isEmpty ? nil : OutsideText(software) }
        let diagnosis = Diagnosis(recording.plan, recording.observations)
        #expect(diagnosis.verdict.isOK == isOptional)
        #expect(diagnosis.findings.isEmpty == isOptional)
    }

    @Test(arguments: [false, true]) func soakThatWasNotDoneIsNotMeasured(soaks: Bool) throws {
        var recording = try Recording.relays(soaks: soaks)
        recording.relay { evidence in
            evidence.relay?.silence()
            var pair = RelayPairEvidence(pair: 0, evidence, evidence)
            pair.indications = .init(sent: 2, arrived: 2, roundTrips: Recording.trips)
            evidence.relay?.pair = pair
        }
        let diagnosis = Diagnosis(recording.plan, recording.observations)
        #expect(diagnosis.verdict.isOK == !soaks)
        #expect((diagnosis.turn.first?.gap != nil) == soaks)
    }

    /// The line to set, where both addresses are known.
    @Test func privateRelayedAddressOfAPublicServerGivesTheLineToSet() throws {
        let findings = try Self.findings(.relays()) { recording in
            var trouble = Trouble(.allocate, .unusableRelayedAddress, detail: "10.0.0.2:50000 (private)")
            let relayed = Endpoint(IPAddress(10, 0, 0, 2), 50000)
            trouble.unusable = [TURNUnusableAddress(address: relayed, reason: .notGlobal(.privateUse))]
            recording.refused(trouble)
        }
        #expect(findings.first?.remedy.contains("external-ip=9.9.9.9/10.0.0.2") == true)
    }

    @Test(
        arguments: [
            (403, .allocate, "turn-forbidden"), (403, .permission, "turn-peer-forbidden"),
            (403, .channel, "turn-peer-forbidden"), (486, .allocate, "turn-quota-reached"),
            (508, .allocate, "turn-capacity-reached"), (508, .permission, "turn-capacity-reached"),
            (440, .allocate, "turn-family-unsupported"), (443, .permission, "turn-family-unsupported"),
            (442, .allocate, "turn-transport-unsupported"), (437, .allocate, "turn-five-tuple-in-use"),
            (438, .permission, "turn-credentials-refused"), (401, .permission, "turn-credentials-refused"),
            (441, .allocate, "turn-credentials-refused"), (400, .allocate, "turn-credentials-refused"),
            (500, .allocate, "turn-refused"), (699, .channel, "turn-refused"),
        ] as [(Int, RelayStage, String)])
    func codeAndWhatWasAskedDecideTheFinding(code: Int, stage: RelayStage, id: String) throws {
        let ids = try ids { recording in
            if stage == .allocate {
                recording.refused(.error(code))
            } else {
                recording.relay { $0.trouble = .error(code, stage) }
            }
        }
        #expect(ids == [id])
    }

    @Test func reasonOfARefusalIsShownCleaned() throws {
        let findings = Self.findings(try .relays()) { $0.refused(.error(500, reason: "disk\u{1b}[31m full")) }
        let seen = try #require(findings.first?.evidence.first)
        #expect(seen.contains("reason \"disk") && !seen.contains("\u{1b}"))
    }

    @Test func refusalsOfSeveralServersAreOneFindingWithALineForEach() throws {
        let other = Endpoint(IPAddress(9, 9, 9, 10), 3478)
        let findings = Self.findings(try .relays(["turn:9.9.9.9", "turn:9.9.9.10"])) { recording in
            recording.refused(.error(486))
            recording.refused(.error(486), 1, at: other)
        }
        #expect(findings.map(\.id) == ["turn-quota-reached"] && findings.first?.evidence.count == 2)
    }

    // MARK: Which credential

    private static let expiry: Int64 = 1_700_000_000

    @Test(arguments: [
        (Int64(0), "turn-credential-expired"), (3600, "turn-credential-expired"), (-1, "turn-credentials-refused"),
    ])
    func refusedTemporaryNameHasExpiredOnlyAfterItsTime(after: Int64, id: String) throws {
        let findings = Self.findings(try .relays(user: "\(Self.expiry):bob"), wallClock: Self.expiry + after) {
            $0.refused(Trouble(.allocate, .credentialsRefused))
        }
        #expect(findings.map(\.id) == [id])
    }

    @Test func expiredNameThatWorksAllTheSameIsNoFinding() throws {
        #expect(Self.findings(try .relays(user: "1:bob"), wallClock: Self.expiry) { $0.relay() }.isEmpty)
        let works = Self.findings(try .relays(user: "\(Self.expiry):bob"), wallClock: Self.expiry + 9) { $0.relay() }
        #expect(works.isEmpty)
    }

    @Test(
        arguments: [
            (nil, "turn-credentials-refused"), ("example.org", "turn-credentials-refused"),
            ("Example.org", "turn-realm-differs"),
        ] as [(String?, String)])
    func realmOfTheCredentialIsComparedWithTheServersWhereItIsKnown(realm: String?, id: String) throws {
        let findings = Self.findings(try .relays(realm: realm)) { $0.refused(Trouble(.allocate, .credentialsRefused)) }
        #expect(findings.map(\.id) == [id])
    }

    @Test func causesOfARefusalKnowATemporaryNameFromAUsers() throws {
        func causes(_ user: String) throws -> [String] {
            Self.findings(try .relays(user: user), wallClock: 1) {
                $0.refused(Trouble(.allocate, .credentialsRefused))
            }.flatMap(\.causes)
        }
        #expect(try causes("\(Self.expiry):bob").first?.contains("static-auth-secret") == true)
        #expect(try causes("bob").first?.contains("password") == true)
    }

    // MARK: Where the data died

    struct Death: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var id: String
        var change: @Sendable (inout TURNEvidence.Relay) -> Void
    }

    @Test(arguments: [
        Death(testDescription: "nothing either way", id: "turn-relay-silent") {
            $0.silence()
            $0.reverse = .init(sent: 24, arrived: 0)
        },
        Death(testDescription: "nothing, and the other way not tried", id: "turn-relay-silent") { $0.silence() },
        Death(testDescription: "out of the address that it says", id: "turn-relay-ports-blocked") {
            $0.silence()
            $0.reverse = .init(sent: 1, arrived: 1, source: Endpoint(Recording.relayed.address, 61000))
        },
        Death(testDescription: "out of another address", id: "turn-external-ip-wrong") {
            $0.silence()
            $0.reverse = .init(sent: 1, arrived: 1, source: Endpoint(IPAddress(9, 9, 9, 99), 50000))
        },
        Death(testDescription: "in and not out", id: "turn-relay-one-way") { $0.silence(arrived: 24) },
        Death(testDescription: "the channel alone", id: "turn-channel-silent") {
            $0.channel = .init(sent: 24, arrived: 24)
        },
    ])
    func whereTheDataDiedDecidesTheFinding(death: Death) throws {
        let findings = Self.findings(try .relays()) { recording in
            recording.relay { evidence in
                if var relay = evidence.relay {
                    death.change(&relay)
                    evidence.relay = relay
                }
                evidence.trouble = Trouble(.relay, .noData)
            }
        }
        #expect(findings.map(\.id) == [death.id])
        #expect(findings.first?.evidence.first?.contains("the relayed address is 9.9.9.9:50000") == true)
    }

    @Test func channelThatWasNeverBoundIsNotCalledSilent() throws {
        let ids = try ids { recording in
            recording.relay {
                $0.relay?.boundAfter = nil
                $0.relay?.channel = .init()
            }
        }
        #expect(ids.isEmpty)
    }

    @Test func relayedAddressOutOfReachIsNoFinding() throws {
        let ids = try ids { recording in
            recording.relay()
            recording.relay(relaying: .ipv6) {
                $0.relay?.silence()
                $0.relay?.isUntried = true
            }
        }
        #expect(ids.isEmpty)
    }

    // MARK: Redirects and traces

    @Test func redirectThatWasFollowedIsANoteAndOneThatWasRefusedAnError() throws {
        let other = Endpoint(IPAddress(9, 9, 9, 10), 3478)
        let followed = Self.findings(try .relays()) { $0.relay(at: other) { $0.redirects = [other] } }
        #expect(followed.map(\.id) == ["turn-redirect-followed"] && followed.first?.severity == .note)
        let refused = Self.findings(try .relays()) {
            $0.refused(Trouble(.allocate, .redirected, detail: "to 10.0.0.1:3478")) { $0.redirects = [other] }
        }
        #expect(refused.map(\.id) == ["turn-redirected"] && refused.first?.severity == .error)
        #expect(refused.first?.evidence.first?.hasSuffix("; led to 9.9.9.10:3478") == true)
    }

    @Test(
        arguments: [
            (.confirmed, []), (.absent, []), (nil, []), (.unconfirmed(.seconds(119)), ["turn-allocation-left"]),
        ] as [(TURNDeletion?, [String])])
    func deletionWithoutAnAnswerIsSaid(deletion: TURNDeletion?, expected: [String]) throws {
        #expect(try ids { $0.relay { $0.deletion = deletion } } == expected)
    }

    @Test func relayWithoutACredentialIsOpenToAll() throws {
        #expect(try ids { $0.relay { $0.allocation?.isOpenToAll = true } } == ["turn-open-relay"])
    }

    @Test func alteredDataIsAFindingThoughTheRestCameThrough() throws {
        #expect(try ids { $0.relay { $0.relay?.altered = 1 } } == ["turn-data-altered"])
    }

    @Test func everyFindingSaysWhatWasSeenWhyAndWhatToDo() throws {
        let kinds = Trouble.Kind.allCases.filter { $0 != .path && $0 != .notSecured && $0 != .noData }
        for kind in kinds {
            for finding in Self.findings(try .relays(), { $0.refused(Trouble(.allocate, kind)) }) {
                #expect(!finding.title.isEmpty && !finding.evidence.isEmpty && !finding.causes.isEmpty)
                #expect(finding.remedy.hasSuffix("."))
            }
        }
    }

    @Test func everyTroubleIsExplainedBySomeFinding() throws {
        // An error response has a code, and the others something beside them.
        let others: Set<Trouble.Kind> = [.errorResponse, .path, .notSecured, .noData]
        for kind in Trouble.Kind.allCases where !others.contains(kind) {
            let findings = Self.findings(try .relays()) { $0.refused(Trouble(.allocate, kind)) }
            #expect(!findings.isEmpty, "\(kind)")
        }
    }
}
