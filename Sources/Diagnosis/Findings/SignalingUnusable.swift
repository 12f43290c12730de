import Session

/// Something of the other side's could not be used, and the connection came about all the same, or not for that.
enum SignalingUnusable: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect, connect.times.peerDescribed != nil, !connect.signalingProblems.isEmpty
        else { return [] }
        return [
            Finding(
                id: "signaling-unusable", severity: .note, title: "not all that the other side told makes sense",
                evidence: Array(connect.signalingProblems.prefix(8)),
                causes: ["a line was cut or changed on its way", "the other side says more than is known here"],
                remedy: "Where the connection lacks something, look at these lines.")
        ]
    }
}
