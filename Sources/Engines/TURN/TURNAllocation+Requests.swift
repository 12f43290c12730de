import NetTypes
import STUN

extension TURNAllocation {
    mutating func ask(_ request: TURNRequest, isRenewal: Bool = false) {
        outbox.append(
            .request(request, LongTermAuthenticator.History(), attempt: 1, startedAt: nil, isRenewal: isRenewal))
    }

    /// Sends a request for the first time; returns its bytes.
    mutating func begin(
        _ request: TURNRequest, _ id: TransactionID, _ history: LongTermAuthenticator.History, attempt: Int,
        startedAt: Instant, at now: Instant
    ) -> [UInt8] {
        let signature = authenticator.signature
        let bytes = request.bytes(id, configuration, signature)
        let schedule = schedule(for: request)
        var client = ClientTransaction(id: id, request: bytes, schedule: schedule, from: now)
        client.transmitted(at: now)
        transmissions += 1
        if request == .allocate, signature != nil { mayExist = true }
        transactions.append(
            TURNTransaction(
                request, signature, history, attempt: attempt, startedAt: startedAt, client,
                holdTime: configuration.isReliable ? nil : holdTime(schedule)))
        return bytes
    }

    /// When a request is sent: by the retransmission timeout that the path suggests (RFC 8489 s6.2.1).
    private func schedule(for request: TURNRequest) -> RetransmissionSchedule {
        guard !configuration.isReliable else {
            return request == .delete
                ? .once(waiting: TURNConfiguration.deletionLimit) : .once(waiting: configuration.schedule.total)
        }
        let timeout = measuredTimeout ?? configuration.schedule.initialTimeout
        if request == .delete { return TURNConfiguration.deletionSchedule(timeout) }
        var schedule = configuration.schedule
        schedule.initialTimeout = timeout
        return schedule
    }

    /// Three measured round trips, which is what RFC 6298 s2.2 makes of one measurement, and not more than the
    /// schedule's; nil where none is known.
    private var measuredTimeout: Duration? {
        shortestRoundTrip.map { min(configuration.schedule.initialTimeout, max(Self.shortestTimeout, $0 * 3)) }
    }

    /// How long an unsigned error waits for a signed answer: what overtakes a true answer on the way does so by less than
    /// one round trip.
    private func holdTime(_ schedule: RetransmissionSchedule) -> Duration {
        measuredTimeout ?? schedule.initialTimeout
    }

    // MARK: Permissions, channels, data

    mutating func permit(_ addresses: [IPAddress], isRenewal: Bool) {
        var rest = addresses.map(\.withoutZone)[...]
        for address in rest where permissions[address] == nil { permissions[address] = Permission() }
        while !rest.isEmpty {
            ask(.permission(Array(rest.prefix(Self.permissionsPerRequest))), isRenewal: isRenewal)
            rest = rest.dropFirst(Self.permissionsPerRequest)
        }
    }

    mutating func bind(_ number: UInt16, _ peer: Endpoint, isRenewal: Bool) {
        if permissions[peer.address] == nil { permissions[peer.address] = Permission() }
        ask(.channel(number, peer), isRenewal: isRenewal)
    }

    /// Each peer has its own number for as long as the allocation lives: a server keeps one for five minutes after its
    /// binding has run out (RFC 8656 s12).
    mutating func reserveChannel(for peer: Endpoint) -> UInt16? {
        guard ChannelData.channels.contains(nextChannel) else { return nil }
        let number = nextChannel
        nextChannel += 1
        channels[number] = Channel(peer: peer)
        channelsByPeer[peer] = number
        return number
    }

    /// A Send indication, which is not signed and which nobody answers.
    func indication(_ bytes: [UInt8], to peer: Endpoint, _ id: TransactionID) -> [UInt8] {
        var builder = MessageBuilder(.indication, .send, id)
        builder.append(.xorPeerAddress, peer)
        if configuration.dontFragment { builder.append(.dontFragment, true) }
        builder.append(.data, bytes)
        return builder.bytes
    }

    /// Carries out what was asked for before the allocation was there.
    mutating func release() {
        let commands = waiting
        waiting = []
        for command in commands {
            switch command {
            case .permission(let addresses): createPermission(for: addresses)
            case .channel(let peer): bindChannel(to: peer)
            case .data(let bytes, let peer): send(bytes, to: peer)
            case .connect(let peer): connect(to: peer)
            }
        }
    }

    // MARK: End

    mutating func beginDeletion(at now: Instant) {
        outbox = []
        waiting = []
        transactions = []
        guard mayExist || phase == .allocated else { return finish(.absent) }
        phase = .deleting(until: now + TURNConfiguration.deletionLimit)
        ask(.delete)
    }

    /// Ends after a deletion.
    mutating func finish(_ deletion: TURNDeletion) {
        events.append(.deleted(deletion))
        close()
    }

    mutating func close() {
        phase = .over
        outbox = []
        waiting = []
        transactions = []
        renewals = []
    }

    /// How long an allocation may live on that the server did not say is gone.
    func remainingLifetime(at now: Instant) -> Duration {
        guard let grantedAt, let lifetime else {
            return .seconds(Int64(configuration.lifetime ?? TURNLifetime.standard))
        }
        return max(.zero, .seconds(Int64(lifetime.granted ?? TURNLifetime.standard)) - (now - grantedAt))
    }
}
