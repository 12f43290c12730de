import Engines
import NetTypes

/// The NAT, or a firewall, forgets an idle UDP mapping sooner than RFC 4787 lets it: what is sent too seldom is cut off.
enum NATLifetimeShort: FindingRule {
    /// RFC 4787 REQ-5: a mapping must not expire in less than two minutes.
    private static let required = Duration.seconds(120)
    /// RFC 8445 s11: ICE's keepalives are no less than 15 s apart, and one may be lost.
    private static let leastForICE = Duration.seconds(30)

    static func findings(in evidence: Evidence) -> [Finding] {
        let short = evidence.nat.filter { record in
            guard let expired = record.lifetime?.verdict.expired else { return false }
            return expired < required
        }
        let shortest = short.compactMap { $0.lifetime?.verdict.alive }.min()
        guard let shortest else { return [] }
        let isTooShort = shortest < leastForICE
        let keepalive = short.compactMap { $0.lifetime?.verdict.keepalive }.min()
        let remedy =
            "\(advice(shortest, keepalive))\(isTooShort ? " " + forICE(shortest) : "") On a NAT of your own, set its UDP "
            + "timeout to 120 s or more (Linux: net.netfilter.nf_conntrack_udp_timeout)."
        return [
            Finding(
                id: "nat-lifetime-short", severity: isTooShort ? .warning : .note,
                title: "An idle UDP mapping is dropped within \(isTooShort ? "seconds" : "less than two minutes")",
                evidence: short.map { record in
                    let verdict = record.lifetime?.verdict
                    let from = Words.seconds(down: verdict?.alive ?? .zero)
                    let to = Words.seconds(up: verdict?.expired ?? .zero)
                    return "\(record.family.name): there after \(from) s without traffic, gone after \(to) s"
                },
                causes: [
                    "the UDP timeout of the NAT or firewall is shorter than RFC 4787 REQ-5 asks for (120 s at least)",
                    "a carrier's NAT that saves ports",
                ],
                remedy: remedy)
        ]
    }

    private static func advice(_ shortest: Duration, _ keepalive: Duration?) -> String {
        guard let keepalive, shortest >= .seconds(2) else { return "That is too short for keepalives." }
        return "Send a keepalive every \(Int(keepalive.inSeconds)) s while a call or a registration lasts."
    }

    /// RFC 7675 s5.1: consent checks are 4 to 6 s apart, and one may be lost.
    private static func forICE(_ shortest: Duration) -> String {
        let consent =
            shortest >= .seconds(12)
            ? "the consent checks of a WebRTC call, each 5 s or so (RFC 7675), do keep its mapping"
            : "so are the consent checks of a WebRTC call, each 5 s or so (RFC 7675)"
        return "ICE's own keepalives, 15 s apart or more (RFC 8445 s11), are too seldom if one is lost; \(consent)."
    }
}
