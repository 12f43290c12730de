import Engines
import Facts
import NetTypes
import Planning
import SecureTransport

/// How far both sides are with taking their leave.
struct ConnectGoodbye: Sendable {
    /// When this side has all that it wants.
    var begunAt: Instant?
    var nextAt: Instant?
    var isHeard = false
    /// When the peer's last datagram came.
    var heardAt: Instant?
}

/// The end: nobody leaves while the other still measures, and nobody waits for one that is gone.
extension Connection {
    /// When all else ends, so that the deletion of allocations is over in time.
    var end: Instant {
        let early = max(.zero, (agent?.deletionTime ?? .zero) - Plan.cleanupLimit)
        return deadline.advanced(by: .zero - early)
    }

    /// A peer that sends nothing for so long is gone.
    private static var longestSilence: Duration { .seconds(1) }

    mutating func leave(at now: Instant) {
        guard phase != .leaving, phase != .closed else { return }
        enter(.leaving, at: now)
        goodbye.begunAt = now
        if configuration.isLive, configuration.form == .line { send(Self.farewell) }
        guard expectsGoodbye else { return finish(at: now) }
        sayGoodbye(at: now)
    }

    private mutating func sayGoodbye(at now: Instant) {
        sendGoodbye(at: now)
        // The other side has all that it wants, and hears that this one has, too.
        if goodbye.isHeard { return finish(at: now) }
        goodbye.nextAt = now + max(typicalRoundTrip * 2, .milliseconds(50))
    }

    mutating func peerSaidGoodbye(at now: Instant) {
        goodbye.isHeard = true
        switch phase {
        case .leaving: sayGoodbye(at: now)
        case .resolving, .signaling, .checking, .securing: fail(.peerLeft, at: now)
        case .measuring: meter?.end()
        case .closed: break
        }
    }

    var leavingWake: Instant? {
        guard phase == .leaving else { return nil }
        return [goodbye.nextAt, silentAt].compactMap(\.self).min()
    }

    private var silentAt: Instant? {
        guard let begun = goodbye.begunAt else { return nil }
        return max(begun, goodbye.heardAt ?? begun) + Self.longestSilence
    }

    mutating func advanceLeaving(to now: Instant) {
        guard phase == .leaving else { return }
        if let silentAt, now >= silentAt { return finish(at: now) }
        if let next = goodbye.nextAt, now >= next { sayGoodbye(at: now) }
    }

    /// Closes everything; what is left to do is to delete allocations.
    mutating func finish(at now: Instant) {
        guard phase != .closed else { return }
        if let channelOfDTLS {
            channelOfDTLS.close()
            while let record = channelOfDTLS.pollCiphertext() { _ = agent?.send(record, at: now) }
        }
        let rest = max(.zero, deadline + Plan.cleanupLimit - now)
        agent?.close(at: now, within: min(rest, Plan.cleanupLimitAfterSignal))
        outputs.append(.close(Session.channel))
        enter(.closed, at: now)
    }
}
