import Session

/// The other side's description did not come.
enum PeerNotHeard: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect, let failure = connect.failure, connect.times.peerDescribed == nil else {
            return []
        }
        switch failure {
        case .deadline, .signalingEnded, .signalingFailed, .peerLeft: break
        default: return []
        }
        return [
            Finding(
                id: "peer-not-heard", severity: .error, title: "the other side's description did not come",
                evidence: [ConnectWords.failure(failure)] + connect.signalingProblems.prefix(3),
                causes: connect.signalingProblems.isEmpty
                    ? ["the other side was not started, or its line was not brought here"]
                    : ["what came is not the whole line of the other side"],
                remedy: "Bring the other side's line here whole; --timeout gives more time.")
        ]
    }
}
