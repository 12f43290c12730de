import Engines
import Facts
import NetTypes

/// Relays that carry data each, and not to each other: calls fail in which both sides have only a relay.
enum TURNRelayPairFails: FindingRule {
    static let kinds = [refused, hairpin, betweenServers, oneWay, channel, altered, secondAllocation]
    private static let refused = FindingKind(
        "turn-relay-peer-refused", .warning,
        "The server refuses relays as peers: calls fail when both sides use a relay",
        meaning: "The server refuses the relay's address as a peer (403 to CreatePermission or ChannelBind).",
        causes: [
            "a rule of the server forbids the relay's own address (coturn: denied-peer-ip= covers relay-ip or "
                + "external-ip, without an allowed-peer-ip=)",
            "the relay's address is a loopback address, which the server forbids as a peer",
        ],
        remedy: "Allow the relays' own addresses (coturn: allowed-peer-ip=RELAY-ADDRESS), and keep the rest denied.")
    private static let hairpin = FindingKind(
        "turn-relay-hairpin-fails", .warning, "Data from one relay of the TURN server to another is lost",
        meaning: "Two relays of one server each carry data, but not to each other.",
        causes: [
            "the server stands behind a NAT that does not send its own packets for its public address back to it "
                + "(hairpin), and does not know that the address is its own",
            "a firewall at the server drops what comes to the relay ports from the server itself",
        ],
        remedy:
            "Tell the server its public and its private address (coturn: external-ip=PUBLIC/PRIVATE): it then reaches "
            + "its own relays without the NAT. Let the firewall admit the server's own address at the relay ports."
            + consequence)
    private static let betweenServers = FindingKind(
        "turn-relay-to-relay-blocked", .warning, "Data between the relays of two TURN servers is lost",
        meaning: "The relays of two servers each carry data, but not to each other.",
        causes: [
            "a firewall of either server blocks UDP from or to the other",
            "the two are behind one NAT that does not send their packets for its public address back inside",
            "there is no route from one to the other",
        ],
        remedy: "Allow UDP between the relay ports of the two servers, both ways." + consequence)
    private static let oneWay = FindingKind(
        "turn-relay-to-relay-one-way", .warning, "Data goes from one relay to the other but not back",
        meaning: "Of two relays, only one receives what the other sends.",
        causes: [
            "a firewall at the relay that nothing reaches drops incoming packets, or one at the other drops outgoing ones",
            "a relay's packets come from another address than the relayed address, which has no permission at the other "
                + "(coturn: relay-ip=, external-ip=)",
        ],
        remedy: "Allow UDP between the relay ports both ways; give each relay one address." + consequence)
    private static let channel = FindingKind(
        "turn-relay-to-relay-channel-silent", .warning,
        "Data goes from relay to relay in indications but not over a channel",
        meaning: "Between two relays, Send and Data indications carry data, but ChannelData does not.",
        causes: ["a device between here and a server drops non-STUN packets, in bursts or by their content"],
        remedy: "Repeat with --count 100; look for a firewall that drops non-STUN packets; TLS (turns:) gets past it.")
    private static let altered = FindingKind(
        "turn-relay-to-relay-altered", .error, "Data came from relay to relay altered",
        meaning: "What came from one relay to another is not what was sent.",
        causes: ["a device between the relays rewrites payloads (an ALG)"], remedy: "Turn off the ALG.")
    private static let secondAllocation = FindingKind(
        "turn-second-allocation-fails", .warning, "The TURN server fails a later allocation of the same user",
        meaning: "The first allocation of the user worked, but a later one on the same server did not.",
        causes: [
            "a limit of the server or of a balancer before it, by user, address or rate",
            "servers behind one address differ",
        ],
        remedy: "Repeat the run; look for this user's requests in the server's log.")
    private static let consequence = " Until then calls fail when both sides use a relay."

    static func findings(in evidence: Evidence) -> [Finding] {
        findings(about: evidence.relayPairs, kind: kind, seen: \.complaint)
    }

    /// By what is to be changed about it.
    private static func kind(_ pair: RelayPairResult) -> FindingKind? {
        switch pair.death {
        case nil: nil
        case .refused: refused
        case .allocation: secondAllocation
        case .both: pair.isOneServer ? hairpin : betweenServers
        // On one server there is one way: only the direction differs.
        case .towards: oneWay
        case .channel: channel
        case .altered: altered
        }
    }
}

extension RelayPairResult: FindingSubject {
    var scope: FindingScope {
        let (one, other) = (evidence.first, evidence.second)
        return FindingScope(
            servers: [first, second],
            family: one.serverAddress.family == other.serverAddress.family ? one.serverAddress.family : nil,
            transport: one.transport == other.transport ? one.transport : nil)
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
