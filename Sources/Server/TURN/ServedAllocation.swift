import NetTypes
import STUN

/// An allocation as the server keeps it (RFC 8656 s3.2): whose it is, what relays for it, and to whom.
struct ServedAllocation {
    /// RFC 8656 s9.
    static let permissionLifetime = Duration.seconds(300)
    /// RFC 8656 s12.
    static let channelLifetime = Duration.seconds(600)

    /// A relay socket that is open.
    struct Relayed {
        let path: PathID
        let address: Endpoint
    }

    let client: TURNClient
    let username: String
    var relayed: [Relayed] = []
    var expiresAt: Instant
    /// The Allocate that waits for its sockets; nil once it is answered.
    var opening: AllocateRequest?
    private var permissions: [IPAddress: Instant] = [:]
    private var channels: [UInt16: (peer: Endpoint, expiresAt: Instant)] = [:]
    private var channelsByPeer: [Endpoint: UInt16] = [:]

    init(_ client: TURNClient, username: String, expiresAt: Instant) {
        self.client = client
        self.username = username
        self.expiresAt = expiresAt
    }

    var description: TURNServerEvent.Allocation {
        TURNServerEvent.Allocation(
            client: client.remote, transport: client.transport, username: username, relayed: relayed.map(\.address))
    }

    func relay(_ family: IPAddress.Family) -> Relayed? { relayed.first { $0.address.family == family } }

    // MARK: Permissions

    func permits(_ peer: IPAddress, at now: Instant) -> Bool { permissions[peer].map { now < $0 } ?? false }

    /// Makes permissions or renews them; false, and none of them, where they would be too many.
    mutating func permit(_ peers: Set<IPAddress>, limit: Int, at now: Instant) -> Bool {
        if permissions.count + peers.count > limit { permissions = permissions.filter { now < $0.value } }
        guard peers.filter({ permissions[$0] == nil }).count + permissions.count <= limit else { return false }
        for peer in peers { permissions[peer] = now + Self.permissionLifetime }
        return true
    }

    // MARK: Channels

    enum Binding { case bound, conflicting, tooMany }

    /// Binds a channel or renews it; a channel has one peer, and a peer one channel (RFC 8656 s12.2).
    mutating func bind(_ channel: UInt16, to peer: Endpoint, limit: Int, at now: Instant) -> Binding {
        if let bound = channels[channel], bound.expiresAt <= now { forget(channel) }
        if let other = channelsByPeer[peer], let bound = channels[other], bound.expiresAt <= now { forget(other) }
        guard channels[channel].map({ $0.peer == peer }) ?? true,
            channelsByPeer[peer].map({ $0 == channel }) ?? true
        else { return .conflicting }
        if channels.count >= limit, channels[channel] == nil {
            for (number, bound) in channels where bound.expiresAt <= now { forget(number) }
            guard channels.count < limit else { return .tooMany }
        }
        channels[channel] = (peer, now + Self.channelLifetime)
        channelsByPeer[peer] = channel
        return .bound
    }

    func peer(of channel: UInt16, at now: Instant) -> Endpoint? {
        channels[channel].flatMap { now < $0.expiresAt ? $0.peer : nil }
    }

    func channel(to peer: Endpoint, at now: Instant) -> UInt16? {
        channelsByPeer[peer].flatMap { self.peer(of: $0, at: now) == nil ? nil : $0 }
    }

    private mutating func forget(_ channel: UInt16) {
        if let bound = channels.removeValue(forKey: channel) { channelsByPeer[bound.peer] = nil }
    }
}
