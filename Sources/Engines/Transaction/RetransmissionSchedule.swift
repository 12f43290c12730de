/// When a request over UDP is sent again, and when it is given up (RFC 8489 s6.2.1).
package struct RetransmissionSchedule: Hashable, Sendable, Codable {
    /// RTO: the wait after the first transmission; each later wait is twice the one before, up to ``longestWait``.
    package var initialTimeout: Duration
    /// Rc: how many times a request is sent in all.
    package var maximumTransmissions: Int
    /// Rm: the wait after the last transmission, in RTOs.
    package var finalMultiplier: Int
    /// Nil where the waits double to the end.
    package var longestWait: Duration?

    package init(
        initialTimeout: Duration, maximumTransmissions: Int, finalMultiplier: Int, longestWait: Duration? = nil
    ) {
        precondition(initialTimeout > .zero && maximumTransmissions > 0, "a schedule sends at least once and waits")
        self.initialTimeout = initialTimeout
        self.maximumTransmissions = maximumTransmissions
        self.finalMultiplier = finalMultiplier
        self.longestWait = longestWait
    }

    /// 500 ms, Rc 7, Rm 16: sent at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s, failed at 39.5 s.
    package static let standard = RetransmissionSchedule(
        initialTimeout: .milliseconds(500), maximumTransmissions: 7, finalMultiplier: 16)

    /// 500 ms, Rc 12, Rm 3, no wait above 1 s: sent at 0, 0.5, 1.5, 2.5 ... 10.5 s, failed at 12 s. Of requests that must
    /// all be answered, as a relay's must, a fifth lost each way would fail one in 170 of the standard's five that fit
    /// into 10 s; of these it fails one in 75,000.
    package static let persistent = RetransmissionSchedule(
        initialTimeout: .milliseconds(500), maximumTransmissions: 12, finalMultiplier: 3, longestWait: .seconds(1))

    /// 100 ms, Rc 4, Rm 3: sent at 0, 0.1, 0.3 and 0.7 s, failed at 1 s, when a discovery gives a silent server up.
    package static let brisk = RetransmissionSchedule(
        initialTimeout: .milliseconds(100), maximumTransmissions: 4, finalMultiplier: 3)

    /// 50 ms, Rc 6, Rm 9: sent at 0, 0.05, 0.15, 0.35, 0.75 and 1.55 s, failed at 2 s. For a relay that a discovery needs:
    /// three exchanges in a row are to succeed where a fifth of all packets is lost.
    package static let eager = RetransmissionSchedule(
        initialTimeout: .milliseconds(50), maximumTransmissions: 6, finalMultiplier: 9)

    /// For a request to a host that answers otherwise within `roundTrip`: a try each half of that, 24 in all. Where a third
    /// of all packets is lost each way, they are lost together once in six million times.
    package static func hurried(roundTrip: Duration) -> RetransmissionSchedule {
        let pace = max(.milliseconds(20), roundTrip / 2)
        return RetransmissionSchedule(
            initialTimeout: pace, maximumTransmissions: 24, finalMultiplier: 6, longestWait: pace)
    }

    /// One transmission and a wait: for the later requests of a series, whose loss is what is measured.
    package static func once(waiting timeout: Duration) -> RetransmissionSchedule {
        RetransmissionSchedule(initialTimeout: timeout, maximumTransmissions: 1, finalMultiplier: 1)
    }

    /// How long to wait after transmission `attempt` (from 1).
    package func wait(after attempt: Int) -> Duration {
        guard attempt < maximumTransmissions else { return initialTimeout * finalMultiplier }
        let doubled = initialTimeout * (1 << (attempt - 1))
        return longestWait.map { max(initialTimeout, min(doubled, $0)) } ?? doubled
    }
}
