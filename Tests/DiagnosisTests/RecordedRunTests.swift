import Facts
import FoundationEssentials
import NetTypes
import Planning
import Testing

@testable import Diagnosis

/// A recorded run is diagnosed again without a network.
@Suite struct RecordedRunTests {
    private func recorded() throws -> Recording {
        var recording = try Recording(["stun:9.9.9.9", "stun:9.9.9.10", "stun:a.example"], command: .check)
        recording.note(.baseOpened(base: 0, local: Endpoint(recording.plan.bases[0].address.address, 50000)))
        recording.note(.baseFailed(base: 1, .path(PathTrouble(kind: .addressInUse, origin: .local, errno: 98))))
        recording.note(.resolved(0, [Recording.server]))
        recording.answered(base: 0) { $0.software = OutsideText(bytes: [0xFF, 0x1B, 0]) }
        recording.failed(.noAnswer, 1, ignoring: [.echo, .malformed])
        recording.failed(.foreignProtocol(name: nil, firstBytes: [0, 255]), 1, over: .tcp, role: .fallback)
        recording.failed(.otherICMP(type: 3, code: 7), .icmp(from: IPAddress(10, 0, 0, 1)), 1)
        recording.note(.notResolved(2, family: .ipv4, .init(step: "A a.example", message: "no such name")))
        recording.note(.notMeasured(nil, NotMeasured(what: "2 more addresses", reason: .limit, detail: "16 at most")))
        recording.note(.deadlineReached, at: 5000)
        recording.note(.interrupted, at: 5001)
        return recording
    }

    @Test func observationsSurviveJSONAndMeanTheSame() throws {
        let recording = try recorded()
        let decoded = try JSONDecoder().decode([Observation].self, from: JSONEncoder().encode(recording.observations))
        #expect(decoded == recording.observations)
        let (first, again) = (Diagnosis(recording.plan, recording.observations), Diagnosis(recording.plan, decoded))
        #expect(first.stun == again.stun)
        #expect(first.candidates == again.candidates)
        #expect(first.notMeasured == again.notMeasured)
        #expect(first.findings == again.findings)
        #expect(first.verdict == again.verdict)
    }

    @Test func aRecordingThatDoesNotFitItsPlanIsReadAsFarAsItFits() throws {
        let recording = try recorded()
        let smaller = try Recording(["stun:9.9.9.9"], interfaces: [])
        let diagnosis = Diagnosis(smaller.plan, recording.observations)
        #expect(diagnosis.stun.count == 1)
        #expect(diagnosis.verdict.isOK)
        _ = Diagnosis(recording.plan, Array(recording.observations.dropFirst(4)))
    }
}
