import Session

/// MAPPED-ADDRESS differs from XOR-MAPPED-ADDRESS: something on the way rewrites addresses inside packets.
enum AddressRewritten: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let rewritten = evidence.stun.filter { $0.answer?.rewrittenAddress != nil }
        guard !rewritten.isEmpty else { return [] }
        return [
            Finding(
                id: "address-rewritten", severity: .warning,
                title: "An application-level gateway rewrites addresses inside packets",
                evidence: rewritten.compactMap { result in
                    guard let answer = result.answer, let mapped = answer.rewrittenAddress else { return nil }
                    return "\(result.place): MAPPED-ADDRESS \(mapped), XOR-MAPPED-ADDRESS \(answer.mappedAddress)"
                },
                causes: [
                    "the router has a SIP, STUN or NAT \"helper\" that looks for its addresses in payloads",
                    "the server itself says two different things",
                ],
                remedy: "Turn the router's application-level gateways (SIP ALG) off.")
        ]
    }
}
