import NetTypes
import Session

/// An allocation that carries no data, or whose address no peer can reach: by where the data died.
enum TURNRelayFails: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        unusable(evidence)
            + [Death.externalAddress, .relayPorts, .nothing, .wayBack, .channel].compactMap { death in
                let results = evidence.turn.filter { $0.error?.kind == .noData && $0.death == death }
                return results.isEmpty ? nil : finding(death, results)
            }
    }

    private static func unusable(_ evidence: Evidence) -> [Finding] {
        let results = evidence.turn.filter { $0.error?.kind == .unusableRelayedAddress }
        guard !results.isEmpty else { return [] }
        return [
            Finding(
                id: "turn-relayed-address-unusable", severity: .error,
                title: "No peer can reach the address that the TURN server gives", evidence: results.map(\.complaint),
                causes: [
                    "the server stands behind a NAT and does not know its outside (coturn: external-ip=)",
                    "its relay address is wrong (coturn: relay-ip=)",
                ],
                remedy: "Set coturn's external-ip=PUBLIC/PRIVATE to the address that clients reach it by.")
        ]
    }

    /// Where the data died.
    enum Death: Hashable {
        /// The relay sends from another address than it says.
        case externalAddress
        /// It sends from where it says, and what is sent there does not come.
        case relayPorts
        /// Nothing comes either way.
        case nothing
        /// It comes to the client, and not back.
        case wayBack
        /// Indications work, the channel does not.
        case channel
    }

    private static func finding(_ death: Death, _ results: [TURNResult]) -> Finding {
        let seen = results.map { $0.complaint + $0.reverseWords }
        switch death {
        case .externalAddress:
            return Finding(
                id: "turn-external-ip-wrong", severity: .error,
                title: "The TURN server says a relayed address that is not its own", evidence: seen,
                causes: [
                    "the server's external address is set wrong (coturn: external-ip=), or its public address changed",
                    "the server is behind a NAT that does not forward the relay's ports to it",
                ],
                remedy: "Set coturn's external-ip= to the address that the relay's packets come from, as seen here.")
        case .relayPorts:
            return Finding(
                id: "turn-relay-ports-blocked", severity: .error,
                title: "Nothing gets in at the TURN server's relay ports", evidence: seen,
                causes: [
                    "a firewall at the server lets its listening port through and not its relay ports (49152-65535/udp, "
                        + "or min-port= to max-port=)",
                    "the NAT in front of the server forwards the listening port only",
                ],
                remedy: "Open the relay's UDP ports to the server in its firewall or security group.")
        case .nothing:
            return Finding(
                id: "turn-relay-silent", severity: .error, title: "The TURN server allocates and relays nothing",
                evidence: seen,
                causes: [
                    "a firewall at the server blocks its relay ports both ways (49152-65535/udp, or min-port= to max-port=)",
                    "the relayed address is not the server's (coturn: external-ip=, relay-ip=)",
                    "this machine's own network drops UDP to high ports: a peer elsewhere might get through",
                ],
                remedy: "Open the relay's UDP ports at the server; compare its external-ip= with its public address.")
        case .wayBack:
            return Finding(
                id: "turn-relay-one-way", severity: .error, title: "The relay takes data and gives none out",
                evidence: seen,
                causes: [
                    "a firewall at the server lets the relay's packets in and not out",
                    "the relay sends from another address than it receives at, and this machine's NAT drops that",
                ],
                remedy: "Allow outgoing UDP from the relay's ports; give the relay one address (coturn: relay-ip=).")
        case .channel:
            return Finding(
                id: "turn-channel-silent", severity: .error,
                title: "Data goes through the relay in indications and not over a channel", evidence: seen,
                causes: ["a device on the way drops what is no STUN message: ChannelData begins with 0x40 to 0x4F"],
                remedy:
                    "Look for a STUN-aware firewall or inspection between here and the server; TLS (turns:) hides it.")
        }
    }
}

extension TURNResult {
    fileprivate var death: TURNRelayFails.Death? {
        guard let relay, relay.tcp == nil else { return nil }
        guard relay.indications.roundTrips.isEmpty else { return .channel }
        guard relay.indications.arrived == 0 else { return .wayBack }
        guard let source = relay.reverse?.source else { return .nothing }
        return source.address.canonical.withoutZone == relay.relayedAddress.address.canonical
            ? .relayPorts : .externalAddress
    }

    /// What the other direction showed.
    fileprivate var reverseWords: String {
        guard let relay else { return "" }
        let claimed = "; the relayed address is \(relay.relayedAddress)"
        guard let reverse = relay.reverse else { return claimed }
        guard let source = reverse.source else {
            return claimed + ", and of \(reverse.sent) that the client sent out through it none came"
        }
        return claimed + ", and what the client sends out through it comes from \(source)"
    }
}
