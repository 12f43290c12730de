import Engines
import NetTypes

/// A host that answers over one transport and not over another, or takes a connection and goes no further: it is there,
/// and so is the way to it.
enum PortAnswersDiffer: FindingRule {
    static let kinds = [tcpBlocked, udpClosed, tcpClosed, connectionCut, handshakeStalls]
    private static let tcpBlocked = FindingKind(
        "tcp-blocked", .error, "TCP is blocked; UDP works",
        meaning: "The host answers over UDP, and a TCP connection to it is not answered.",
        causes: [
            "the server's firewall allows UDP but not TCP", "a firewall between this machine and the server drops TCP",
            "the server listens for TCP on another port",
        ],
        remedy: "Allow TCP to the server's port in its firewall, or give clients the transport that works.")
    private static let udpClosed = FindingKind(
        "udp-port-closed", .error, "The server's port is open for TCP and closed for UDP",
        meaning: "The port answers over TCP, and an ICMP message says that nothing listens there over UDP.",
        causes: [
            "the server or its load balancer has the port for TCP only (Kubernetes: a service needs UDP as well)",
            "the server has UDP switched off (coturn: no-udp)",
        ],
        remedy: "Turn on UDP at the server and its balancer, or give clients ?transport=tcp.")
    private static let tcpClosed = FindingKind(
        "tcp-port-closed", .error, "The server's port is open for UDP and closed for TCP",
        meaning: "The port answers over UDP, and refuses TCP connections.",
        causes: [
            "the server has TCP switched off (coturn: no-tcp, or no-tls for TLS)",
            "the server has no certificate, and starts without TLS (coturn: cert=, pkey=)",
            "the server or its load balancer has the port for UDP only",
        ],
        remedy: "Turn on TCP at the server and its balancer, or give clients the transport that works.")
    private static let connectionCut = FindingKind(
        "connection-cut", .error, "The TCP connection is taken, and then cut",
        meaning: "The TCP connection was there, and was reset while a request waited for its answer.",
        causes: [
            "a device on the path lets only TLS pass on this port",
            "a proxy that the connection ends at has no server behind it, or expects a PROXY protocol header",
        ],
        remedy: "Try TLS (turns: or stuns:) on this port; then look at the proxy in front of the server.")
    private static let handshakeStalls = FindingKind(
        "tls-handshake-stalls", .error, "The TCP connection is taken, and the TLS handshake does not come to an end",
        meaning: "The TCP connection was there, and no end of the TLS handshake came over it.",
        causes: [
            "the port speaks plain TURN and waits for more (coturn: no-tls), or its TLS settings fail (coturn 4.6: "
                + "no-tlsv1_2)",
            "a proxy in front has no server behind it, or waits for a PROXY protocol header",
            "large segments are lost on the way (MTU)",
        ],
        remedy: "Run `openssl s_client -connect HOST:PORT` beside the server; if it works there, the path stops TLS.")

    static func findings(in evidence: Evidence) -> [Finding] {
        findings(about: subjects(in: evidence), kind: { kind($0, evidence) }, seen: \.complaint)
    }

    /// Whether a result is explained here: then nothing is called silent.
    static func explains(_ result: STUNResult, _ evidence: Evidence) -> Bool {
        kind(result, evidence) != nil
    }

    private static func subjects(in evidence: Evidence) -> [STUNResult] { evidence.contacts.filter { !$0.isOK } }

    private static func kind(_ result: STUNResult, _ evidence: Evidence) -> FindingKind? {
        guard let error = result.error, let address = result.serverAddress else { return nil }
        let isHostHeard = evidence.contacts.contains {
            $0.isOK && $0.transport == .udp && $0.serverAddress?.address == address.address
        }
        let isPortHeard = evidence.contacts.contains { other in
            other.isOK && other.serverAddress == address && other.transport.isStream != result.transport.isStream
        }
        switch error.kind {
        case .timeout where result.transport == .tls && evidence.stalls(result): return handshakeStalls
        case .timeout where result.transport.isStream, .connectionTimedOut: return isHostHeard ? tcpBlocked : nil
        case .portUnreachable: return isPortHeard ? udpClosed : nil
        case .connectionRefused: return isPortHeard ? tcpClosed : nil
        case .connectionReset: return connectionCut
        default: return nil
        }
    }
}

extension Evidence {
    /// Whether TLS to a TURN server stalled on a connection that was there.
    fileprivate func stalls(_ result: STUNResult) -> Bool {
        turn.contains { $0.contact.isSameWay(as: result) && $0.stage == .tls && $0.error?.kind == .timeout }
    }
}
