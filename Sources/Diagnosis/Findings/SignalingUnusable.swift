import Facts

/// Something of the peer's could not be used, and the connection came about all the same, or not for that.
enum SignalingUnusable: OneKindRule {
    static let kind = FindingKind(
        "signaling-unusable", .note, "Part of the peer's signalling was unreadable",
        meaning: "A line of the peer's signalling was cut, changed or of an unknown kind, and was ignored.",
        causes: ["a line was cut or changed on its way", "the peer uses something that icecheck does not know"],
        remedy:
            "If the connection lacks something, look at these lines; copy the peer's line whole and without the text "
            + "around it.")

    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect, connect.times.peerDescribed != nil else { return [] }
        return kind.finding(seen: Array(connect.signalingProblems.prefix(8)))
    }
}
