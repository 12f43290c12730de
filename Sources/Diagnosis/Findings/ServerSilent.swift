import Session

/// A server that does not answer, and nothing says why.
enum ServerSilent: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let kinds: [ProbeError.Kind] = [
            .timeout, .portUnreachable, .hostUnreachable, .networkUnreachable, .connectionRefused, .connectionReset,
            .connectionTimedOut, .timeToLiveExceeded, .protocolUnreachable, .otherICMP,
        ]
        let explained = UDPBlocked.blocked(in: evidence)
        // A discovery asks more often, and from more sockets.
        let heard = Dictionary(grouping: evidence.nat, by: \.transport).mapValues { $0.flatMap(\.heard) }
        let silent = evidence.contacts.filter { result in
            guard let error = result.error else { return false }
            let isHeard = result.serverAddress.map { heard[result.transport]?.contains($0) ?? false } ?? false
            return kinds.contains(error.kind) && !explained.contains(result) && !isHeard
                && !result.isRejectedOnTheWay
        }
        guard !silent.isEmpty else { return [] }
        let addresses = Set(silent.map(\.serverAddress)).count
        let isAnyAlive = evidence.contacts.contains(where: \.isOK)
        let isPortClosed = silent.allSatisfy {
            $0.error?.kind == .portUnreachable || $0.error?.kind == .connectionRefused
        }
        return [
            Finding(
                id: "server-silent", severity: .error,
                title: isAnyAlive
                    ? "\(Words.count(addresses, "server address", "server addresses")) gave no answer"
                    : "No \(evidence.record.plan.command == .turn ? "TURN" : "STUN") server answered",
                evidence: silent.map(\.complaint),
                causes: causes(isPortClosed: isPortClosed, isAnyAlive: isAnyAlive),
                remedy: isPortClosed
                    ? "Start the server, or give the port that it listens on."
                    : isAnyAlive
                        ? "Take the server off the list, or start it and open its port."
                        : "Try a server of another operator; where none answers, open outgoing UDP 3478 and 19302.")
        ]
    }

    private static func causes(isPortClosed: Bool, isAnyAlive: Bool) -> [String] {
        if isPortClosed { return ["the server is not running", "it listens on another port, or on another address"] }
        if isAnyAlive {
            return [
                "the server is down, or not at this address or port",
                "a firewall drops the packets to this server alone",
            ]
        }
        return [
            "this network has no way out for the packets: no uplink, or a firewall that drops them",
            "the servers are down, or not at these addresses or ports",
        ]
    }
}
