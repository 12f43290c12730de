import Engines
import Facts
import Planning

@testable import Diagnosis

extension Provocation {
    private static func connect(
        _ id: String, predicted: ConnectEvidence.Prediction? = nil,
        _ change: @escaping @Sendable (inout ConnectEvidence) -> Void
    ) -> Provocation {
        Provocation(id) {
            var evidence = ConnectEvidence(usesSDP: true)
            evidence.times.peerDescribed = .milliseconds(100)
            change(&evidence)
            return Diagnosis(
                try Plan(Options(command: .connect), interfaces: []),
                [Observation(at: .zero, fact: .connectionSeen(evidence))], predict: { _, _ in predicted })
        }
    }

    static let ofConnecting = [
        connect("no-path-to-peer") { $0.failure = .noPath },
        connect("peer-not-heard") { evidence in
            evidence.times.peerDescribed = nil
            evidence.failure = .signalingEnded
        },
        connect("connection-not-secured") { evidence in
            evidence.failure = .otherCertificate
            evidence.dtls = ConnectDTLS(isClient: true, signaledFingerprint: "AA:BB")
        },
        connect("consent-lost") { $0.consent = .lost(.expired) },
        connect("candidates-not-gathered") {
            $0.notResolved = [.init(server: "stun:a.example", reason: "no such name")]
        },
        connect("signaling-unusable") { $0.signalingProblems = ["line 3: unknown"] },
        connect("pair-loses-data") { evidence in
            var data = ConnectData(.echo)
            data.sent = 50
            data.returned = 40
            evidence.data = data
        },
        connect("prediction-differs", predicted: .init(outcome: "direct", best: "direct", agrees: false)) {
            $0.failure = .noPath
        },
    ]
}
