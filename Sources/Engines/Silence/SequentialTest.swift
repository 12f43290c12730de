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

    /// A control, as far as it is known what became of it.
    struct Control {
        var sentAt: Duration
        var answeredAfter: Duration?
        /// Whether its answer shows that the server answered when the probes before it were sent.
        var vouches = true
    }

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

extension SequentialTest {
    /// Probes, none of them answered, beside controls in the order of their sending.
    ///
    /// A request counts when its time is over, answered or not, so that quick answers do not count for more than
    /// losses. A probe counts when, besides, a control that vouches was sent with it or after it and was answered: a
    /// server that stopped answering altogether, or a limit of its rate, is not silence of the filter.
    ///
    /// - Parameters:
    ///   - probes: when each was sent.
    ///   - anticipating: counts what is still under way as well, as if it fared as what is over has: where even that does
    ///     not decide it, more has to be sent.
    init(
        probes: some Sequence<Duration>, controls: some Sequence<Control>, patience: Duration, at now: Duration,
        anticipating: Bool
    ) {
        self.init(answeredControls: 0, failedControls: 0, silentProbes: 0)
        var open = 0
        var unanswered = 0
        var vouchedAt: Duration?
        for control in controls {
            let isOver = control.sentAt + patience <= now
            let isTimely = control.answeredAfter.map { $0 <= patience } ?? false
            if !isOver {
                open += 1
                unanswered += control.answeredAfter == nil ? 1 : 0
            } else if isTimely {
                answeredControls += 1
            } else {
                failedControls += 1
            }
            if control.vouches, isOver ? isTimely : anticipating { vouchedAt = control.sentAt }
        }
        if anticipating {
            let over = answeredControls + failedControls
            let failing = over == 0 ? 0 : (unanswered * failedControls + over - 1) / over
            answeredControls += open - failing
            failedControls += failing
        }
        guard let vouchedAt else { return }
        silentProbes = probes.reduce(0) { $0 + ($1 <= vouchedAt && (anticipating || $1 + patience <= now) ? 1 : 0) }
    }
}
