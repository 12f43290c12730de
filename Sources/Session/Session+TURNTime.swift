import Engines
import NetTypes

/// The clock of the attempts at relays: what is due, and the end of the run.
extension Session {
    /// How long after the deadline the run may go on, to delete its allocations.
    package static var cleanupLimit: Duration { .milliseconds(400) }
    /// The same after a signal.
    package static var cleanupLimitAfterSignal: Duration { .milliseconds(1400) }

    mutating func advanceTURN(to now: Instant) {
        for run in turnRuns.indices where !turnRuns[run].isReported {
            turnRuns[run].client.handle(.timeout, at: now, paths: &desk.pathNumbers, visited: &desk.visitedRelays)
            settle(run, at: now)
            guard !turnRuns[run].isReported else { continue }
            advanceTrial(of: run, to: now)
            settle(run, at: now)
        }
        advancePairs(to: now)
        let due = turnRuns.indices.filter { nextCut(of: $0).map { $0 <= now } == true }
        if !due.isEmpty { cutShort(due, at: now) }
    }

    /// Ends all attempts: what was measured stays, and what the servers hold is deleted.
    mutating func concludeTURN(at now: Instant) {
        concludePairs(at: now)
        let open = turnRuns.indices.filter { !turnRuns[$0].isReported }
        cutShort(open.filter { !turnRuns[$0].waitsForQuota }, at: now)
        for run in open where !turnRuns[run].isReported && turnRuns[run].waitsForQuota { reportTURN(run, at: now) }
    }

    private mutating func cutShort(_ runs: [Int], at now: Instant) {
        for run in runs where turnRuns[run].evidence.took == .zero {
            turnRuns[run].evidence.isCutShort = true
            // What a server that has carried data did not answer in time was lost, as far as that shows.
            guard turnRuns[run].purpose.isAttempt, turnRuns[run].evidence.trouble == nil else { continue }
            turnRuns[run].evidence.trouble = turnRuns[run].client.unfinished(at: now).map(TURNEvidence.Trouble.init)
        }
        // The end of one may be that of another, where they are a pair.
        for run in runs where !turnRuns[run].isReported {
            stopData(run, at: now)
            settle(run, at: now)
        }
    }

    /// When an attempt is cut short for its deletion, where the time after the deadline does not suffice for that: two
    /// of its round trips, since one may be lost. A server that is slower is not waited for.
    func nextCut(of run: Int) -> Instant? {
        guard !isConcluded, turnRuns[run].evidence.took == .zero, !turnRuns[run].isReported,
            turnRuns[run].purpose.isProof, turnRuns[run].client.mayHoldAllocation,
            let needed = turnRuns[run].client.roundTrip.map({ $0 * 2 + .milliseconds(20) }),
            needed > Self.cleanupLimit, needed <= Self.cleanupLimitAfterSignal
        else { return nil }
        return deadline.advanced(by: Self.cleanupLimit - needed)
    }

    /// Ends what the time for it did not suffice to end.
    mutating func giveUpTURN(at now: Instant) {
        for run in turnRuns.indices where !turnRuns[run].isReported {
            turnRuns[run].client.giveUp(at: now)
            settle(run, at: now)
        }
    }

    var isTURNOver: Bool { turnRuns.allSatisfy(\.isReported) && relayPairs.allSatisfy(\.isReported) }
}
