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
        let patience = patience(.relay(trial.sender))
        let basePatience = self.patience(trial.base)
        let isOver = { (exchange: RelayedNATExchange) in exchange.sentAt + patience <= now }
        let isTimely = { (exchange: RelayedNATExchange) in exchange.outcome.map { $0.after <= patience } ?? false }
        let controls = controls(of: trial)
        let over = controls.filter(isOver)
        var test = SequentialTest(answeredControls: over.count(where: isTimely), failedControls: 0, silentProbes: 0)
        test.failedControls = over.count - test.answeredControls
        var lastControl = over.last(where: isTimely)?.sentAt
        let checks = baseChecks(of: trial)
        var lastCheck = checks.last { $0.outcome.map { $0.after <= basePatience } ?? false }?.sentAt
        if anticipating {
            let open = controls.filter { !isOver($0) }
            let losses = open.count { $0.outcome == nil } * test.failedControls
            let failing = over.isEmpty ? 0 : (losses + over.count - 1) / over.count
            test.answeredControls += open.count - failing
            test.failedControls += failing
            lastControl = open.last?.sentAt ?? lastControl
            lastCheck = checks.last { $0.sentAt + basePatience > now }?.sentAt ?? lastCheck
        }
        guard let lastControl, let lastCheck else { return test }
        let vouchedFor = min(lastControl, lastCheck)
        test.silentProbes = probes(of: trial).count { $0.sentAt <= vouchedFor && (isOver($0) || anticipating) }
        return test
    }
}
