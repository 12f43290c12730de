import CSystem
package import NetTypes

/// The clock of every interval (CLOCK_MONOTONIC): setting the time of day does not move it.
package enum MonotonicClock {
    package static var now: Instant { Instant(nanoseconds: csys_monotonic_nanoseconds()) }

    /// A kernel stamp of the time of day as an instant of this clock, or nil where the stamp cannot be right: it is
    /// later than now, or over ten seconds old (the time of day was set in between).
    static func instant(ofRealtime stamp: Int64) -> Instant? {
        guard stamp > 0 else { return nil }
        // This clock first: what passes between the two readings then makes the stamp older, never later than now.
        let now = now
        let age = csys_realtime_nanoseconds() - stamp
        guard age >= 0, age <= 10_000_000_000 else { return nil }
        return now.advanced(by: .nanoseconds(-age))
    }
}
