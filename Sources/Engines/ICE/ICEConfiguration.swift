package import NetTypes

/// Which side decides about the pair (RFC 8445 s6.1.1).
package enum ICERole: String, Hashable, Sendable, Codable {
    case controlling
    case controlled

    package var opposite: ICERole { self == .controlling ? .controlled : .controlling }
}

/// What an ICE agent gathers from, and how it behaves. One data stream of one component: what is sent today is
/// multiplexed.
package struct ICEConfiguration: Sendable {
    /// A local address that gets a UDP socket, and with ``ICEConfiguration/usesTCP`` a listener.
    package struct Base: Hashable, Sendable {
        /// With its zone, where it has one.
        package var address: IPAddress
        package var interface: String?
        /// See ``LocalPreference/order(_:)``.
        package var localPreference: UInt16

        package init(_ address: IPAddress, interface: String? = nil, localPreference: UInt16 = 65535) {
            self.address = address
            self.interface = interface
            self.localPreference = localPreference
        }
    }

    /// A TURN server at one address over one transport.
    package struct TURNServer: Sendable {
        package var endpoint: Endpoint
        package var transport: Transport
        package var credential: LongTermCredential?
        /// For TLS and DTLS.
        package var security: SecureClientConfiguration?
        /// The families of relayed address to ask for, an allocation each.
        package var relayFamilies: [IPAddress.Family] = [.ipv4, .ipv6]

        package init(
            _ endpoint: Endpoint, transport: Transport = .udp, credential: LongTermCredential?,
            security: SecureClientConfiguration? = nil
        ) {
            self.endpoint = endpoint
            self.transport = transport
            self.credential = credential
            self.security = security
        }
    }

    package var role: ICERole
    package var bases: [Base]
    /// STUN servers over UDP, resolved: each base asks those of its family.
    package var stunServers: [Endpoint]
    package var turnServers: [TURNServer]
    /// Whether a TURN server's redirects (300) are followed, and those of a public one to an address that is not.
    package var followsRedirects = true
    package var followsPrivate = false
    /// The local candidates that take part; peer-reflexive ones count as server-reflexive.
    package var kinds: Set<Candidate.Kind> = Set(Candidate.Kind.allCases)
    /// Whether TCP host candidates are offered and paired (RFC 6544).
    package var usesTCP = false
    /// Whether every pair is checked to its end, although one is selected.
    package var checksAllPairs = false
    /// Whether candidates at private addresses are refused (I05).
    package var refusesPrivate = false
    /// Ta as this side proposes it (`a=ice-pacing`); the larger of both sides' counts, 50 ms where the peer says none.
    package var pacing: Duration = .milliseconds(10)
    /// How long gathering may take; what has not answered by then is told as silent.
    package var gatheringLimit: Duration = .seconds(3)
    /// When a check is sent again and given up: 0, 0.5, 1.5, 3.5 and 7.5 s, failed at 11.5 s. A candidate is sent no more
    /// than five packets, since it may be a third party's (I05). The first timeout is the least: many checks at once
    /// make it longer (RFC 8445 s14.3). As long as all this takes, the agent hopes for checks of the peer although all of
    /// its own have failed (RFC 8863).
    package var checkSchedule = RetransmissionSchedule(
        initialTimeout: .milliseconds(500), maximumTransmissions: 5, finalMultiplier: 8)

    package init(
        _ role: ICERole, bases: [Base], stunServers: [Endpoint] = [], turnServers: [TURNServer] = []
    ) {
        self.role = role
        self.bases = bases
        self.stunServers = stunServers
        self.turnServers = turnServers
    }

    /// RFC 8445 s14.2: what counts where a side says nothing.
    package static let usualPacing = Duration.milliseconds(50)
    /// RFC 8445 s6.1.2.5.
    package static let mostPairs = 100
    /// Candidates of the peer that are kept (I02).
    package static let mostRemoteCandidates = 256
}
