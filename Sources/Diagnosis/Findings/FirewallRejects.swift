/// A firewall says that it rejects the packets.
enum FirewallRejects: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let rejected = evidence.contacts.filter {
            $0.error?.kind == .administrativelyProhibited || $0.error?.kind == .notPermitted || $0.isRejectedOnTheWay
        }
        guard !rejected.isEmpty else { return [] }
        let isLocal = rejected.allSatisfy { $0.error?.kind == .notPermitted }
        return [
            Finding(
                id: "firewall-rejects", severity: .error,
                title: isLocal ? "This machine's own firewall rejects STUN" : "A firewall rejects STUN",
                evidence: rejected.map(\.complaint),
                causes: isLocal
                    ? ["an output rule of this machine (nftables, iptables, a security module)"]
                    : ["a packet filter at the address that says so has a reject rule for this destination or port"],
                remedy: isLocal
                    ? "Allow outgoing packets to the server in this machine's firewall."
                    : "Ask the operator of that address to allow this destination and port.")
        ]
    }
}
