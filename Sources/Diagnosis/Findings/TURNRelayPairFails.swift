import NetTypes
import Session

/// Relays that carry data each alone, and not to each other: calls fail in which both sides have nothing but a relay.
enum TURNRelayPairFails: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        Kind.allCases.compactMap { kind in
            let pairs = evidence.relayPairs.filter { $0.failure == kind }
            return pairs.isEmpty ? nil : finding(kind, pairs)
        }
    }

    /// Where the data died, by what is to be changed about it.
    enum Kind: CaseIterable {
        case refused
        case hairpin
        case betweenServers
        case oneWay
        case channel
        case altered
        case secondAllocation
    }

    private static let meaning = " Until then calls fail in which both sides have a relay alone."

    private static func finding(_ kind: Kind, _ pairs: [RelayPairResult]) -> Finding {
        let seen = pairs.map(\.complaint)
        switch kind {
        case .refused:
            return Finding(
                id: "turn-relay-peer-refused", severity: .warning,
                title: "The TURN server refuses a relay as a peer", evidence: seen,
                causes: [
                    "a rule of the server forbids the relay's own address (coturn: denied-peer-ip= covers relay-ip or "
                        + "external-ip, without an allowed-peer-ip=)",
                    "the relay's address is a loopback address, which the server forbids as a peer",
                ],
                remedy: "Allow the relays' own addresses (coturn: allowed-peer-ip=RELAY-ADDRESS), and keep the rest "
                    + "denied." + meaning)
        case .hairpin:
            return Finding(
                id: "turn-relay-hairpin-fails", severity: .warning,
                title: "Data from one relay of the TURN server to another is lost", evidence: seen,
                causes: [
                    "the server stands behind a NAT that does not send its own packets for its public address back to "
                        + "it (hairpin), and does not know that the address is its own",
                    "a firewall at the server drops what comes to the relay ports from the server itself",
                ],
                remedy: "Tell the server its public and its inside address (coturn: external-ip=PUBLIC/PRIVATE): it "
                    + "then reaches its own relays without the NAT. Let the firewall admit the server's own address at "
                    + "the relay ports." + meaning)
        case .betweenServers:
            return Finding(
                id: "turn-relay-to-relay-blocked", severity: .warning,
                title: "Data between the relays of two TURN servers is lost", evidence: seen,
                causes: [
                    "a firewall of either server lets no UDP in from the other, or none out to it",
                    "the two are behind one NAT that does not send their packets for its public address back inside",
                    "there is no route from one to the other",
                ],
                remedy: "Let UDP pass between the relay ports of the two servers, both ways." + meaning)
        case .oneWay:
            return Finding(
                id: "turn-relay-to-relay-one-way", severity: .warning,
                title: "Data goes from one relay to the other and not back", evidence: seen,
                causes: [
                    "a firewall at the relay that nothing comes to lets the other's packets not in, or one at the other "
                        + "lets them not out",
                    "a relay's packets come from another address than it says, which the other has no permission for "
                        + "(coturn: relay-ip=, external-ip=)",
                ],
                remedy: "Let UDP pass between the relay ports both ways; give each relay one address." + meaning)
        case .channel:
            return Finding(
                id: "turn-relay-to-relay-channel-silent", severity: .warning,
                title: "Data goes from relay to relay in indications and not over a channel", evidence: seen,
                causes: [
                    "a device between here and a server drops what is no STUN message, in bursts or by its content"
                ],
                remedy:
                    "Repeat with --count 100; look for inspection between here and the servers; TLS (turns:) hides it.")
        case .altered:
            return Finding(
                id: "turn-relay-to-relay-altered", severity: .error,
                title: "Data came from relay to relay with other content", evidence: seen,
                causes: ["a device between the relays rewrites payloads (an ALG)"],
                remedy: "Turn the ALG off.")
        case .secondAllocation:
            return Finding(
                id: "turn-second-allocation-fails", severity: .warning,
                title: "The TURN server fails a later allocation of the same user", evidence: seen,
                causes: [
                    "a limit of the server or of a balancer before it, by user, address or rate",
                    "servers behind one address that differ",
                ],
                remedy: "Repeat the run; look for this user's requests in the server's log.")
        }
    }
}

extension RelayPairResult {
    fileprivate var failure: TURNRelayPairFails.Kind? {
        switch death {
        case nil: nil
        case .refused: .refused
        case .allocation: .secondAllocation
        case .both: isOneServer ? .hairpin : .betweenServers
        // On one server there is one way: what differs is the direction alone.
        case .towards: .oneWay
        case .channel: .channel
        case .altered: .altered
        }
    }

    /// The pair and what went wrong, and at which end.
    fileprivate var complaint: String {
        let error = outcome.error
        let reason = error?.reason.map { ", reason \"\($0.cleaned(limit: 100))\"" } ?? ""
        let said = "\(place): \(error?.message ?? "")\(reason)"
        guard let (end, trouble) = trouble, trouble.stage != .allocate,
            let peer = evidence[end.other].relayedAddress
        else { return said }
        return said + ", for the relay \(peer)"
    }
}
