import NetTypes
import STUN

/// Which of the valid pairs is used (RFC 8445 s8), and when there is none to hope for.
extension ICEAgent {
    /// Looks at what the check list has come to.
    mutating func settle(at now: Instant) {
        guard !isClosed else { return }
        reconsiderAt = nil
        if role == .controlling, selection?.credentials.local != localCredentials {
            considerNomination(at: now)
        }
        considerFailure(at: now)
    }

    // MARK: Nomination

    private mutating func considerNomination(at now: Instant) {
        switch checkList.choose(isComplete: hasRemoteEnded && isGatheringFinished, at: now) {
        case .none: break
        case .wait(let until): reconsiderAt = until
        case .nominate: beginChecks(at: now)
        }
    }

    /// Takes a pair as nominated, by either side.
    mutating func nominate(_ pair: ICEPair.ID, at now: Instant) {
        guard checkList[pair].isValid else { return }
        if checkList.nominated(pair) { observe(.nominated(pair), at: now) }
        guard let best = checkList.bestNominated,
            selection?.pair.id != best.id || selection?.credentials.local != localCredentials
        else { return }
        select(best, at: now)
    }

    private mutating func select(_ pair: ICEPair, at now: Instant) {
        guard let remoteCredentials else { return }
        let remote = destination(of: pair.id)
        selection = ICESelection(
            pair: pair, remote: remote, route: route(of: pair.id), credentials: (localCredentials, remoteCredentials),
            at: now)
        scheduleConsent(at: now)
        if case .relay(let relay) = sender(of: pair.id).sender { relays[relay].client.bindChannel(to: remote) }
        if !configuration.checksAllPairs { giveUpOthers(than: pair.id, at: now) }
        observe(.selected(pair.id), at: now)
        change(to: .connected, at: now)
    }

    private mutating func giveUpOthers(than chosen: ICEPair.ID, at now: Instant) {
        let others = checkList.giveUpOthers(than: chosen)
        for pair in others.calledOff { callOff(links[pair.number].check) }
        for pair in others.failed { ended(pair, .superseded, at: now) }
    }

    // MARK: Failure

    /// RFC 8863: that all checks have failed is no failure before the peer has had its time to try.
    private mutating func considerFailure(at now: Instant) {
        guard !hasFailed, let failureWake, failureWake <= now else { return }
        hasFailed = true
        change(to: .failed, at: now)
    }

    var failureWake: Instant? {
        guard !hasFailed, !isClosed, selection == nil, remoteCredentials != nil, !isLookingUp,
            isGatheringFinished, hasRemoteEnded, checkList.isExhausted
        else { return nil }
        return (checksBeganAt ?? startedAt) + configuration.checkSchedule.total
    }
}
