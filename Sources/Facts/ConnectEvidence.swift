package import Engines
package import NetTypes

/// What connecting to a peer brought to light, from gathering to goodbye.
package struct ConnectEvidence: Hashable, Sendable, Codable {
    /// Something that happened, and when after the start.
    package struct Moment: Hashable, Sendable, Codable {
        package enum Happening: Hashable, Sendable, Codable {
            case phase(ConnectPhase)
            case ice(ICEEvent.Fact)
            /// This side's description is on its way.
            case described
            case signalingProblem(String)
        }

        package var at: Duration
        package var happening: Happening

        package init(at: Duration, _ happening: Happening) {
            self.at = at
            self.happening = happening
        }
    }

    /// Times after the start; nil for what did not happen.
    package struct Times: Hashable, Sendable, Codable {
        package var gathered: Duration?
        /// This side's description went out.
        package var described: Duration?
        /// The peer's came in.
        package var peerDescribed: Duration?
        package var firstSuccess: Duration?
        package var nominated: Duration?
        package var secured: Duration?
        package var closed: Duration?

        package init() {}
    }

    package enum Consent: Hashable, Sendable, Codable {
        case notNeeded
        case kept
        case lost(ICEConsentLoss)
    }

    /// What became of something that gave no pair.
    package struct Refused: Hashable, Sendable, Codable {
        package var candidate: Candidate
        package var reason: ICERefusal

        package init(_ candidate: Candidate, _ reason: ICERefusal) {
            self.candidate = candidate
            self.reason = reason
        }
    }

    /// A server's name that led nowhere.
    package struct NotResolved: Hashable, Sendable, Codable {
        package var server: String
        package var reason: String

        package init(server: String, reason: String) {
            self.server = server
            self.reason = reason
        }
    }

    /// What ICE in a model makes of the two machines, beside what happened.
    package struct Prediction: Hashable, Sendable, Codable {
        /// `direct`, `relayed` or `none`: the best that is certain.
        package var outcome: String
        /// The same where all that is unknown is at its best.
        package var best: String
        package var localKind: Candidate.Kind?
        package var remoteKind: Candidate.Kind?
        /// The unknowns that it depends on, in words.
        package var dependsOn: [String]
        /// Whether what happened is what was predicted, or within it where it depends on something.
        package var agrees: Bool

        package init(
            outcome: String, best: String, localKind: Candidate.Kind? = nil, remoteKind: Candidate.Kind? = nil,
            dependsOn: [String] = [], agrees: Bool
        ) {
            self.outcome = outcome
            self.best = best
            self.localKind = localKind
            self.remoteKind = remoteKind
            self.dependsOn = dependsOn
            self.agrees = agrees
        }
    }

    /// Whether signaling is SDP, and not icecheck's own line.
    package var usesSDP: Bool
    package var role: ICERole?
    package var phase = ConnectPhase.resolving
    /// Why there is no connection; nil while nothing is wrong.
    package var failure: ConnectFailure?
    package var localCandidates: [Candidate] = []
    package var remoteCandidates: [Candidate] = []
    package var refused: [Refused] = []
    package var notGathered: [ICEGatheringFailure] = []
    package var notResolved: [NotResolved] = []
    package var pairs: [ICEPair] = []
    /// At most ``mostMoments``; ``omittedMoments`` more happened.
    package var timeline: [Moment] = []
    package var omittedMoments = 0
    package var selected: ICEPair.ID?
    package var times = Times()
    package var consent = Consent.notNeeded
    package var data: ConnectData?
    package var throughput: ConnectThroughput?
    package var dtls: ConnectDTLS?
    /// What of the peer's could not be used; safe to show.
    package var signalingProblems: [String] = []
    /// How the NATs before each side behave, as far as it was measured; the peer's is known where it is an icecheck.
    package var localNAT: [IPAddress.Family: NATTraits] = [:]
    package var remoteNAT: [IPAddress.Family: NATTraits] = [:]
    package var prediction: Prediction?
    /// Whether each pair was checked to its end.
    package var checkedAllPairs = false
    /// The only kinds that took part; all where nothing was forced.
    package var kinds: Set<Candidate.Kind> = Set(Candidate.Kind.allCases)

    package static let mostMoments = 1000
    package static let mostProblems = 32

    package init(usesSDP: Bool) { self.usesSDP = usesSDP }

    /// Whether a pair carried data, and DTLS was completed where there is any.
    package var isConnected: Bool { failure == nil && selected != nil && (dtls?.isSecured ?? true) }

    package var selectedPair: ICEPair? { selected.flatMap { id in pairs.first { $0.id == id } } }
}
