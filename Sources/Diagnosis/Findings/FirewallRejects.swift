import NetTypes

/// A firewall says that it rejects the packets.
enum FirewallRejects: OneKindRule {
    static let kind = FindingKind(
        "firewall-rejects", .error, "A firewall rejects STUN",
        meaning: "A packet filter rejects the packets: an ICMP message says so, or the system of this machine.",
        causes: [onTheWay, onThisMachine],
        remedy: "Allow UDP to the server's port where the ICMP message comes from, or use TURN over TLS on port 443.")
    private static let onTheWay = "a packet filter that sent the ICMP message rejects this destination or port"
    private static let onThisMachine =
        "an output rule of this machine (nftables, iptables, a security module) rejects the packets"

    static func findings(in evidence: Evidence) -> [Finding] {
        let rejected = evidence.contacts.filter {
            $0.error?.kind == .administrativelyProhibited || $0.error?.kind == .notPermitted || $0.isRejectedOnTheWay
        }
        guard rejected.allSatisfy({ $0.error?.kind == .notPermitted }) else {
            return kind.findings(about: rejected, causes: [onTheWay], remedy: remedy(rejected), seen: \.complaint)
        }
        return kind.findings(
            about: rejected, title: "This machine's own firewall rejects STUN", causes: [onThisMachine],
            remedy: "Allow outgoing packets to the server in this machine's firewall.", seen: \.complaint)
    }

    private static func remedy(_ rejected: [STUNResult]) -> String? {
        let reporters = Set(rejected.compactMap { $0.error?.reporter?.withoutZone.description })
        let ports = Set(
            rejected.compactMap { result in
                result.serverAddress.map { "\(result.transport.isStream ? "TCP" : "UDP") to port \($0.port)" }
            })
        guard !reporters.isEmpty, !ports.isEmpty else { return nil }
        return "Ask whoever runs \(reporters.sorted().joined(separator: " and ")) to allow "
            + "\(ports.sorted().joined(separator: " and ")), or use TURN over TLS on port 443."
    }
}
