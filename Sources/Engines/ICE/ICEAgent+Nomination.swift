import NetTypes
import STUN

/// Which of the valid pairs is used (RFC 8445 s8), and when there is none to hope for.
extension ICEAgent {
    /// For how long a pair that could not be checked yet may hold up the nomination of another.
    private static var longestGrace: Duration { .seconds(2) }
    /// What a machine under load may add to a round trip.
    private static var slack: Duration { .milliseconds(10) }

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

    /// Nominates the best valid pair once those that would be better have had their chance. How long that is, the round
    /// trips of this path say: nothing waits for a fixed time.
    private mutating func considerNomination(at now: Instant) {
        guard nominating == nil,
            let best = pairs.filter(\.isValid).max(by: { $0.priority < $1.priority })
        else { return }
        var wake: Instant?
        // What is better may not be known yet.
        if best.isRelayed, !hasRemoteEnded || !isGatheringFinished, let firstValidAt,
            firstValidAt + Self.longestGrace > now
        {
            wake = firstValidAt + Self.longestGrace
        }
        for better in pairs where better.priority > best.priority && !better.isValid {
            guard let until = graceEnd(of: better, against: best), until > now else { continue }
            wake = max(wake ?? until, until)
        }
        if let wake {
            reconsiderAt = wake
            return
        }
        nominating = best.id
        triggered.removeAll { $0.pair == best.id }
        triggered.insert(ICETrigger(pair: best.id, nominates: true), at: 0)
        beginChecks(at: now)
    }

    /// Until when a better pair may still show that it works; nil where it has failed.
    ///
    /// A check may be lost, or come before the peer's has opened the way: a direct pair has two transmissions before a
    /// relayed one is taken in its place.
    private func graceEnd(of better: ICEPair, against best: ICEPair) -> Instant? {
        guard let firstValidAt else { return nil }
        let trip = (best.roundTrip ?? .milliseconds(100)) * 2 + Self.slack
        switch better.state {
        case .failed, .succeeded: return nil
        case .frozen, .waiting: return firstValidAt + Self.longestGrace
        case .inProgress:
            guard let last = links[better.id.number].lastSentAt else { return firstValidAt + Self.longestGrace }
            let needed = best.isRelayed && !better.isRelayed ? 2 : 1
            return better.transmissions >= needed ? last + trip : firstValidAt + Self.longestGrace
        }
    }

    /// Takes a pair as nominated, by either side.
    mutating func nominate(_ pair: ICEPair.ID, at now: Instant) {
        guard pairs[pair.number].isValid else { return }
        if nominating == pair { nominating = nil }
        if !pairs[pair.number].isNominated {
            pairs[pair.number].isNominated = true
            observe(.nominated(pair), at: now)
        }
        // Of several, as a peer that nominates aggressively gives them, the highest (RFC 5245 s8.1.1.2).
        guard
            let best = pairs.filter({ $0.isNominated && $0.isValid })
                .max(by: { validPriority($0) < validPriority($1) }),
            selection?.pair.id != best.id || selection?.credentials.local != localCredentials
        else { return }
        select(best, at: now)
    }

    /// Of a valid pair, with the local candidate that the peer sees: both sides then rank alike.
    private func validPriority(_ pair: ICEPair) -> UInt64 { priority(pair.validLocal ?? pair.local, pair.remote) }

    private mutating func select(_ pair: ICEPair, at now: Instant) {
        guard let remoteCredentials else { return }
        let link = links[pair.id.number]
        selection = ICESelection(
            pair: pair, remote: remotes[link.remote].endpoint,
            route: ICERoute(sender: link.sender, connection: link.connection),
            credentials: (localCredentials, remoteCredentials), at: now)
        scheduleConsent(at: now)
        if case .relay(let relay) = locals[link.sender].sender {
            relays[relay].client.bindChannel(to: remotes[link.remote].endpoint)
        }
        if !configuration.checksAllPairs { giveUpOthers(than: pair.id, at: now) }
        observe(.selected(pair.id), at: now)
        change(to: .connected, at: now)
    }

    /// What was not through is not checked any more (RFC 8445 s8.1.2); a check of the peer's takes it up again. Where
    /// another may still be nominated, a better one that is under way goes on (RFC 5245 s8.1.2).
    private mutating func giveUpOthers(than chosen: ICEPair.ID, at now: Instant) {
        let isFinal = role == .controlling
        for pair in pairs where pair.id != chosen && pair.state != .succeeded && pair.state != .failed {
            switch pair.state {
            case .inProgress where !isFinal:
                // The peer may have taken what was sent for a nomination: its answer counts.
                if pair.priority < pairs[chosen.number].priority { callOff(links[pair.id.number].check) }
            default: fail(pair.id, .superseded, at: now)
            }
        }
        triggered.removeAll { $0.pair != chosen && pairs[$0.pair.number].state != .inProgress }
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
            isGatheringFinished, hasRemoteEnded,
            triggered.isEmpty, pairs.allSatisfy({ $0.state == .failed })
        else { return nil }
        return (checksBeganAt ?? startedAt) + configuration.checkSchedule.total
    }
}
