extension Explanations {
    /// The error codes of STUN and TURN, in the context of the requests that get them.
    static let errorCodes: [Explanation] = [
        Explanation(
            "300", .errorCode, "Try Alternate",
            "The server sends the client to the server in ALTERNATE-SERVER. It comes before authentication as a rule, and "
                + "is not signed then.",
            causes: [
                "the server spreads its clients over others (coturn: alternate-server=)",
                "it is being taken out of service",
            ],
            do:
                "icecheck follows three at most, and none from a public server to an address inside; --no-redirect stays.",
            in: "RFC 8489 s10"),
        Explanation(
            "400", .errorCode, "Bad Request",
            "The request lacks something or contradicts itself: a REALM without a NONCE, no REQUESTED-TRANSPORT, a channel "
                + "number that belongs to another peer.",
            causes: [
                "an older server that does not know an attribute or a channel number",
                "a device on the way that alters STUN messages",
            ],
            do: "Look for the request in the server's log; compare over TLS, where nothing on the way can alter it.",
            in: "RFC 8489 s14.8"),
        Explanation(
            "401", .errorCode, "Unauthenticated",
            "Once, it is the normal start: the server gives its realm and a nonce. Twice, it refuses the credential. Without "
                + "REALM, the server has none to check against.",
            causes: [
                "the password or the shared secret is wrong",
                "the user's key was made for another realm than the server's",
                "the user name of a temporary credential has expired, or a clock is off",
                "the server has no realm (coturn: realm=), where REALM is missing",
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
            do: "Allocate anew after a change of network, or turn it on.",
            in: "RFC 8016 s3.3"),
        Explanation(
            "420", .errorCode, "Unknown Attribute",
            "The request has an attribute that the server must understand and does not; UNKNOWN-ATTRIBUTES lists it.",
            causes: ["an older server", "an option that it does not support, such as DONT-FRAGMENT"],
            do: "Leave the option out, or use a newer server.", in: "RFC 8489 s6.3.1"),
        Explanation(
            "437", .errorCode, "Allocation Mismatch",
            "To Allocate: there is an allocation for this client address and port already. To anything else: there is none.",
            causes: [
                "the NAT gave this client the port of another, whose allocation still lives",
                "the allocation has expired, or the server was restarted",
                "a balancer sends one client's requests to several servers",
            ],
            do: "icecheck tries another port once. Let a balancer keep a client on one server (source hashing).",
            in: "RFC 8656 s7.2"),
        Explanation(
            "438", .errorCode, "Stale Nonce",
            "Once, it is normal: the nonce is too old, and the server gives a new one. For ever, the server never accepts its "
                + "own.",
            causes: [
                "a balancer changes source ports, or spreads requests over servers that do not share nonces",
                "a NAT gives each request another port",
            ],
            do: "Let the balancer keep a client's address and port on one server; leave source NAT out in front of it.",
            in: "RFC 8489 s9.2"),
        Explanation(
            "440", .errorCode, "Address Family not Supported",
            "The server has no relay of the family that was asked for.",
            causes: ["no relay address of it (coturn: relay-ip=)"],
            do: "Give the server one; where peers have both families, IPv4 alone will do.", in: "RFC 8656 s7.2"),
        Explanation(
            "441", .errorCode, "Wrong Credentials",
            "The request is signed by another user than the allocation's.",
            causes: ["two users behind one address and port", "an application that mixes credentials"],
            do: "Use one credential for an allocation from its start to its end.", in: "RFC 8656 s5"),
        Explanation(
            "442", .errorCode, "Unsupported Transport Protocol",
            "The server does not relay over what was asked for: TCP relaying is off, as a rule.",
            causes: ["TCP relaying is off (coturn: no-tcp-relay)"], do: "Ask for UDP, or turn it on.",
            in: "RFC 8656 s7.2"),
        Explanation(
            "443", .errorCode, "Peer Address Family Mismatch",
            "The peer's address is of another family than the relayed address.",
            causes: ["an IPv6 peer of an IPv4 relay, or the other way"],
            do: "Allocate a relay of the peer's family as well.", in: "RFC 8656 s9.2"),
        Explanation(
            "446", .errorCode, "Connection Already Exists", "The relay has a TCP connection to this peer already.",
            causes: ["two Connect requests for one peer"], do: "Use the one that is there.", in: "RFC 6062 s5.2"),
        Explanation(
            "447", .errorCode, "Connection Timeout or Failure", "The relay could not connect to the peer over TCP.",
            causes: ["nothing listens there", "a firewall between relay and peer"],
            do: "Check the peer's address and port.",
            in: "RFC 6062 s5.2"),
        Explanation(
            "486", .errorCode, "Allocation Quota Reached", "The user has as many allocations as the server allows.",
            causes: [
                "the quota of one user is small (coturn: user-quota=; total-quota= gives the same code)",
                "earlier allocations were not deleted, and live until their lifetime is over",
            ],
            do: "Raise the quota, or wait for the old allocations to end. icecheck does not count its own.",
            in: "RFC 8656 s7.2"),
        Explanation(
            "487", .errorCode, "Role Conflict",
            "Both ICE agents think that they control, or that they are controlled; one has to change.",
            causes: ["both sides sent an offer", "an ICE-lite server that takes the wrong role"],
            do: "It mends itself; where it comes again and again, look at the signalling.", in: "RFC 8445 s7.3.1.1"),
        Explanation(
            "500", .errorCode, "Server Error", "Something failed inside the server, for a while.",
            causes: ["a database of users that does not answer", "no memory, no descriptors"],
            do: "Look into the server's log; try again after a while.", in: "RFC 8489 s14.8"),
        Explanation(
            "508", .errorCode, "Insufficient Capacity", "The server has no room for another allocation.",
            causes: [
                "all ports of the relay range are taken (coturn: min-port=, max-port=)", "the server is full",
            ],
            do: "Widen the relay port range, or add a server.", in: "RFC 8656 s7.2"),
    ]
}
