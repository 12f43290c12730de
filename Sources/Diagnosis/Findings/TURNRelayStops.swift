import Engines
import Facts

/// A relay that carries data at first, and stops while everything is renewed as it should be (`--soak`): what breaks
/// calls after some minutes.
enum TURNRelayStops: OneKindRule {
    static let kind = FindingKind(
        "turn-relay-stops", .error, "The relay stops carrying data after a while",
        meaning: "Data came through the relay at first, and stopped although everything was renewed (--soak).",
        causes: [path, permission, channel, allocation],
        remedy:
            "Look in the server's log at that time; compare its lifetimes with RFC 8656's (permission 300 s, channel "
            + "600 s), and the timeout of each NAT and balancer on the path.")
    private static let permission =
        "the server drops permissions before their 300 s are over (coturn: permission-lifetime=)"
    private static let channel = "the server drops channels before their 600 s are over (coturn: channel-lifetime=)"
    private static let allocation =
        "the server dropped the allocation before its lifetime was over, or was restarted"
    private static let path = "a NAT or balancer on the path forgot the mapping, or gave it another port"

    static func findings(in evidence: Evidence) -> [Finding] {
        let stopped = evidence.turn.filter { $0.error?.kind == .relayStopped }
        return kind.findings(about: stopped, causes: causes(stopped)) { $0.complaint + $0.renewalWords }
    }

    /// The likeliest first: what brought the data back tells.
    private static func causes(_ results: [TURNResult]) -> [String] {
        let lost = results.compactMap(\.evidence?.trouble).filter { $0.kind == .allocationLost }
        if !lost.isEmpty { return lost.contains { $0.code != nil } ? [allocation, path] : [path, allocation] }
        let soaks = results.compactMap { $0.relay?.soak }
        // A server that drops the channel drops what it brought with it: a new permission helps, and the channel is gone.
        if soaks.contains(where: { $0.channelLostAfter != nil || $0.revivedBy == .channel }) { return [channel] }
        if soaks.contains(where: { $0.revivedBy == .permission }) { return [permission] }
        return [path, allocation]
    }
}

extension TURNResult {
    /// What the server went on to confirm.
    fileprivate var renewalWords: String {
        guard let soak = relay?.soak else { return "" }
        let revival = soak.revivedBy.map { "; with a new \($0.rawValue) it came again" } ?? ""
        let held = evidence?.deletion == .confirmed ? ", and the server still held the allocation" : ""
        return " (\(Words.count(soak.refreshes, "Refresh", "Refreshes")) answered in that time\(held)\(revival))"
    }
}
