import Engines
import Planning
import STUN
import Testing

@testable import Diagnosis

/// Everything that a report can say is explained, however it is written.
@Suite struct ExplanationTests {
    @Test func anAllocationThatIsLeftIsExplainedWithTheTimesThatTheSessionGivesItsDeletion() throws {
        let meaning = try #require(Explanations.find("turn-allocation-left").first?.meaning)
        for time in [TURNConfiguration.deletionLimit, Plan.cleanupLimit, Plan.cleanupLimitAfterSignal] {
            #expect(meaning.contains(Words.duration(time)))
        }
    }

    @Test func eachFailureHasAnExplanationAndEachExplanationAFailure() {
        let explained = Set(Explanations.failures.map(\.id))
        #expect(explained == Set(ProbeError.Kind.allCases.map(\.rawValue)))
    }

    @Test(arguments: [300, 400, 401, 403, 405, 420, 437, 438, 440, 441, 442, 443, 446, 447, 486, 487, 500, 508])
    func eachErrorCodeHasItsRegisteredNameCausesAndRemedy(code: Int) throws {
        let one = try #require(Explanations.find("\(code)").first)
        #expect(one.kind == .errorCode && one.title == ErrorCode.registeredName(code))
        #expect(!one.causes.isEmpty && one.remedy.hasSuffix(".") && !one.reference.isEmpty)
    }

    @Test func noTwoHaveOneIdAndEachIsWhole() {
        for kind in Explanation.Kind.allCases {
            let ids = Explanations.all.filter { $0.kind == kind }.map(\.id)
            #expect(Set(ids).count == ids.count)
        }
        for one in Explanations.all {
            #expect(!one.title.isEmpty && one.meaning.hasSuffix("."), "\(one.id)")
            if one.kind == .finding { #expect(one.remedy.hasSuffix("."), "\(one.id)") }
        }
    }

    @Test(
        arguments: [
            ("438", "438"), ("error 438", "438"), ("Error-438", "438"), ("Stale Nonce", "438"),
            ("udp_blocked", "udp-blocked"),
            ("UDP blocked", "udp-blocked"), ("symmetric NAT", "symmetric-nat"), ("NAT", "nat"),
            ("port restricted cone", "port-restricted-cone"), ("port-restricted cone NAT", "port-restricted-cone"),
            ("Full Cone", "full-cone"), ("srflx", "server-reflexive"), ("CGN", "cgnat"),
        ])
    func wordsAreTakenAsPeopleWriteThem(word: String, id: String) {
        #expect(Explanations.find(word).map(\.id) == [id])
    }

    @Test(
        arguments: [
            ("symmetric NAT", ["symmetric-nat"]), ("udp-blocked symmetric NAT", ["udp-blocked", "symmetric-nat"]),
            ("error 438 401", ["438", "401"]), ("NAT", ["nat"]), ("nat mapping", ["nat", "mapping"]),
        ])
    func wordsInARowAreTakenTogetherWhereThatIsAnEntry(words: String, ids: [String]) {
        let (found, unknown) = Explanations.find(words.split(separator: " ").map(String.init))
        #expect(found.map(\.id) == ids && unknown.isEmpty)
    }

    @Test func wordsFromTheFirstUnknownOneOnAreToldAsSuch() {
        let (found, unknown) = Explanations.find(["438", "no", "such", "thing"])
        #expect(found.map(\.id) == ["438"] && unknown == ["no", "such", "thing"])
        #expect(Explanations.find([]).found.isEmpty)
    }

    @Test func symmetricAndPortRestrictedAreTwoThings() throws {
        let symmetric = try #require(Explanations.find("symmetric NAT").first)
        let cone = try #require(Explanations.find("port-restricted cone").first)
        #expect(symmetric.meaning.contains("no peer can use the address that a STUN server reports"))
        #expect(!cone.meaning.contains("no peer"))
    }

    @Test func aSlipOfThePenIsToldTheNearest() {
        #expect(Explanations.find("turn-relay-silnt").isEmpty)
        #expect(Explanations.nearest(to: "turn-relay-silnt").first == "turn-relay-silent")
        #expect(Explanations.nearest(to: "completely else").isEmpty)
    }
}
