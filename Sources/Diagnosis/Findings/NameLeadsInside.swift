import NetTypes
import STUN
import Session

/// A server's name has an address that only this machine or its own network knows, however it is written.
enum NameLeadsInside: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let inside = evidence.record.plan.servers.enumerated().flatMap { index, server -> [String] in
            guard server.isNamed else { return [] }
            let odd = (evidence.record.resolved[index] ?? []).filter { $0.address.realm != .global }
            return odd.map { "\(server.uri.text) at \($0): \($0.address.realm.rawValue)" }
        }
        guard !inside.isEmpty else { return [] }
        return [
            Finding(
                id: "server-address-not-global", severity: .note,
                title: inside.count == 1
                    ? "A server's name leads to an address that is not public"
                    : "Servers' names lead to \(inside.count) addresses that are not public",
                evidence: inside,
                causes: [
                    "the server is one of this network's own",
                    "this machine's resolver gives other answers inside its network than outside",
                    "the name's owner, or someone on the way to the resolver, leads it here",
                ],
                remedy: "Outside this network the name has another address or none: ask from there as well.")
        ]
    }
}

extension Plan.Server {
    /// Whether the DNS says where it is; that localhost is this machine is no news (RFC 6761 s6.3).
    fileprivate var isNamed: Bool {
        guard case .name(let name) = uri.host else { return false }
        return name.ascii != "localhost" && !name.ascii.hasSuffix(".localhost")
    }
}
