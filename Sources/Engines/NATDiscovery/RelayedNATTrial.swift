import NetTypes

/// A question to the filter: does what `sender` sends get in to a socket that has sent to `base` alone?
struct RelayedNATTrial: Hashable, Sendable {
    var base: NATObserver
    /// A relay, by its place.
    var sender: Int
    var isOtherAddress: Bool

    var socket: RelayedNATSocket { .filtering(base) }
}

extension RelayedNATEvidence {
    /// A trial of two, where it is one: nil for a sender that is the base itself, or stands elsewhere altogether.
    func trial(_ base: NATObserver, _ sender: Int) -> RelayedNATTrial? {
        guard base != .relay(sender), let asked = endpoint(of: base), let from = relays[sender].relayedAddress,
            asked != from
        else { return nil }
        return RelayedNATTrial(base: base, sender: sender, isOtherAddress: asked.address != from.address)
    }

    /// Those that something was sent for.
    var trials: [RelayedNATTrial] {
        var seen: [RelayedNATTrial] = []
        for exchange in exchanges {
            guard case .filtering(let base) = exchange.socket, let sender = exchange.way.sender,
                let trial = trial(base, sender), !seen.contains(trial)
            else { continue }
            seen.append(trial)
        }
        return seen
    }

    func probes(of trial: RelayedNATTrial) -> [RelayedNATExchange] {
        exchanges.filter { $0.socket == trial.socket && $0.way.sender == trial.sender }
    }

    func hasArrived(_ trial: RelayedNATTrial) -> Bool {
        straySource(of: trial.sender) == nil && probes(of: trial).contains { $0.outcome != nil }
    }

    /// What its base has shown of the trial's socket since: that it is still there under the same mapped address, and
    /// takes what may come. A relay shows it by getting in, a server by its answer.
    func baseChecks(of trial: RelayedNATTrial) -> [RelayedNATExchange] {
        exchanges.filter { exchange in
            guard exchange.socket == trial.socket else { return false }
            return switch trial.base {
            case .server: exchange.way.observer == trial.base
            case .relay(let relay): exchange.way.sender == relay
            }
        }
    }

    /// What the sender sends to the mapping socket, which has sent to it: it must get in, so it shows what is lost.
    func controls(of trial: RelayedNATTrial) -> [RelayedNATExchange] {
        exchanges.filter { $0.socket == .mapping && $0.way.sender == trial.sender }
    }

    /// The silence of a trial as the sequential test sees it at `now`.
    ///
    /// A probe counts when its time is over and, besides, what was sent with it or after it came: from the same relay to
    /// the mapping socket, and by the base to the same socket. So neither a relay that stopped sending nor a mapping
    /// that is gone is silence of the filter.
    ///
    /// - Parameter anticipating: counts what is still under way as well, as if it fared as what is over has.
    func test(_ trial: RelayedNATTrial, at now: Duration, anticipating: Bool = false) -> SequentialTest {
        let basePatience = patience(trial.base)
        let checks = baseChecks(of: trial)
        var checkedAt = checks.last { $0.outcome.map { $0.after <= basePatience } ?? false }?.sentAt
        if anticipating { checkedAt = checks.last { $0.sentAt + basePatience > now }?.sentAt ?? checkedAt }
        let probes = probes(of: trial).map(\.sentAt).filter { probe in checkedAt.map { probe <= $0 } ?? false }
        let controls = controls(of: trial)
            .map { SequentialTest.Control(sentAt: $0.sentAt, answeredAfter: $0.outcome?.after) }
        return SequentialTest(
            probes: probes, controls: controls, patience: patience(.relay(trial.sender)), at: now,
            anticipating: anticipating)
    }
}
