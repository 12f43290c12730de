import Engines
import Session

/// ICE did other than the model says that it would.
enum PredictionDiffers: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect, let prediction = connect.prediction, !prediction.agrees else { return [] }
        let happened = connect.selectedPair.map { $0.isRelayed ? "relayed" : "direct" } ?? "none"
        let isWorse = happened == "none" || happened == "relayed" && prediction.outcome == "direct"
        return [
            Finding(
                id: "prediction-differs", severity: .note, title: "the path is not the one that was predicted",
                evidence: [
                    "predicted from what was measured of both sides: \(prediction.outcome); it was: \(happened)"
                ],
                causes: isWorse
                    ? [
                        "a firewall between the two drops what the STUN servers' answers are let through",
                        "a NAT behaves towards the peer as it does not towards the servers",
                        "packets were lost while the pairs were checked",
                    ]
                    : [
                        "the two are in one network, or joined by a way of their own",
                        "a NAT behaves better towards the peer than towards the servers",
                    ],
                remedy: "Run icecheck nat on both sides, and icecheck connect --all-pairs: each pair then tells what "
                    + "became of it.")
        ]
    }
}
