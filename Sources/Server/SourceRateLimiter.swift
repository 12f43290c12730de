package import NetTypes

/// Holds each source of requests to a rate, so that a server cannot be aimed at whoever a datagram claims to be from.
///
/// A token bucket for each source, kept as the one instant at which it is full again (the generic cell rate
/// algorithm). An IPv6 source counts by its /64, which one host has to itself. The table is bounded: sources that do
/// not fit share one bucket.
package struct SourceRateLimiter: Sendable {
    package struct Limits: Hashable, Sendable {
        /// Answers a second that a source gets in the long run.
        package var perSecond: Int
        /// Answers that it gets at once after a silence.
        package var burst: Int
        /// Sources that are told apart at a time.
        package var sources: Int

        /// What one client's tests need (icecheck sends a burst of 40, then 50 a second), for a few clients behind one
        /// address.
        package init(perSecond: Int = 200, burst: Int = 400, sources: Int = 4096) {
            self.perSecond = perSecond
            self.burst = burst
            self.sources = sources
        }
    }

    private let sources: Int
    /// The time that one answer costs.
    private let interval: Duration
    /// How far ahead of now a bucket may be paid for.
    private let tolerance: Duration
    private var paidUntil: [IPAddress: Instant] = [:]
    private var sharedPaidUntil: Instant?
    private var nextSweep: Instant?

    package init(_ limits: Limits) {
        sources = max(1, limits.sources)
        interval = .nanoseconds(1_000_000_000 / Int64(max(1, limits.perSecond)))
        tolerance = interval * (max(1, limits.burst) - 1)
    }

    /// Sources that have a bucket of their own at present.
    package var trackedSources: Int { paidUntil.count }

    /// Takes one token of the source's bucket; false where it is empty.
    package mutating func admits(_ source: IPAddress, at now: Instant) -> Bool {
        let key = Self.key(of: source)
        if let paid = paidUntil[key] {
            guard let next = spend(paid, at: now) else { return false }
            paidUntil[key] = next
            return true
        }
        if paidUntil.count >= sources { forgetFullBuckets(at: now) }
        if paidUntil.count < sources {
            paidUntil[key] = now + interval
            return true
        }
        guard let next = spend(sharedPaidUntil ?? now, at: now) else { return false }
        sharedPaidUntil = next
        return true
    }

    private func spend(_ paid: Instant, at now: Instant) -> Instant? {
        let start = max(paid, now)
        return start - now <= tolerance ? start + interval : nil
    }

    /// A full bucket says no more than no bucket. The sweep comes no oftener than a bucket takes to fill, so that a
    /// flood of forged sources does not buy a walk through the table with each datagram.
    private mutating func forgetFullBuckets(at now: Instant) {
        if let nextSweep, now < nextSweep { return }
        nextSweep = now + tolerance + interval
        paidUntil = paidUntil.filter { $0.value > now }
    }

    private static func key(of source: IPAddress) -> IPAddress {
        let plain = source.canonical
        return plain.family == .ipv4 ? plain : IPAddress(v6: (plain.value >> 64) << 64)
    }
}
