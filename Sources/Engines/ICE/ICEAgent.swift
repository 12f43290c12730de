package import NetTypes
package import STUN

/// A stub: the API that the agent will have.
package struct ICEAgent<Random: RandomNumberGenerator & Sendable>: Engine, Sendable {
    package typealias Event = ICEEvent

    package let configuration: ICEConfiguration
    package private(set) var state = ICEState.new
    package private(set) var role: ICERole
    package private(set) var localCredentials: ICECredentials
    /// What was gathered so far and is told to the peer, in the order of coming.
    package private(set) var localCandidates: [Candidate] = []
    package private(set) var remoteCandidates: [Candidate] = []
    package private(set) var isGatheringFinished = false
    /// Every pair of this session, by its number: those that were pruned or removed are none.
    package private(set) var pairs: [ICEPair] = []
    /// The pair that data goes over.
    package private(set) var selectedPair: ICEPair?
    private var random: Random

    /// Makes the agent and begins to gather.
    package init(_ configuration: ICEConfiguration, random: Random, from start: Instant) {
        self.configuration = configuration
        self.random = random
        role = configuration.role
        localCredentials = ICECredentials(using: &self.random)
    }

    // MARK: Signaling

    /// Takes the peer's credentials: with them checks begin. Others than before are the peer's restart.
    ///
    /// - Parameter pacing: the peer's `a=ice-pacing`.
    package mutating func setRemote(
        _ credentials: ICECredentials, isLite: Bool = false, pacing: Duration? = nil, at now: Instant
    ) {}
    /// Takes a candidate of the peer's, at any time.
    package mutating func addRemote(_ candidate: Candidate, at now: Instant) {}
    /// Takes the peer's word that no more candidates come.
    package mutating func endRemoteCandidates(at now: Instant) {}
    /// Settles the role, before checks begin: as signaling says who decides.
    package mutating func setRole(_ role: ICERole) {}
    /// ICE restart (RFC 8445 s9): new credentials, a new check list, the same sockets.
    package mutating func restart(at now: Instant) {}

    // MARK: Data

    /// Sends data over the selected pair; false where there is none, or consent is gone.
    package mutating func send(_ bytes: [UInt8], at now: Instant) -> Bool { false }
    /// Asks over the selected pair once, as consent does: a ``ICEEvent/Fact/consentRefreshed(_:roundTrip:)`` answers.
    package mutating func probe(at now: Instant) {}
    /// Ends the session: deletes allocations, in 1.5 s at most, and closes everything.
    package mutating func close(at now: Instant) {}

    // MARK: Engine

    package mutating func handle(_ input: Input, at now: Instant) {}
    package mutating func pollOutput(at now: Instant) -> Output? { nil }
    package mutating func pollEvent() -> ICEEvent? { nil }
    package var nextWake: Instant? { nil }
    /// After ``close(at:)``, once nothing is left to do.
    package var isFinished: Bool { false }
}
