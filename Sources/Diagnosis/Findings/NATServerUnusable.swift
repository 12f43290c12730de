import Engines

/// A server answers, but what it says tells nothing of the NAT: the server's fault is not the NAT's.
enum NATServerUnusable: OneKindRule {
    static let kind = FindingKind(
        "nat-server-unusable", .warning, "What a server reports about this machine's address cannot be trusted",
        meaning:
            "A server's answers contradict where they come from, or what they were asked: they show nothing of the "
            + "NAT.",
        causes: [
            "the server stands behind a NAT, a bridge or a load balancer that changes addresses or ports",
            "the server supports only RFC 3489",
        ],
        remedy: "Use another server. The operator should let clients' addresses through unchanged.")

    static func findings(in evidence: Evidence) -> [Finding] {
        var misleading: [String] = []
        var scopes: [FindingScope] = []
        for record in evidence.nat {
            for (server, capability) in zip(record.evidence.servers, record.verdict.capabilities) {
                guard case .unusable(let why) = capability else { continue }
                scopes.append(record.scope(in: evidence, [server]))
                // Over TCP it says the same as over UDP.
                if !misleading.contains("\(server): \(why)") { misleading.append("\(server): \(why)") }
            }
        }
        return kind.finding(about: scopes, seen: misleading)
    }
}
