import Engines
import NetTypes
import STUN

/// A TURN server says no in its own words: a rule or a quota of its configuration, by the code and by what was asked.
enum TURNServerRefuses: FindingRule {
    static let kinds = [
        peerForbidden, forbidden, quotaReached, capacityReached, familyUnsupported, transportUnsupported, inUse,
        refused,
    ]
    private static let peerForbidden = FindingKind(
        "turn-peer-forbidden", .error, "The TURN server does not relay to this peer",
        meaning: "The server answers 403 (Forbidden) to CreatePermission or ChannelBind: the relay may not send to the "
            + "peer's address.",
        causes: [
            "a rule of the server forbids the peer's address (coturn: denied-peer-ip=; loopback peers need "
                + "allow-loopback-peers)"
        ],
        remedy:
            "Allow the addresses of real peers (coturn: allowed-peer-ip=); keep loopback and internal ranges denied.")
    private static let forbidden = FindingKind(
        "turn-forbidden", .error, "The TURN server forbids the allocation",
        meaning: "The server answers 403 (Forbidden) to Allocate: this client or user may not have a relay.",
        causes: ["a rule of the server forbids this client's address or user (coturn: denied-peer-ip, allowed users)"],
        remedy: "Look for this client's address and user in the server's log and rules.")
    private static let quotaReached = FindingKind(
        "turn-quota-reached", .error, "The user has as many allocations as the server allows",
        meaning: "The server answers 486 (Allocation Quota Reached).",
        causes: [
            "the quota of one user is too small for its clients (coturn: user-quota=)",
            "earlier allocations were not deleted and live until their lifetime is over",
        ],
        remedy: "Raise the quota (coturn: user-quota=), or wait for the lifetime of the old allocations, 10 minutes.")
    private static let capacityReached = FindingKind(
        "turn-capacity-reached", .error, "The TURN server has no room for another allocation",
        meaning: "The server answers 508 (Insufficient Capacity).",
        causes: [
            "all ports of the relay range are in use (coturn: min-port=, max-port=)",
            "the quota of the whole server is reached (coturn: total-quota=)",
        ],
        remedy: "Widen the relay port range or the total quota, or add a server.")
    private static let familyUnsupported = FindingKind(
        "turn-family-unsupported", .error, "The TURN server has no relay of this address family",
        meaning: "The server answers 440 or 443: it has no relay of the address family that was asked for.",
        causes: ["the server has no relay address of the family (coturn: relay-ip=)"],
        remedy: "Give the server a relay address of the family, or ask for the other family.")
    private static let transportUnsupported = FindingKind(
        "turn-transport-unsupported", .error, "The TURN server does not relay over this transport",
        meaning: "The server answers 442 (Unsupported Transport Protocol).",
        causes: ["relaying over TCP (RFC 6062) is off (coturn: no-tcp-relay)"],
        remedy: "Ask for UDP, or turn on TCP relaying.")
    private static let inUse = FindingKind(
        "turn-five-tuple-in-use", .error, "The server still holds an allocation for this address and port (437)",
        meaning: "The server answers 437 (Allocation Mismatch) to two ports of this client, which have no allocation.",
        causes: [
            "a NAT gave this client the address and port of another, whose allocation is still alive",
            "a balancer sends the requests of one client to servers that do not know each other's allocations",
        ],
        remedy: "Let the balancer keep a client on one server; if it is a NAT, wait until the old allocation expires.")
    private static let refused = FindingKind(
        "turn-refused", .error, "The TURN server refuses",
        meaning: "The server answers with an error code that no other finding covers.",
        causes: ["a rule or a fault of the server, which the error code and its reason name"],
        remedy: "Run `icecheck explain CODE`, and look for this request in the server's log.")

    static func findings(in evidence: Evidence) -> [Finding] {
        let refused = evidence.turn.filter { $0.error?.kind == .errorResponse && $0.error?.code != 441 }
        return findings(about: refused, kind: kind) { $0.complaintWithReason }
            + TURNCredentialsRefused.refused.findings(
                about: refused.filter { kind($0) == nil }, title: "The TURN server stopped accepting the credential",
                causes: ["the credential expired or was withdrawn during the run"], remedy: "Get a new credential.",
                seen: \.complaintWithReason)
    }

    /// Nil where it is about the credential.
    private static func kind(_ result: TURNResult) -> FindingKind? {
        switch result.error?.code {
        case 403: result.stage == .allocate ? forbidden : peerForbidden
        case 486: quotaReached
        case 508: capacityReached
        case 440, 443: familyUnsupported
        case 442: transportUnsupported
        case 437: inUse
        case 438, 401: nil
        default: refused
        }
    }
}

extension TURNResult {
    fileprivate var complaintWithReason: String {
        complaint + (error?.reason.map { ", reason \"\($0.cleaned(limit: 100))\"" } ?? "")
    }
}
