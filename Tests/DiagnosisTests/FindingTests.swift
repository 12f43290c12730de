import Facts
import NetTypes
import Planning
import Testing

@testable import Diagnosis

/// Each rule is provoked by observations, and stays silent in the case next to it.
@Suite struct FindingTests {
    private func findings(
        _ uris: [String] = ["stun:9.9.9.9"], after: [NetworkInterface]? = nil,
        _ record: (inout Recording) -> Void
    ) throws -> [Finding] {
        var recording = try Recording(uris, command: .check)
        record(&recording)
        return Diagnosis(recording.plan, recording.observations, interfacesAfter: after).findings
    }

    private func ids(
        _ uris: [String] = ["stun:9.9.9.9"], _ record: (inout Recording) -> Void
    ) throws -> [String] {
        try findings(uris, record).map(\.id)
    }

    @Test func aNetworkThatWorksHasNoFindings() throws {
        #expect(try ids { $0.answered() }.isEmpty)
    }

    @Test func everyFindingSaysWhatWasSeenWhyAndWhatToDo() throws {
        let all = try findings(["stun:9.9.9.9", "stun:9.9.9.10", "stun:a.example"]) { recording in
            recording.failed(.noAnswer)
            recording.answered(1) { $0.rewrittenAddress = Recording.server }
            recording.note(.notResolved(2, family: .ipv4, .init(step: "A a.example", message: "no such name")))
        }
        #expect(all.count >= 3)
        for finding in all {
            #expect(!finding.title.isEmpty && !finding.evidence.isEmpty && !finding.causes.isEmpty)
            #expect(finding.remedy.hasSuffix("."))
        }
    }

    @Test func errorsComeBeforeWarningsAndThoseBeforeNotes() throws {
        let severities = try findings(["stun:9.9.9.9", "stun:9.9.9.10"]) { recording in
            recording.failed(.noAnswer)
            recording.answered(1) {
                $0.rewrittenAddress = Recording.server
                $0.otherAddress = Endpoint(IPAddress(10, 0, 0, 2), 3479)
            }
        }.map(\.severity)
        #expect(severities == [.error, .warning, .note])
    }

    // MARK: UDP and firewalls

    @Test func silentUDPBesideAnsweringTCPIsBlockedAndExplainsTheSilence() throws {
        let ids = try ids { recording in
            recording.failed(.noAnswer)
            recording.answered(over: .tcp, role: .fallback)
        }
        #expect(ids == ["udp-blocked"])
    }

    @Test func udpIsNotBlockedWhereAnotherServerAnswersOverIt() throws {
        let ids = try ids(["stun:9.9.9.9", "stun:9.9.9.10"]) { recording in
            recording.failed(.noAnswer)
            recording.answered(over: .tcp, role: .fallback)
            recording.answered(1, by: Endpoint(IPAddress(9, 9, 9, 10), 3478))
        }
        #expect(ids == ["server-silent"])
    }

    @Test func blockedUDPToOneServerDoesNotHideThatAnotherIsSilentAltogether() throws {
        let findings = try findings(["stun:9.9.9.9", "stun:9.9.9.10"]) { recording in
            recording.failed(.noAnswer)
            recording.answered(over: .tcp, role: .fallback)
            recording.failed(.noAnswer, 1, by: Endpoint(IPAddress(9, 9, 9, 10), 3478))
            recording.failed(.notConnected, 1, by: Endpoint(IPAddress(9, 9, 9, 10), 3478), over: .tcp, role: .fallback)
        }
        #expect(findings.map(\.id) == ["udp-blocked", "server-silent"])
        #expect(findings.last?.title == "1 server address gave no answer")
        #expect(findings.last?.evidence.count == 2)
    }

    @Test(arguments: [
        (PathError.Kind.administrativelyProhibited, PathError.Origin.icmp(from: IPAddress(10, 0, 0, 1)), true),
        (.notPermitted, .local, true), (.hostUnreachable, .icmp(from: nil), false),
        (.portUnreachable, .icmp(from: nil), false),
        (.portUnreachable, .icmp(from: Recording.server.address), false),
        (.portUnreachable, .icmp(from: IPAddress(10, 0, 0, 1)), true),
    ])
    func aFirewallIsBlamedWhereSomeoneSaysThatItIsOne(
        kind: PathError.Kind, origin: PathError.Origin, isBlamed: Bool
    ) throws {
        let ids = try ids { $0.failed(kind, origin) }
        #expect(ids.contains("firewall-rejects") == isBlamed)
        #expect(ids.contains("server-silent") != isBlamed, "\(ids)")
    }

