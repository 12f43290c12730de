import Engines
import NetTypes

/// A server answers, and what it says tells nothing, or not all, of the NAT: the server's fault is not the NAT's.
enum NATServerUnusable: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        var misleading: [String] = []
        for record in evidence.nat {
            for (server, capability) in zip(record.evidence.servers, record.verdict.capabilities) {
                // Over TCP it says the same as over UDP.
                if case .unusable(let why) = capability, !misleading.contains("\(server): \(why)") {
                    misleading.append("\(server): \(why)")
                }
            }
        }
        guard !misleading.isEmpty else { return [] }
        return [
            Finding(
                id: "nat-server-unusable", severity: .warning,
                title: "What a server says of this machine's address cannot be believed", evidence: misleading,
                causes: [
                    "the server stands behind a NAT, a bridge or a load balancer that changes addresses or ports",
                    "the server speaks RFC 3489 only",
                ],
                remedy: "Name another server. The operator lets clients' addresses through unchanged.")
        ]
    }
}
