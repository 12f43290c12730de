extension Explanations {
    /// Each word that `error.kind` of the JSON report can have.
    static let failures: [Explanation] = [
        failure("timeout", "No answer", "Nothing came back to any of the requests within their time."),
        failure(
            "port-unreachable", "Port unreachable",
            "An ICMP message says that nothing listens on this UDP port; a firewall may have sent it."),
        failure("host-unreachable", "Host unreachable", "An ICMP message says that the host cannot be reached."),
        failure(
            "network-unreachable", "Network unreachable",
            "An ICMP message says that a router has no route to the network."),
        failure(
            "protocol-unreachable", "Protocol unreachable",
            "An ICMP message says that the host does not support this transport."),
        failure(
            "administratively-prohibited", "Administratively prohibited",
            "An ICMP message says that a firewall rejects the packets.", also: ["admin prohibited"]),
        failure(
            "time-to-live-exceeded", "Time to live exceeded",
            "The packet passed more routers than its time to live allows, probably in a loop."),
        failure(
            "message-too-big", "Message too big", "The packet is larger than the path's MTU and may not be fragmented."),
        failure("other-icmp", "Another ICMP message", "An ICMP message of another type came back."),
        failure("connection-refused", "Connection refused", "Nothing listens on this TCP port."),
        failure(
            "connection-reset", "Connection reset",
            "The TCP connection was cut by the server, or by a firewall in the server's name."),
        failure("connection-timed-out", "Connection timed out", "The TCP connection was never established."),
        failure("connection-closed", "Connection closed", "The server closed the connection without an answer."),
        failure("truncated", "Truncated", "The answer stopped in the middle."),
        failure(
            "tcp-open-no-stun", "TCP open, no STUN",
            "The TCP port accepts connections, but nothing there answers STUN or TURN."),
        failure(
            "foreign-protocol", "Another protocol", "What answers speaks another protocol, which its first bytes name."),
        failure("echo", "Echo", "The server sends the request back: it is an echo service, not a STUN server."),
        failure(
            "signed-request-silent", "Signed request unanswered",
            "The server asked for a credential, and gave no answer to the request that carries it."),
        failure(
            "error-response", "Error response",
            "The server answered with an error code: `icecheck explain CODE` says more."),
        failure("malformed", "Malformed", "The answer breaks the rules of STUN."),
        failure("unusable-address", "Unusable address", "The answer has no address, or one that no host can have."),
        failure(
            "unknown-attribute", "Unknown attribute",
            "The answer has an attribute that must be understood but is not known."),
        failure(
            "wrong-source", "Wrong source",
            "The answer came from another address than the request went to, and was not believed."
        ),
        failure("foreign-answer", "Foreign answer", "Answers came to requests that were never sent."),
        failure("bad-fingerprint", "Bad fingerprint", "The answer's FINGERPRINT does not fit: it was altered."),
        failure("no-route", "No route", "This machine has no route to the address."),
        failure("name-not-resolved", "Name not resolved", "The server's name has no address."),
        failure("tls", "TLS failed", "The TLS or DTLS handshake was not completed; the message says why."),
        failure("credentials-refused", "Credentials refused", "The server answered 401 to a signed request: see 401."),
        failure("credentials-needed", "Credentials needed", "The server requires a credential, but none was given."),
        failure("realm-keeps-changing", "The realm keeps changing", "Each 401 names another realm."),
        failure(
            "nonce-never-accepted", "Nonce never accepted",
            "The server answers 438 to nonces that it issued itself: see 438."),
        failure(
            "broken-challenge", "Broken challenge",
            "The server's 401 lacks REALM or NONCE, or has one that cannot be sent back."),
        failure(
            "possible-downgrade", "Possible downgrade",
            "The challenge offers less security than the nonce in it promises."),
        failure(
            "no-common-algorithm", "No common algorithm",
            "The server accepts no password algorithm that this client knows."
        ),
        failure("token-not-taken", "Token not taken", "The server does not accept access tokens (RFC 7635)."),
        failure(
            "not-authenticated", "Not authenticated",
            "Answers came without a valid MESSAGE-INTEGRITY, and were not believed."),
        failure(
            "redirected", "Redirected", "The server redirects its clients, and icecheck did not follow: see 300."),
        failure(
            "unusable-relayed-address", "Unusable relayed address",
            "No peer can reach the address that the server gave."),
        failure(
            "relay-stopped", "The relay stopped", "Data came through the relay at first, and then no more (--soak)."),
        failure("no-data", "No data", "The server made the allocation, but nothing came through it."),
        failure("altered", "Altered data", "Data came through the relay altered."),
        failure("not-permitted", "Not permitted", "This machine does not let the packet out."),
        failure("local", "A local error", "This machine could not send: no socket, no address, no memory."),
    ]

    private static func failure(
        _ id: String, _ title: String, _ meaning: String, also aliases: [String] = []
    ) -> Explanation {
        Explanation(id, .failure, title, meaning, also: aliases)
    }
}
