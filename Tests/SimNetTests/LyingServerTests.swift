import Diagnosis
import Engines
import NetTypes
import SimNet
import Testing

/// A server that lies or limps leads to `unknown` with the reason, on every kind of NAT, never to a verdict on the NAT.
@Suite struct LyingServerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var lie: LyingServer.Lie
        /// What is said of the server.
        var said: String
        /// Whether the mapped address at the server's own endpoint is still believed.
        var isBelieved = true
        var testDescription: String { said }
    }

    static let own = Endpoint(IPAddress(11, 0, 0, 1), 3478)

    static let cases: [Case] = [
        Case(lie: .ignoresChangeRequest, said: "it ignores CHANGE-REQUEST"),
        Case(lie: .refusesChangeRequest, said: "it answers CHANGE-REQUEST with error 420"),
        Case(lie: .otherAddress(own), said: "not another address with another port"),
        Case(lie: .otherAddress(Endpoint(own.address, 3479)), said: "not another address with another port"),
        Case(lie: .otherAddress(Endpoint(IPAddress(192, 168, 7, 7), 3479)), said: "private, not reachable"),
        Case(lie: .otherAddress(Endpoint(NATLab.servers[.ipv6]?[1] ?? own.address, 3479)), said: "of the other family"),
        Case(lie: .otherAddress(Endpoint(IPAddress(13, 0, 0, 1), 3479)), said: "13.0.0.1"),
        Case(lie: .answersChangesFromOtherPort, said: "it answered from 11.0.0.1:3479"),
        Case(lie: .responseOrigin(Endpoint(IPAddress(11, 0, 0, 9), 3478)), said: "its RESPONSE-ORIGIN 11.0.0.9:3478"),
        Case(lie: .mappedAddressOnly, said: "MAPPED-ADDRESS only", isBelieved: false),
        Case(lie: .legacy, said: "MAPPED-ADDRESS only", isBelieved: false),
        Case(lie: .mappedAddress(IPAddress(172, 17, 0, 1)), said: "an address of its own network", isBelieved: false),
    ]

    @Test(arguments: cases) func leadsToNoWrongVerdict(_ one: Case) throws {
        for kind in NATVerdictTests.kinds {
            let middle = kind.middle
            let outcome = try NATLab(middle: middle, lie: one.lie).run()
            let record = try #require(outcome.diagnosis.nat.first)
            // The lie is not about what its endpoints see: where several of them answered, the mapping is known.
            let mapping = record.verdict.mapping.value
            #expect(mapping == nil || mapping == kind.mapping && one.isBelieved, "\(middle): \(record.verdict.mapping)")
            // What a strict filter hides of a lie cannot be seen, and changes nothing.
            let isHidden = one.lie == .answersChangesFromOtherPort && kind.filtering == .addressAndPortDependent
            if isHidden, kind.mapping == .addressDependent || kind.mapping == .addressAndPortDependent {
                #expect(record.verdict.filtering.value == kind.filtering)
                continue
            }
            #expect(record.verdict.filtering.value == nil, "\(middle): \(record.verdict.filtering)")
            let words = "\(record.verdict.capabilities) \(record.verdict.filtering)"
            #expect(words.contains(one.said), "\(middle): \(words)")
            #expect((record.mappedAddress != nil) == one.isBelieved)
            #expect(outcome.diagnosis.findings.contains { $0.id == "nat-server-unusable" } != one.isBelieved)
            // An address that only the server named may be a third party's.
            let named = Set(record.evidence.exchanges.map(\.destination.address)).subtracting([Self.own.address])
            for address in named {
                #expect(record.evidence.exchanges.count { $0.destination.address == address } <= 7)
            }
            #expect(outcome.diagnosis.verdict.isOK == (mapping != nil))
        }
    }

    @Test(arguments: NATVerdictTests.kinds) func thatDropsChangeRequestsIsFoundOutWhereTheWayIsKnownToBeOpen(
        _ kind: NATVerdictTests.Kind
    ) throws {
        let record = try #require(try NATLab(middle: kind.middle, lie: .dropsChangeRequest).run().diagnosis.nat.first)
        #expect(record.verdict.mapping.value == kind.mapping)
        if kind.mapping == .none || kind.mapping == .endpointIndependent {
            #expect(record.verdict.filtering.value == nil, "\(record.verdict.filtering)")
            #expect("\(record.verdict.filtering)".contains("where the way from there was open"))
        }
    }

    @Test(arguments: NATVerdictTests.kinds) func whichStopsAnsweringTakesTheVerdictWithIt(
        _ kind: NATVerdictTests.Kind
    ) throws {
        for limit in 0...30 {
            let record = try NATLab(middle: kind.middle, lie: .stopsAfter(limit)).run().diagnosis.nat.first
            guard let record else { continue }
            let mapping = record.verdict.mapping.value
            let filtering = record.verdict.filtering.value
            #expect(mapping == nil || mapping == kind.mapping, "after \(limit)")
            #expect(filtering == nil || filtering == kind.filtering, "after \(limit)")
        }
    }

    /// Where the mapping is endpoint-independent, a slow answer is waited for; whatever the kind, it makes none wrong
    /// that the server's own lateness can be seen in.
    @Test(arguments: NATVerdictTests.kinds.filter { $0.mapping == .none || $0.mapping == .endpointIndependent })
    func thatAnswersChangesLateIsWaitedFor(_ kind: NATVerdictTests.Kind) throws {
        for milliseconds in [30, 100, 400] {
            let lie = LyingServer.Lie.answersChangesLate(.milliseconds(milliseconds))
            let record = try #require(try NATLab(middle: kind.middle, lie: lie).run().diagnosis.nat.first)
            #expect(record.verdict.mapping.value == kind.mapping)
            let filtering = record.verdict.filtering.value
            #expect(filtering == nil || filtering == kind.filtering, "\(milliseconds) ms: \(record.verdict.filtering)")
        }
    }

    @Test(arguments: NATVerdictTests.kinds) func whichRepeatsItselfChangesNothing(
        _ kind: NATVerdictTests.Kind
    ) throws {
        let lie = LyingServer.Lie.repeatsAnswers(after: .milliseconds(25))
        let record = try #require(try NATLab(middle: kind.middle, lie: lie).run().diagnosis.nat.first)
        #expect(record.verdict.mapping.value == kind.mapping && record.verdict.filtering.value == kind.filtering)
    }

    @Test func behindABalancerThatRewritesPortsIsNotTakenForANAT() throws {
        for middle in [NATLab.Middle.nothing, .firewall(.addressAndPortDependent)] {
            let record = try #require(try NATLab(middle: middle, lie: .rewritesPorts).run().diagnosis.nat.first)
            #expect(record.verdict.mapping.value == nil && record.verdict.filtering.value == nil)
            #expect("\(record.verdict.capabilities)".contains("rewrites ports"))
        }
    }

    @Test func thatAnswersFromWhereItWasNotAskedIsNotBelieved() throws {
        let record = try #require(
            try NATLab(middle: .nothing, lie: .answersAllFromOtherPort).run().diagnosis.nat.first)
        #expect(record.verdict.mapping.value == nil && record.verdict.filtering.value == nil)
        #expect("\(record.verdict.capabilities)".contains("not from where it was asked"))
    }
}
