import NetTypes
import STUN
import Session

/// A TURN server says no in its own words: a rule or a quota of its configuration, by the code and by what was asked.
enum TURNServerRefuses: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        var findings: [Finding] = []
        for rule in rules {
            let results = evidence.turn.filter {
                guard $0.error?.kind == .errorResponse, $0.error?.code != 441 else { return false }
                let code = $0.error?.code ?? 0
                return rule.codes.isEmpty
                    ? !rules.contains { $0.codes.contains(code) && !$0.codes.isEmpty }
                    : rule.codes.contains(code)
                        && (rule.isAboutPeer ?? ($0.stage != .allocate)) == ($0.stage != .allocate)
            }
            guard !results.isEmpty else { continue }
            findings.append(
                Finding(
                    id: rule.id, severity: .error, title: rule.title, evidence: results.map(seen), causes: rule.causes,
                    remedy: rule.remedy))
        }
        return findings
    }

    private static func seen(_ result: TURNResult) -> String {
        let reason = result.error?.reason.map { ", reason \"\($0.cleaned(limit: 100))\"" } ?? ""
        return result.complaint + reason
    }

    private struct Rule {
        /// Empty for every code that no other rule has.
        var codes: Set<Int>
        /// Whether the request was about a peer, not the allocation itself; nil where that is the same.
        var isAboutPeer: Bool?
        var id: String
        var title: String
        var causes: [String]
        var remedy: String
    }

    private static let rules = [
        Rule(
            codes: [403], isAboutPeer: true, id: "turn-peer-forbidden",
            title: "The TURN server does not relay to this peer",
            causes: [
                "a rule of the server forbids the peer's address (coturn: denied-peer-ip=; loopback peers need allow-loopback-peers)"
            ],
            remedy: "Allow the addresses of real peers (coturn: allowed-peer-ip=); keep loopback and internal ranges "
                + "denied."),
        Rule(
            codes: [403], isAboutPeer: false, id: "turn-forbidden", title: "The TURN server forbids the allocation",
            causes: [
                "a rule of the server forbids this client's address or user (coturn: denied-peer-ip, allowed users)"
            ],
            remedy: "Look for the address in the server's log and rules."),
        Rule(
            codes: [486], id: "turn-quota-reached", title: "The user has as many allocations as the server allows",
            causes: [
                "the quota of one user is too small for its clients (coturn: user-quota=)",
                "earlier allocations were not deleted and live until their lifetime is over",
            ],
            remedy:
                "Raise the quota (coturn: user-quota=), or wait for the lifetime of the old allocations, 10 minutes."),
        Rule(
            codes: [508], id: "turn-capacity-reached", title: "The TURN server has no room for another allocation",
            causes: [
                "all ports of the relay range are taken (coturn: min-port=, max-port=)",
                "the quota of the whole server is reached (coturn: total-quota=)",
            ],
            remedy: "Widen the relay port range or the total quota, or add a server."),
        Rule(
            codes: [440, 443], id: "turn-family-unsupported",
            title: "The TURN server has no relay of this address family",
            causes: ["the server has no relay address of the family (coturn: relay-ip=)"],
            remedy: "Give the server a relay address of the family, or ask for the other."),
        Rule(
            codes: [442], id: "turn-transport-unsupported", title: "The TURN server does not relay over this transport",
            causes: ["TCP relaying (RFC 6062) is off (coturn: no-tcp-relay)"],
            remedy: "Ask for UDP, or turn it on."),
        Rule(
            codes: [437], id: "turn-five-tuple-in-use",
            title: "The TURN server mistakes this client for an earlier one",
            causes: [
                "a NAT gave this client the address and port of another, whose allocation still lives",
                "a balancer sends the requests of one client to servers that do not know each other's allocations",
            ],
            remedy:
                "Let the balancer keep a client on one server; where it is a NAT, wait for the old allocation's end."),
        Rule(
            codes: [438, 401], id: "turn-credentials-refused", title: "The TURN server stopped taking the credential",
            causes: ["the credential expired or was withdrawn during the run"], remedy: "Get a new credential."),
        Rule(
            codes: [], id: "turn-refused", title: "The TURN server refuses",
            causes: ["a rule or a fault of the server, which its code and reason name"],
            remedy: "Look for this request in the server's log."),
    ]
}
