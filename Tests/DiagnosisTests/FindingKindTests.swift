import Facts
import NetTypes
import Planning
import Testing

@testable import Diagnosis

/// Each kind of finding is explained, and a run provokes it.
@Suite struct FindingKindTests {
    /// A run that shows what this kind is about.
    struct Provocation: Sendable, CustomTestStringConvertible {
        var id: String
        var diagnosis: @Sendable () throws -> Diagnosis
        var testDescription: String { id }

        init(_ id: String, _ diagnosis: @escaping @Sendable () throws -> Diagnosis) {
            self.id = id
            self.diagnosis = diagnosis
        }
    }

    static let provocations =
        Provocation.ofServers + Provocation.ofNATs + Provocation.ofTLS + Provocation.ofTURN + Provocation.ofRelays
        + Provocation.ofConnecting

    @Test(arguments: provocations) func runProvokesIt(_ one: Provocation) throws {
        let ids = try one.diagnosis().findings.map(\.id)
        let finding = try #require(try one.diagnosis().findings.first { $0.id == one.id }, "\(ids)")
        #expect(!finding.title.isEmpty && !finding.evidence.isEmpty && finding.remedy.hasSuffix("."))
        #expect(!finding.causes.isEmpty || finding.id == "tls-not-verified")
    }

    @Test func noKindIsWithoutAProvocationOrAnIDOfItsOwn() {
        let ids = FindingRules.kinds.map(\.id)
        #expect(Set(ids).count == ids.count)
        #expect(Self.provocations.map(\.id).sorted() == ids.sorted())
    }

    @Test func eachKindIsExplainedInItsOwnWords() throws {
        let explained = Explanations.all.filter { $0.kind == .finding }
        #expect(explained.map(\.id) == FindingRules.kinds.map(\.id).sorted())
        for kind in FindingRules.kinds {
            let one = try #require(explained.first { $0.id == kind.id })
            #expect(one.title == kind.title && one.meaning == kind.meaning && one.remedy == kind.remedy)
            #expect(one.causes == kind.causes)
        }
    }

    @Test(arguments: FindingRules.kinds) func textsAreWholeSentencesInPlainWords(_ kind: FindingKind) {
        #expect(kind.id.allSatisfy { $0 == "-" || $0.isNumber || $0.isLetter && $0.isLowercase })
        #expect(kind.meaning.hasSuffix(".") && kind.remedy.hasSuffix(".") && !kind.title.hasSuffix("."))
        #expect([kind.title, kind.meaning, kind.remedy].allSatisfy { $0.first?.isUppercase ?? false })
        #expect(kind.causes.allSatisfy { !$0.hasSuffix(".") && !($0.first?.isUppercase ?? true) })
        let words = " \(kind.title) \(kind.meaning) \(kind.causes.joined(separator: " ")) \(kind.remedy)".lowercased()
        for word in [
            " mend", " alone", " as a rule", " the outside", " another outside", " it is no ", "the other side",
        ] {
            #expect(!words.contains(word), "\(word) in: \(words)")
        }
        // `explain` and JSON show a sentence without the title that a pronoun would need.
        #expect(!kind.meaning.hasPrefix("It") && !kind.causes.contains { $0.hasPrefix("it ") || $0.hasPrefix("its ") })
    }

    // MARK: What a finding is about

    @Test func findingNamesItsServersEachOnceAndWhatTheyHaveInCommon() throws {
        var recording = try Recording(["stun:9.9.9.9", "stun:9.9.9.10"], command: .check)
        recording.failed(.noAnswer)
        recording.failed(.noAnswer, by: Recording.server6)
        recording.failed(.noAnswer, 1, by: Endpoint(IPAddress(9, 9, 9, 10), 3478))
        let finding = try #require(Diagnosis(recording.plan, recording.observations).findings.first)
        #expect(finding.servers == ["stun:9.9.9.9", "stun:9.9.9.10"])
        #expect(finding.family == nil && finding.transport == .udp)
    }

    @Test(arguments: [Transport.udp, .tcp]) func findingOfARelayNamesServerFamilyAndTransport(over: Transport) throws {
        let findings = TURNFindingTests.findings(try .relays()) { $0.refused(.error(486), over: over) }
        #expect(findings.first?.servers == ["turn:9.9.9.9"])
        #expect(findings.first?.family == .ipv4 && findings.first?.transport == over)
    }

    @Test(arguments: [
        ("nat-mapping-dependent", ["stun:9.9.9.9", "stun:9.9.9.10"], Transport.udp),
        ("nat-server-unusable", ["stun:9.9.9.10"], .udp), ("nat-lifetime-short", ["stun:9.9.9.9"], .udp),
        ("turn-relay-to-relay-blocked", ["turn:9.9.9.9", "turn:9.9.9.10"], .udp),
        ("turn-allocation-left", ["turn:9.9.9.9"], .udp), ("tls-self-signed", ["turns:9.9.9.9"], .tls),
    ])
    func findingNamesTheServersThatShowIt(id: String, servers: [String], transport: Transport) throws {
        let provocation = try #require(Self.provocations.first { $0.id == id })
        let finding = try #require(try provocation.diagnosis().findings.first { $0.id == id })
        #expect(finding.servers == servers && finding.family == .ipv4 && finding.transport == transport)
    }

    @Test func findingAboutThisMachineNamesNoServer() throws {
        let provocation = try #require(Self.provocations.first { $0.id == "network-changed" })
        let finding = try #require(try provocation.diagnosis().findings.first)
        #expect(finding.servers.isEmpty && finding.family == nil && finding.transport == nil)
    }
}
