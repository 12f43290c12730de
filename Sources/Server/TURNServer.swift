import NetTypes
import STUN

/// The TURN part of the server: allocations by their clients, and what is relayed through them (RFC 8656).
///
/// Its owner knows the sockets that clients come by, and tells messages from ChannelData; the relay sockets are its
/// own. Every refusal of a request whose integrity is right is signed.
struct TURNServer: Sendable {
    /// What the owner is to send to a client.
    struct Reply: Sendable {
        let client: TURNClient
        let bytes: [UInt8]
        /// Whether the client has shown who it is: what it gets need not be held to a rate.
        let isAuthenticated: Bool
    }

    /// What happened to an allocation.
    package struct Counts: Hashable, Sendable {
        package var made = 0
        package var deleted = 0
        package var expired = 0
    }

    let configuration: TURNServerConfiguration
    private(set) var counts = Counts()
    private let authenticator: TURNServerAuthenticator
    private let software: String?
    private var random: any RandomNumberGenerator & Sendable
    private var allocations: [TURNClient: RelayAllocation] = [:]
    private var clientByRelay: [PathID: TURNClient] = [:]
    private var nextRelay: UInt32 = 0

    var replies = Queue<Reply>()
    var outputs = Queue<Output>()
    var events = Queue<STUNServerEvent>()

    /// The paths of relay sockets, apart from the listening ones and those that the driver numbers (top bit).
    static let firstRelayPath: UInt32 = 0x4000_0000

