/// Something answers at the address, and it is no STUN server.
enum WrongService: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let kinds: [ProbeError.Kind] = [.foreignProtocol, .echo, .tcpOpenNoSTUN, .connectionClosed]
        let wrong = evidence.contacts.filter { $0.error.map { kinds.contains($0.kind) } ?? false }
        guard !wrong.isEmpty else { return [] }
        return [
            Finding(
                id: "wrong-service", severity: .error, title: "Another service than STUN is at the address",
                evidence: wrong.map(\.complaint),
                causes: [
                    "the port in the URI is another service's",
                    "a proxy or a load balancer stands in front and does not pass STUN on",
                ],
                remedy: "Give the port that the STUN server listens on: 3478 unless its operator chose another.")
        ]
    }
}
