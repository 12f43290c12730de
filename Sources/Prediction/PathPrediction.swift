package import Engines
package import NetTypes

/// What becomes of two machines that try ICE.
package enum PathOutcome: String, Hashable, Sendable, CaseIterable, Comparable {
    case direct
    case relayed
    case none

    /// The better first.
    package static func < (left: PathOutcome, right: PathOutcome) -> Bool { left.rank < right.rank }

    var rank: Int {
        switch self {
        case .direct: 0
        case .relayed: 1
        case .none: 2
        }
    }
}

/// One side of a nominated pair.
package struct PathSide: Hashable, Sendable {
    package var kind: Candidate.Kind
    package var family: IPAddress.Family

    package init(_ kind: Candidate.Kind, _ family: IPAddress.Family) {
        self.kind = kind
        self.family = family
    }
}

/// What two ICE agents did in the model of a network.
struct PathRun: Hashable, Sendable {
    var outcome: PathOutcome
    /// Nil where none was nominated.
    var local: PathSide?
    var remote: PathSide?
    /// From the moment at which both have each other's candidates until both have a nominated pair.
    var setup: Duration?

    var reversed: PathRun { PathRun(outcome: outcome, local: remote, remote: local, setup: setup) }
    /// Relays that data passes: two where each side has one.
    var relays: Int { (local?.kind == .relayed ? 1 : 0) + (remote?.kind == .relayed ? 1 : 0) }
}

/// Which path would join two machines, and why no better one.
package struct PathPrediction: Hashable, Sendable {
    /// The best that is certain: where what is unknown matters, the worst that may be.
    package var outcome: PathOutcome
    /// What it is where the unknown is at its best; the same as ``outcome`` where nothing unknown matters.
    package var best: PathOutcome
    /// The two sides of the nominated pair, as the peers see them; nil where none is nominated.
    package var local: PathSide?
    package var remote: PathSide?
    /// In the model: from each other's candidates to the nomination on both sides.
    package var setup: Duration?
    /// In one sentence why it is relayed, or none; nil where it is direct.
    package var why: String?
    /// The unknowns that it depends on, in words.
    package var dependsOn: [String]

    package var isCertain: Bool { outcome == best }
}
