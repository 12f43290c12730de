package import Engines
package import NetTypes

/// What one side of an ICE session tells the other by signaling: as SDP, or as icecheck's own line.
package struct ICEDescription: Hashable, Sendable {
    package var credentials: ICECredentials
    /// Those that are known so far, of all of them where ``isComplete``.
    package var candidates: [Candidate]
    /// `a=ice-lite`: this side only answers checks (RFC 8445 s2.5).
    package var isLite: Bool
    /// `a=ice-pacing` (RFC 8839 s5.5): the shortest time between two checks that this side wishes; whole milliseconds.
    package var pacing: Duration?
    /// `a=ice-options:trickle` (RFC 8838): candidates may follow.
    package var trickles: Bool
    /// `a=end-of-candidates` (RFC 8840): no more candidates come.
    package var isComplete: Bool
    /// The certificates that this side may show in DTLS (RFC 8122 s5); none where it has no DTLS.
    package var fingerprints: [CertificateFingerprint]
    /// Who begins DTLS; nil where it is not said, which is as ``SetupRole/active`` (RFC 4145 s4.1).
    package var setup: SetupRole?
    /// Of icecheck's line only: the side with the larger one controls. SDP says it by who offers.
    package var tieBreaker: UInt64?
    /// Of icecheck's line only: how the NATs before this side behave, by address family, where that was measured.
    package var nat: [IPAddress.Family: NAT]

    package init(
        credentials: ICECredentials, candidates: [Candidate] = [], isLite: Bool = false, pacing: Duration? = nil,
        trickles: Bool = false, isComplete: Bool = false, fingerprints: [CertificateFingerprint] = [],
        setup: SetupRole? = nil, tieBreaker: UInt64? = nil, nat: [IPAddress.Family: NAT] = [:]
    ) {
        self.credentials = credentials
        self.candidates = candidates
        self.isLite = isLite
        self.pacing = pacing
        self.trickles = trickles
        self.isComplete = isComplete
        self.fingerprints = fingerprints
        self.setup = setup
        self.tieBreaker = tieBreaker
        self.nat = nat
    }

    package typealias NAT = NATTraits
}
