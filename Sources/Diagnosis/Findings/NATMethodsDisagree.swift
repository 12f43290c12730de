import Engines
import NetTypes

/// Servers that speak RFC 5780, or several servers together, show another NAT than relays do: one of them is misled.
enum NATMethodsDisagree: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let disagreements = evidence.nat.flatMap(disagreements)
        guard !disagreements.isEmpty else { return [] }
        return [
            Finding(
                id: "nat-methods-disagree", severity: .warning,
                title: "A STUN server and a relay show two different NATs", evidence: disagreements,
                causes: [
                    "the NAT, or a firewall, has rules of its own for some ports or addresses",
                    "the ways to the servers part: two lines that share the load, or a VPN for some addresses",
                    "one of the servers stands in this network, or behind a NAT or balancer of its own",
                ],
                remedy: "Ask again with another server, to see which of them stands alone. Believe the relay for calls "
                    + "that are relayed, and the worse of the two for the rest.")
        ]
    }

    private static func disagreements(of record: NATRecord) -> [String] {
        guard let relayed = record.relayed?.verdict else { return [] }
        let servers = record.verdictOfServers
        return [
            disagreement("mapping", record, servers.mapping, relayed.mapping),
            disagreement("filtering", record, servers.filtering, relayed.filtering),
        ].compactMap(\.self)
    }

    private static func disagreement(
        _ what: String, _ record: NATRecord, _ shown: NATFinding<NATDependence>, _ estimate: RelayedNATVerdict.Estimate
    ) -> String? {
        // Whether nothing filters, or a NAT lets all in, is a matter of the mapping.
        let isFilter = what == "filtering"
        let plain = { (value: NATDependence) in isFilter && value == .none ? .endpointIndependent : value }
        guard let value = shown.value, !estimate.possible.map(plain).contains(plain(value)) else { return nil }
        let others = NATDependence.allCases.filter(estimate.possible.contains).map(\.rawValue)
        return "\(record.family.name), \(what): \(value.rawValue) by what the servers show, "
            + "\(others.joined(separator: " or ")) through the relay"
    }
}
