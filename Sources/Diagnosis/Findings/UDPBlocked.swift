import NetTypes

/// UDP stays silent where TCP to the same server answers: something on the way drops UDP.
enum UDPBlocked: FindingRule {
    /// The results over UDP that the rule explains.
    static func blocked(in evidence: Evidence) -> [STUNResult] {
        let isUDPAlive = evidence.contacts.contains { $0.transport == .udp && $0.isOK }
        guard !isUDPAlive else { return [] }
        return evidence.contacts.filter { silent in
            silent.transport == .udp && silent.error?.kind == .timeout
                && evidence.contacts.contains {
                    $0.transport == .tcp && $0.isOK && $0.server == silent.server && $0.family == silent.family
                }
        }
    }

    static func findings(in evidence: Evidence) -> [Finding] {
        let blocked = blocked(in: evidence)
        guard !blocked.isEmpty else { return [] }
        return [
            Finding(
                id: "udp-blocked", severity: .error, title: "UDP gets no answer where TCP does",
                evidence: blocked.map { "\($0.complaint); over TCP it answers" },
                causes: [
                    "a firewall between this machine and the server drops UDP",
                    "the server's own firewall lets TCP through and not UDP",
                ],
                remedy:
                    "Allow outgoing UDP to the server's port and back, or give clients a TURN server over TCP or TLS.")
        ]
    }
}