    init(
        _ configuration: TURNServerConfiguration, software: String?, random: any RandomNumberGenerator & Sendable,
        from start: Instant
    ) {
        self.configuration = configuration
        self.software = software
        var random = random
        var key: [UInt8] = []
        for _ in 0..<4 {
            let number: UInt64 = random.next()
            key += (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        self.random = random
        authenticator = TURNServerAuthenticator(configuration, nonceKey: key, from: start)
    }

    static func isTURN(_ method: Method) -> Bool {
        [.allocate, .refresh, .createPermission, .channelBind, .send, .connect, .connectionBind].contains(method)
    }

    var count: Int { allocations.count }

    func holdsAllocation(by path: PathID) -> Bool { allocations.keys.contains { $0.path == path } }

    func isRelay(_ path: PathID) -> Bool { clientByRelay[path] != nil }

    var nextWake: Instant? { allocations.values.map(\.expiresAt).min() }

    // MARK: Requests

    mutating func handle(_ message: Message, from client: TURNClient, at now: Instant) {
        if message.messageClass == .indication { return send(message, from: client, at: now) }
        guard message.messageClass == .request else { return }
        let identity: TURNServerAuthenticator.Identity
        switch authenticator.judge(message, from: client.remote, at: now) {
        case .granted(let granted): identity = granted
        case .refused(let code): return challenge(code, message, client, at: now)
        }
        var unknown = message.unknownComprehensionRequired
        // The socket cannot be told so for one datagram: to say that it was would be a lie (RFC 8656 s7.2).
        if message.first(.dontFragment) != nil { unknown.append(.dontFragment) }
        guard unknown.isEmpty else {
            return refuse(420, message, identity, client) { $0.append(.unknownAttributes, unknown) }
        }
        if message.method != .allocate, let owner = allocations[client]?.identity.username, owner != identity.username {
            return refuse(441, message, identity, client)
        }
        switch message.method {
        case .allocate: allocate(message, identity, client, at: now)
        case .refresh: refresh(message, identity, client, at: now)
        case .createPermission: createPermission(message, identity, client, at: now)
        case .channelBind: bindChannel(message, identity, client, at: now)
        default: refuse(400, message, identity, client)
        }
    }

    private mutating func challenge(_ code: Int, _ message: Message, _ client: TURNClient, at now: Instant) {
        var builder = MessageBuilder(.errorResponse, message.method, message.transactionID)
        builder.append(.errorCode, ErrorCode(code))
        if code != 400 { authenticator.challenge(&builder, to: client.remote, at: now) }
        if let software { builder.append(.software, software) }
        replies.append(Reply(client: client, bytes: builder.bytes, isAuthenticated: false))
    }

    mutating func refuse(
        _ code: Int, _ message: Message, _ identity: TURNServerAuthenticator.Identity, _ client: TURNClient,
        _ fill: (inout MessageBuilder) -> Void = { _ in }
    ) {
        answer(.errorResponse, message.method, message.transactionID, identity, client) {
            $0.append(.errorCode, ErrorCode(code))
            fill(&$0)
        }
    }

    private mutating func answer(
        _ messageClass: MessageClass, _ method: Method, _ id: TransactionID,
        _ identity: TURNServerAuthenticator.Identity, _ client: TURNClient, _ fill: (inout MessageBuilder) -> Void
    ) {
        var builder = MessageBuilder(messageClass, method, id)
        fill(&builder)
        if let software { builder.append(.software, software) }
        identity.sign(&builder)
        replies.append(Reply(client: client, bytes: builder.bytes, isAuthenticated: true))
    }

    // MARK: Allocate

    private mutating func allocate(
        _ message: Message, _ identity: TURNServerAuthenticator.Identity, _ client: TURNClient, at now: Instant
    ) {
        if let existing = allocations[client] {
            guard existing.transaction == message.transactionID else { return refuse(437, message, identity, client) }
            return confirm(existing)
        }
        guard let transport = value(.requestedTransport, of: message) else {
            return refuse(400, message, identity, client)
        }
        guard transport == 17 else { return refuse(442, message, identity, client) }
        let evenPort = value(.evenPort, of: message)
        // Nothing is ever reserved here: no token is good, and none can be given (RFC 8656 s7.2).
        guard message.first(.reservationToken) == nil, evenPort != true else {
            return refuse(508, message, identity, client)
        }
        if message.first(.requestedAddressFamily) != nil, value(.requestedAddressFamily, of: message) == nil {
            return refuse(440, message, identity, client)
        }
        let family = value(.requestedAddressFamily, of: message) ?? .ipv4
        guard let address = configuration.relayAddresses.first(where: { $0.family == family }) else {
            return refuse(440, message, identity, client)
        }
        let own = allocations.values.filter { $0.identity.username == identity.username }.count
        guard own < configuration.mostAllocationsOfAUser else { return refuse(486, message, identity, client) }
        guard allocations.count < configuration.mostAllocations else { return refuse(508, message, identity, client) }
        let lifetime = granted(value(.lifetime, of: message))
        nextRelay += 1
        let relay = PathID(Self.firstRelayPath | nextRelay & 0x3FFF_FFFF)
        allocations[client] = RelayAllocation(
            client: client, identity: identity, transaction: message.transactionID, family: family,
            needsEvenPort: evenPort != nil, relay: relay, lifetime: lifetime, expiresAt: now + .seconds(Int64(lifetime))
        )
        open(relay, at: address, needsEvenPort: evenPort != nil, for: client)
    }

    /// The lifetime for one that was asked for (RFC 8656 s7.2).
    private func granted(_ asked: UInt32?) -> UInt32 {
        max(configuration.defaultLifetime, min(asked ?? 0, configuration.longestLifetime))
    }

    private mutating func open(_ relay: PathID, at address: IPAddress, needsEvenPort: Bool, for client: TURNClient) {
        clientByRelay[relay] = client
        let range = configuration.relayPorts
        var port = range.lowerBound + UInt16(truncatingIfNeeded: random.next() % UInt64(range.count))
        if needsEvenPort { port &= ~1 }
        outputs.append(
            .open(relay, PathSpecification(.datagram, family: address.family, local: Endpoint(address, port))))
    }

    /// The relay socket is there: the allocation is confirmed.
    mutating func opened(_ relay: PathID, _ local: Endpoint) {
        guard let client = clientByRelay[relay], allocations[client]?.relay == relay else {
            outputs.append(.close(relay))
            return
        }
        allocations[client]?.relayed = local
        guard let allocation = allocations[client] else { return }
        counts.made += 1
        events.append(.allocated(local, client: client.remote, user: allocation.identity.username))
        confirm(allocation)
    }

    /// How many ports are tried before the range counts as used up.
    private static let mostPorts = 16

    /// The port is taken, or the socket failed later.
    mutating func failed(_ relay: PathID, at now: Instant) {
        guard let client = clientByRelay.removeValue(forKey: relay), var allocation = allocations[client],
            allocation.relay == relay
        else { return }
        guard allocation.relayed == nil else { return remove(client, .expired) }
        guard allocation.attempts < Self.mostPorts,
            let address = configuration.relayAddresses.first(where: { $0.family == allocation.family })
        else {
            allocations[client] = nil
            return answer(.errorResponse, .allocate, allocation.transaction, allocation.identity, client) {
                $0.append(.errorCode, ErrorCode(508))
            }
        }
        nextRelay += 1
        allocation.relay = PathID(Self.firstRelayPath | nextRelay & 0x3FFF_FFFF)
        allocation.attempts += 1
        allocations[client] = allocation
        open(allocation.relay, at: address, needsEvenPort: allocation.needsEvenPort, for: client)
    }

    private mutating func confirm(_ allocation: RelayAllocation) {
        guard let relayed = allocation.relayed else { return }
        answer(.successResponse, .allocate, allocation.transaction, allocation.identity, allocation.client) {
            $0.append(.xorRelayedAddress, relayed)
            $0.append(.xorMappedAddress, allocation.client.remote)
            $0.append(.lifetime, allocation.lifetime)
        }
    }

    // MARK: Refresh

    private mutating func refresh(
        _ message: Message, _ identity: TURNServerAuthenticator.Identity, _ client: TURNClient, at now: Instant
    ) {
        guard let allocation = allocations[client] else { return refuse(437, message, identity, client) }
        if let family = value(.requestedAddressFamily, of: message), family != allocation.family {
            return refuse(443, message, identity, client)
        }
        let asked = value(.lifetime, of: message)
        let lifetime = asked == 0 ? 0 : granted(asked)
        answer(.successResponse, .refresh, message.transactionID, identity, client) { $0.append(.lifetime, lifetime) }
        guard lifetime > 0 else { return remove(client, .deleted) }
        allocations[client]?.lifetime = lifetime
        allocations[client]?.expiresAt = now + .seconds(Int64(lifetime))
    }

    /// Why an allocation is gone.
    enum End { case deleted, expired }

    private mutating func remove(_ client: TURNClient, _ end: End) {
        guard let allocation = allocations.removeValue(forKey: client) else { return }
        clientByRelay[allocation.relay] = nil
        outputs.append(.close(allocation.relay))
        guard let relayed = allocation.relayed else { return }
        let user = allocation.identity.username
        switch end {
        case .deleted:
            counts.deleted += 1
            events.append(.deallocated(relayed, client: client.remote, user: user))
        case .expired:
            counts.expired += 1
            events.append(.expired(relayed, client: client.remote, user: user))
        }
    }

    /// A client's connection is gone, and its allocation with it (RFC 8656 s3.1).
    mutating func closed(_ path: PathID) {
        for client in allocations.keys where client.path == path && client.isStream { remove(client, .expired) }
    }

    mutating func handleTimeout(at now: Instant) {
        for (client, allocation) in allocations where allocation.expiresAt <= now { remove(client, .expired) }
    }

    // MARK: Permissions and channels

    private mutating func createPermission(
        _ message: Message, _ identity: TURNServerAuthenticator.Identity, _ client: TURNClient, at now: Instant
    ) {
        guard let allocation = allocations[client] else { return refuse(437, message, identity, client) }
        let named = message.attributes.filter { $0.type == .xorPeerAddress }
        let peers = named.compactMap { try? message.value(.xorPeerAddress, of: $0) }
        guard !peers.isEmpty, peers.count == named.count else { return refuse(400, message, identity, client) }
        if let code = objection(to: peers, allocation) { return refuse(code, message, identity, client) }
        for peer in peers { permit(peer.address, client, at: now) }
        answer(.successResponse, .createPermission, message.transactionID, identity, client) { _ in }
    }

    private func objection(to peers: [Endpoint], _ allocation: RelayAllocation) -> Int? {
        if peers.contains(where: { $0.family != allocation.family }) { return 443 }
        if !peers.allSatisfy({ configuration.permits($0.address) }) { return 403 }
        let all = Set(allocation.permissions.keys).union(peers.map(\.address))
        return all.count > configuration.mostPermissions ? 508 : nil
    }

    private mutating func permit(_ peer: IPAddress, _ client: TURNClient, at now: Instant) {
        let end = now + configuration.permissionLifetime
        allocations[client]?.permissions[peer.withoutZone] = end
    }

    private mutating func bindChannel(
        _ message: Message, _ identity: TURNServerAuthenticator.Identity, _ client: TURNClient, at now: Instant
    ) {
        guard let allocation = allocations[client] else { return refuse(437, message, identity, client) }
        guard let number = value(.channelNumber, of: message), ChannelData.channels.contains(number),
            let peer = value(.xorPeerAddress, of: message)
        else { return refuse(400, message, identity, client) }
        if let code = objection(to: [peer], allocation) { return refuse(code, message, identity, client) }
        // A number and a peer belong together for as long as either is bound (RFC 8656 s12).
        let bound = allocation.channels[number].flatMap { $0.expiresAt > now ? $0.peer : nil }
        let other = allocation.channel(to: peer, at: now)
        guard bound == nil || bound == peer, other == nil || other == number else {
            return refuse(400, message, identity, client)
        }
        guard bound != nil || allocation.channels.count < configuration.mostChannels else {
            return refuse(508, message, identity, client)
        }
        let channel = RelayAllocation.Channel(peer: peer, expiresAt: now + configuration.channelLifetime)
        allocations[client]?.channels[number] = channel
        permit(peer.address, client, at: now)
        answer(.successResponse, .channelBind, message.transactionID, identity, client) { _ in }
    }

    // MARK: Data

    private mutating func send(_ message: Message, from client: TURNClient, at now: Instant) {
        guard message.method == .send, let peer = value(.xorPeerAddress, of: message),
            let data = message.rawValue(.data),
            message.first(.dontFragment) == nil, message.unknownComprehensionRequired.isEmpty
        else { return }
        relay(data, to: peer, from: client, at: now)
    }

    mutating func handle(_ data: ChannelData, from client: TURNClient, at now: Instant) {
        guard let channel = allocations[client]?.channels[data.channel], channel.expiresAt > now else { return }
        relay(data.data, to: channel.peer, from: client, at: now)
    }

    private mutating func relay(_ data: [UInt8], to peer: Endpoint, from client: TURNClient, at now: Instant) {
        guard let allocation = allocations[client], allocation.relayed != nil, peer.port != 0,
            allocation.permits(peer.address, at: now)
        else { return }
        outputs.append(.transmit(Transmit(path: allocation.relay, destination: peer, bytes: data)))
    }

    /// What came to a relayed address.
    mutating func received(_ datagram: Datagram, at now: Instant) {
        guard let client = clientByRelay[datagram.path], let allocation = allocations[client] else { return }
        let peer = Endpoint(datagram.source.address.withoutZone, datagram.source.port)
        guard allocation.permits(peer.address, at: now) else { return }
        let bytes: [UInt8]
        if let number = allocation.channel(to: peer, at: now) {
            bytes = ChannelData(channel: number, data: datagram.bytes).encoded(padded: client.isStream)
        } else {
            var builder = MessageBuilder(.indication, .data, TransactionID(using: &random))
            builder.append(.xorPeerAddress, peer)
            builder.append(.data, datagram.bytes)
            bytes = builder.bytes
        }
        replies.append(Reply(client: client, bytes: bytes, isAuthenticated: true))
    }

    private func value<Value>(_ key: AttributeKey<Value>, of message: Message) -> Value? {
        (try? message.value(key)) ?? nil
    }
}
