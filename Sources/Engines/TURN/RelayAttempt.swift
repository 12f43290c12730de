import NetTypes
import STUN

/// One try of a ``RelayClient`` at one server from one port. Trying again is a new value, so that nothing of this one
/// outlives it.
struct RelayAttempt: Sendable {
    enum State: Hashable, Sendable {
        case opening
        /// TLS or DTLS: the path is there, its handshake is not complete.
        case securing
        case open
        /// The handshake has failed.
        case unsecured
    }

    let server: Endpoint
    let security: SecureClientConfiguration?
    let startedAt: Instant
    var allocation: TURNAllocation
    var path: PathID
    var state = State.opening
    /// Those that are there: its own, its rivals', and one for a handshake without SNI; this side's endpoint of each
    /// that is bound.
    var paths: [PathID: Endpoint?]
    var race = HandshakeRace()
    var nameless: PathID?
    var hasComparedNames = false
    /// As it was told.
    var local: Endpoint?
    /// Whether a handshake has said already why it failed.
    var hasRefusal = false
    var framer = StreamFramer()
    var firstBytes: [UInt8] = []
    var isChallenged = false
    var isPermitted = false
    /// The first ICMP error of the path, and when an answer must have come to outweigh it.
    var suspicion: (error: PathError, giveUpAt: Instant)?
    /// When the last that came on its path had arrived.
    var arrivedAt: Instant?

    var isAllocated: Bool { allocation.allocated?.relayedAddresses.isEmpty == false }

    var stage: RelayStage {
        switch state {
        case .securing, .unsecured: return .tls
        case .opening: return .connect
        case .open: break
        }
        guard isAllocated else { return .allocate }
        return isPermitted ? .relay : .permission
    }
}

extension RelayAttempt {
    /// How long a request must have waited before its silence means something: the first retransmission timeout.
    private static var meaningfulWait: Duration { .milliseconds(500) }

    /// What it waited for in vain by `now`; nil where it had not waited long, or had no question open.
    func unfinished(at now: Instant) -> RelayFailure? {
        let stage = stage
        let isUnderWay = stage == .connect || stage == .tls
        // What was never sent, since other requests had gone to the same address, was not waited for.
        let since = isUnderWay ? startedAt : allocation.waitingSince
        guard let since, now - since >= Self.meaningfulWait else { return nil }
        // One of several handshakes may have said already why none came to an end.
        if isUnderWay {
            return RelayFailure(stage: stage, cause: hasRefusal ? .notSecured : .noAnswer(transmissions: nil))
        }
        return silence(stage).map { RelayFailure(stage: stage, cause: $0) }
    }

    private func silence(_ stage: RelayStage) -> RelayFailure.Cause? {
        let discards = allocation.discards
        if discards[.unauthenticatedSuccess, default: 0] > 0 { return .notAuthenticated }
        // An answer to what is over already may have come twice.
        if !isChallenged, discards[.noTransaction, default: 0] > 0 { return .foreignAnswer }
        let pending = framer.pending
        if pending.have > 0 { return .truncated(have: pending.have, need: pending.need) }
        if stage == .allocate, discards[.malformed, default: 0] > 0 { return .malformed }
        // With a permission there, the relay's silence is judged by what came through it.
        return stage == .relay ? nil : .noAnswer(transmissions: allocation.transmissions)
    }
}
