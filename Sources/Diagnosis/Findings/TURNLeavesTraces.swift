import NetTypes
import Session

/// What is odd about a TURN server whose relay works, or what the run leaves behind there.
enum TURNLeavesTraces: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        [left(evidence), open(evidence), altered(evidence)].compactMap(\.self)
    }

    private static func left(_ evidence: Evidence) -> Finding? {
        let attempts = evidence.record.turn + evidence.nat.flatMap { $0.relayed?.attempts ?? [] }
        let ends = evidence.record.relayPairs.flatMap { [$0.first, $0.second] }
        let left =
            (attempts.map { ($0.serverAddress, $0.transport, $0.deletion) }
            + ends.map { ($0.serverAddress, $0.transport, $0.deletion) }).compactMap {
                server, transport, deletion -> String? in
                guard case .unconfirmed(let time) = deletion else { return nil }
                return "\(server) over \(transport.rawValue.uppercased()): it may live on for \(Words.duration(time))"
            }
        guard !left.isEmpty else { return nil }
        return Finding(
            id: "turn-allocation-left", severity: .warning, title: "The deletion of an allocation was not confirmed",
            evidence: left,
            causes: ["the server or the path did not answer the last request in 1.5 s"],
            remedy: "Nothing: the server drops it by itself after that time.")
    }

    private static func open(_ evidence: Evidence) -> Finding? {
        let open = evidence.turn.filter { $0.evidence?.allocation?.isOpenToAll ?? false }
        guard !open.isEmpty else { return nil }
        return Finding(
            id: "turn-open-relay", severity: .warning, title: "The TURN server relays for everyone",
            evidence: open.map { "\($0.place): it gave a relay without asking for a credential" },
            causes: ["the server runs without authentication (coturn: no-auth)"],
            remedy: "Set long-term credentials (coturn: lt-cred-mech or use-auth-secret): open relays are abused.")
    }

    private static func altered(_ evidence: Evidence) -> Finding? {
        let altered = evidence.turn.filter { ($0.data?.altered ?? 0) > 0 }
        guard !altered.isEmpty else { return nil }
        return Finding(
            id: "turn-data-altered", severity: .error, title: "Data came through the relay with other content",
            evidence: altered.map { "\($0.place): \($0.data?.altered ?? 0) datagrams differ from what was sent" },
            causes: ["the relay or a device on the way rewrites payloads (an ALG)"],
            remedy: "Turn the ALG off; ask over TLS (turns:), and compare.")
    }
}
