extension Explanations {
    /// The words of the field.
    static let terms: [Explanation] = [
        term("host", "Host candidate", "An address of this machine itself.", in: "RFC 8445 s5.1.1"),
        term(
            "server-reflexive", "Server-reflexive candidate",
            "The address and port that a NAT gave this machine, as a STUN server sees them.", in: "RFC 8445 s5.1.1",
            also: ["srflx", "reflexive"]),
        term(
            "peer-reflexive", "Peer-reflexive candidate",
            "An address that becomes visible only when packets are sent to the peer: the NAT chose another for the peer "
                + "than for the STUN server.", in: "RFC 8445 s7.2.5.3.1", also: ["prflx"]),
        term(
            "relayed", "Relayed candidate", "An address of a TURN server, which forwards what is sent there.",
            in: "RFC 8445 s5.1.1", also: ["relay"]),
        term(
            "nat", "Network address translation",
            "A router lets machines with private addresses share public ones: it rewrites the address and port of each "
                + "packet. Mapping and filtering say how, and decide which peers can connect directly.",
            in: "RFC 3022, RFC 4787", also: ["network address translator"]),
        term(
            "mapping", "Mapping",
            "How a NAT chooses the public address and port for a socket of a machine behind it: the same for all "
                + "destinations, or another for each address or each address and port.", in: "RFC 4787 s4.1"),
        term(
            "filtering", "Filtering",
            "Which packets to a mapped address a NAT or firewall allows: all, or only those from where the machine has "
                + "sent to before.", in: "RFC 4787 s5"),
        term(
            "endpoint-independent", "Endpoint-independent",
            "As a mapping: every peer can use the address that a STUN server reports. As filtering: packets from everyone "
                + "are allowed.", in: "RFC 4787 s4.1, s5", also: ["eim", "eif"]),
        term(
            "address-dependent", "Address-dependent",
            "As a mapping: another public address or port for each peer's address. As filtering: only packets from "
                + "addresses that were sent to are allowed.", in: "RFC 4787 s4.1, s5"),
        term(
            "address-and-port-dependent", "Address-and-port-dependent",
            "As a mapping: another public address or port for each peer's address and port (symmetric NAT). As filtering: "
                + "only packets from an address and port that were sent to are allowed (port-restricted cone).",
            in: "RFC 4787 s4.1, s5", also: ["apdm", "apdf"]),
        term(
            "full-cone", "Full cone NAT",
            "Endpoint-independent mapping and filtering: anyone can send to the address that a STUN server reports.",
            in: "RFC 3489 s5", also: ["full cone", "cone nat"]),
        term(
            "restricted-cone", "Restricted cone NAT",
            "Endpoint-independent mapping, address-dependent filtering: a peer can send to the address that a STUN server "
                + "reports once this machine has sent to the peer's address.", in: "RFC 3489 s5",
            also: ["restricted cone", "address restricted cone", "address restricted cone nat"]),
        term(
            "port-restricted-cone", "Port-restricted cone NAT",
            "Endpoint-independent mapping, address-and-port-dependent filtering: a peer can send to the address that a "
                + "STUN server reports once this machine has sent to the peer's address and port. Only peers behind a "
                + "symmetric NAT need a relay.", in: "RFC 3489 s5", also: ["port restricted cone"]),
        term(
            "symmetric-nat", "Symmetric NAT",
            "Address-and-port-dependent mapping: the NAT uses another public port for each destination, so that no peer can "
                + "use the address that a STUN server reports. Two such NATs need a relay.", in: "RFC 3489 s5",
            also: ["symmetric"]),
        term(
            "hairpin", "Hairpinning",
            "Whether a NAT delivers what a machine behind it sends to a public address of the same NAT: two peers behind "
                + "one NAT may need that.", in: "RFC 4787 s6", also: ["hairpinning", "nat loopback"]),
        term(
            "alg", "Application layer gateway", "A device that rewrites addresses inside packets.", in: "RFC 4787 s7",
            also: ["sip alg", "application-level gateway"]),
        term(
            "port-preservation", "Port preservation", "Whether the public port is the same as the local one.",
            in: "RFC 4787 s4.2.1", also: ["port preserving"]),
        term(
            "mapping-lifetime", "Mapping lifetime",
            "How long a NAT keeps a mapping that is not used. A keepalive must come sooner.", in: "RFC 4787 s4.3",
            also: ["keepalive", "nat timeout"]),
        term(
            "cgnat", "Carrier-grade NAT",
            "A NAT of the provider, whose customers have addresses from 100.64.0.0/10; nobody can forward ports through "
                + "it.", in: "RFC 6598", also: ["cgn", "carrier grade nat", "shared address space"]),
        term(
            "double-nat", "Double NAT",
            "Two NATs in a row, as with a router behind a router: the outer one gives the public address, and ports must be "
                + "forwarded in both."),
        term(
            "confidence", "Confidence",
            "How sure a verdict is that rests on missing answers: 100 % minus the chance that all were lost by accident."
        ),
        term(
            "stun", "STUN", "A protocol to ask a server which public address it sees.", in: "RFC 8489"),
        term(
            "turn", "TURN",
            "A protocol that gives a client a public address on a relay server, which forwards data to and from it.",
            in: "RFC 8656"),
        term(
            "ice", "ICE", "Two peers try all pairs of their addresses, and use the best one that works.", in: "RFC 8445"
        ),
        term(
            "five-tuple", "Five-tuple",
            "Client address and port, server address and port, and transport: what an allocation belongs to.",
            in: "RFC 8656 s3", also: ["5-tuple"]),
        term(
            "allocation", "Allocation",
            "A relayed address with its permissions and channels, for one client and for a limited time.",
            in: "RFC 8656 s3"),
        term(
            "permission", "Permission", "Allows one peer's address to send to a relayed address, for 300 s.",
            in: "RFC 8656 s9"),
        term(
            "channel", "Channel",
            "A number for one peer, which saves 36 bytes for each packet; it lives 600 s, its permission 300 s.",
            in: "RFC 8656 s12", also: ["channelbind", "channeldata"]),
        term(
            "indication", "Send and Data indications", "How data goes between client and relay without a channel.",
            in: "RFC 8656 s11", also: ["send indication", "data indication"]),
        term(
            "realm", "Realm", "The name of the server's user database; the password key is derived from it.",
            in: "RFC 8489 s14.9"),
        term(
            "nonce", "Nonce",
            "A value that the server issues and the client signs with, valid for a while: an old request cannot be used "
                + "again.", in: "RFC 8489 s14.10"),
        term(
            "turn-rest-api", "TURN REST API",
            "Temporary credentials: the user name says when it expires, and the password is a digest of it with a secret "
                + "that server and service share.", also: ["static-auth-secret", "temporary credential", "rest"]),
        term(
            "xor-mapped-address", "XOR-MAPPED-ADDRESS",
            "The client's address as the server sees it, encoded so that no ALG rewrites it.", in: "RFC 8489 s14.2",
            also: ["mapped address"]),
        term(
            "xor-relayed-address", "XOR-RELAYED-ADDRESS", "The address that a TURN server relays from.",
            in: "RFC 8656 s18.3", also: ["relayed address"]),
        term(
            "other-address", "OTHER-ADDRESS", "A second address of a STUN server, to test NATs with.",
            in: "RFC 5780 s7.4"),
        term(
            "response-origin", "RESPONSE-ORIGIN", "Where the server says that its answer comes from.",
            in: "RFC 5780 s7.3"),
        term(
            "rtt", "Round-trip time",
            "The time from a request to its answer. Through a relay, from a second socket to the client and back: four "
                + "ways between this machine and the server.", also: ["round trip", "latency"]),
        term("jitter", "Jitter", "How much neighbouring round trips differ, on average.", in: "RFC 3550 s6.4.1"),
        term("loss", "Loss", "The share of packets that did not arrive."),
        term("tls", "TLS", "Encrypts a TCP connection; a TURN server over TLS has a turns: URI.", in: "RFC 8446"),
        term("dtls", "DTLS", "TLS over UDP: a turns: URI with ?transport=udp.", in: "RFC 6347, RFC 7350"),
        term(
            "sni", "SNI", "The name that a TLS client asks for, by which a server chooses its certificate.",
            in: "RFC 6066 s3"),
        term(
            "alpn", "ALPN", "The protocol that a TLS client asks for: stun.turn, stun.nat-discovery.",
            in: "RFC 7301, RFC 7443"),
    ]

    private static func term(
        _ id: String, _ title: String, _ meaning: String, in reference: String = "", also aliases: [String] = []
    ) -> Explanation {
        Explanation(id, .term, title, meaning, in: reference, also: aliases)
    }
}
