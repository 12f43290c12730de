import NetTypes

/// Decides when silence is an answer.
///
/// A probe that a filter drops looks like one that the path lost. So control probes, which must be answered, run beside
/// it on the same socket at the same time, and the silence is believed once the loss that the controls show, and
/// whatever else was sent the same way, cannot explain it.
///
/// The bound: let `p` be the chance that an exchange on this path stays without an answer in time, the same for a
/// control and for a probe that nothing filters. Nothing is known of `p` beforehand, so it is uniform on 0...1. When `m`
/// controls are decided and `f` of them failed, `p` has the Beta(f+1, m-f+1) distribution, and the chance that `n`
/// probes in a row are all lost, though nothing filters them, is its n-th moment:
///
///     E[pⁿ] = (f+1)/(m+2) · (f+2)/(m+3) · … · (f+n)/(m+n+1)
///
/// Without loss that is below 1 in 2,000 for seven probes and seven controls; at a loss of 20 % each way it takes about
/// thirteen. Looking again after each round does not spoil it: for every fixed `p` up to 0.75 the chance that the test
/// ever stops at a wrong negative stays below 1 in 1,000 (the tests compute it exactly).
package struct SequentialTest: Hashable, Sendable {
    /// Controls whose answer came in time.
    package var answeredControls: Int
    /// Controls whose time is over.
    package var failedControls: Int
    /// Probes whose time is over; none of them was answered.
    package var silentProbes: Int

    /// With this, for every loss, fewer than 1 of 1,000 silences are wrongly believed; see above.
    package static let mostRisk = 1.0 / 2_000

    /// The chance that the silence is loss, from 0 to 1.
    package var risk: Double {
        let controls = answeredControls + failedControls
        var product = 1.0
        for place in 0..<silentProbes {
            product *= Double(failedControls + 1 + place) / Double(controls + 2 + place)
        }
        return product
    }

    /// Silent probes that it takes whatever the controls show: as many as it takes where nothing is lost and nothing
    /// else was sent. A short burst of loss is no filter, however well all the rest of a run came through.
    static let leastProbes = 7

    package var isDecided: Bool {
        answeredControls > 0 && silentProbes >= Self.leastProbes && risk <= Self.mostRisk
    }

    /// The time between two rounds on a path with this round trip.
    static func pace(roundTrip: Duration) -> Duration { max(.milliseconds(2), roundTrip / 5) }

    /// How long a request may take before it counts as unanswered: long enough for a server that is busy for a moment.
    static func patience(roundTrip: Duration) -> Duration { max(.milliseconds(10), roundTrip * 2) }
}
