import Engines
import Facts
import NetTypes
import Planning
import STUN
import Signaling

/// What this side tells the peer.
extension Connection {
    /// What says over icecheck's own live channel that this side leaves.
    static var farewell: String { "icecheck1-end" }

    /// Sends this side's description when it is time: at once where candidates may follow, else when all are there.
    mutating func advanceSignaling(at now: Instant) {
        guard phase == .signaling, !hasDescribed, let agent else { return }
        if case .sdp(answers: true) = configuration.form, peerOffer == nil { return }
        trickles = mayTrickle
        guard trickles || agent.isGatheringFinished && (descriptionWake ?? now) <= now else { return }
        hasDescribed = true
        let ice = description(agent)
        switch configuration.form {
        case .line: send(SignalingLine.text(ice))
        case .sdp: send(sdp(ice))
        }
        seen.times.described = now - startedAt
        tell(.described, at: now)
        connectIfDescribed(at: now)
    }

    /// How long a line that says everything waits for what is to be learned of the NATs, once all else is there.
    private static var patience: Duration { .seconds(2) }

    /// Until when such a line waits; nil where it does not.
    var descriptionWake: Instant? {
        guard configuration.form == .line, !hasDescribed, !trickles, !hasLearned, let gathered = seen.times.gathered
        else { return nil }
        return startedAt + gathered + Self.patience
    }

    /// Takes what was found out about the NATs before this side; the peer is told in its line, or in another one where
    /// that is out and the channel is live.
    mutating func learn(_ nat: [IPAddress.Family: NATTraits], at now: Instant) {
        hasLearned = true
        seen.localNAT = nat
        if hasDescribed, trickles, configuration.form == .line, phase != .closed, !nat.isEmpty, let agent {
            send(SignalingLine.text(description(agent)))
        }
        advanceSignaling(at: now)
    }

    /// An offerer does not know whether the peer takes what follows, and so tells all at once (half trickle, RFC 8838
    /// s16).
    private var mayTrickle: Bool {
        guard configuration.isLive else { return false }
        return configuration.form == .line || peerOffer?.ice.trickles == true
    }

    private func description(_ agent: ICEAgent<RandomSource>) -> ICEDescription {
        var ice = ICEDescription(
            credentials: agent.localCredentials, candidates: agent.localCandidates,
            pacing: agent.configuration.pacing, trickles: configuration.usesSDP || trickles,
            isComplete: agent.isGatheringFinished)
        if configuration.usesSDP {
            if let ownFingerprint {
                ice.fingerprints = [CertificateFingerprint(bytes: ownFingerprint)]
                ice.setup = .actpass
            }
        } else {
            ice.tieBreaker = agent.tieBreaker
            ice.nat = seen.localNAT
        }
        return ice
    }

    private mutating func sdp(_ ice: ICEDescription) -> String {
        let sessionID: UInt64 = random.next() >> 1
        let made: SessionDescription
        if let peerOffer {
            made = peerOffer.answer(ice, sessionID: sessionID)
        } else {
            made = SessionDescription(offering: ice, sessionID: sessionID)
        }
        ownDescription = made
        return made.json(peerOffer == nil ? .offer : .answer)
    }

    mutating func trickle(_ candidate: Candidate, at now: Instant) {
        guard hasDescribed, trickles else { return }
        send(trickled: candidate)
    }

    mutating func finishTrickling(at now: Instant) {
        if hasDescribed, trickles { send(trickled: nil) }
    }

    private mutating func send(trickled candidate: Candidate?) {
        guard let own = ownDescription else { return send(candidate?.sdp ?? "a=end-of-candidates") }
        let line = TrickledCandidate(
            candidate, mid: own.mid, section: own.section, usernameFragment: own.ice.credentials.usernameFragment)
        send(line.json)
    }

    mutating func send(_ line: String) { outputs.append(.write(Session.channel, Array(line.utf8) + [0x0A])) }

    /// Both descriptions are exchanged: checks are under way, or begin.
    mutating func connectIfDescribed(at now: Instant) {
        if hasDescribed, hasPeer, phase == .signaling { enter(.checking, at: now) }
    }
}
