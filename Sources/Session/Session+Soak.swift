import Engines
import Facts
import NetTypes
import Planning

/// A relay that is kept in use for minutes: see ``RelaySoak``.
struct RelaySoakState: Sendable {
    var soak: RelaySoak
    /// When the allocation is refreshed next.
    var refreshAt: Instant
}

extension Session {
    /// How often the allocation is refreshed: sooner than its lifetime needs, to find in minutes what breaks later.
    private static var refreshInterval: Duration { .seconds(20) }

    /// Goes on with a relay through which data has come.
    mutating func startSoak(_ run: Int, at now: Instant) {
        guard let length = plan.soak, let trial = turnRuns[run].trial, trial.soak == nil, trial.proof.hasSucceeded,
            let roundTrip = turnRuns[run].evidence.allocation?.roundTrip
        else { return }
        turnRuns[run].trial?.soak = RelaySoakState(
            soak: RelaySoak(after: trial.proof, for: length, roundTrip: roundTrip, at: now),
            refreshAt: now + Self.refreshInterval)
        turnRuns[run].evidence.relay?.soak = TURNEvidence.Relay.Soak()
    }

    mutating func nextSoakOutput(_ run: Int, on path: PathID, to relayed: Endpoint, at now: Instant) -> Output? {
        guard let bytes = turnRuns[run].trial?.soak?.soak.next(at: now) else { return nil }
        return .transmit(Transmit(path: path, destination: relayed, bytes: bytes))
    }

    mutating func advanceSoak(of run: Int, to now: Instant) {
        turnRuns[run].trial?.soak?.soak.handleTimeout(at: now)
        revive(run)
        guard let due = turnRuns[run].trial?.soak?.refreshAt, due <= now else { return }
        turnRuns[run].trial?.soak?.refreshAt = now + Self.refreshInterval
        turnRuns[run].client.refresh()
    }

    private mutating func revive(_ run: Int) {
        guard let peer = turnRuns[run].evidence.relay?.peerAddress else { return }
        switch turnRuns[run].trial?.soak?.soak.takeRenewal() {
        case nil: break
        case .permission: turnRuns[run].client.createPermission(for: [peer.address])
        case .channel: turnRuns[run].client.bindChannel(to: peer)
        }
    }

    func nextSoakWake(of run: Int) -> Instant? {
        guard let state = turnRuns[run].trial?.soak, let wake = state.soak.nextWake else { return nil }
        return min(wake, state.refreshAt)
    }

    /// What was renewed while the soak was on.
    mutating func keepRenewal(_ event: TURNEvent, of run: Int) {
        switch event {
        case .challenged(let challenge) where challenge.code == 438:
            turnRuns[run].evidence.relay?.soak?.nonces += 1
        case .refreshed: turnRuns[run].evidence.relay?.soak?.refreshes += 1
        case .permitted(_, _, isRenewal: true): turnRuns[run].evidence.relay?.soak?.permissions += 1
        case .channelBound(_, _, _, isRenewal: true): turnRuns[run].evidence.relay?.soak?.channels += 1
        default: break
        }
    }

    mutating func keepSoak(of run: Int) {
        guard let soak = turnRuns[run].trial?.soak?.soak else { return }
        turnRuns[run].evidence.relay?.soak?.tally = .init(soak.tally)
        turnRuns[run].evidence.relay?.soak?.length = soak.length
        turnRuns[run].evidence.relay?.soak?.stoppedAfter = soak.stoppedAfter
        turnRuns[run].evidence.relay?.soak?.revivedBy = soak.revivedBy
        turnRuns[run].evidence.relay?.soak?.channelLostAfter = soak.channelLostAfter
    }
}
