import Facts
import NetTypes

/// MAPPED-ADDRESS differs from XOR-MAPPED-ADDRESS: something on the way rewrites addresses inside packets.
enum AddressRewritten: OneKindRule {
    static let kind = FindingKind(
        "address-rewritten", .warning, "An application-level gateway (ALG) rewrites addresses inside packets",
        meaning:
            "MAPPED-ADDRESS and XOR-MAPPED-ADDRESS of one answer differ: a device on the path changes addresses in "
            + "payloads.",
        causes: [
            "the router has a SIP, STUN or NAT \"helper\" that searches payloads for addresses",
            "the server itself reports two different addresses",
        ],
        remedy: "Turn off the router's application-level gateways (SIP ALG).")

    static func findings(in evidence: Evidence) -> [Finding] {
        kind.findings(about: evidence.stun.filter { $0.answer?.rewrittenAddress != nil }) { result in
            let mapped = result.answer?.rewrittenAddress?.description ?? ""
            let xored = result.answer?.mappedAddress.description ?? ""
            return "\(result.place): MAPPED-ADDRESS \(mapped), XOR-MAPPED-ADDRESS \(xored)"
        }
    }
}
