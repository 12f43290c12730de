import Engines
import Facts
import NetTypes
import Planning

/// A relay that is kept in use for minutes: see ``RelaySoak``.
struct RelaySoakState: Sendable {
    /// How often the allocation is refreshed: sooner than its lifetime needs, to find in minutes what breaks later.
    static let refreshInterval = Duration.seconds(20)

    var soak: RelaySoak
    /// When the allocation is refreshed next.
    var refreshAt: Instant

    var nextWake: Instant? { soak.nextWake.map { min($0, refreshAt) } }
}

extension RelayCheck {
    /// Goes on with a relay through which data has come.
    mutating func startSoak(_ plan: Plan, at now: Instant) {
        guard let length = plan.soak, let trial, trial.soak == nil, trial.proof.hasSucceeded,
            let roundTrip = evidence.allocation?.roundTrip
        else { return }
        self.trial?.soak = RelaySoakState(
            soak: RelaySoak(after: trial.proof, for: length, roundTrip: roundTrip, at: now),
            refreshAt: now + RelaySoakState.refreshInterval)
        relay.evidence.relay?.soak = TURNEvidence.Relay.Soak()
    }

    mutating func advanceSoak(to now: Instant) {
        guard trial?.soak != nil else { return }
        trial?.soak?.soak.handleTimeout(at: now)
        revive()
        guard let due = trial?.soak?.refreshAt, due <= now else { return }
        trial?.soak?.refreshAt = now + RelaySoakState.refreshInterval
        relay.client.refresh()
    }

    private mutating func revive() {
        guard let peer = evidence.relay?.peerAddress else { return }
        switch trial?.soak?.soak.takeRenewal() {
        case nil: break
        case .permission: relay.client.createPermission(for: [peer.address])
        case .channel: relay.client.bindChannel(to: peer)
        }
    }

    /// What was renewed while the soak was on.
    mutating func keepRenewal(_ event: TURNEvent) {
        switch event {
        case .challenged(let challenge) where challenge.code == 438: relay.evidence.relay?.soak?.nonces += 1
        case .refreshed: relay.evidence.relay?.soak?.refreshes += 1
        case .permitted(_, _, isRenewal: true): relay.evidence.relay?.soak?.permissions += 1
        case .channelBound(_, _, _, isRenewal: true): relay.evidence.relay?.soak?.channels += 1
        default: break
        }
    }

    mutating func keepSoak() {
        guard let soak = trial?.soak?.soak else { return }
        relay.evidence.relay?.soak?.tally = .init(soak.tally)
        relay.evidence.relay?.soak?.length = soak.length
        relay.evidence.relay?.soak?.stoppedAfter = soak.stoppedAfter
        relay.evidence.relay?.soak?.revivedBy = soak.revivedBy
        relay.evidence.relay?.soak?.channelLostAfter = soak.channelLostAfter
    }
}
