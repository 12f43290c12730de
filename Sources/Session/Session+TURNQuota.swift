import Facts
import NetTypes

/// The quota of a user (486) that the session's own allocations fill is waited for; one that others fill is not.
extension Session {
    /// How long a deleted allocation may still count: coturn clears up once a second.
    private static var quotaLag: Duration { .milliseconds(1200) }

    /// The server has refused an allocation for the quota: it is asked again once the session's own are gone, where
    /// there are any.
    mutating func waitForQuota(_ run: Int, at now: Instant) {
        guard !isSecondNATRelay(run) else { return }
        let isFull = holdsAllocations(besides: run)
        let clearedAt = releasedAt[turnRuns[run].evidence.server].map { $0 + Self.quotaLag }
        guard isFull || clearedAt ?? now > now else { return }
        turnRuns[run].waitsForQuota = true
        turnRuns[run].quotaRetryAt = isFull ? nil : clearedAt
    }

    /// Whether what an attempt waited for is gone.
    mutating func hasRoom(for run: Int, at now: Instant) -> Bool {
        guard !holdsAllocations(besides: run) else {
            turnRuns[run].quotaRetryAt = nil
            return false
        }
        return turnRuns[run].quotaRetryAt ?? now <= now
    }

    /// Whether the session itself holds other allocations on the same server, which count for the same user's quota.
    ///
    /// Ends of pairs do not wait for each other: each might have what the other waits for.
    private func holdsAllocations(besides run: Int) -> Bool {
        let isPairEnd = turnRuns[run].purpose.pair != nil
        return turnRuns.indices.contains {
            $0 != run && !turnRuns[$0].isReported && !turnRuns[$0].waitsForQuota
                && turnRuns[$0].evidence.server == turnRuns[run].evidence.server
                && !(isPairEnd && turnRuns[$0].purpose.pair != nil)
        }
    }
}
