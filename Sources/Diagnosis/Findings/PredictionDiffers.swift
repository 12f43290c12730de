import Engines
import Facts

/// ICE did other than the model says that it would.
enum PredictionDiffers: OneKindRule {
    static let kind = FindingKind(
        "prediction-differs", .note, "The path is not the one that was predicted",
        meaning:
            "Two ICE agents in a model of both networks, made from what was measured, chose another path than ICE did "
            + "in reality.",
        causes: worse + better,
        remedy: "Run `icecheck nat` on both sides, and `icecheck connect --all-pairs`, which shows what became of each "
            + "pair.")
    private static let worse = [
        "a firewall between the two drops more than a firewall on the path to the STUN servers",
        "a NAT treats the peer differently from the servers",
        "packets were lost while the pairs were checked",
    ]
    private static let better = [
        "the two are in one network, or have a private link", "a NAT treats the peer better than the servers",
    ]

    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect, let prediction = connect.prediction, !prediction.agrees else { return [] }
        let happened = connect.selectedPair.map { $0.isRelayed ? "relayed" : "direct" } ?? "none"
        let isWorse = happened == "none" || happened == "relayed" && prediction.outcome == "direct"
        return kind.finding(
            seen: ["predicted from what was measured on both sides: \(prediction.outcome); result: \(happened)"],
            causes: isWorse ? worse : better)
    }
}
