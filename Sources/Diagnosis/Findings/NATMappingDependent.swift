import Engines
import NetTypes

/// The NAT gives each destination another mapped address: what a STUN server reports is not what a peer can use.
enum NATMappingDependent: OneKindRule {
    static let kind = FindingKind(
        "nat-mapping-dependent", .warning,
        "The NAT uses a different public port for each destination (symmetric NAT)",
        meaning: "The address that a STUN server reports is useless to other peers; two such NATs need a relay.",
        causes: [cause("address-dependent or address-and-port-dependent")],
        remedy: "Give clients a TURN server: a direct path works only to peers whose NAT accepts unsolicited packets "
            + "(full cone) or filters by address only. On a NAT of your own, turn on endpoint-independent mapping (full "
            + "cone) and disable port randomisation.")

    private static func cause(_ mapping: String) -> String {
        "the NAT's mapping is \(mapping) (RFC 4787 REQ-1 asks for endpoint-independent mapping)"
    }

    static func findings(in evidence: Evidence) -> [Finding] {
        // What ICE uses is UDP: a NAT may treat TCP otherwise.
        let dependent = evidence.nat.filter { $0.transport == .udp && ($0.verdict.mapping.value?.isDependent ?? false) }
        return kind.finding(
            about: dependent.map { $0.scope(in: evidence, $0.sightings.map(\.observer)) },
            seen: dependent.map { record in
                let seen = record.sightings.map { "\($0.observer) reports \($0.mappedAddress)" }
                return "\(record.family.name), one socket: \(Set(seen).sorted().joined(separator: ", "))"
            },
            causes: dependent.compactMap(\.verdict.mapping.value?.rawValue).prefix(1).map(cause))
    }
}

extension NATRecord {
    /// - Parameter servers: the addresses of the servers that showed it.
    func scope(in evidence: Evidence, _ servers: [Endpoint]) -> FindingScope {
        FindingScope(servers: evidence.servers(at: servers), family: family, transport: transport)
    }
}
