import NetTypes
import STUN

/// TURN servers in memory, with their relayed addresses: 10 ms to them and 10 ms back. They check integrity by
/// themselves, know their allocations by five-tuple, and have faults to plant.
final class RelayServer {
    struct Allocation {
        var user: Endpoint
        var isStream: Bool
        var relayed: Endpoint
        var permissions: Set<IPAddress> = []
        var channels: [UInt16: Endpoint] = [:]
        /// RFC 6062.
        var isTCP = false
    }

    struct Request {
        var at: Instant
        var path: PathID
        var server: Endpoint
        var method: Method
        /// LIFETIME, where there is one.
        var lifetime: UInt32?
        var isSigned: Bool
    }

    static let leg = Duration.milliseconds(10)
    static let address = IPAddress(9, 9, 9, 9)
    static let endpoint = Endpoint(address, 3478)
    static let relayed6 = IPAddress(v6: 0x2600 << 112 | 9)

    let username = "user"
    var password = "pencil"
    /// THIRD-PARTY-AUTHORIZATION; nil where tokens are not taken.
    var thirdParty: String?
    /// What a token's requests are to be signed with.
    var tokenKey: [UInt8]?
    let realm = "example.org"
    /// Allocations that the user may have on a server at one time.
    var quota = Int.max
    /// How long they still count after they are deleted.
    var quotaLag = Duration.zero
    /// What signed requests are refused with.
    var refusal: (Request) -> Int? = { _ in nil }
    /// ALTERNATE-SERVER of that.
    var refusedTo: Endpoint?
    /// Where unsigned Allocates are sent.
    var redirects: [Endpoint: Endpoint] = [:]
    var alternateDomain: String?
    /// What gets no answer at all.
    var isDropped: (Request) -> Bool = { _ in false }
    /// Data to the relay that does not get in, out of it, or over a channel.
    var dropsIn = false
    var dropsOut = false
    var dropsChannels = false
    /// What is lost on its way from the first relayed address to the second.
    var dropsBetween: (Endpoint, Endpoint) -> Bool = { _, _ in false }

    /// Whether TCP is relayed (RFC 6062), and a peer's connection is announced and bound.
    var relaysTCP = true
    var announces = true
    /// What the bytes of a peer become on their way to the client.
    var alter: ([UInt8]) -> [UInt8] = { $0 }

    private(set) var requests: [Request] = []
    /// TCP: sockets that listen, peers' connections that wait for a data connection, and what is bound to what.
    private var listeners: [Endpoint: PathID] = [:]
    private var waiting: [UInt32: PathID] = [:]
    private var bound: [PathID: PathID] = [:]
    private var extra: [(Duration, PathID, VirtualNetwork.Arrival)] = []
    private(set) var allocations: [PathID: Allocation] = [:]
    /// The most that there were at one time.
    private(set) var mostAllocations = 0
    private var deletedAt: [Instant] = []
    private var answers: [TransactionID: [UInt8]] = [:]
    private var framers: [PathID: StreamFramer] = [:]
    private var pathByLocal: [Endpoint: PathID] = [:]
    private var nextPort: UInt16 = 50000

    func requests(_ method: Method) -> [Request] { requests.filter { $0.method == method } }
    /// Refreshes with lifetime 0.
    var deletions: [Request] { requests(.refresh).filter { $0.lifetime == 0 } }

    /// What bytes lead to: nil where no server and no relay is at the destination.
    func take(
        _ path: PathID, _ local: Endpoint, _ remote: Endpoint, _ bytes: [UInt8], at now: Instant, isStream: Bool
    ) -> [(Duration, PathID, VirtualNetwork.Arrival)] {
        if isStream, let other = bound[path] { return [(Self.leg * 2, other, .bytes(alter(bytes)))] }
        if !isStream { pathByLocal[local] = path }
        if let (client, allocation) = allocations.first(where: { $0.value.relayed == remote }) {
            return fromPeer(local, bytes, client, allocation)
        }
        var frames = [bytes]
        if isStream {
            framers[path, default: StreamFramer()].append(bytes)
            frames = []
            while let frame = try? framers[path]?.next() {
                switch frame {
                case .message(let message): frames.append(message)
                case .channelData(let data): frames.append(data.encoded(padded: false))
                }
            }
        }
        return frames.flatMap { fromClient(path, local, remote, $0, now, isStream: isStream) }
    }

