import Facts

/// The peer's description did not come.
enum PeerNotHeard: OneKindRule {
    static let kind = FindingKind(
        "peer-not-heard", .error, "The peer's description did not arrive",
        meaning: "Without the peer's description there is nothing to connect to.",
        causes: [notStarted, notWhole],
        remedy: "Paste the peer's whole line here; --timeout gives more time.")
    private static let notStarted = "the peer was not started, or its line was not brought here"
    private static let notWhole = "what arrived is not the whole line of the peer"

    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect, let failure = connect.failure, connect.times.peerDescribed == nil else {
            return []
        }
        switch failure {
        case .deadline, .signalingEnded, .signalingFailed, .peerLeft: break
        default: return []
        }
        return kind.finding(
            seen: [ConnectWords.failure(failure)] + connect.signalingProblems.prefix(3),
            causes: [connect.signalingProblems.isEmpty ? notStarted : notWhole])
    }
}
