import Engines
import NetTypes
import STUN

/// The clock of the attempts at relays: what is due, and the end of the run.
extension Session {
    mutating func advanceTURN(to now: Instant) {
        for run in turnRuns.indices where !turnRuns[run].isReported {
            if let suspicion = turnRuns[run].suspicion, suspicion.giveUpAt <= now {
                fail(run, suspicion.trouble, at: now)
                continue
            }
            advanceRace(of: run, to: now)
            turnRuns[run].allocation.handleTimeout(at: now)
            advanceTrial(of: run, to: now)
            settle(run, at: now)
        }
        advancePairs(to: now)
    }

    /// Ends all attempts: what was measured stays, and what the servers hold is deleted.
    mutating func concludeTURN(at now: Instant) {
        concludePairs(at: now)
        let open = turnRuns.indices.filter { !turnRuns[$0].isReported }
        for run in open {
            turnRuns[run].next = nil
            guard !turnRuns[run].waitsForQuota else { continue }
            if turnRuns[run].evidence.took == .zero { turnRuns[run].evidence.isCutShort = true }
            // What a server that has carried data did not answer in time was lost, as far as that shows.
            if turnRuns[run].purpose.isAttempt, turnRuns[run].evidence.trouble == nil {
                turnRuns[run].evidence.trouble = unfinished(run, at: now)
            }
        }
        // The end of one may be that of another, where they are a pair.
        for run in open where !turnRuns[run].isReported {
            if turnRuns[run].waitsForQuota {
                reportTURN(run, at: now)
                continue
            }
            stopData(run, at: now)
            if paths[turnRuns[run].path]?.state.isOpen != true { turnRuns[run].allocation.abandon() }
            settle(run, at: now)
        }
    }

    /// How long a request must have waited before its silence means something: the first retransmission timeout.
    private static var meaningfulWait: Duration { .milliseconds(500) }

    /// What an attempt waited for in vain when the run ended; nil where it had not waited long, or had no question open.
    private func unfinished(_ run: Int, at now: Instant) -> TURNEvidence.Trouble? {
        let stage = stage(of: run)
        let isUnderWay = stage == .connect || stage == .tls
        // What was never sent, since other requests had gone to the same address, was not waited for.
        let since = isUnderWay ? turnRuns[run].startedAt : turnRuns[run].allocation.waitingSince
        guard turnRuns[run].evidence.took == .zero, let since, now - since >= Self.meaningfulWait else { return nil }
        let pending = turnRuns[run].framer.pending
        if isUnderWay {
            // One of several handshakes has said already why none came to an end.
            let isTold = turnRuns[run].evidence.tls?.failures.isEmpty == false
            return TURNEvidence.Trouble(stage, isTold ? .notSecured : .noAnswer)
        }
        if turnRuns[run].allocation.discards[.unauthenticatedSuccess, default: 0] > 0 {
            return TURNEvidence.Trouble(stage, .notAuthenticated, detail: "none of them")
        }
        // An answer to what is over already may have come twice.
        if turnRuns[run].evidence.realm == nil, turnRuns[run].allocation.discards[.noTransaction, default: 0] > 0 {
            return TURNEvidence.Trouble(stage, .foreignAnswer)
        }
        if pending.have > 0 {
            let whole = pending.need.map { " of \($0)" } ?? ""
            return TURNEvidence.Trouble(stage, .truncated, detail: "\(pending.have)\(whole) bytes")
        }
        if stage == .allocate, turnRuns[run].allocation.discards[.malformed, default: 0] > 0 {
            return TURNEvidence.Trouble(stage, .malformed, detail: "it cannot be decoded")
        }
        // With a permission there, the relay's silence is judged by what came through it.
        return stage == .relay
            ? nil : TURNEvidence.Trouble(stage, .noAnswer, detail: "\(turnRuns[run].allocation.transmissions)")
    }

    /// Ends what the time for it did not suffice to end.
    mutating func abandonTURN(at now: Instant) {
        for run in turnRuns.indices where !turnRuns[run].isReported {
            turnRuns[run].allocation.abandon()
            settle(run, at: now)
        }
    }

    var isTURNOver: Bool { turnRuns.allSatisfy(\.isReported) && relayPairs.allSatisfy(\.isReported) }
}
