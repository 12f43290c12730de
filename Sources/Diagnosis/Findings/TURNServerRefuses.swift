import Engines
import Facts
import NetTypes
import Planning
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
            "the bandwidth of one allocation is all that the server gives out (coturn: bps-capacity= and max-bps=)",
            "earlier allocations were not deleted and live until their lifetime is over",
        ],
        remedy: "Raise the quota (coturn: user-quota=), or wait for the lifetime of the old allocations, 10 minutes.")
    private static let capacityReached = FindingKind(
        "turn-capacity-reached", .error, "The TURN server has no room for another allocation",
        meaning: "The server answers 508 (Insufficient Capacity).",
        causes: [
            "all ports of the relay range are in use (coturn: min-port=, max-port=)",
            "the quota of the whole server is reached (coturn: total-quota=)",
            "the server has no such address to relay from (coturn: relay-ip=)",
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
        causes: [
            "relaying over TCP (RFC 6062) is off (coturn: no-tcp-relay)",
            "relaying over UDP is off (coturn: no-udp-relay)",
        ],
        remedy: "Turn on relaying over this transport at the server.")
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
        let refused = evidence.turn.filter {
            $0.error?.kind == .errorResponse && $0.error?.code != 441 && !$0.isCredentialRefused
        }
        var findings = findings(about: refused, kind: kind) { $0.complaintWithReason }
        for index in findings.indices {
            let results = refused.filter { kind($0) == findings[index].kind }
            guard let cause = Self.cause(of: results, evidence) else { continue }
            findings[index].causes = [cause.is]
            findings[index].remedy = cause.remedy
        }
        return findings
            + TURNCredentialsRefused.refused.findings(
                about: refused.filter { kind($0) == nil }, title: "The TURN server stopped accepting the credential",
                causes: ["the credential expired or was withdrawn during the run"], remedy: "Get a new credential.",
                seen: \.complaintWithReason)
    }

    /// What the server's own words, or the request that it refused, leave as the only cause.
    private static func cause(
        of results: [TURNResult], _ evidence: Evidence
    ) -> (is: String, remedy: String)? {
        guard let first = results.first, results.allSatisfy({ $0.error?.code == first.error?.code }) else { return nil }
        func says(_ words: String) -> Bool {
            results.allSatisfy { $0.error?.reason?.cleaned(limit: 100).lowercased().contains(words) ?? false }
        }
        func hasBlank(_ text: String?) -> Bool { text?.contains(" ") ?? false }
        switch first.error?.code {
        case 442:
            let (transport, option) =
                evidence.record.plan.relayTransport == .tcp ? ("TCP", "no-tcp-relay") : ("UDP", "no-udp-relay")
            return (
                "relaying over \(transport) is off (coturn: \(option))",
                "Remove \(option) from turnserver.conf, or turn on relaying over \(transport)."
            )
        case 486 where says("bandwidth"):
            return (
                "the bandwidth of one allocation is all that the server gives out (coturn: bps-capacity=, max-bps=)",
                "Raise bps-capacity= in turnserver.conf to several times max-bps=."
            )
        case 508 where says("cannot create socket"):
            return (
                "the server has no such address to relay from (coturn: relay-ip=), or no port of its range is free",
                "Set relay-ip= to an address that the server's machine has, and external-ip= to the public one; then look "
                    + "at min-port= and max-port=."
            )
        case 400 where hasBlank(first.evidence?.realm?.cleaned(limit: 200)):
            return (
                "the server's realm has a blank, which coturn itself refuses in signed requests",
                "Give the server a realm without blanks (coturn: realm=), usually its domain name."
            )
        case 400 where hasBlank(first.username):
            return ("the user name has a blank, which coturn refuses", "Give the user a name without blanks.")
        default: return nil
        }
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
