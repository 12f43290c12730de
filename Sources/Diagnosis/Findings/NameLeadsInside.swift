import NetTypes
import Planning
import STUN

/// A server's name has an address that only this machine or its own network knows, however it is written.
enum NameLeadsInside: OneKindRule {
    static let kind = FindingKind(
        "server-address-not-global", .note, "A server name resolves to a non-public address",
        meaning: "A server's name has an address that only this machine or its network can reach.",
        causes: [
            "the server belongs to this network",
            "the DNS resolver gives other answers inside this network than outside",
            "the owner of the name, or someone on the path to the resolver, directs it here",
        ],
        remedy: "Check from outside: there the name may resolve differently or not at all.")

    static func findings(in evidence: Evidence) -> [Finding] {
        let inside = evidence.record.plan.servers.enumerated().flatMap { index, server in
            let odd = (evidence.record.resolved[index] ?? []).filter { $0.address.realm != .global }
            return server.isNamed ? odd.map { (server: server.uri.text, address: $0) } : []
        }
        let names = Set(inside.map(\.server)).count
        return kind.finding(
            about: inside.map { FindingScope(servers: [$0.server], family: $0.address.family) },
            title: names == 1 ? nil : "\(names) server names resolve to non-public addresses",
            seen: inside.map { "\($0.server) at \($0.address) (\($0.address.address.realm.rawValue) range)" })
    }
}

extension Plan.Server {
    /// Whether the DNS says where it is; that localhost is this machine is no news (RFC 6761 s6.3).
    fileprivate var isNamed: Bool {
        guard case .name(let name) = uri.host else { return false }
        return name.ascii != "localhost" && !name.ascii.hasSuffix(".localhost")
    }
}
