/// Something is at the address, but not a STUN server.
enum WrongService: OneKindRule {
    static let kind = FindingKind(
        "wrong-service", .error, "Another service, not STUN, is at the address",
        meaning: "What a server sends is not STUN, or the server accepts the connection but gives no answer to STUN.",
        causes: [
            "the port in the URI belongs to another service",
            "a proxy or load balancer in front of the server does not pass STUN on",
        ],
        remedy: "Give the port that the STUN server listens on, usually 3478.")

    static func findings(in evidence: Evidence) -> [Finding] {
        kind.findings(
            about: evidence.contacts(failing: [.foreignProtocol, .echo, .tcpOpenNoSTUN, .connectionClosed]),
            seen: \.complaint)
    }
}
