import NetTypes
import Planning

/// A server that does not answer, and nothing says why.
enum ServerSilent: OneKindRule {
    static let kind = FindingKind(
        "server-silent", .error, "A server gives no answer",
        meaning: "Nothing came back from the server, or its port is closed or unreachable.",
        causes: closedPort + ["a firewall drops the packets to this server only", offline],
        remedy: "Start the server, or correct its address and port; if no server answers, allow outgoing UDP to ports "
            + "3478 and 19302.")
    private static let closedPort = [
        "the server is not running", "the server listens on another port, or on another address",
    ]
    private static let offline = "this network is offline, or a firewall drops the packets"

    static func findings(in evidence: Evidence) -> [Finding] {
        let explained = UDPBlocked.blocked(in: evidence)
        // A discovery asks more often, and from more sockets.
        func isHeard(_ address: Endpoint, _ transport: Transport) -> Bool {
            evidence.nat.contains { $0.transport == transport && $0.heard.contains(address) }
        }
        let silent = evidence.contacts(failing: [
            .timeout, .portUnreachable, .hostUnreachable, .networkUnreachable, .connectionRefused, .connectionReset,
            .connectionTimedOut, .timeToLiveExceeded, .protocolUnreachable, .otherICMP,
        ]).filter { result in
            let isHeard = result.serverAddress.map { isHeard($0, result.transport) } ?? false
            return !explained.contains(result) && !isHeard && !result.isRejectedOnTheWay
                && !PortAnswersDiffer.explains(result, evidence)
        }
        let addresses = Set(silent.map(\.serverAddress)).count
        let isAnyAlive = evidence.contacts.contains(where: \.isOK)
        let isPortClosed = silent.allSatisfy {
            $0.error?.kind == .portUnreachable || $0.error?.kind == .connectionRefused
        }
        return kind.findings(
            about: silent,
            title: isAnyAlive
                ? "\(Words.count(addresses, "server address", "server addresses")) gave no answer"
                : "No \(evidence.record.plan.command == .turn ? "TURN" : "STUN") server answered",
            causes: causes(isPortClosed: isPortClosed, isAnyAlive: isAnyAlive),
            remedy: isPortClosed
                ? "Start the server, or give the port that it listens on."
                : isAnyAlive
                    ? "Remove the server from the list, or start it and open its port."
                    : "Try a server of another operator; if none answers, allow outgoing UDP to ports 3478 and 19302.",
            seen: \.complaint)
    }

    private static func causes(isPortClosed: Bool, isAnyAlive: Bool) -> [String] {
        if isPortClosed { return closedPort }
        if isAnyAlive {
            return [
                "the server is down, or not at this address or port",
                "a firewall drops the packets to this server only",
            ]
        }
        return [offline, "the servers are down, or not at these addresses or ports"]
    }
}
