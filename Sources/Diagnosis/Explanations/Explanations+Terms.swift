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
            "An address that shows only when the peer is sent to: the NAT chose another for the peer than for the STUN server.",
            in: "RFC 8445 s7.2.5.3.1", also: ["prflx"]),
        term(
            "relayed", "Relayed candidate", "An address of a TURN server, which forwards what is sent there.",
            in: "RFC 8445 s5.1.1", also: ["relay"]),
        term(
            "mapping", "Mapping",
            "How a NAT chooses the outside address and port for a socket inside: the same for all destinations, or another for each address or each address and port.",
            in: "RFC 4787 s4.1"),
        term(
            "filtering", "Filtering",
            "Whom a NAT or firewall lets in at a mapped address: everyone, or who was sent to before.",
            in: "RFC 4787 s5"),
        term(
            "endpoint-independent", "Endpoint-independent",
            "As a mapping: every peer can use the address that a STUN server sees. As filtering: everyone gets in.",
            in: "RFC 4787 s4.1, s5", also: ["full cone", "full-cone nat", "cone nat", "eim", "eif"]),
        term(
            "address-dependent", "Address-dependent",
            "As a mapping: another outside address or port for each peer's address. As filtering: only addresses that were sent to get in.",
            in: "RFC 4787 s4.1, s5", also: ["restricted cone", "address restricted cone"]),
        term(
            "address-and-port-dependent", "Address-and-port-dependent",
            "As a mapping: another outside for each peer's address and port, so that no peer can use what a STUN server sees: two such NATs need a relay. As filtering: only the address and port that were sent to get in.",
            in: "RFC 4787 s4.1, s5", also: ["symmetric nat", "symmetric", "port restricted cone", "apdm", "apdf"]),
        term(
            "hairpin", "Hairpinning",
            "Whether a NAT turns back what a machine inside sends to an outside address of the same NAT: two peers behind it need that.",
            in: "RFC 4787 s6", also: ["hairpinning", "nat loopback"]),
        term(
            "alg", "Application layer gateway",
            "A device that rewrites addresses inside of packets. It means well, and breaks what it does not know.",
            in: "RFC 4787 s7", also: ["sip alg"]),
        term(
            "port-preservation", "Port preservation", "Whether the outside port is the inside one.",
            in: "RFC 4787 s4.2.1", also: ["port preserving"]),
        term(
            "mapping-lifetime", "Mapping lifetime",
            "How long a NAT keeps a mapping that is not used. A keepalive must come sooner.", in: "RFC 4787 s4.3",
            also: ["keepalive", "nat timeout"]),
        term(
            "cgnat", "Carrier-grade NAT",
            "A NAT of the provider's, with an address from 100.64.0.0/10 before it; nobody can forward ports through it.",
            in: "RFC 6598", also: ["cgn", "carrier grade nat", "shared address space"]),
        term(
            "double-nat", "Double NAT",
            "Two NATs in a row, as with a router behind a router: the outer one decides, and ports must be forwarded in both."
        ),
        term(
            "confidence", "Confidence",
            "What is left of certainty where a verdict comes from silence: 100 % less the chance that everything unanswered was only lost."
        ),
        term("stun", "STUN", "Asks a server from which address it sees this machine.", in: "RFC 8489"),
        term(
            "turn", "TURN", "Asks a server for an address of its own, and to forward what is sent there.",
            in: "RFC 8656"),
        term("ice", "ICE", "Two peers try all pairs of their addresses, and take the best that works.", in: "RFC 8445"),
        term(
            "five-tuple", "Five-tuple",
            "Client address and port, server address and port, and transport: what an allocation belongs to.",
            in: "RFC 8656 s3", also: ["5-tuple"]),
        term(
            "allocation", "Allocation",
            "A relayed address with its permissions and channels, for one client and a time.", in: "RFC 8656 s3"),
        term(
            "permission", "Permission", "Lets one peer's address send to a relayed address, for 300 s.",
            in: "RFC 8656 s9"),
        term(
            "channel", "Channel",
            "A number for one peer, which saves 36 bytes for each packet; it lives 600 s, its permission 300.",
            in: "RFC 8656 s12", also: ["channelbind", "channeldata"]),
        term(
            "indication", "Send and Data indications", "How data goes between client and relay without a channel.",
            in: "RFC 8656 s11", also: ["send indication", "data indication"]),
        term(
            "realm", "Realm", "The server's name for its users: part of the key that passwords are made into.",
            in: "RFC 8489 s14.9"),
        term(
            "nonce", "Nonce",
            "What the server gives a client to sign with, good for a while: an old answer cannot be used again.",
            in: "RFC 8489 s14.10"),
        term(
            "turn-rest-api", "TURN REST API",
            "Temporary credentials: the user name says when it expires, the password is a digest of it with a secret that server and service share.",
            also: ["static-auth-secret", "temporary credential", "rest"]),
        term(
            "xor-mapped-address", "XOR-MAPPED-ADDRESS",
            "The client's address as the server sees it, written so that no ALG rewrites it.", in: "RFC 8489 s14.2",
            also: ["mapped address"]),
        term(
            "xor-relayed-address", "XOR-RELAYED-ADDRESS", "The address that a TURN server relays from.",
            in: "RFC 8656 s18.3", also: ["relayed address"]),
        term(
            "other-address", "OTHER-ADDRESS", "A second address of a STUN server, to find out about NATs with.",
            in: "RFC 5780 s7.4"),
        term(
            "response-origin", "RESPONSE-ORIGIN", "Where the server says that its answer comes from.",
            in: "RFC 5780 s7.3"),
        term(
            "rtt", "Round-trip time",
            "From a request to its answer. Through a relay, from a second socket to the client and back: four ways between this machine and the server.",
            also: ["round trip", "latency"]),
        term("jitter", "Jitter", "How much neighbouring round trips differ, on average.", in: "RFC 3550 s6.4.1"),
        term("loss", "Loss", "The share of packets that did not come."),
        term("tls", "TLS", "Encrypts a TCP connection; for a TURN server, turns:.", in: "RFC 8446"),
        term("dtls", "DTLS", "TLS over UDP; turns: with ?transport=udp.", in: "RFC 6347, RFC 7350"),
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
