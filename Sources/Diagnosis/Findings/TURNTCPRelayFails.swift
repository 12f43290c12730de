import Facts

/// A relay of TCP (RFC 6062) through which no connection carries bytes, by the step at which it died.
enum TURNTCPRelayFails: FindingRule {
    static let kinds = [portsBlocked, elsewhere, bindFails, silent, connectFails]
    private static let portsBlocked = FindingKind(
        "turn-tcp-relay-ports-blocked", .error, "No TCP connection to the TURN server's relay ports",
        meaning: "No TCP connection to the relayed address could be made.",
        causes: [
            "a firewall at the server allows its relay ports for UDP but not for TCP (49152-65535/tcp, or min-port= to "
                + "max-port=)",
            "the relayed address is not the server's (coturn: external-ip=, relay-ip=)",
        ],
        remedy: "Open the relay's ports for TCP to the server in its firewall or security group.")
    private static let elsewhere = FindingKind(
        "turn-tcp-relay-elsewhere", .error, "Something else accepts connections at the relayed address",
        meaning: "A TCP connection to the relayed address was accepted, but the server did not announce it.",
        causes: [
            "something other than the server accepts connections at the relayed address: a wrong external-ip=, or a "
                + "proxy on the path",
            "the peer has no permission at the server: a NAT shows it another address than the client",
        ],
        remedy: "Compare the relayed address with the server's public address (coturn: external-ip=).")
    private static let bindFails = FindingKind(
        "turn-tcp-bind-fails", .error, "The TURN server does not accept the data connection",
        meaning: "The server announced a peer's connection, but did not bind the client's second connection to it (RFC "
            + "6062).",
        causes: [
            "a balancer leads the client's second connection to another server than its first",
            "the server does not accept the credential on a second connection",
        ],
        remedy: "Let the balancer keep a client's connections on one server (source hashing).")
    private static let silent = FindingKind(
        "turn-tcp-relay-silent", .error, "The TURN server's TCP relay connects but carries nothing",
        meaning: "A peer's connection was bound, but no byte came back through it.",
        causes: ["a device on the path holds back what follows the ConnectionBind, or the server's relay is defective"],
        remedy: "Compare over TLS (turns:), and look in the server's log.")
    private static let connectFails = FindingKind(
        "turn-tcp-connect-fails", .note, "The TURN server did not connect to a peer that listens",
        meaning: "Connect to a second socket of this machine led to no data; connections to the relay work.",
        causes: [
            "this machine's firewall drops incoming TCP connections",
            "a firewall at the server drops its outgoing TCP connections",
        ],
        remedy: "Nothing to do if peers connect to the relay; otherwise allow outgoing TCP from the server.")

    static func findings(in evidence: Evidence) -> [Finding] {
        findings(about: evidence.turn, kind: inbound, seen: seen)
            // The relay works, but does not get through to a peer that listens here: perhaps by this machine's firewall.
            + connectFails.findings(about: evidence.turn.filter { $0.isOK && $0.outbound?.isSilent == true }) {
                result in
                let code = result.outbound?.code.map { ": \($0)\(ErrorNames.suffix($0))" } ?? ""
                return "\(result.place): Connect to a second socket of this machine did not lead to data\(code)"
            }
    }

    private static func inbound(_ result: TURNResult) -> FindingKind? {
        guard result.error?.kind == .noData else { return nil }
        return switch result.relay?.tcp?.inbound.reached {
        case .connect: portsBlocked
        case .announcement: elsewhere
        case .bind: bindFails
        case .data: silent
        case nil: nil
        }
    }

    private static func seen(_ result: TURNResult) -> String {
        let trouble = result.relay?.tcp?.inbound.pathTrouble.map { "; the second socket met \($0.kind)" } ?? ""
        return result.complaint + (result.relay.map { "; the relayed address is \($0.relayedAddress)" } ?? "") + trouble
    }
}

extension TURNResult {
    fileprivate var outbound: TURNEvidence.TCPLane? { relay?.tcp?.outbound }
}
