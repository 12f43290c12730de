import NetTypes

/// UDP stays silent where TCP to the same server answers: something on the way drops UDP.
enum UDPBlocked: OneKindRule {
    static let kind = FindingKind(
        "udp-blocked", .error, "UDP is blocked; TCP works",
        meaning: "A server answers over TCP, but no server answers over UDP.",
        causes: [
            "a firewall between this machine and the server drops UDP",
            "the server's own firewall allows TCP but not UDP",
        ],
        remedy: "Allow outgoing UDP to the server's port and the answers to it, or give clients a TURN server over TCP "
            + "or TLS.")

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
        kind.findings(about: blocked(in: evidence)) { "\($0.complaint); over TCP the server answers" }
    }
}
