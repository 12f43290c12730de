import Engines
import NetTypes

/// Servers that speak RFC 5780, or several servers together, show another NAT than relays do: one of them is misled.
enum NATMethodsDisagree: OneKindRule {
    static let kind = FindingKind(
        "nat-methods-disagree", .warning, "A STUN server and a relay show two different NATs",
        meaning: "What STUN servers report and what goes through the relay of a TURN server show two different NATs.",
        causes: [
            "the NAT, or a firewall, has special rules for some ports or addresses",
            "the paths to the servers differ: two lines that share the load, or a VPN for some addresses",
            "one of the servers is inside this network, or behind a NAT or load balancer of its own",
        ],
        remedy: "Repeat with another server, to see which of the two is the exception. Trust the relay's answer for "
            + "relayed calls, and the worse of the two answers for the rest.")

    static func findings(in evidence: Evidence) -> [Finding] {
        let contradictory = evidence.nat.filter { !disagreements(of: $0).isEmpty }
        let scopes = contradictory.map { record in
            record.scope(in: evidence, record.evidence.servers + (record.relayed?.evidence.relays.map(\.server) ?? []))
        }
        return kind.finding(about: scopes, seen: contradictory.flatMap(disagreements))
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
        return "\(record.family.name), \(what): \(value.rawValue) according to the servers, "
            + "\(others.joined(separator: " or ")) through the relay"
    }
}
