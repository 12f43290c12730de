/// A point on a monotonic clock, in nanoseconds from an origin that only its driver knows.
///
/// Engines are given instants and compare them; a virtual clock and a real one look the same to them.
package struct Instant: InstantProtocol, Hashable, Sendable, Codable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The origin of a virtual clock.
    package static let zero = Instant(nanoseconds: 0)

    package func advanced(by duration: Duration) -> Instant {
        Instant(nanoseconds: nanoseconds + duration.nanoseconds)
    }

    package func duration(to other: Instant) -> Duration {
        .nanoseconds(other.nanoseconds - nanoseconds)
    }

    package static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    package static func - (left: Instant, right: Instant) -> Duration { right.duration(to: left) }
    package static func + (left: Instant, right: Duration) -> Instant { left.advanced(by: right) }
}

extension Duration {
    /// The whole duration in nanoseconds, held to what 64 bits can say (292 years).
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min / 2 : .max / 2 }
        return product + attoseconds / 1_000_000_000
    }

    /// The duration in milliseconds, as reports give times.
    package var milliseconds: Double { Double(nanoseconds) / 1e6 }
    /// The duration in seconds, as lifetimes are given.
    package var inSeconds: Double { Double(nanoseconds) / 1e9 }
}
