package import Engines
package import NetTypes
package import STUN
package import Session

/// How to connect to a peer.
package struct ConnectConfiguration: Sendable {
    /// How the two sides describe themselves.
    package enum Form: Hashable, Sendable {
        /// icecheck's own line.
        case line
        /// SDP; with `answers` the peer offers.
        case sdp(answers: Bool)
    }

    /// A server as it was named.
    package struct Server: Sendable {
        package var uri: ServerURI
        /// The interface index of a link-local address, 0 for none.
        package var zone: UInt32
        package var transports: [Transport]
        package var credential: LongTermCredential?

        package init(uri: ServerURI, zone: UInt32 = 0, transports: [Transport], credential: LongTermCredential? = nil) {
            self.uri = uri
            self.zone = zone
            self.transports = transports
            self.credential = credential
        }
    }

    package var form: Form
    /// Whether the peer reads as this side writes: candidates then follow as they are found (RFC 8838), and both sides
    /// see when the other leaves.
    package var isLive: Bool
    package var bases: [ICEConfiguration.Base]
    package var servers: [Server] = []
    package var families: Set<IPAddress.Family> = [.ipv4, .ipv6]
    package var kinds: Set<Candidate.Kind> = Set(Candidate.Kind.allCases)
    package var usesTCP = false
    package var checksAllPairs = false
    package var refusesPrivate = false
    package var redirects = Plan.Redirects.global
    /// How long data is sent.
    package var duration: Duration = .seconds(1)
    package var measuresThroughput = false
    /// Of all.
    package var timeout: Duration = .seconds(30)
    /// This side's certificate; without one there is no DTLS.
    package var credentials: ServerCredentials?
    package var trust = Plan.TLSTrust()
    /// Whether ``ConnectSession/learn(_:at:)`` will tell of the NATs before this side, which the peer is told.
    package var awaitsNAT = false
    /// Whether the channel is a file, which is read again when it changes: its end says nothing.
    package var readsAgain = false

    package init(_ form: Form, isLive: Bool, bases: [ICEConfiguration.Base]) {
        self.form = form
        self.isLive = isLive
        self.bases = bases
    }

    package var usesSDP: Bool { form != .line }
    /// Whether this side speaks first in SDP.
    var offers: Bool { form == .sdp(answers: false) }
}

/// Something that whoever connects should know at once.
package struct ConnectEvent: Sendable {
    package enum Fact: Sendable {
        case phase(ConnectPhase)
        case ice(ICEEvent.Fact)
        /// This side's description is on its way.
        case described
        case peerDescribed
        /// What came from the peer cannot be used; safe to show.
        case signalingProblem(String)
    }

    package var at: Instant
    package var fact: Fact
}
