package import NetTypes

/// Shows whether a relay that carries data goes on to: a datagram each half second from the second socket through the
/// relay and back, while the owner keeps the allocation, its permission and its channel alive.
///
/// It ends with its time, or when as many in a row were lost as loss does not explain: twelve seconds of silence. Then it
/// asks for a new permission, and for the channel once more, to see what of both brings the data back.
package struct RelaySoak: Hashable, Sendable {
    /// What the server may have dropped before its time.
    package enum Renewal: String, Hashable, Sendable, Codable {
        case permission, channel
    }

    package static let interval = Duration.milliseconds(500)
    /// The same while it is seen what brings the data back.
    private static let revivalInterval = Duration.milliseconds(100)
    /// So many unanswered in a row at the end of the time are loss, and no question.
    private static let fewUnanswered = 4
    /// How much longer than its time it may take: a silence, and two renewals.
    package static let longestRest =
        interval * (RelayProof.mostUnanswered + 1) + (revivalInterval * RelayProof.mostUnanswered + .seconds(1)) * 2

    package private(set) var tally = RelayProof.Tally()
    /// How long data had come through when it stopped to; nil where it did not stop.
    package private(set) var stoppedAfter: Duration?
    /// What brought the data back after it had stopped.
    package private(set) var revivedBy: Renewal?
    /// How long data had come through when the channel was no longer used for it, though it had been.
    package private(set) var channelLostAfter: Duration?
    private let payload: RelayPayload
    private let startedAt: Instant
    private let until: Instant
    private let patience: Duration
    private var nextAt: Instant?
    private var hasUsedChannel = false
    private var phase = Phase.using
    /// The first datagram of the phase.
    private var first = 0

    private enum Phase: Hashable {
        case using
        /// The owner is to ask for it, and does so once.
        case reviving(Renewal, isAsked: Bool)
        case over
    }

    /// A payload's kind: those of ``RelayProof`` are its lanes.
    private static let kind: UInt8 = 2

    /// - Parameters:
    ///   - proof: what was shown before, and succeeded.
    ///   - roundTrip: to the server.
    package init(after proof: RelayProof, for length: Duration, roundTrip: Duration, at now: Instant) {
        payload = proof.payload
        startedAt = now
        until = now + length
        patience = min(.seconds(1), max(.milliseconds(100), roundTrip * 4))
        nextAt = now
    }

    /// From the first datagram to the last.
    package var length: Duration { (tally.sentAt.last ?? startedAt) - startedAt }

    /// Of this phase, up to the last.
    private var unansweredInARow: Int { tally.sent - max(first, (tally.returned.keys.max() ?? -1) + 1) }

    /// What to ask the server for, once.
    package mutating func takeRenewal() -> Renewal? {
        guard case .reviving(let renewal, isAsked: false) = phase else { return nil }
        phase = .reviving(renewal, isAsked: true)
        return renewal
    }

    /// The next datagram for the relayed address, where one is due.
    package mutating func next(at now: Instant) -> [UInt8]? {
        guard let due = nextAt, due <= now else { return nil }
        tally.sentAt.append(now)
        let isEnough = unansweredInARow >= RelayProof.mostUnanswered
        switch phase {
        case .using:
            // What has stopped before the end is not left open by it.
            let isTimeOver = now + Self.interval > until && unansweredInARow < Self.fewUnanswered
            nextAt = isTimeOver || isEnough ? nil : now + Self.interval
        case .reviving: nextAt = isEnough ? nil : now + Self.revivalInterval
        case .over: nextAt = nil
        }
        return payload.bytes(Self.kind, tally.sent - 1)
    }

    /// A datagram that ``next(at:)`` gave has left, at the kernel's own time.
    package mutating func left(_ bytes: [UInt8], at instant: Instant) {
        guard let (kind, number) = payload.read(bytes), kind == Self.kind else { return }
        tally.left(number, at: instant)
    }

    /// What came to the client from the relay; whether over a channel.
    package mutating func arrived(_ bytes: [UInt8], overChannel: Bool, at now: Instant) {
        guard let (kind, number) = payload.read(bytes), kind == Self.kind, tally.sentAt.indices.contains(number) else {
            return
        }
        tally.arrivals.insert(number)
        if hasUsedChannel, !overChannel, channelLostAfter == nil { channelLostAfter = stoppedAfter ?? now - startedAt }
        hasUsedChannel = hasUsedChannel || overChannel
    }

    /// What came to the second socket; returns whether it is of the soak.
    package mutating func returned(_ bytes: [UInt8], at now: Instant) -> Bool {
        guard let (kind, number) = payload.read(bytes), kind == Self.kind else { return false }
        guard tally.sentAt.indices.contains(number), tally.returned[number] == nil else { return true }
        tally.returned[number] = max(.zero, now - tally.sentAt[number])
        switch phase {
        case .using where nextAt == nil && number == tally.sent - 1: phase = .over
        case .reviving(let renewal, _) where number >= first:
            revivedBy = renewal
            phase = .over
        case .using, .reviving, .over: break
        }
        if phase == .over { nextAt = nil }
        return true
    }

    package mutating func handleTimeout(at now: Instant) {
        guard let end, end <= now else { return }
        switch phase {
        case .using where unansweredInARow >= RelayProof.mostUnanswered:
            stoppedAfter = tally.returned.keys.max().map { tally.sentAt[$0] - startedAt } ?? .zero
            revive(by: .permission, at: now)
        case .reviving(.permission, _) where hasUsedChannel: revive(by: .channel, at: now)
        case .using, .reviving, .over: phase = .over
        }
    }

    private mutating func revive(by renewal: Renewal, at now: Instant) {
        phase = .reviving(renewal, isAsked: false)
        first = tally.sent
        nextAt = now
    }

    package var isOver: Bool { phase == .over }
    package var nextWake: Instant? { isOver ? nil : nextAt ?? end }

    /// When the last datagram is given up.
    private var end: Instant? {
        guard nextAt == nil, !isOver else { return nil }
        return tally.sentAt.last.map { $0 + patience }
    }
}