    private func arrival(_ bytes: [UInt8], from source: Endpoint, isStream: Bool) -> VirtualNetwork.Arrival {
        guard isStream else { return .datagram(from: source, bytes) }
        return .bytes(bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4))
    }

    // MARK: Data

    private func fromPeer(
        _ peer: Endpoint, _ bytes: [UInt8], _ client: PathID, _ allocation: Allocation
    ) -> [(Duration, PathID, VirtualNetwork.Arrival)] {
        guard !dropsIn, allocation.permissions.contains(peer.address) else { return [] }
        let data: [UInt8]
        if let channel = allocation.channels.first(where: { $0.value == peer })?.key {
            guard !dropsChannels else { return [] }
            data = ChannelData(channel: channel, data: bytes).encoded(padded: false)
        } else {
            var builder = MessageBuilder(.indication, .data, TransactionID(high: 1, low: 2))
            builder.append(.xorPeerAddress, peer)
            builder.append(.data, bytes)
            data = builder.bytes
        }
        return [
            (Self.leg * 2, client, arrival(data, from: allocation.user, isStream: allocation.isStream))
        ]
    }

    private func toPeer(
        _ peer: Endpoint, _ bytes: [UInt8], _ allocation: Allocation
    ) -> [(Duration, PathID, VirtualNetwork.Arrival)] {
        guard !dropsOut, allocation.permissions.contains(peer.address) else { return [] }
        if let (client, other) = allocations.first(where: { $0.value.relayed == peer }) {
            guard !dropsBetween(allocation.relayed, peer) else { return [] }
            return fromPeer(allocation.relayed, bytes, client, other)
        }
        guard let path = pathByLocal[peer] else { return [] }
        return [(Self.leg * 2, path, .datagram(from: allocation.relayed, bytes))]
    }

    private func fromClient(
        _ path: PathID, _ local: Endpoint, _ server: Endpoint, _ bytes: [UInt8], _ now: Instant, isStream: Bool
    ) -> [(Duration, PathID, VirtualNetwork.Arrival)] {
        if let first = bytes.first, first & 0xC0 == 0x40 {
            guard !dropsChannels, let data = try? ChannelData(decoding: bytes), let allocation = allocations[path],
                let peer = allocation.channels[data.channel]
            else { return [] }
            return toPeer(peer, data.data, allocation)
        }
        guard let message = try? Message(decoding: bytes) else { return [] }
        if message.messageClass == .indication {
            guard let peer = (try? message.value(.xorPeerAddress)) ?? nil, let data = message.rawValue(.data),
                let allocation = allocations[path]
            else { return [] }
            return toPeer(peer, data, allocation)
        }
        let request = Request(
            at: now, path: path, server: server, method: message.method,
            lifetime: (try? message.value(.lifetime)) ?? nil, isSigned: message.first(.messageIntegrity) != nil)
        requests.append(request)
        guard !isDropped(request) else { return [] }
        let reply =
            answers[message.transactionID] ?? answer(message, request, from: local, server, isStream: isStream)
        answers[message.transactionID] = reply
        defer { extra = [] }
        return extra + [(Self.leg * 2, path, arrival(reply, from: server, isStream: isStream))]
    }

    // MARK: Requests

    private var key: [UInt8] {
        if let tokenKey { return tokenKey }
        guard let username = try? Username(username), let realm = try? Realm(Array(realm.utf8)),
            let key = try? LongTermKey(username: username, realm: realm, password: password)
        else { return [] }
        return key.bytes
    }

    private func success(_ message: Message, _ fill: (inout MessageBuilder) -> Void = { _ in }) -> [UInt8] {
        var builder = MessageBuilder(.successResponse, message.method, message.transactionID)
        fill(&builder)
        if message.method != .binding { builder.appendMessageIntegrity(key: key) }
        return builder.bytes
    }

    private func error(
        _ code: Int, _ message: Message, isSigned: Bool = true, _ fill: (inout MessageBuilder) -> Void = { _ in }
    ) -> [UInt8] {
        var builder = MessageBuilder(.errorResponse, message.method, message.transactionID)
        builder.append(.errorCode, ErrorCode(code))
        fill(&builder)
        if isSigned { builder.appendMessageIntegrity(key: key) }
        return builder.bytes
    }

    private func answer(
        _ message: Message, _ request: Request, from local: Endpoint, _ server: Endpoint, isStream: Bool
    ) -> [UInt8] {
        if message.method == .binding { return success(message) { $0.append(.xorMappedAddress, local) } }
        if message.method == .allocate, let other = redirects[server] {
            return error(300, message, isSigned: false) {
                $0.append(.alternateServer, other)
                if let alternateDomain { $0.append(.alternateDomain, Array(alternateDomain.utf8)) }
            }
        }
        guard request.isSigned, message.verifyIntegrity(key: key) == .valid else {
            return error(401, message, isSigned: false) {
                $0.append(.realm, realm)
                $0.append(.nonce, "nonce")
                if let thirdParty { $0.append(.thirdPartyAuthorization, Array(thirdParty.utf8)) }
            }
        }
        if let code = refusal(request) {
            return error(code, message) { if let refusedTo { $0.append(.alternateServer, refusedTo) } }
        }
        switch message.method {
        case .allocate:
            deletedAt.removeAll { $0 + quotaLag <= request.at }
            return allocate(message, request.path, local, server, isStream: isStream)
        case .refresh:
            guard allocations[request.path] != nil else { return error(437, message) }
            if request.lifetime == 0 {
                allocations[request.path] = nil
                deletedAt.append(request.at)
            }
            return success(message) { $0.append(.lifetime, request.lifetime ?? 600) }
        case .createPermission:
            if let peer = (try? message.value(.xorPeerAddress)) ?? nil {
                allocations[request.path]?.permissions.insert(peer.address)
            }
            return success(message)
        case .channelBind:
            if let peer = (try? message.value(.xorPeerAddress)) ?? nil,
                let number = (try? message.value(.channelNumber)) ?? nil
            {
                allocations[request.path]?.channels[number] = peer
            }
            return success(message)
        case .connect: return connect(message, request.path)
        case .connectionBind:
            guard let id = (try? message.value(.connectionID)) ?? nil, let peer = waiting.removeValue(forKey: id) else {
                return error(400, message)
            }
            (bound[peer], bound[request.path]) = (request.path, peer)
            return success(message)
        default: return error(400, message)
        }
    }

    // MARK: TCP relays

    /// A socket of the client's machine is there: it may be a peer that connects to a relayed address.
    func opened(
        _ path: PathID, _ specification: PathSpecification, _ local: Endpoint
    ) -> [(Duration, PathID, VirtualNetwork.Arrival)] {
        if specification.kind == .listener { listeners[local] = path }
        guard case .connection(let remote) = specification.kind,
            let (client, allocation) = allocations.first(where: { $0.value.relayed == remote }), allocation.isTCP,
            allocation.permissions.contains(local.address), announces
        else { return [] }
        let id = UInt32(waiting.count + bound.count + 1)
        waiting[id] = path
        var builder = MessageBuilder(.indication, .connectionAttempt, TransactionID(high: 1, low: UInt64(id)))
        builder.append(.xorPeerAddress, local)
        builder.append(.connectionID, id)
        return [(Self.leg * 2, client, .bytes(builder.bytes))]
    }

    private func connect(_ message: Message, _ path: PathID) -> [UInt8] {
        guard let peer = (try? message.value(.xorPeerAddress)) ?? nil, let listener = listeners[peer],
            let relayed = allocations[path]?.relayed
        else { return error(447, message) }
        let id = UInt32(waiting.count + bound.count + 1001)
        let accepted = PathID(1 << 31 | id)
        waiting[id] = accepted
        extra = [(Self.leg, listener, .accepted(accepted, from: relayed))]
        return success(message) { $0.append(.connectionID, id) }
    }

    private func allocate(
        _ message: Message, _ path: PathID, _ local: Endpoint, _ server: Endpoint, isStream: Bool
    ) -> [UInt8] {
        guard allocations.count + deletedAt.count < quota else { return error(486, message) }
        let isTCP = (try? message.value(.requestedTransport)) == 6
        guard !isTCP || relaysTCP else { return error(442, message) }
        nextPort += 1
        let isIPv6 = (try? message.value(.requestedAddressFamily)) == .ipv6
        let relayed = Endpoint(isIPv6 ? Self.relayed6 : server.address, nextPort)
        allocations[path] = Allocation(user: server, isStream: isStream, relayed: relayed, isTCP: isTCP)
        mostAllocations = max(mostAllocations, allocations.count)
        return success(message) {
            $0.append(.xorRelayedAddress, relayed)
            $0.append(.xorMappedAddress, local)
            $0.append(.lifetime, 120)
        }
    }
}

extension VirtualNetwork {
    /// Lets the servers answer everything, and connections be made in a round trip.
    mutating func serve(_ server: RelayServer) {
        connect = { _ in [(RelayServer.leg * 2, .connected)] }
        opening = { path, specification, local in server.opened(path, specification, local) }
        relay = { path, local, remote, bytes, now, isStream in
            server.take(path, local, remote, bytes, at: now, isStream: isStream)
        }
    }
}