    @Test func thisMachinesOwnFirewallIsToldFromAnothers() throws {
        #expect(try findings { $0.failed(.notPermitted, .local) }.first?.title.contains("own firewall") == true)
        let foreign = try findings { $0.failed(.administrativelyProhibited, .icmp(from: IPAddress(10, 0, 0, 1))) }
        #expect(foreign.first?.title == "A firewall rejects STUN")
        #expect(foreign.first?.evidence.first?.contains("10.0.0.1 says so") == true)
    }

    @Test(arguments: [
        (PathError.Kind.networkUnreachable, true), (.familyNotSupported, true), (.outOfResources, true),
        (.addressNotAvailable, true), (.notPermitted, false),
    ])
    func thisMachineRefusesWhereItHasNoRouteOrNothingLeft(kind: PathError.Kind, isRefusal: Bool) throws {
        #expect(try ids { $0.failed(kind, .local) } == [isRefusal ? "machine-refuses" : "firewall-rejects"])
    }

    // MARK: Servers

    @Test func aNameWithoutAnyAddressIsAFindingAndOneWithoutIPv6IsNot() throws {
        let missing = ResolutionFailure(step: "AAAA a.example", message: "no such record")
        #expect(
            try ids(["stun:a.example"]) { $0.note(.notResolved(0, family: .ipv6, missing)) }
                == ["name-not-resolved"])
        #expect(
            try ids(["stun:a.example"]) { recording in
                recording.note(.notResolved(0, family: .ipv6, missing))
                recording.answered()
            }.isEmpty)
    }

    @Test(
        arguments: [
            (.foreignProtocol(name: "an SSH server", firstBytes: Array("SSH-2.0".utf8)), "wrong-service"),
            (.closedWithoutAnswer, "wrong-service"), (.noAnswer, "wrong-service"),
            (.truncated(received: 4, needed: 20), "server-answers-badly"), (.notConnected, "server-silent"),
        ] as [(ProbeFailure, String)])
    func whatIsBehindATCPPortDecidesTheFinding(failure: ProbeFailure, id: String) throws {
        #expect(try ids { $0.failed(failure, over: .tcp, requests: failure == .notConnected ? 0 : 1) } == [id])
    }

    @Test(
        arguments: [
            ([], "server-silent"), ([.echo], "wrong-service"), ([.wrongSource], "server-answers-badly"),
            ([.malformed], "server-answers-badly"), ([.badFingerprint], "server-answers-badly"),
            ([.wrongTransactionID], "server-answers-badly"), ([.notAResponse], "server-answers-badly"),
        ] as [([IgnoredReplies.Reason], String)])
    func whatWasNotBelievedDecidesTheFinding(ignored: [IgnoredReplies.Reason], id: String) throws {
        #expect(try ids { $0.failed(.noAnswer, ignoring: ignored) } == [id])
    }

    @Test(
        arguments: [
            .errorResponse(code: 500, reason: OutsideText("broken")), .brokenErrorResponse("it has no ERROR-CODE"),
            .unknownAttributes([0x7777]), .unusableAddress("the mapped address 0.0.0.0:0 is unspecified"),
        ] as [ProbeFailure])
    func anAnswerThatCannotBeUsedIsTheServersFault(failure: ProbeFailure) throws {
        #expect(try ids { $0.failed(failure, requests: 1, after: 9) } == ["server-answers-badly"])
    }

    @Test func aClosedPortIsTakenForAServerThatDoesNotRun() throws {
        let closed = try findings { $0.failed(.portUnreachable, .icmp(from: Recording.server.address)) }
        #expect(closed.map(\.id) == ["server-silent"])
        #expect(closed.first?.causes.first == "the server is not running")
        let silent = try findings { $0.failed(.noAnswer) }
        #expect(silent.first?.title == "No STUN server answered")
        #expect(silent.first?.causes.first?.contains("offline") == true)
    }

    // MARK: Addresses

    @Test func aMappedAddressThatDiffersFromTheXoredOneIsRewritten() throws {
        #expect(
            try ids { $0.answered { $0.rewrittenAddress = Endpoint(IPAddress(8, 8, 8, 8), 1) } } == [
                "address-rewritten"
            ])
        #expect(try ids { $0.answered { $0.isLegacy = true } }.isEmpty)
    }

    @Test func aPublicServerSeesAPublicAddress() throws {
        let shared = Endpoint(IPAddress(100, 64, 0, 9), 4000)
        let lan = Endpoint(IPAddress(192, 168, 1, 1), 3478)
        #expect(try ids { $0.answered(seenAs: shared) } == ["mapped-address-not-global"])
        #expect(try ids(["stun:192.168.1.1"]) { $0.answered(by: lan, seenAs: Endpoint(Recording.host, 50000)) }.isEmpty)
    }

    @Test func aPublicServerNamesAPublicAlternate() throws {
        let alternate = Endpoint(IPAddress(10, 0, 0, 2), 3479)
        let lan = Endpoint(IPAddress(10, 0, 0, 1), 3478)
        #expect(try ids { $0.answered { $0.otherAddress = alternate } } == ["other-address-not-global"])
        #expect(try ids { $0.answered { $0.otherAddress = Endpoint(IPAddress(9, 9, 9, 10), 3479) } }.isEmpty)
        #expect(
            try ids(["stun:10.0.0.1"]) { recording in
                recording.answered(by: lan, seenAs: Endpoint(Recording.host, 50000)) { $0.otherAddress = alternate }
            }.isEmpty)
    }

    // MARK: Loss and change

    @Test(arguments: [(1, []), (3, ["answers-lost"])] as [(Int, [String])])
    func anAnswerToALaterRequestIsLoss(requests: Int, expected: [String]) throws {
        #expect(try ids { $0.answered(requests: requests) } == expected)
    }

    @Test func aSeriesIsLossyWhereARequestOfItHasNoAnswer() throws {
        let lossy = try findings { recording in
            recording.answered()
            recording.failed(.noAnswer, sequence: 1, requests: 1)
            recording.answered(sequence: 2)
        }
        #expect(lossy.map(\.id) == ["answers-lost"])
        #expect(lossy.first?.evidence.first?.hasSuffix("1 of 3 requests lost") == true)
        #expect(
            try ids { recording in
                recording.answered()
                recording.answered(sequence: 1)
            }.isEmpty)
        // A request that was sent again is answered all the same: its loss is the path's, not the series'.
        let repeated = try findings { recording in
            recording.answered(requests: 3)
            recording.failed(.noAnswer, sequence: 1, requests: 1)
        }
        #expect(repeated.first { $0.id == "answers-lost" }?.evidence.first?.hasSuffix("1 of 2 requests lost") == true)
    }

    @Test func theNetworkChangedWhereAnAddressCameOrWent() throws {
        var after = Recording.ethernet
        #expect(try findings(after: [after]) { $0.answered() }.isEmpty)
        after.addresses[0].address = IPAddress(192, 168, 1, 77)
        let changed = try findings(after: [after]) { $0.answered() }
        #expect(changed.map(\.id) == ["network-changed"])
        #expect(changed.first?.evidence == ["192.168.1.5 of eth0 is gone", "192.168.1.77 of eth0 is new"])
        after = Recording.ethernet
        after.isUp = false
        #expect(try findings(after: [after]) { $0.answered() }.map(\.id) == ["network-changed"])
    }

    // MARK: Addresses that lead nowhere

    /// A run that is answered at one address, and at a second one by nobody, or by the second server.
    static func besideADeadBase(answers: Bool = false) throws -> Diagnosis {
        let other = Endpoint(IPAddress(9, 9, 9, 10), 3478)
        let bridge = Recording.bridge.addresses[0].address
        var recording = try Recording(
            ["stun:9.9.9.9", "stun:9.9.9.10"], command: .candidates, interfaces: [Recording.ethernet, Recording.bridge])
        let place = try #require(recording.plan.bases.firstIndex { $0.address.address == bridge })
        recording.answered()
        recording.answered(1, by: other)
        recording.failed(
            .noAnswerBesideOthers(waited: .milliseconds(480)), role: .reflexive, source: bridge, base: place)
        if answers {
            recording.answered(1, by: other, role: .reflexive, from: Endpoint(bridge, 50001), base: place)
        } else {
            recording.failed(
                .noAnswerBesideOthers(waited: .milliseconds(600)), 1, by: other, role: .reflexive, source: bridge,
                base: place)
        }
        return Diagnosis(recording.plan, recording.observations)
    }

    @Test func anAddressThatLeadsNowhereIsNamedWithHowLongItWasWaitedFor() throws {
        let finding = try #require(try Self.besideADeadBase().findings.first)
        #expect(finding.id == "address-leads-nowhere" && finding.severity == .note)
        #expect(
            finding.evidence == [
                "172.17.0.1 (docker0): no answer from 2 servers within 600 ms, where another address had one"
            ])
        #expect(finding.servers == ["stun:9.9.9.9", "stun:9.9.9.10"])
        #expect(finding.family == .ipv4 && finding.transport == .udp)
    }

    @Test func anAddressThatAnyServerAnswersLeadsSomewhere() throws {
        #expect(try Self.besideADeadBase(answers: true).findings.isEmpty)
    }
}
