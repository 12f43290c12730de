package import Engines
package import NetTypes

/// How to connect to a peer.
package struct ConnectPlan: Sendable, Codable {
    /// How the two sides describe themselves.
    package enum Form: Hashable, Sendable, Codable {
        /// icecheck's own line.
        case line
        /// SDP; with `answers` the peer offers.
        case sdp(answers: Bool)
    }

    package var form: Form
    /// Whether the peer reads as this side writes: candidates then follow as they are found (RFC 8838), and both sides
    /// see when the other leaves.
    package var isLive: Bool
    package var kinds: Set<Candidate.Kind> = Set(Candidate.Kind.allCases)
    package var usesTCP = false
    package var checksAllPairs = false
    package var refusesPrivate = false
    /// How long data is sent.
    package var duration: Duration = .seconds(1)
    package var measuresThroughput = false
    /// This side's certificate; without one there is no DTLS. It is in no record.
    package var credentials: ServerCredentials?
    /// Whether the channel is a file, which is read again when it changes: its end says nothing.
    package var readsAgain = false

    private enum CodingKeys: CodingKey {
        case form, isLive, kinds, usesTCP, checksAllPairs, refusesPrivate, duration, measuresThroughput, readsAgain
    }

    package init(_ form: Form, isLive: Bool) {
        self.form = form
        self.isLive = isLive
    }

    package var usesSDP: Bool { form != .line }
    /// Whether this side speaks first in SDP.
    package var offers: Bool { form == .sdp(answers: false) }
}
