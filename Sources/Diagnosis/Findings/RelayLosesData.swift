import Facts
import NetTypes
import Planning

/// A relay that carries data, and loses some of it.
enum RelayLosesData: OneKindRule {
    static let kind = FindingKind(
        "turn-relay-loses-data", .warning, "Data is lost on the way through the relay",
        meaning: "More than 2 % of the datagrams that were sent through a relay did not come back.",
        causes: [
            "the path to the server loses packets, in one direction or in both",
            "the server caps the bandwidth of an allocation (coturn: max-bps=)",
            "the server or its network is overloaded",
        ],
        remedy:
            "Repeat the run with another --count and --size: loss that grows with them is a cap, loss that does not is "
            + "the path's.")

    /// Datagrams of each lane that were asked for. Fewer make no figure: one lost of ten may be chance, and of those that
    /// are sent until one comes back most only come late.
    private static let leastCount = 10
    private static let mostLost = 0.02

    static func findings(in evidence: Evidence) -> [Finding] {
        guard evidence.record.plan.relay.count >= leastCount else { return [] }
        let lossy = evidence.turn.filter { result in
            guard result.isOK, let data = result.data else { return false }
            return data.lossRatio > mostLost
        }
        return kind.findings(about: lossy) { result in
            let tallies = [result.relay?.indications, result.relay?.channel].compactMap(\.self)
            let (sent, arrived) = tallies.reduce((0, 0)) { ($0.0 + $1.sent, $0.1 + $1.arrived) }
            let back = tallies.reduce(0) { $0 + $1.roundTrips.count }
            guard result.relay?.way == .secondSocket else {
                return "\(result.place): \((result.data?.sent ?? 0) - (result.data?.returned ?? 0)) of "
                    + "\(result.data?.sent ?? 0) lost"
            }
            return "\(result.place): of \(sent) datagrams \(sent - arrived) were lost on the way to the client, and "
                + "\(arrived - back) of the rest on the way back"
        }
    }
}
