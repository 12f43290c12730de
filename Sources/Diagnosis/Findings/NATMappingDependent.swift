import Engines
import NetTypes

/// The NAT gives each destination another mapped address: what a STUN server sees is not what a peer can use.
enum NATMappingDependent: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        // What ICE uses is UDP: a NAT may treat TCP otherwise.
        let dependent = evidence.nat.filter { $0.transport == .udp && ($0.verdict.mapping.value?.isDependent ?? false) }
        guard !dependent.isEmpty else { return [] }
        return [
            Finding(
                id: "nat-mapping-dependent", severity: .warning,
                title: "The NAT shows each destination another address of this machine",
                evidence: dependent.map { record in
                    let seen = record.sightings.map { "\($0.observer) sees \($0.mappedAddress)" }
                    return "\(record.family.name), one socket: \(Set(seen).sorted().joined(separator: ", "))"
                },
                causes: [
                    "the NAT's mapping is \(dependent.compactMap(\.verdict.mapping.value?.rawValue).first ?? "") "
                        + "(RFC 4787 REQ-1 asks for endpoint-independent mapping)"
                ],
                remedy: "Give clients a TURN server: a direct path needs a peer whose NAT lets in what it did not ask "
                    + "for. On a NAT of your own, turn on endpoint-independent mapping (also: full cone NAT).")
        ]
    }
}
