import Session

/// A relay of TCP (RFC 6062) through which no connection carries bytes, by the step at which it died.
enum TURNTCPRelayFails: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let inbound = TURNEvidence.TCPLane.Step.allCases.compactMap { step -> Finding? in
            let results = evidence.turn.filter {
                $0.error?.kind == .noData && $0.relay?.tcp?.inbound.reached == step
            }
            guard !results.isEmpty else { return nil }
            let rule = rule(step)
            return Finding(
                id: rule.id, severity: .error, title: rule.title, evidence: results.map(seen), causes: rule.causes,
                remedy: rule.remedy)
        }
        return inbound + [outbound(evidence)].compactMap(\.self)
    }

    private struct Rule {
        var id: String
        var title: String
        var causes: [String]
        var remedy: String
    }

    private static func rule(_ step: TURNEvidence.TCPLane.Step) -> Rule {
        switch step {
        case .connect:
            Rule(
                id: "turn-tcp-relay-ports-blocked", title: "No TCP connection to the TURN server's relay ports",
                causes: [
                    "a firewall at the server lets its relay ports through for UDP and not for TCP (49152-65535/tcp, or "
                        + "min-port= to max-port=)",
                    "the relayed address is not the server's (coturn: external-ip=, relay-ip=)",
                ],
                remedy: "Open the relay's ports for TCP to the server in its firewall or security group.")
        case .announcement:
            Rule(
                id: "turn-tcp-relay-elsewhere", title: "The TURN server does not announce a peer's connection",
                causes: [
                    "something else than the server takes connections at the relayed address: a wrong external-ip=, or a "
                        + "proxy on the way",
                    "the peer has no permission at the server: a NAT shows it another address than the client",
                ],
                remedy: "Compare the relayed address with the server's public address (coturn: external-ip=).")
        case .bind:
            Rule(
                id: "turn-tcp-bind-fails", title: "The TURN server does not take the data connection",
                causes: [
                    "a balancer leads the client's second connection to another server than its first",
                    "the server does not take the credential on a second connection",
                ],
                remedy: "Let the balancer keep a client's connections on one server (source hashing).")
        case .data:
            Rule(
                id: "turn-tcp-relay-silent", title: "The TURN server's TCP relay connects and carries nothing",
                causes: [
                    "a device on the way holds back what follows the ConnectionBind, or the server's relay is defective"
                ],
                remedy: "Ask over TLS (turns:), and compare; look into the server's log.")
        }
    }

    private static func seen(_ result: TURNResult) -> String {
        let trouble = result.relay?.tcp?.inbound.pathTrouble.map { "; the second socket met \($0.kind)" } ?? ""
        return result.complaint + (result.relay.map { "; the relayed address is \($0.relayedAddress)" } ?? "") + trouble
    }

    /// The relay works, and does not get through to a peer that listens here: that may be this machine's own firewall.
    private static func outbound(_ evidence: Evidence) -> Finding? {
        let results = evidence.turn.filter { $0.isOK && $0.relay?.tcp?.outbound?.isSilent == true }
        guard !results.isEmpty else { return nil }
        return Finding(
            id: "turn-tcp-connect-fails", severity: .note,
            title: "The TURN server did not connect to a peer that listens",
            evidence: results.map { result in
                let lane = result.relay?.tcp?.outbound
                let code = lane?.code.map { ": \($0)\(ErrorNames.suffix($0))" } ?? ""
                return "\(result.place): Connect to a second socket of this machine did not lead to data\(code)"
            },
            causes: [
                "this machine's firewall drops incoming TCP connections",
                "a firewall at the server drops its outgoing ones",
            ],
            remedy: "Nothing where peers connect to the relay; else allow outgoing TCP from the server.")
    }
}
