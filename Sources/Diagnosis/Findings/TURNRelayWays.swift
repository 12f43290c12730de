import Facts
import NetTypes
import Planning

/// Relays that carry data, though not by the way of every client.
enum TURNRelayWays: FindingRule {
    static let kinds = [relayToRelay, clientHidden]
    private static let relayToRelay = FindingKind(
        "turn-relay-to-relay-only", .note, "Data goes through the relay from relay to relay only",
        meaning:
            "A second socket of this machine does not get through to the relayed address, but two relays of the server "
            + "send to each other. A call works where the peer uses a relay as well.",
        causes: [
            "this machine's network blocks UDP, which the second socket needs and the relay's client does not",
            "the server does not admit this machine's own addresses as peers (coturn: denied-peer-ip=)",
            "a firewall at the server blocks its relay ports both ways for everybody outside",
        ],
        remedy: "Nothing where this network blocks UDP. To test the relay's ports as well, run from a network with UDP."
    )
    private static let clientHidden = FindingKind(
        "turn-client-hidden", .note, "Something before the TURN server hides this machine's address from it",
        meaning:
            "The server sees this machine at another address than its relay does. Relays work all the same; what the "
            + "server reports as this machine's address is of no use to peers.",
        causes: [
            "a proxy or load balancer before the server puts its own address in the place of the client's (nginx, "
                + "stunnel, haproxy without PROXY protocol, Kubernetes with externalTrafficPolicy: Cluster, docker-proxy)",
            "this machine's NAT has several public addresses and uses them in turn",
        ],
        remedy: "Ask another server for the server-reflexive address, or let the proxy keep the client's address.")

    static func findings(in evidence: Evidence) -> [Finding] {
        relayToRelay.findings(about: evidence.turn.filter { $0.isOK && $0.relay?.way == .relayToRelay }) { result in
            let sent = result.relay?.indications.sent ?? 0
            let refusal = result.relay?.refusal?.code.map {
                "; the server does not admit this machine as a peer (\($0))"
            }
            return result.place + (refusal ?? "; none of \(sent) datagrams of a second socket arrived")
        }
            + clientHidden.findings(about: evidence.turn.filter { $0.isOK && $0.hidingAddress != nil }) { result in
                let seen = [result.evidence?.allocation?.mappedAddress, result.relay?.peerAddress].compactMap(\.self)
                return "\(result.place): the server sees \(seen.first?.address.description ?? ""), its relay sees "
                    + (seen.last?.address.description ?? "")
            }
    }
}

extension TURNResult {
    /// The address that the server sees in the place of the one that its relay sees; nil where they are the same.
    fileprivate var hidingAddress: IPAddress? {
        guard let mapped = evidence?.allocation?.mappedAddress?.address.canonical,
            let peer = relay?.peerAddress?.address.canonical, mapped.family == peer.family, mapped != peer
        else { return nil }
        return mapped
    }
}
