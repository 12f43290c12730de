extension Explanations {
    /// Each word that `error.kind` of the JSON report can have.
    static let failures: [Explanation] = [
        failure("timeout", "No answer", "Nothing came back to any of the requests within their time."),
        failure(
            "port-unreachable", "Port unreachable",
            "ICMP says that nothing listens on this UDP port, or a firewall says so in its place."),
        failure("host-unreachable", "Host unreachable", "ICMP says that the host is not there."),
        failure("network-unreachable", "Network unreachable", "ICMP says that a router has no way to the network."),
        failure(
            "protocol-unreachable", "Protocol unreachable", "ICMP says that the host does not speak this transport."),
        failure(
            "administratively-prohibited", "Administratively prohibited",
            "ICMP says that a firewall rejects it on purpose.", also: ["admin prohibited"]),
        failure("time-to-live-exceeded", "Time to live exceeded", "The packet went in circles between routers."),
        failure("message-too-big", "Message too big", "The packet does not fit through the path and may not be cut."),
        failure("other-icmp", "Another ICMP message", "An ICMP message of another type came back."),
        failure("connection-refused", "Connection refused", "Nothing listens on this TCP port."),
        failure(
            "connection-reset", "Connection reset",
            "The TCP connection was cut: by the server, or by a firewall in its name."),
        failure("connection-timed-out", "Connection timed out", "The TCP connection was never made."),
        failure("connection-closed", "Connection closed", "The server closed the connection without an answer."),
        failure("truncated", "Truncated", "The answer stopped in the middle."),
        failure(
            "tcp-open-no-stun", "TCP open, no STUN",
            "The TCP port takes connections, and nothing there answers STUN or TURN."),
        failure(
            "foreign-protocol", "Another protocol", "What answers speaks another protocol, which its first bytes name."),
        failure("echo", "Echo", "The server sends the request back: an echo service, no STUN."),
        failure(
            "error-response", "Error response",
            "The server answered with an error code: `icecheck explain CODE` says more."),
        failure("malformed", "Malformed", "The answer breaks the rules of STUN."),
        failure("unusable-address", "Unusable address", "The answer has no address, or one that no host can have."),
        failure(
            "unknown-attribute", "Unknown attribute",
            "The answer has an attribute that must be understood and is not known."),
        failure(
            "wrong-source", "Wrong source", "The answer came from another address than was asked, and was not believed."
        ),
        failure("foreign-answer", "Foreign answer", "Answers came to requests that were never sent."),
        failure("bad-fingerprint", "Bad fingerprint", "The answer's FINGERPRINT does not fit: it was altered."),
        failure("no-route", "No route", "This machine has no way to the address."),
        failure("name-not-resolved", "Name not resolved", "The server's name has no address."),
        failure("tls", "TLS failed", "The TLS or DTLS handshake was not completed; the message says why."),
        failure("credentials-refused", "Credentials refused", "401 to a request that was signed: see 401."),
        failure("credentials-needed", "Credentials needed", "The server asks for a credential, and none was given."),
        failure("realm-keeps-changing", "The realm keeps changing", "Each 401 names another realm."),
        failure(
            "nonce-never-accepted", "Nonce never accepted",
            "The server answers 438 to nonces that it gave itself: see 438."),
        failure(
            "broken-challenge", "Broken challenge",
            "The server's 401 lacks REALM or NONCE, or has one that cannot be sent back."),
        failure(
            "possible-downgrade", "Possible downgrade",
            "The challenge offers less security than the nonce in it promises."),
        failure(
            "no-common-algorithm", "No common algorithm", "The server takes no password algorithm that this client has."
        ),
        failure("token-not-taken", "Token not taken", "The server does not take access tokens (RFC 7635)."),
        failure(
            "not-authenticated", "Not authenticated",
            "Answers came without a valid MESSAGE-INTEGRITY, and were not believed."),
        failure(
            "redirected", "Redirected", "The server sends its clients elsewhere, and icecheck did not go: see 300."),
        failure(
            "unusable-relayed-address", "Unusable relayed address",
            "No peer can reach the address that the server gave."),
        failure(
            "relay-stopped", "The relay stopped", "Data came through the relay at first, and then no more (--soak)."),
        failure("no-data", "No data", "The allocation is there, and nothing came through it."),
        failure("altered", "Altered data", "Data came through the relay with other content."),
        failure("not-permitted", "Not permitted", "This machine does not let the packet out."),
        failure("local", "A local error", "This machine could not send: no socket, no address, no memory."),
    ]

    private static func failure(
        _ id: String, _ title: String, _ meaning: String, also aliases: [String] = []
    ) -> Explanation {
        Explanation(id, .failure, title, meaning, also: aliases)
    }
}
