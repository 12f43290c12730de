/// How long an allocation lives, as the server says it, and what the client's timers make of it (T03).
package struct TURNLifetime: Hashable, Sendable {
    /// RFC 8656 s7.2, where a server says none.
    package static let standard: UInt32 = 600
    /// What timers are held to, seconds: no flood of refreshes, and none that is a year away.
    package static let bounds: ClosedRange<UInt32> = 10...86_400

    /// LIFETIME as it came, seconds; nil where it is missing or malformed.
    package let granted: UInt32?

    /// What the timers use.
    package var used: Duration {
        .seconds(Int64(min(max(granted ?? Self.standard, Self.bounds.lowerBound), Self.bounds.upperBound)))
    }

    /// When to refresh, from when it was granted: a minute before the end (RFC 8656 s8), halfway where it is short.
    package var refreshAfter: Duration { used > .seconds(120) ? used - .seconds(60) : used / 2 }
}
