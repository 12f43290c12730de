import Facts
import NetTypes
import Planning
import Prediction
import STUN
import Testing

@testable import Diagnosis
@testable import Engines

/// The prediction beside what happened.
@Suite struct ConnectPredictionTests {
    private static let plan: Plan = {
        guard let plan = try? Plan(Options(command: .connect), interfaces: []) else {
            preconditionFailure("a plan without servers can be made")
        }
        return plan
    }()

    private static func candidate(_ kind: Candidate.Kind, _ address: IPAddress, _ port: UInt16) -> Candidate {
        Candidate(kind, foundation: "1", priority: 1000, endpoint: Endpoint(address, port))
    }

    /// Both behind a NAT of their own, of the same kind.
    private static func evidence(_ mapping: NATDependence, relayed: Bool? = nil) -> ConnectEvidence {
        var evidence = ConnectEvidence(usesSDP: false)
        evidence.times.peerDescribed = .milliseconds(100)
        let nat = NATTraits(mapping: mapping, filtering: .addressAndPortDependent, passesUDP: true)
        evidence.localNAT = [.ipv4: nat]
        evidence.remoteNAT = [.ipv4: nat]
        evidence.localCandidates = [
            candidate(.host, IPAddress(192, 168, 1, 2), 5000), candidate(.serverReflexive, IPAddress(8, 8, 1, 1), 5001),
        ]
        evidence.remoteCandidates = [
            candidate(.host, IPAddress(192, 168, 2, 2), 6000), candidate(.serverReflexive, IPAddress(8, 8, 2, 1), 6001),
        ]
        guard let relayed else {
            evidence.failure = .noPath
            return evidence
        }
        let remote = relayed ? candidate(.relayed, IPAddress(8, 8, 3, 1), 7000) : evidence.remoteCandidates[1]
        var pair = ICEPair(
            id: .init(0), local: evidence.localCandidates[0], remote: remote, priority: 1, state: .succeeded)
        pair.validLocal = evidence.localCandidates[1]
        evidence.pairs = [pair]
        evidence.selected = pair.id
        return evidence
    }

    private static func diagnosis(_ evidence: ConnectEvidence) -> Diagnosis {
        Diagnosis(
            plan, [Observation(at: .zero, fact: .connectionSeen(evidence))],
            predict: ConnectEvidence.Prediction.init(of:_:))
    }

    @Test(
        arguments: [
            (NATDependence.endpointIndependent, false, "direct", true),
            (.endpointIndependent, true, "direct", false),
            (.endpointIndependent, nil, "direct", false),
            (.addressAndPortDependent, nil, "none", true),
            (.addressAndPortDependent, false, "none", false),
        ] as [(NATDependence, Bool?, String, Bool)])
    func whatHappenedIsHeldAgainstThePrediction(
        _ mapping: NATDependence, relayed: Bool?, outcome: String, agrees: Bool
    ) throws {
        let evidence = Self.evidence(mapping, relayed: relayed)
        let diagnosis = Self.diagnosis(evidence)
        let prediction = try #require(diagnosis.connect?.prediction)
        #expect(prediction.outcome == outcome && prediction.agrees == agrees && prediction.dependsOn.isEmpty)
        #expect(diagnosis.findings.map(\.id).contains("prediction-differs") == !agrees)
    }

    @Test func whatDependsOnAnUnknownAgreesWithBoth() throws {
        for relayed in [false, nil] as [Bool?] {
            var evidence = Self.evidence(.endpointIndependent, relayed: relayed)
            evidence.remoteNAT = [:]
            let prediction = try #require(Self.diagnosis(evidence).connect?.prediction)
            #expect(prediction.outcome == "none" && prediction.best == "direct" && prediction.agrees)
            #expect(!prediction.dependsOn.isEmpty)
        }
    }

    @Test func nothingIsPredictedOfOneMachineOfForcedKindsOrOfAPeerThatNeverCame() {
        var alone = Self.evidence(.endpointIndependent)
        alone.times.peerDescribed = nil
        var forced = Self.evidence(.endpointIndependent)
        forced.kinds = [.relayed]
        var loopback = Self.evidence(.endpointIndependent, relayed: false)
        loopback.localCandidates = [Self.candidate(.host, IPAddress(127, 0, 0, 1), 5000)]
        for evidence in [alone, forced, loopback] {
            #expect(Self.diagnosis(evidence).connect?.prediction == nil)
        }
    }
}
