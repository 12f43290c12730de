import Diagnosis
import Engines
import Facts
import NetTypes
import Planning
import SimNet
import Testing

/// UDP is dropped on the way, and TCP answers: said at once, and as sure as it is.
@Suite struct SilenceOfUDPTests {
    private func lab(_ command: Options.Command, roundTrip: Int, loss: Double = 0, seed: UInt64 = 1) -> NATLab {
        NATLab(
            command: command, middle: .firewallOnUDP(.drop),
            link: Link(delay: .microseconds(roundTrip * 250), loss: loss), seed: seed)
    }

    private func ends(_ outcome: NATLab.Outcome) -> (tcp: Duration?, udp: Duration?) {
        var tcp: Duration?
        var udp: Duration?
        for observation in outcome.observations {
            if case .answered = observation.fact { tcp = tcp ?? observation.at }
            if case .failed(_, .silentBesideTCP(_, let risk)) = observation.fact {
                #expect(risk <= 0.0005)
                udp = udp ?? observation.at
            }
        }
        return (tcp, udp)
    }

    @Test(arguments: [Options.Command.nat, .check], [1, 20, 100, 300])
    func isSaidFourRoundTripsAfterTheAnswerOverTCP(_ command: Options.Command, roundTrip: Int) throws {
        let outcome = try lab(command, roundTrip: roundTrip).run()
        let (tcp, udp) = ends(outcome)
        let took = try #require(udp) - (try #require(tcp))
        #expect(took <= max(.milliseconds(25), .milliseconds(roundTrip * 4)))
        #expect(outcome.diagnosis.findings.map(\.id).contains("udp-blocked"))
        #expect(!outcome.diagnosis.verdict.isOK)
    }

    @Test func discoveryOfTheNATDoesNotGoOnOverUDP() throws {
        let outcome = try lab(.nat, roundTrip: 1).run()
        let record = try #require(outcome.diagnosis.nat.first)
        #expect(record.verdict.mapping.reason?.contains("over UDP, where it does over TCP") == true)
        #expect(record.evidence.endedAt < .milliseconds(200))
    }

    @Test func whereNothingAnswersTheDiscoveryEndsAfterASecondWithoutAVerdict() throws {
        var lab = lab(.nat, roundTrip: 1)
        lab.uris = ["stun:11.0.0.77"]
        let outcome = try lab.run()
        let record = try #require(outcome.diagnosis.nat.first)
        #expect(ends(outcome).udp == nil && record.verdict.mapping.reason == "11.0.0.77:3478 gave no answer")
        #expect(record.evidence.endedAt == .seconds(1))
    }

    /// What is lost is as likely for one as for the other.
    @Test(arguments: [0.05, 0.2, 0.3])
    func lossAloneIsNeverTakenForAFirewall(loss: Double) throws {
        for seed in 1...300 as ClosedRange<UInt64> {
            var lab = lab(.check, roundTrip: 20, loss: loss, seed: seed)
            lab.middle = .nothing
            let outcome = try lab.run()
            #expect(ends(outcome).udp == nil, "seed \(seed)")
        }
    }

    /// At a loss of a fifth, TCP stands still for most of the five seconds.
    @Test func isFoundThroughLossToo() throws {
        var found = 0
        for seed in 1...50 as ClosedRange<UInt64> {
            if ends(try lab(.check, roundTrip: 20, loss: 0.05, seed: seed).run()).udp != nil { found += 1 }
        }
        #expect(found >= 45, "\(found) of 50")
    }
}

/// The discovery within `check` says what `nat` says.
@Suite struct NATWithinCheckTests {
    @Test(arguments: NATVerdictTests.kinds, [IPAddress.Family.ipv4, .ipv6])
    func isRight(_ kind: NATVerdictTests.Kind, _ family: IPAddress.Family) throws {
        let check = try NATLab(command: .check, middle: kind.middle, family: family).run()
        let within = try #require(check.diagnosis.nat.first?.verdict)
        #expect(within.mapping.value == kind.mapping && within.filtering.value == kind.filtering)
        #expect(check.diagnosis.verdict.isOK)
        if let name = within.legacyName, within.mapping.value != NATDependence.none {
            #expect(check.diagnosis.verdict.summary.contains(name))
        }
    }

    @Test func serversThatAnswerLaterAreComparedToo() throws {
        // Neither speaks RFC 5780: the mapping is known only from both.
        var lab = NATLab(
            command: .check, middle: .nat(NATBehaviour(mapping: .endpointIndependent, allocation: .random)),
            link: Link(delay: .milliseconds(5), jitter: .milliseconds(40)))
        lab.lie = .refusesChangeRequest
        lab.uris = NATLab.servers[.ipv4]?.map { "stun:\($0):3478" }
        for seed in 1...50 as ClosedRange<UInt64> {
            lab.seed = seed
            let outcome = try lab.run()
            let record = try #require(outcome.diagnosis.nat.first)
            #expect(record.verdict.mapping.value == .endpointIndependent, "seed \(seed)")
            #expect(record.verdict.method == .severalServers)
        }
    }

    @Test func serverThatStaysSilentIsNotAskedAboutTheNATAndDoesNotStretchWhatItTook() throws {
        var lab = NATLab(command: .check, middle: .nat(NATBehaviour(allocation: .random)))
        lab.uris = ["stun:11.0.0.1:3478", "stun:11.0.0.77:3478"]
        let outcome = try lab.run()
        let record = try #require(outcome.diagnosis.nat.first)
        #expect(record.evidence.servers.count == 1)
        #expect(record.evidence.endedAt < .milliseconds(200) && !record.evidence.isCutShort)
        #expect(outcome.net.now == .zero + .seconds(5))
    }
}
