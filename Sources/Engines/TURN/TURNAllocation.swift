package import NetTypes
import STUN

/// One TURN allocation over one path to one server (RFC 8656), from the first Allocate to its deletion.
///
/// It owns no socket, clock or random source. Its owner checks the source of what arrives, hands in messages and
/// wake-ups, and after each input or command drains ``pollOutput(at:using:)`` and ``pollEvent()``. The same machine
/// serves UDP, TCP, TLS and DTLS.
///
/// Requests are written and signed when they are polled: all carry the newest nonce, and only that call needs the
/// random source. Commands given before the allocation is there go out with its success, in their order; data is not
/// held back for the success of a permission, so what is lost is at most what arrives before it.
package struct TURNAllocation: Sendable {
    enum Phase: Hashable, Sendable {
        case allocating
        case allocated
        case deleting(until: Instant)
        case over
    }

    enum Outgoing: Sendable {
        case request(
            TURNRequest, LongTermAuthenticator.History, attempt: Int, startedAt: Instant?, isRenewal: Bool)
        case indication([UInt8], Endpoint)
        case channelData([UInt8])
    }

    enum Command: Sendable {
        case permission([IPAddress])
        case channel(Endpoint)
        case data([UInt8], Endpoint)
        case connect(Endpoint)
    }

    struct Permission: Sendable {
        var isInstalled = false
        var refreshAt: Instant?
    }

    struct Channel: Sendable {
        let peer: Endpoint
        var isBound = false
        var refreshAt: Instant?
    }

    /// The most data of one Send indication or ChannelData: what a datagram can carry with all headers around it.
    package static let dataLimit = 65_400
    /// How many addresses one CreatePermission names.
    static let permissionsPerRequest = 32
    /// Nothing is sent again sooner, and an unsigned error waits at least this long.
    static let shortestTimeout = Duration.milliseconds(50)

    package let configuration: TURNConfiguration
    var phase = Phase.allocating
    var authenticator: LongTermAuthenticator
    var transactions: [TURNTransaction] = []
    var renewals: Set<TransactionID> = []
    var outbox: [Outgoing] = []
    var waiting: [Command] = []
    var events: [TURNEvent] = []
    var nextEvent = 0
    /// Requests that were answered before the allocation was there.
    var roundTrips = 0
    /// Of those that are sure which transmission was answered.
    var shortestRoundTrip: Duration?
    /// Whether a signed Allocate has left: the server may hold an allocation, whatever came back.
    var mayExist = false

    var permissions: [IPAddress: Permission] = [:]
    var channels: [UInt16: Channel] = [:]
    var channelsByPeer: [Endpoint: UInt16] = [:]
    var nextChannel = ChannelData.channels.lowerBound

    var lifetime: TURNLifetime?
    var grantedAt: Instant?
    var refreshAt: Instant?
    var expiresAt: Instant?

    /// How many times requests were sent, retransmissions and all.
    package internal(set) var transmissions = 0
    /// What is known of the allocation; nil before it is there.
    package internal(set) var allocated: TURNAllocated?
    /// How many messages of each kind were not used.
    package internal(set) var discards: [TURNDiscard: Int] = [:]

    package init(_ configuration: TURNConfiguration) {
        self.configuration = configuration
        authenticator = LongTermAuthenticator(credential: configuration.credential)
        ask(.allocate)
    }

    // MARK: Commands

    /// Asks for permissions; several addresses go into one request.
    package mutating func createPermission(for addresses: [IPAddress]) {
        guard phase != .allocating else { return waiting.append(.permission(addresses)) }
        guard phase == .allocated, !addresses.isEmpty else { return }
        permit(addresses, isRenewal: false)
    }

    /// Asks for a channel to a peer, which brings the permission with it; returns its number, nil where none is left.
    ///
    /// Until it is bound, data for the peer goes in Send indications.
    @discardableResult
    package mutating func bindChannel(to peer: Endpoint) -> UInt16? {
        let peer = peer.withoutZone
        guard let number = channelsByPeer[peer] ?? reserveChannel(for: peer) else { return nil }
        switch phase {
        case .allocating: waiting.append(.channel(peer))
        case .allocated: bind(number, peer, isRenewal: false)
        case .deleting, .over: return nil
        }
        return number
    }

    /// What became of data that was to be sent.
    package enum Sending: Hashable, Sendable {
        /// It goes out with the success of the Allocate.
        case queued
        case indication
        case channel(UInt16)
        /// More than ``TURNAllocation/dataLimit``, more than can wait, or no allocation any more.
        case refused
    }

    /// How many pieces of data can wait for the allocation.
    static let waitingLimit = 1024

    /// Sends data to a peer: over its channel where one is bound and `usesChannel`, else in a Send indication.
    @discardableResult
    package mutating func send(_ bytes: [UInt8], to peer: Endpoint, usesChannel: Bool = true) -> Sending {
        let peer = peer.withoutZone
        guard bytes.count <= Self.dataLimit else { return .refused }
        switch phase {
        case .allocating:
            guard waiting.count < Self.waitingLimit else { return .refused }
            waiting.append(.data(bytes, peer))
            return .queued
        case .deleting, .over: return .refused
        case .allocated: break
        }
        if usesChannel, let number = channelsByPeer[peer], channels[number]?.isBound == true {
            outbox.append(
                .channelData(ChannelData(channel: number, data: bytes).encoded(padded: configuration.isReliable)))
            return .channel(number)
        }
        outbox.append(.indication(bytes, peer))
        return .indication
    }

    /// Asks the relay to connect to a peer (RFC 6062 s4.3).
    package mutating func connect(to peer: Endpoint) {
        switch phase {
        case .allocating: waiting.append(.connect(peer))
        case .allocated: ask(.connect(peer.withoutZone))
        case .deleting, .over: break
        }
    }

    /// The client of a data connection, which its owner opens to the server (RFC 6062 s4.3); signed from the start,
    /// since coturn drops the peer's connection at the first unsigned request.
    package func dataConnection(for connectionID: UInt32) -> TURNDataConnection {
        TURNDataConnection(connectionID, configuration, authenticator)
    }

    /// Refreshes now, whatever the timers say.
    package mutating func refresh() {
        if phase == .allocated { ask(.refresh) }
    }

    /// Ends the allocation with a Refresh of lifetime 0, in at most 1.5 s (T06). All else is dropped.
    package mutating func delete(at now: Instant) {
        guard phase == .allocating || phase == .allocated else { return }
        beginDeletion(at: now)
    }

    /// Ends it because its path is gone: nothing can be sent any more, not even a deletion.
    package mutating func abandon() {
        if phase != .over { close() }
    }

    /// Ends it at once: a deletion that is under way is not waited for any longer.
    package mutating func giveUp(at now: Instant) {
        guard case .deleting = phase else { return abandon() }
        finish(.unconfirmed(remainingLifetime(at: now)))
    }

    /// Sends what waits for an answer again at `instant`, where that is sooner than the schedule's: to see whether an
    /// ICMP error comes a second time.
    package mutating func hasten(to instant: Instant) {
        for index in transactions.indices { transactions[index].client.hasten(to: instant) }
    }

    /// Goes on by another schedule with what waits for an answer.
    package mutating func follow(_ schedule: RetransmissionSchedule) {
        for index in transactions.indices { transactions[index].client.follow(schedule) }
    }

    /// Corrects the time of a transmission to the kernel's.
    package mutating func left(_ bytes: [UInt8], at instant: Instant) {
        guard bytes.count >= Message.headerSize, let id = TransactionID(bytes: bytes[8..<20]),
            let index = transactions.firstIndex(where: { $0.client.id == id })
        else { return }
        transactions[index].client.lastTransmissionLeft(at: instant)
    }

    // MARK: Polling

    /// The next datagram, or the next bytes of the stream; nil where there is nothing to send at `now`.
    package mutating func pollOutput(at now: Instant, using random: inout some RandomNumberGenerator) -> [UInt8]? {
        if !outbox.isEmpty {
            switch outbox.removeFirst() {
            case .channelData(let bytes): return bytes
            case .indication(let bytes, let peer): return indication(bytes, to: peer, TransactionID(using: &random))
            case .request(let request, let history, let attempt, let startedAt, let isRenewal):
                let id = TransactionID(using: &random)
                if isRenewal { renewals.insert(id) }
                return begin(request, id, history, attempt: attempt, startedAt: startedAt ?? now, at: now)
            }
        }
        guard let index = transactions.firstIndex(where: { $0.isDue(at: now) }) else { return nil }
        transactions[index].client.transmitted(at: now)
        transmissions += 1
        return transactions[index].client.request
    }

    /// The next data for a peer: it goes ahead of requests that may not be sent yet.
    package mutating func pollData(using random: inout some RandomNumberGenerator) -> [UInt8]? {
        let data = outbox.firstIndex {
            switch $0 {
            case .channelData, .indication: true
            case .request: false
            }
        }
        guard let data else { return nil }
        switch outbox.remove(at: data) {
        case .channelData(let bytes): return bytes
        case .indication(let bytes, let peer): return indication(bytes, to: peer, TransactionID(using: &random))
        case .request: return nil
        }
    }

    /// Whether ``pollOutput(at:using:)`` has something that its owner has not taken yet.
    package var isOutputWaiting: Bool { !outbox.isEmpty }

    package mutating func pollEvent() -> TURNEvent? {
        guard nextEvent < events.count else {
            events.removeAll(keepingCapacity: true)
            nextEvent = 0
            return nil
        }
        defer { nextEvent += 1 }
        return events[nextEvent]
    }

    /// When ``handleTimeout(at:)`` is wanted next.
    package var nextWake: Instant? {
        var wakes = transactions.compactMap(\.nextWake)
        switch phase {
        case .allocated:
            wakes += [refreshAt, expiresAt].compactMap(\.self)
            wakes += permissions.values.compactMap(\.refreshAt)
            wakes += channels.values.compactMap(\.refreshAt)
        case .deleting(let until): wakes.append(until)
        case .allocating: break
        case .over: return nil
        }
        return wakes.min()
    }

    /// Whether it is over: nothing more is sent, and nothing that arrives is used.
    package var isFinished: Bool { phase == .over }

    /// When the oldest request that still waits for an answer was first sent; nil where none does.
    package var waitingSince: Instant? { transactions.compactMap(\.client.transmissions.first).min() }
}

extension Endpoint {
    /// As it may be told to others.
    var withoutZone: Endpoint { Endpoint(address.withoutZone, port) }
}
