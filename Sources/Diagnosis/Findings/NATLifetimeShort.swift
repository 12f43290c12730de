import Engines
import NetTypes

/// The NAT, or a firewall, forgets an idle UDP mapping sooner than RFC 4787 lets it: what is sent too seldom is cut off.
enum NATLifetimeShort: OneKindRule {
    static let kind = FindingKind(
        "nat-lifetime-short", .note, "An idle UDP mapping expires in less than two minutes",
        meaning:
            "The NAT, or a firewall, drops an idle UDP mapping sooner than the two minutes that RFC 4787 requires.",
        causes: [
            "the UDP timeout of the NAT or firewall is shorter than the 120 s that RFC 4787 REQ-5 requires",
            "a carrier-grade NAT saves ports",
        ],
        remedy: "Send keepalives more often. \(ownNAT)")
    private static let ownNAT =
        "On a NAT of your own, set its UDP timeout to 120 s or more (Linux: net.netfilter.nf_conntrack_udp_timeout)."

    /// RFC 4787 REQ-5: a mapping must not expire in less than two minutes.
    private static let required = Duration.seconds(120)
    /// RFC 8445 s11: ICE's keepalives are no less than 15 s apart, and one may be lost.
    private static let leastForICE = Duration.seconds(30)

    static func findings(in evidence: Evidence) -> [Finding] {
        let short = evidence.nat.filter { $0.lifetime?.verdict.expired.map { $0 < required } ?? false }
        guard let shortest = short.compactMap({ $0.lifetime?.verdict.alive }).min() else { return [] }
        let isTooShort = shortest < leastForICE
        let keepalive = short.compactMap { $0.lifetime?.verdict.keepalive }.min()
        return kind.finding(
            about: short.map { $0.scope(in: evidence, [$0.lifetime?.verdict.server].compactMap(\.self)) },
            severity: isTooShort ? .warning : nil,
            title: isTooShort ? "An idle UDP mapping expires within seconds" : nil,
            seen: short.map { record in
                let verdict = record.lifetime?.verdict
                let from = Words.seconds(down: verdict?.alive ?? .zero)
                let to = Words.seconds(up: verdict?.expired ?? .zero)
                return "\(record.family.name): alive after \(from) s without traffic, expired after \(to) s"
            },
            remedy: "\(advice(shortest, keepalive))\(isTooShort ? " " + forICE(shortest) : "") \(ownNAT)")
    }

    private static func advice(_ shortest: Duration, _ keepalive: Duration?) -> String {
        guard let keepalive, shortest >= .seconds(2) else { return "That is too short for keepalives." }
        return "Send a keepalive every \(Int(keepalive.inSeconds)) s while a call or a registration lasts."
    }

    /// RFC 7675 s5.1: consent checks are 4 to 6 s apart, and one may be lost.
    private static func forICE(_ shortest: Duration) -> String {
        let consent =
            shortest >= .seconds(12)
            ? "the consent checks of a WebRTC call, about 5 s apart (RFC 7675), keep the mapping alive"
            : "so are the consent checks of a WebRTC call, about 5 s apart (RFC 7675)"
        return "ICE's own keepalives, at least 15 s apart (RFC 8445 s11), are too rare if one is lost; \(consent)."
    }
}
