extension Explanations {
    /// Each finding that a rule can make.
    static let findings: [Explanation] = [
        finding(
            "address-rewritten", "An ALG rewrites addresses",
            "MAPPED-ADDRESS and XOR-MAPPED-ADDRESS of one answer differ: a device on the way changes addresses in payloads.",
            do: "Turn the router's SIP or STUN helper (ALG) off."),
        finding(
            "answers-lost", "Packets are lost or late", "Requests had to be sent again before they were answered.",
            do: "Compare a wired link and another server; measure with --count 50."),
        finding(
            "candidates-not-gathered", "A server gave no candidate",
            "A STUN or TURN server that this side was to gather from did not answer, or refused.",
            do: "Run `icecheck stun` or `icecheck turn` with the server: it says why."),
        finding(
            "connection-not-secured", "A path is there, and DTLS is not",
            "ICE found a pair, and the DTLS handshake over it failed, or showed another certificate than signaling told of.",
            do: "Compare a=fingerprint and a=setup of both sides; look for a path that loses large datagrams."),
        finding(
            "prediction-differs", "The path is not the one that was predicted",
            "What two ICE agents do in a model of both networks, made from what was measured, is not what happened: "
                + "something on the way was not measured.",
            do: "Run `icecheck nat` on both sides, and `icecheck connect --all-pairs`."),
        finding(
            "consent-lost", "The connection broke",
            "The selected pair carried data, and then the other side's consent ran out or was withdrawn (RFC 7675).",
            do: "Look at the other side first, then at the lifetime of the NAT's mappings: `icecheck nat --lifetime`."),
        finding(
            "firewall-rejects", "A firewall rejects",
            "An ICMP message says that a packet filter refuses the packets, on the way or on this machine.",
            do: "Allow the destination and port where the message comes from."),
        finding(
            "machine-refuses", "This machine cannot send",
            "The packets did not leave: no route, no address, or nothing left to send with.",
            do: "Compare `ip route`, `ip address` and `ss -s`."),
        finding(
            "mapped-address-not-global", "The outside address is not public",
            "A server sees this machine with an address that is not public: another NAT follows, or the server is inside.",
            do: "Ask a server in the Internet; with a provider's NAT, give clients a TURN server."),
        finding(
            "name-not-resolved", "A name does not resolve", "A server's name has no address here.",
            do: "Check the name with `getent ahosts NAME`, then /etc/resolv.conf."),
        finding(
            "nat-lifetime-short", "Mappings are dropped soon",
            "An idle UDP mapping lives for less than the two minutes that RFC 4787 asks for.",
            do:
                "Send keepalives more often, or set the NAT's UDP timeout (Linux: net.netfilter.nf_conntrack_udp_timeout)."
        ),
        finding(
            "nat-mapping-dependent", "The NAT gives each peer another outside",
            "What a STUN server sees is no address for anyone else: two such NATs need a relay.",
            do: "Give clients a TURN server; on a NAT of your own, turn its random ports off."),
        finding(
            "no-path-to-peer", "No path to the other side",
            "Each side has the other's candidates, and of all pairs none carried a check and its answer.",
            do: "Give both sides a TURN server over UDP and over TCP; open UDP on the firewalls between them."),
        finding(
            "pair-loses-data", "The connection loses data",
            "More than one datagram in twenty was lost over the selected pair.",
            do: "Compare another pair with --force, and a wired link."),
        finding(
            "peer-not-heard", "The other side was not heard",
            "The other side's description did not come: there was nothing to connect to.",
            do: "Bring its line here whole, or give more time with --timeout."),
        finding(
            "signaling-unusable", "Something of the other side's made no sense",
            "A line was cut, changed or of another kind, and was left out.",
            do: "Copy the line whole, once, and without what stands around it."),
        finding(
            "nat-methods-disagree", "Two ways to look at the NAT disagree",
            "A STUN server and a TURN server's relay show this machine behind two different NATs.",
            do: "Ask again with another server, to see which of them stands alone: the ways to them may part."),
        finding(
            "nat-server-unusable", "A server is no help with NATs",
            "It says that it can answer from another address, and cannot.",
            do: "Give the server a second public address, or ask another."),
        finding(
            "network-changed", "The network changed during the run",
            "An address or interface came or went: the results mix two networks.", do: "Run it again."),
        finding(
            "other-address-not-global", "The second address is not public",
            "A public STUN server names an OTHER-ADDRESS that only its own network knows.",
            do: "Tell its operator to set its outside addresses (coturn: external-ip=)."),
        finding(
            "server-address-not-global", "A name leads inside",
            "A server's name has an address that only this network knows.",
            do: "Ask from outside as well: there it has another address or none."),
        finding(
            "server-answers-badly", "Answers that cannot be used",
            "A server answers, and what it says is refused, malformed or without meaning.",
            do: "Ask another server; show the report to the operator of this one."),
        finding(
            "server-silent", "A server gives no answer", "Nothing came back from it, and nothing says why.",
            do: "Start it, or give its right address and port; where no server answers, look at this network."),
        finding(
            "tls-certificate-expired", "The certificate has expired",
            "A certificate of the server's chain is past its end.",
            do: "Renew it, and let the server load it again (coturn: cert=, SIGUSR2)."),
        finding(
            "tls-certificate-expires-soon", "A certificate expires soon",
            "Less than 14 days are left: nothing renews it, or the server has not loaded the new one.",
            do: "Renew it, and let the server load it again."),
        finding(
            "tls-certificate-not-yet-valid", "The certificate is not valid yet",
            "A certificate of the chain begins in the future by this machine's clock.",
            do: "Compare the clock (`timedatectl`)."),
        finding(
            "tls-certificate-revoked", "The certificate is revoked", "Its issuer withdrew it.", do: "Get a new one."),
        finding(
            "tls-certificate-weak", "The certificate is weak", "Its key is short, or it is signed over SHA-1 or MD5.",
            do: "Get one with an EC or RSA-2048 key, signed over SHA-256."),
        finding(
            "tls-chain-incomplete", "The intermediate certificate is missing",
            "The server sends its own certificate without the one that issued it: browsers that have not met that one refuse.",
            do: "Give the server the whole chain (coturn: cert=fullchain.pem)."),
        finding(
            "dtls-flight-lost", "Part of the DTLS server's answer never comes",
            "Its small datagrams came, and larger ones did not: the path's MTU, a filter of fragments, or heavy loss.",
            do: "Lower the server's MTU for DTLS or shorten its chain; try turns:HOST?transport=tcp."),
        finding(
            "tls-handshake-failed", "The TLS handshake fails", "The two sides found no way to talk TLS.",
            do: "Check that the port speaks TLS 1.2 or later and has a certificate and key."),
        finding(
            "tls-interception-suspected", "TLS is opened on the way",
            "The certificate is one that an inspecting firewall or virus scanner makes.",
            do: "Exempt the server from inspection."),
        finding(
            "tls-name-mismatch", "The certificate is for another name", "None of its names is the one in the URI.",
            do: "Use a name of the certificate, or get one for this name."),
        finding(
            "tls-not-verified", "Certificates were not verified", "--insecure was given: anyone may have answered.",
            do: "Leave --insecure out once the certificate is right."),
        finding(
            "tls-self-signed", "The certificate is self-signed", "Nobody but the server vouches for it.",
            do: "Get one of a public authority, or give it with --ca-file."),
        finding(
            "tls-unknown-authority", "The authority is not trusted here",
            "The chain ends in a root that this machine does not have.",
            do: "Give the root with --ca-file; browsers need it as well."),
        finding(
            "turn-allocation-left", "An allocation may live on", "Its deletion was not confirmed within 1.5 s.",
            do: "Nothing: the server drops it by itself."),
        finding(
            "turn-answer-not-authenticated", "Unauthenticated answers",
            "Answers to signed requests carry no valid MESSAGE-INTEGRITY.",
            do: "Do not use this relay; compare over TLS."),
        finding(
            "turn-capacity-reached", "No room for another allocation", "The server answers 508.",
            do: "Widen its relay port range (coturn: min-port=, max-port=), or add a server."),
        finding(
            "turn-challenge-broken", "The challenge cannot be answered", "The server's 401 lacks REALM or NONCE.",
            do: "Set a realm and long-term credentials (coturn: realm=, lt-cred-mech or use-auth-secret)."),
        finding(
            "turn-channel-silent", "Channels do not work", "Data goes in indications, and not over a channel.",
            do: "Look for a firewall that drops what is no STUN; TLS hides it."),
        finding(
            "turn-credential-expired", "The temporary credential has expired",
            "Its user name says so, by this machine's clock.",
            do: "Get a new one; where that has expired as well, compare the clocks."),
        finding(
            "turn-credentials-needed", "A credential is needed", "The server asks for one, and none was given.",
            do: "Give --user with --password-file or --secret-file."),
        finding(
            "turn-credentials-refused", "The credential is refused", "401 to a request that was signed with it.",
            do: "Compare user, password or secret, and realm with the server's configuration."),
        finding(
            "turn-data-altered", "Data is altered", "What came through the relay is not what was sent.",
            do: "Turn the ALG off; compare over TLS."),
        finding(
            "turn-external-ip-wrong", "The relayed address is not the server's",
            "What the relay sends comes from another address than it says.",
            do: "Set coturn's external-ip= to the address that is seen."),
        finding(
            "turn-family-unsupported", "No relay of this family", "The server answers 440 or 443.",
            do: "Give the server a relay address of the family (coturn: relay-ip=)."),
        finding(
            "turn-five-tuple-in-use", "Mistaken for an earlier client",
            "437 from two ports: the server has an allocation for them already.",
            do: "Let a balancer keep a client on one server; wait for the old allocation's end."),
        finding(
            "turn-forbidden", "The allocation is forbidden", "The server answers 403 to Allocate.",
            do: "Look for this client's address and user in its rules."),
        finding(
            "turn-no-common-algorithm", "No common password algorithm", "The server takes none that this client has.",
            do: "Allow MD5 or SHA-256 there."),
        finding(
            "turn-nonce-never-accepted", "Nonces are never accepted", "438 to each nonce that the server gave itself.",
            do: "Let the balancer keep a client's address and port on one server."),
        finding(
            "turn-open-relay", "An open relay", "The server relays without a credential.",
            do: "Set long-term credentials: open relays are abused."),
        finding(
            "turn-peer-forbidden", "The peer is forbidden", "The relay may not send to this address (403).",
            do: "Allow real peers' addresses (coturn: allowed-peer-ip=)."),
        finding(
            "turn-possible-downgrade", "Weaker than promised",
            "The challenge lacks what its own nonce says that it has.", do: "Compare over TLS; no credential was sent."),
        finding(
            "turn-quota-reached", "The user's quota is reached", "The server answers 486.",
            do: "Raise it (coturn: user-quota=), or wait for old allocations to end."),
        finding(
            "turn-realm-differs", "Another realm",
            "The server's realm is not the one that the credential was made for.",
            do: "Set the server's realm= to it, or make the key again."),
        finding(
            "turn-realm-keeps-changing", "The realm keeps changing",
            "Servers of different configuration answer at one address.", do: "Give them one realm."),
        finding(
            "turn-redirect-followed", "Another server was asked", "The server sent the client there (300).",
            do: "Nothing, or --no-redirect."),
        finding(
            "turn-redirected", "A redirect that was refused",
            "The server sends its clients to itself, inside, or nowhere.",
            do: "Mend its list of alternates; --follow-private goes inside."),
        finding(
            "turn-refused", "The server refuses", "It gives an error code that no other finding has.",
            do: "`icecheck explain CODE`; look into the server's log."),
        finding(
            "turn-relay-hairpin-fails", "One relay does not reach the next",
            "Two allocations of one server each carry data, and not to each other: its own packets do not come back to it.",
            do:
                "Set coturn's external-ip=PUBLIC/PRIVATE; let the firewall admit the server's own address at the relay ports."
        ),
        finding(
            "turn-relay-one-way", "Data goes in and not out",
            "It comes to the client, and what the client sends back does not come out.",
            do: "Allow outgoing UDP from the relay's ports."),
        finding(
            "turn-relay-peer-refused", "A relay may be no peer",
            "The server refuses a relay's address as a peer (403): no call works in which both sides have a relay alone.",
            do: "Allow the relays' own addresses (coturn: allowed-peer-ip=)."),
        finding(
            "turn-relay-ports-blocked", "The relay ports are closed",
            "The relay sends from where it says, and what is sent there does not come.",
            do: "Open the relay's UDP ports to the server: 49152-65535, or coturn's min-port= to max-port=."),
        finding(
            "turn-relay-silent", "The relay carries nothing",
            "The allocation is there, and nothing comes through it either way.",
            do: "Open the relay's UDP ports at the server; compare its external-ip=."),
        finding(
            "turn-relay-stops", "The relay stops after a while",
            "Data came through it at first, and stopped although everything was renewed (--soak).",
            do:
                "Look into the server's log at that time; compare its lifetimes, and the timeouts of NATs and balancers."
        ),
        finding(
            "turn-relay-to-relay-altered", "Data between relays is altered", "What came is not what was sent.",
            do: "Turn the ALG between the servers off."),
        finding(
            "turn-relay-to-relay-blocked", "Two servers' relays do not meet",
            "Each carries data, and none goes between them, either way.",
            do: "Let UDP pass between the relay ports of the two, both ways."),
        finding(
            "turn-relay-to-relay-channel-silent", "Relay to relay, not over a channel",
            "Indications go between the two relays, ChannelData does not.",
            do: "Look for inspection between here and the servers; TLS (turns:) hides it."),
        finding(
            "turn-relay-to-relay-one-way", "Relay to relay one way",
            "Data goes from one relay to the other and not back.",
            do: "Let UDP pass between the relay ports both ways; give each relay one address."),
        finding(
            "turn-relayed-address-unusable", "No peer can reach the relay",
            "The relayed address is private, unspecified or of the wrong family.",
            do: "Set coturn's external-ip=PUBLIC/PRIVATE."),
        finding(
            "turn-second-allocation-fails", "A later allocation fails",
            "The first of this user was made and carried data; another on the same server was not.",
            do: "Look for limits by user, address or rate, and for servers behind one address that differ."),
        finding(
            "turn-tcp-bind-fails", "The data connection is not taken",
            "A peer's connection was announced, and the client's second connection was not bound to it (RFC 6062).",
            do: "Let a balancer keep a client's connections on one server."),
        finding(
            "turn-tcp-connect-fails", "The relay does not connect to a peer",
            "Connect to a second socket of this machine did not lead to data.",
            do: "Look at this machine's firewall; allow outgoing TCP from the server."),
        finding(
            "turn-tcp-relay-elsewhere", "Another takes the relay's connections",
            "A connection to the relayed address was taken, and the server did not announce it.",
            do: "Compare the relayed address with the server's (coturn: external-ip=)."),
        finding(
            "turn-tcp-relay-ports-blocked", "The relay ports are closed for TCP",
            "No TCP connection to the relayed address came about.",
            do: "Open the relay's TCP ports to the server: 49152-65535, or coturn's min-port= to max-port=."),
        finding(
            "turn-tcp-relay-silent", "The TCP relay carries nothing",
            "A peer's connection was bound, and no byte came back through it.", do: "Compare over TLS."),
        finding(
            "turn-token-expired", "The access token has expired",
            "Its expires_at says so, by this machine's clock.",
            do: "Get a new one; where that has expired as well, compare the clocks."),
        finding(
            "turn-token-key-cut", "The token's key is cut",
            "The server refuses a signature with the whole key, and takes one with its first 16 bytes, as coturn does.",
            do: "Have the server mended: clients that sign as RFC 7635 says are refused there."),
        finding(
            "turn-token-not-taken", "Access tokens are not taken",
            "The server's 401 has no THIRD-PARTY-AUTHORIZATION (RFC 7635).",
            do: "Turn it on (coturn: oauth), or give a user and a password."),
        finding(
            "turn-token-refused", "The access token is refused", "401 to a request that was signed with its key.",
            do: "Get a new one; compare key id, key and server name with the authorization server."),
        finding(
            "turn-transport-unsupported", "The transport is not relayed", "The server answers 442.",
            do: "Ask for UDP, or turn TCP relaying on."),
        finding(
            "udp-blocked", "UDP is blocked", "UDP stays silent where TCP to the same server answers.",
            do: "Allow outgoing UDP to the server's port and back, or give clients TURN over TCP or TLS."),
        finding(
            "wrong-service", "Another service", "What answers at the address is no STUN server.",
            do: "Give the port that the STUN server listens on, 3478 as a rule."),
    ]

    private static func finding(_ id: String, _ title: String, _ meaning: String, do remedy: String) -> Explanation {
        Explanation(id, .finding, title, meaning, do: remedy)
    }
}
