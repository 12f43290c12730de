package import NetTypes

/// Shows that a relay carries data both ways: datagrams from a second socket to the relayed address, which the client
/// sends back through the relay to where they came from; first in Send and Data indications, then over a channel.
///
/// The relay admits them once a permission is installed. The first datagrams go out at once, uncounted, until one has
/// come or the permission is known to be there. Each of the two lanes goes on until one datagram of it came back, or
/// so many were lost that loss does not explain it.
package struct RelayProof: Hashable, Sendable {
    /// How a datagram goes between the client and its server.
    package enum Lane: Int, Hashable, Sendable, CaseIterable {
        /// Send and Data indications.
        case indication
        /// ChannelData.
        case channel
    }

    /// Datagrams of one lane.
    package struct Tally: Hashable, Sendable {
        var sentAt: [Instant] = []
        var returned: [Int: Duration] = [:]
        var arrivals: Set<Int> = []

        /// Corrects the time of a transmission to the kernel's.
        mutating func left(_ number: Int, at instant: Instant) {
            guard sentAt.indices.contains(number), returned[number] == nil, instant > sentAt[number] else { return }
            sentAt[number] = instant
        }

        package var sent: Int { sentAt.count }
        /// Those that came to the client.
        package var arrived: Int { arrivals.count }
        /// How long each took to come back to the second socket, in the order in which they were sent.
        package var roundTrips: [Duration] { returned.sorted { $0.key < $1.key }.map(\.value) }
    }

    private enum Phase: Hashable {
        /// The second socket is not open yet.
        case waiting
        case opening(until: Instant)
        case counting(Lane)
        /// The first lane is done, and the channel is yet to be bound.
        case binding
        /// Nothing came to the client: it is to send to the second socket, once it is known where that is.
        case reversing(isStarted: Bool)
        case over
    }

    /// What the owner is to send.
    package enum Outgoing: Hashable, Sendable {
        /// From the second socket to the relayed address.
        case toRelay([UInt8])
        /// From the client through the relay to the second socket.
        case toPeer([UInt8])
        /// From the second socket to the server's own address, at the relayed port: it opens the NAT of this side for a
        /// relay that says a wrong address.
        case aside([UInt8])
    }

    /// The other direction, tried where nothing came to the client: from where the relay really sends.
    package struct Reverse: Hashable, Sendable {
        package internal(set) var sent = 0
        package internal(set) var arrived = 0
        /// The first sender of those that came.
        package internal(set) var source: Endpoint?
    }

    /// The datagrams without an answer after which a lane is silent: with a fifth of all packets lost, of four ways that
    /// each must go, 24 are lost together once in 300,000 times.
    package static let mostUnanswered = 24

    package let relayed: Endpoint
    private let count: Int
    private let pace: Duration
    private let patience: Duration
    /// For what was sent last.
    private var lastWait: Duration
    /// What the first of a lane takes to come back at the most, where nothing is lost.
    private let answerTime: Duration
    let payload: RelayPayload
    private var phase = Phase.waiting
    private var nextAt: Instant?
    private var isPermitted = false
    private var isBound: Bool?
    private var tallies = [Tally(), Tally()]
    private var lastReverse: Instant?
    private var hasOpenedAside = false

    /// Those whose content had changed.
    package private(set) var altered = 0
    /// Nil where that was not tried.
    package private(set) var reverse: Reverse?

    private static let opening: UInt8 = 0xFF
    private static let reversing: UInt8 = 0xFE

    /// - Parameters:
    ///   - count: datagrams of each lane.
    ///   - size: bytes of each.
    ///   - pace: between two; nil for a fifth of a round trip.
    ///   - roundTrip: to the server.
    ///   - isReliable: whether a client reaches its server over a stream, where what is lost only comes late.
    package init(
        relayed: Endpoint, count: Int, size: Int = RelayPayload.leastSize, pace: Duration? = nil, roundTrip: Duration,
        isReliable: Bool = false, nonce: UInt64
    ) {
        self.relayed = relayed
        self.count = min(max(1, count), 1 << 20)
        payload = RelayPayload(nonce: nonce, size: size)
        self.pace = pace ?? min(max(.milliseconds(1), roundTrip / 5), .milliseconds(50))
        answerTime = roundTrip * 5 / 2 + .milliseconds(5)
        patience = max(.milliseconds(100), roundTrip * 4)
        lastWait = patience + (isReliable ? Self.resending : .zero)
    }

    /// What TCP takes for two retransmissions of one segment where its least timeout is 200 ms, as Linux has it.
    private static let resending = Duration.milliseconds(600)

    package subscript(lane: Lane) -> Tally { tallies[lane.rawValue] }

    /// Nothing more can be sent: the second socket is gone, or is not admitted.
    package mutating func giveUp() { phase = .over }

    /// A stream to the server is known to be well: nothing is waited for that TCP might send again.
    package mutating func streamIsWell() { lastWait = patience }

    /// Whether something should have come to the client by now, and nothing has.
    package func isStalled(at now: Instant) -> Bool {
        guard self[.indication].arrivals.isEmpty else { return false }
        return isOver || self[.indication].sentAt.first.map { $0 + answerTime <= now } ?? false
    }

    // MARK: What happens

    /// The second socket is open.
    package mutating func begin(at now: Instant) {
        guard phase == .waiting else { return }
        phase = .opening(until: now + patience)
        nextAt = now
        if isPermitted { count(.indication, at: now) }
    }

    /// The permission is there.
    package mutating func permitted(at now: Instant) {
        let isNews = !isPermitted
        isPermitted = true
        switch phase {
        case .opening: count(.indication, at: now)
        // What was counted before the permission was there says nothing: the server had to drop it. So it is where
        // another address is permitted and nothing has come by then.
        case .counting(.indication), .reversing:
            guard isNews || isStalled(at: now), self[.indication].arrivals.isEmpty else { return }
            tallies[Lane.indication.rawValue] = Tally()
            (reverse, hasOpenedAside) = (nil, false)
            count(.indication, at: now)
        default: break
        }
    }

    /// The channel is bound, or cannot be.
    package mutating func channelSettled(isBound: Bool, at now: Instant) {
        self.isBound = isBound
        if phase == .binding { endFirstLane(at: now) }
    }

    private mutating func count(_ lane: Lane, at now: Instant) {
        phase = .counting(lane)
        nextAt = now
    }

    private mutating func endFirstLane(at now: Instant) {
        switch isBound {
        case nil where self[.indication].arrivals.isEmpty:
            phase = .reversing(isStarted: false)
            nextAt = nil
        // Where nothing came back there is no use in a channel.
        case nil where self[.indication].returned.isEmpty: phase = .over
        case nil: phase = .binding
        case true?: count(.channel, at: now)
        case false?: phase = .over
        }
    }

    /// Whether the channel is to be bound now: once it is, a server sends all data of the peer over it, and what still
    /// was to go in indications would be the channel's. All of them have gone through the relay when one of the last
    /// is sent and one came back.
    package var wantsChannel: Bool {
        isBound == nil && (phase == .binding || self[.indication].sent >= count && !self[.indication].returned.isEmpty)
    }

    /// Whether the second socket's address is wanted, as the relay would see it: see ``reverse(isPossible:at:)``.
    package var wantsPeerAddress: Bool { phase == .reversing(isStarted: false) }

    /// The second socket's address is known, or cannot be.
    package mutating func reverse(isPossible: Bool, at now: Instant) {
        guard wantsPeerAddress else { return }
        phase = isPossible ? .reversing(isStarted: true) : .over
        reverse = isPossible ? Reverse() : nil
        nextAt = isPossible ? now : nil
    }

    /// The next datagram, where one is due.
    package mutating func next(at now: Instant) -> Outgoing? {
        guard let due = nextAt, due <= now else { return nil }
        switch phase {
        case .waiting, .binding, .over: return nil
        case .reversing:
            guard hasOpenedAside else {
                hasOpenedAside = true
                return .aside(payload.bytes(Self.opening, 0))
            }
            hasOpenedAside = false
            let number = reverse?.sent ?? 0
            reverse?.sent = number + 1
            lastReverse = now
            nextAt = number + 1 < Self.mostUnanswered ? now + pace * 2 : nil
            return .toPeer(payload.bytes(Self.reversing, number))
        case .opening:
            nextAt = now + pace * 2
            return .toRelay(payload.bytes(Self.opening, 0))
        case .counting(let lane):
            let number = self[lane].sent
            tallies[lane.rawValue].sentAt.append(now)
            nextAt = pause(after: number + 1, in: lane).map { now + $0 }
            return .toRelay(payload.bytes(UInt8(lane.rawValue), number))
        }
    }

    /// A datagram that ``next(at:)`` gave has left, at the kernel's own time.
    package mutating func left(_ bytes: [UInt8], at instant: Instant) {
        guard let (kind, number) = payload.read(bytes), let lane = Lane(rawValue: Int(kind)) else { return }
        tallies[lane.rawValue].left(number, at: instant)
    }

    /// How long a lane waits after so many datagrams; nil where it needs no more: all were sent, and one came back.
    private func pause(after sent: Int, in lane: Lane) -> Duration? {
        if sent < count { return pace }
        guard self[lane].returned.isEmpty, sent < Self.mostUnanswered else { return nil }
        return sent == count ? answerTime : pace * 2
    }

    /// What came to the client from the relay: gives what to send back the same way, nil where it is not ours.
    package mutating func arrived(_ bytes: [UInt8]) -> [UInt8]? {
        // The permission is for this machine's own outside: what comes and is not ours was ours before.
        guard let (kind, number) = payload.read(bytes), kind != Self.reversing else {
            altered += 1
            return nil
        }
        if let lane = Lane(rawValue: Int(kind)) { tallies[lane.rawValue].arrivals.insert(number) }
        return bytes
    }

    /// What came to the second socket; returns whether it is ours.
    package mutating func returned(_ bytes: [UInt8], from source: Endpoint, at now: Instant) -> Bool {
        guard let (kind, number) = payload.read(bytes) else {
            if source == relayed { altered += 1 }
            return false
        }
        guard let lane = Lane(rawValue: Int(kind)) else {
            if kind == Self.opening { permitted(at: now) }
            // The server sends to whom it admits: what it sent before it said so was dropped, and what came to it as well.
            if kind == Self.reversing, let reverse { isPermitted ? reversed(reverse, source) : permitted(at: now) }
            return true
        }
        guard self[lane].sentAt.indices.contains(number), self[lane].returned[number] == nil else { return true }
        tallies[lane.rawValue].returned[number] = max(.zero, now - self[lane].sentAt[number])
        // What comes late, in the time of the other lane, does not stop that one.
        guard phase == .counting(lane), self[lane].sent >= count else { return true }
        nextAt = nil
        if self[lane].returned.count == self[lane].sent { ended(lane, at: now) }
        return true
    }

    private mutating func reversed(_ before: Reverse, _ source: Endpoint) {
        reverse?.arrived = before.arrived + 1
        reverse?.source = before.source ?? source
        // One shows that the way is open.
        phase = .over
    }

    private mutating func ended(_ lane: Lane, at now: Instant) {
        guard phase == .counting(lane) else { return }
        nextAt = nil
        if lane == .indication { endFirstLane(at: now) } else { phase = .over }
    }

    package mutating func handleTimeout(at now: Instant) {
        guard let end, end <= now else { return }
        switch phase {
        case .waiting, .binding, .over: break
        case .reversing: phase = .over
        // No word of the permission: those that count show whether it is there all the same.
        case .opening: count(.indication, at: now)
        case .counting(let lane): ended(lane, at: now)
        }
    }

    package var isOver: Bool { phase == .over }

    /// Whether data came through both ways, over the channel as well where there is one.
    package var hasSucceeded: Bool {
        isOver && !self[isBound == true ? .channel : .indication].returned.isEmpty
    }

    package var nextWake: Instant? { [nextAt, end].compactMap { $0 }.min() }

    /// When the phase is over whatever comes.
    private var end: Instant? {
        switch phase {
        case .waiting, .binding, .over: nil
        case .reversing: nextAt == nil ? lastReverse.map { $0 + lastWait } : nil
        case .opening(let until): until
        case .counting(let lane): nextAt == nil ? self[lane].sentAt.last.map { $0 + lastWait } : nil
        }
    }
}
