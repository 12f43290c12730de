import Facts

/// More is lost over the selected pair than a call bears.
enum PairLosesData: OneKindRule {
    static let kind = FindingKind(
        "pair-loses-data", .warning, "The connection loses data",
        meaning: "More than one datagram in twenty was lost over the selected pair.",
        causes: ["a wireless link", "a congested path", "the peer ended while data was sent"],
        remedy: "Compare another pair with --force, and a wired link.")

    static func findings(in evidence: Evidence) -> [Finding] {
        guard let data = evidence.connect?.data, data.sent >= 10, data.lost * 20 > data.sent else { return [] }
        var seen = ["\(data.lost) of \(data.sent) datagrams did not come back"]
        if let there = data.lostThere, let back = data.lostBack {
            seen.append("\(there) on the way there, \(back) on the way back")
        }
        return kind.finding(seen: seen)
    }
}
