package import NetTypes

/// Finds out whether UDP's silence at a server is more than loss, where TCP to the same address is answered.
///
/// The request over UDP is the probe, requests over the TCP connection are the controls (``SequentialTest``): both go
/// the same way at the same time, in rounds of one each, at a pace and with a patience that follow the round trip. TCP
/// repeats by itself what is lost, but not within that patience, so a lost control shows as one that came too late.
/// Without loss that takes seven rounds: 24 ms where the round trip is below 5 ms, 3.4 round trips on a long path.
package struct SilenceTest: Hashable, Sendable {
    private var nextRoundAt: Instant
    private let startedAt: Instant
    private var lookedAt: Instant
    private let pace: Duration
    private let patience: Duration
    private var controls: [Control] = []

    private struct Control: Hashable, Sendable {
        var sentAt: Instant
        var answeredAfter: Duration?
    }

    /// A path that shows no end after so many shows none.
    package static let mostRounds = 30

    /// - Parameter roundTrip: of a request over the connection.
    package init(roundTrip: Duration, from start: Instant) {
        startedAt = start
        lookedAt = start
        nextRoundAt = start
        pace = SequentialTest.pace(roundTrip: roundTrip)
        patience = SequentialTest.patience(roundTrip: roundTrip)
    }

    /// When the next round is due; nil where no more help, or while the connection stands still until what was lost is
    /// sent again: more would only wait behind it.
    package var nextRound: Instant? {
        let isStalled = controls.contains { $0.answeredAfter == nil && $0.sentAt + patience <= lookedAt }
        return isStalled || controls.count >= Self.mostRounds ? nil : nextRoundAt
    }

    /// Books the control of a round; gives its place.
    package mutating func controlSent(at now: Instant) -> Int {
        controls.append(Control(sentAt: now))
        nextRoundAt = now + pace
        return controls.count - 1
    }

    /// Takes the answer to a control; a second one changes nothing.
    package mutating func controlAnswered(_ place: Int, at now: Instant) {
        if controls[place].answeredAfter == nil { controls[place].answeredAfter = now - controls[place].sentAt }
    }

    /// What the rounds show by now.
    ///
    /// - Parameter probes: when the request went out over UDP, each time.
    package mutating func look(at probes: [Instant], at now: Instant) -> SequentialTest {
        lookedAt = now
        let over = controls.filter { $0.sentAt + patience <= now }
        let answered = over.filter { $0.answeredAfter.map { $0 <= patience } ?? false }
        // A probe counts in the round of a control that was answered, or before it: a path that died is no filter.
        let silent = answered.last.map { last in
            probes.count { $0 >= startedAt && $0 < last.sentAt + pace && $0 + patience <= now }
        }
        return SequentialTest(
            answeredControls: answered.count, failedControls: over.count - answered.count, silentProbes: silent ?? 0)
    }

    /// When another round, or the end of a wait, may decide it; nil where nothing will.
    package var nextWake: Instant? {
        let end = controls.lazy.map { $0.sentAt + patience }.first { $0 > lookedAt }
        return [nextRound, end].compactMap { $0 }.min()
    }
}
