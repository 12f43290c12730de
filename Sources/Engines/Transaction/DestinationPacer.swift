package import NetTypes

/// Holds what is sent to one destination to a burst and then a rate, whatever the plan says: icecheck cannot be
/// turned on others (product.md, promise 7).
///
/// A token bucket for each destination address: RFC 8445 s14.2 asks for 50 ms between checks of one agent; here the
/// whole of a run to one address is a burst of at most 40 datagrams and then one each 20 ms.
package struct DestinationPacer: Sendable {
    package let burst: Int
    package let interval: Duration

    /// For each destination, when its bucket would be full again.
    private var fullAt: [IPAddress: Instant] = [:]

    package init(burst: Int = 40, interval: Duration = .milliseconds(20)) {
        precondition(burst > 0 && interval > .zero, "a pacer lets something through")
        self.burst = burst
        self.interval = interval
    }

    /// The most datagrams that one destination gets within `duration`.
    package func most(within duration: Duration) -> Int {
        burst + Int(duration.nanoseconds / max(1, interval.nanoseconds))
    }

    /// The first instant, not before `now`, at which a datagram to `destination` may be sent.
    package func earliest(to destination: IPAddress, from now: Instant) -> Instant {
        guard let full = fullAt[destination] else { return now }
        return max(now, full.advanced(by: .zero - interval * (burst - 1)))
    }

    /// Books a datagram.
    package mutating func book(to destination: IPAddress, at now: Instant) {
        fullAt[destination] = max(now, fullAt[destination] ?? now) + interval
    }
}
