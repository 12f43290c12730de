import Engines
import Facts
import NetTypes

/// A server that candidates were to come from gave none.
enum CandidatesNotGathered: OneKindRule {
    static let kind = FindingKind(
        "candidates-not-gathered", .warning, "A server gave no candidate",
        meaning: "A STUN or TURN server from which candidates should come does not answer, or refuses.",
        causes: ["the server does not answer from here", "the credential is not valid at the server"],
        remedy: "Run `icecheck stun SERVER` or `icecheck turn SERVER` to see why.")

    static func findings(in evidence: Evidence) -> [Finding] {
        guard let connect = evidence.connect else { return [] }
        let seen =
            connect.notGathered.map { "\(ConnectWords.place($0.source)): \(ConnectWords.reason($0.reason))" }
            + connect.notResolved.map { "\($0.server): \($0.reason)" }
        let scopes =
            connect.notGathered.map { failure in
                switch failure.source {
                case .base(let address): FindingScope(family: address.family)
                case .stunServer(let server, _): evidence.scope(of: server, .udp)
                case .turnServer(let server, let transport): evidence.scope(of: server, transport)
                }
            } + connect.notResolved.map { FindingScope(servers: [$0.server]) }
        let rest = seen.count > 8 ? ["and \(seen.count - 8) more"] : []
        return kind.finding(about: scopes, seen: seen.prefix(8) + rest)
    }
}
