extension Explanations {
    /// The error codes of STUN and TURN, in the context of the requests that get them.
    static let errorCodes: [Explanation] = [
        Explanation(
            "300", .errorCode, "Try Alternate",
            "The server sends the client to the server in ALTERNATE-SERVER. The answer usually comes before authentication, "
                + "and is not signed then.",
            causes: [
                "the server spreads its clients over others (coturn: alternate-server=)",
                "the server is being taken out of service",
            ],
            do:
                "icecheck follows at most three redirects, and none from a public server to a private address; with "
                + "--no-redirect it follows none.",
            in: "RFC 8489 s10"),
        Explanation(
            "400", .errorCode, "Bad Request",
            "The request lacks something or contradicts itself: a REALM without a NONCE, no REQUESTED-TRANSPORT, a channel "
                + "number that belongs to another peer.",
            causes: [
                "an older server that does not know an attribute or a channel number",
                "a device on the path that alters STUN messages",
            ],
            do: "Look for the request in the server's log; compare over TLS, where nothing on the path can alter it.",
            in: "RFC 8489 s14.8"),
        Explanation(
            "401", .errorCode, "Unauthenticated",
            "The first 401 is the normal start: the server gives its realm and a nonce. A second one refuses the credential. "
                + "Without REALM, the server has no credential to check against.",
            causes: [
                "the password or the shared secret is wrong",
                "the user's key was made for another realm than the server's",
                "the user name of a temporary credential has expired, or a clock is off",
                "where REALM is missing: the server has no realm (coturn: realm=)",
            ],
            do: "Compare user, password, realm and secret with the server's configuration (coturn: user=, realm=, "
                + "static-auth-secret=), then the clocks (`timedatectl`).", in: "RFC 8489 s9.2"),
        Explanation(
            "403", .errorCode, "Forbidden",
            "To Allocate: this client or user may not have a relay. To CreatePermission or ChannelBind: the relay may not "
                + "send to this peer.",
            causes: [
                "a rule for peers (coturn: denied-peer-ip=; loopback peers need allow-loopback-peers)",
                "a rule for clients or users",
            ],
            do:
                "Allow the addresses of real peers (coturn: allowed-peer-ip=); keep loopback and internal ranges denied.",
            in: "RFC 8656 s7.2, s9.2"),
        Explanation(
            "405", .errorCode, "Mobility Forbidden",
            "The server does not let an allocation move to another address of the client.",
            causes: ["mobility is off (coturn: mobility)"],
            do: "Allocate again after a change of network, or turn mobility on.",
            in: "RFC 8016 s3.3"),
        Explanation(
            "420", .errorCode, "Unknown Attribute",
            "The request has an attribute that the server must understand but does not; UNKNOWN-ATTRIBUTES lists it.",
            causes: ["an older server", "an option that the server does not support, such as DONT-FRAGMENT"],
            do: "Leave the option out, or use a newer server.", in: "RFC 8489 s6.3.1"),
        Explanation(
            "437", .errorCode, "Allocation Mismatch",
            "To Allocate: there already is an allocation for this client address and port. To any other request: there is "
                + "none.",
            causes: [
                "the NAT gave this client the port of another, whose allocation is still alive",
                "the allocation has expired, or the server was restarted",
                "a balancer sends one client's requests to several servers",
            ],
            do: "icecheck tries one more port. Let the balancer keep a client on one server (source hashing).",
            in: "RFC 8656 s7.2"),
        Explanation(
            "438", .errorCode, "Stale Nonce",
            "Seen once, this is normal: the nonce expired and the server issued a new one. Seen repeatedly, the server "
                + "rejects nonces it issued itself.",
            causes: [
                "a balancer changes source ports, or spreads requests over servers that do not share nonces",
                "a NAT uses another port for each request",
            ],
            do:
                "Let the balancer keep a client's address and port on one server; do not put source NAT in front of the server.",
            in: "RFC 8489 s9.2"),
        Explanation(
            "440", .errorCode, "Address Family not Supported",
            "The server has no relay of the family that was asked for.",
            causes: ["the server has no relay address of that family (coturn: relay-ip=)"],
            do: "Give the server such an address; if all peers have both families, IPv4 is enough.", in: "RFC 8656 s7.2"
        ),
        Explanation(
            "441", .errorCode, "Wrong Credentials",
            "The request is signed by another user than the allocation's.",
            causes: ["two users behind one address and port", "an application that mixes credentials"],
            do: "Use one credential for an allocation from its start to its end.", in: "RFC 8656 s5"),
        Explanation(
            "442", .errorCode, "Unsupported Transport Protocol",
            "The server does not relay over the transport that was asked for.",
            causes: ["TCP relaying is off (coturn: no-tcp-relay)"], do: "Ask for UDP, or turn TCP relaying on.",
            in: "RFC 8656 s7.2"),
        Explanation(
            "443", .errorCode, "Peer Address Family Mismatch",
            "The peer's address is of another family than the relayed address.",
            causes: ["an IPv6 peer of an IPv4 relay, or the reverse"],
            do: "Also allocate a relay of the peer's family.", in: "RFC 8656 s9.2"),
        Explanation(
            "446", .errorCode, "Connection Already Exists", "The relay already has a TCP connection to this peer.",
            causes: ["two Connect requests for one peer"], do: "Use the existing connection.", in: "RFC 6062 s5.2"),
        Explanation(
            "447", .errorCode, "Connection Timeout or Failure", "The relay could not connect to the peer over TCP.",
            causes: ["nothing listens there", "a firewall between relay and peer"],
            do: "Check the peer's address and port.",
            in: "RFC 6062 s5.2"),
        Explanation(
            "486", .errorCode, "Allocation Quota Reached", "The user has as many allocations as the server allows.",
            causes: [
                "the quota of one user is small (coturn: user-quota=; total-quota= gives the same code)",
                "earlier allocations were not deleted and live until their lifetime is over",
            ],
            do: "Raise the quota, or wait until the old allocations expire.",
            in: "RFC 8656 s7.2"),
        Explanation(
            "487", .errorCode, "Role Conflict",
            "Both ICE agents believe that they are controlling, or both that they are controlled; one has to switch.",
            causes: ["both sides sent an offer", "an ICE-lite server that takes the wrong role"],
            do: "ICE resolves this itself; if it recurs, check the signalling.", in: "RFC 8445 s7.3.1.1"),
        Explanation(
            "500", .errorCode, "Server Error", "Something failed inside the server, perhaps only for a while.",
            causes: ["a database of users that does not answer", "no memory, no descriptors"],
            do: "Look in the server's log; try again later.", in: "RFC 8489 s14.8"),
        Explanation(
            "508", .errorCode, "Insufficient Capacity", "The server has no room for another allocation.",
            causes: [
                "all ports of the relay range are in use (coturn: min-port=, max-port=)", "the server is full",
            ],
            do: "Widen the relay port range, or add a server.", in: "RFC 8656 s7.2"),
    ]
}
