package import NetTypes

/// A local and a remote candidate whose path is checked (RFC 8445 s6.1.2).
package struct ICEPair: Hashable, Sendable, Codable {
    package struct ID: Hashable, Sendable, Codable, Comparable {
        package var number: Int
        package init(_ number: Int) { self.number = number }
        package static func < (left: ID, right: ID) -> Bool { left.number < right.number }
    }

    /// RFC 8445 s6.1.2.6.
    package enum State: String, Hashable, Sendable, Codable {
        case frozen
        case waiting
        case inProgress = "in-progress"
        case succeeded
        case failed
    }

    package let id: ID
    /// The candidate that checks are sent from: a host or relayed one.
    package var local: Candidate
    package var remote: Candidate
    /// By the roles of the moment (RFC 8445 s6.1.2.3).
    package var priority: UInt64
    package var state: State
    /// Why it failed.
    package var failure: ICECheckFailure?
    /// The local candidate by which the peer sees it, once a check has succeeded: of a valid pair this is the local side.
    package var validLocal: Candidate?
    package var isNominated = false
    /// Requests sent in all.
    package var transmissions = 0
    /// The last that was measured without ambiguity, else the last.
    package var roundTrip: Duration?
    /// When the first check left, and when the first succeeded.
    package var firstSentAt: Instant?
    package var succeededAt: Instant?

    /// Whether a check has succeeded (RFC 8445 s7.2.5.3.2).
    package var isValid: Bool { validLocal != nil }
    /// The kinds of the two sides, as the peers see them: of a valid pair those that were proven.
    package var kinds: (local: Candidate.Kind, remote: Candidate.Kind) { ((validLocal ?? local).kind, remote.kind) }
    /// Whether a relay stands on the way.
    package var isRelayed: Bool { local.kind == .relayed || remote.kind == .relayed }
    /// The foundations of both candidates: pairs that have them alike freeze together (RFC 8445 s6.1.2.6).
    var foundation: [String] { [local.foundation, remote.foundation] }
}
