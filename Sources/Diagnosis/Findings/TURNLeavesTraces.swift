import Engines
import Facts
import NetTypes
import Planning
import STUN

/// What is odd about a TURN server whose relay works, or what the run leaves behind there.
enum TURNLeavesTraces: FindingRule {
    static let kinds = [left, open, altered]
    private static let left = FindingKind(
        "turn-allocation-left", .warning, "The deletion of an allocation was not confirmed",
        meaning: "The server did not confirm that an allocation of this run is deleted: within "
            + "\(Words.duration(TURNConfiguration.deletionLimit)), or within \(Words.duration(Plan.cleanupLimit)) "
            + "after the deadline, or \(Words.duration(Plan.cleanupLimitAfterSignal)) after a signal.",
        causes: ["the server or the path did not answer the last request in time"],
        remedy: "Nothing to do: the server drops the allocation when its lifetime is over.")
    private static let open = FindingKind(
        "turn-open-relay", .warning, "The TURN server relays for everyone",
        meaning: "The server gave a relay without asking for a credential.",
        causes: ["the server runs without authentication (coturn: no-auth)"],
        remedy: "Set long-term credentials (coturn: lt-cred-mech or use-auth-secret): open relays are abused.")
    private static let altered = FindingKind(
        "turn-data-altered", .error, "Data came through the relay altered",
        meaning: "What came through the relay is not what was sent.",
        causes: ["the relay or a device on the path rewrites payloads (an ALG)"],
        remedy: "Turn off the ALG; compare over TLS (turns:).")

    static func findings(in evidence: Evidence) -> [Finding] {
        left.findings(about: allocationsLeft(evidence)) { one in
            "\(one.place): the allocation may live on for \(Words.duration(one.lifetime))"
        }
            + open.findings(about: evidence.turn.filter { $0.evidence?.allocation?.isOpenToAll ?? false }) {
                "\($0.place): it gave a relay without asking for a credential"
            }
            + altered.findings(about: evidence.turn.filter { ($0.data?.altered ?? 0) > 0 }) {
                "\($0.place): \($0.data?.altered ?? 0) datagrams differ from what was sent"
            }
    }

    /// An allocation that a server gave, and of which the deletion was not confirmed.
    private struct AllocationLeft: FindingSubject {
        var place: String
        var scope: FindingScope
        var lifetime: Duration
    }

    private static func allocationsLeft(_ evidence: Evidence) -> [AllocationLeft] {
        let attempts = evidence.record.turn + evidence.nat.flatMap { $0.relayed?.attempts ?? [] }
        let ends = evidence.record.relayPairs.flatMap { [$0.first, $0.second] }
        let all =
            attempts.filter { $0.allocation != nil }.map { ($0.server, $0.serverAddress, $0.transport, $0.deletion) }
            + ends.filter { $0.relayedAddress != nil }
            .map { ($0.server, $0.serverAddress, $0.transport, $0.deletion) }
        let servers = evidence.record.plan.servers
        return all.compactMap { server, address, transport, deletion in
            guard case .unconfirmed(let lifetime) = deletion else { return nil }
            let scope = FindingScope(
                servers: servers.indices.contains(server) ? [servers[server].uri.text] : [], family: address.family,
                transport: transport)
            return AllocationLeft(
                place: "\(address) over \(transport.rawValue.uppercased())", scope: scope, lifetime: lifetime)
        }
    }
}
