import Facts
import NetTypes
import Planning

/// Which allocations a run holds on each server: a quota of the user (486) that they fill is waited for, one that others
/// fill is not.
struct RelayQuota: Sendable {
    /// How long a deleted allocation may still count: coturn clears up once a second.
    private static let lag = Duration.milliseconds(1200)

    private struct Holder {
        let server: Observation.ServerIndex
        let isPairEnd: Bool
        var waits = false
    }

    /// By the number of the attempt.
    private var holders: [Int: Holder] = [:]
    /// When the last allocation on a server was given back.
    private var releasedAt: [Observation.ServerIndex: Instant] = [:]

    mutating func hold(_ attempt: Int, on server: Observation.ServerIndex, isPairEnd: Bool) {
        holders[attempt] = Holder(server: server, isPairEnd: isPairEnd)
    }

    /// An attempt waits for room, and takes none itself.
    mutating func wait(_ attempt: Int, _ waits: Bool) { holders[attempt]?.waits = waits }

    /// An attempt is over.
    ///
    /// - Parameter hadAllocation: whether it held one until `now`.
    mutating func release(_ attempt: Int, hadAllocation: Bool, at now: Instant) {
        guard let holder = holders.removeValue(forKey: attempt), hadAllocation else { return }
        releasedAt[holder.server] = now
    }

    /// Whether the run itself holds other allocations on the server of an attempt.
    ///
    /// Ends of pairs do not wait for each other: each might have what the other waits for.
    func isFull(for attempt: Int) -> Bool {
        guard let own = holders[attempt] else { return false }
        return holders.contains { number, other in
            number != attempt && !other.waits && other.server == own.server && !(own.isPairEnd && other.isPairEnd)
        }
    }

    /// When the server has forgotten what the run has given back; nil where that was nothing.
    func clearedAt(for attempt: Int) -> Instant? {
        holders[attempt].flatMap { releasedAt[$0.server] }.map { $0 + Self.lag }
    }
}
