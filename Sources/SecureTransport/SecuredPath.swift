import NetTypes

/// What is behind the number of a path that is secured.
enum SecuredPath {
    case stream(SecureStream)
    case listener(SecureServerConfiguration, SecureContext)
    /// A DTLS client.
    case association(SecureAssociation)
    /// A DTLS server, with an association for each client.
    case associations(SecureAssociations)

    var nextWake: Instant? {
        switch self {
        case .stream(let stream): stream.nextWake
        case .listener: nil
        case .association(let association): association.nextWake
        case .associations(let associations): associations.nextWake
        }
    }

    /// The datagram as the engine gave it; nil for the handshake's own.
    func original(of transmit: Transmit) -> Transmit? {
        switch self {
        case .association(let association): association.original { $0 == transmit.bytes }
        case .associations(let associations):
            associations.peers[transmit.destination]?.original { $0 == transmit.bytes }
        case .stream, .listener: nil
        }
    }

    /// The plaintext of a datagram that an ICMP message quotes, of which the message may hold the start alone; nothing
    /// for the handshake's own.
    func original(ofQuoted quoted: [UInt8]) -> [UInt8] {
        guard !quoted.isEmpty else { return quoted }
        switch self {
        case .association(let association): return association.original { $0.starts(with: quoted) }?.bytes ?? []
        case .associations(let associations):
            for association in associations.peers.values {
                if let found = association.original(where: { $0.starts(with: quoted) }) { return found.bytes }
            }
            return []
        case .stream, .listener: return []
        }
    }
}

/// A TLS connection, of either side.
final class SecureStream {
    let channel: SecureChannel
    let limit: Duration
    private(set) var openedAt: Instant?
    /// Whether the engine has been told how the handshake ended.
    var isTold = false
    var hasEnded = false

    init(_ channel: SecureChannel, limit: Duration) {
        self.channel = channel
        self.limit = limit
    }

    func opened(at now: Instant) { openedAt = now }

    var nextWake: Instant? { isTold ? nil : openedAt.map { $0 + limit } }
}

/// DTLS with one peer, of either side.
final class SecureAssociation {
    let channel: SecureChannel
    let peer: Endpoint
    let limit: Duration
    private(set) var openedAt: Instant?
    var lastHeard: Instant
    var isTold = false
    /// The last datagrams that were encrypted: the system speaks of them as they were sent.
    private var sent: [(encrypted: [UInt8], plain: Transmit)] = []

    /// How many datagrams are remembered.
    static let mostSent = 16

    init(_ channel: SecureChannel, peer: Endpoint, limit: Duration) {
        self.channel = channel
        self.peer = peer
        self.limit = limit
        lastHeard = .zero
    }

    func opened(at now: Instant) {
        openedAt = now
        lastHeard = now
    }

    var nextWake: Instant? {
        guard let openedAt else { return nil }
        let wakes = [channel.nextWake, isTold ? nil : openedAt + limit]
        return wakes.compactMap(\.self).min()
    }

    func wake(at now: Instant) {
        channel.handleTimeout(at: now)
        if !isTold, let openedAt, openedAt + limit <= now { channel.giveUp() }
    }

    func remember(_ encrypted: [UInt8], _ plain: Transmit) {
        if sent.count == Self.mostSent { sent.removeFirst() }
        sent.append((encrypted, plain))
    }

    func original(where matches: ([UInt8]) -> Bool) -> Transmit? {
        sent.last { matches($0.encrypted) }?.plain
    }
}

/// The clients of a DTLS server's socket: none of them costs anything before its cookie has come back.
final class SecureAssociations {
    let configuration: SecureServerConfiguration
    let context: SecureContext
    private(set) var peers: [Endpoint: SecureAssociation] = [:]
    /// Listens for the next client; nil where it could not be made, which is tried again.
    private(set) var spare: SecureChannel?

    init(_ configuration: SecureServerConfiguration, _ context: SecureContext) throws(SecureFailure) {
        self.configuration = configuration
        self.context = context
        spare = try SecureChannel(server: configuration, context: context)
    }

    var nextWake: Instant? {
        peers.values.compactMap { association in
            [association.nextWake, association.lastHeard + configuration.idleLimit].compactMap(\.self).min()
        }.min()
    }

    /// Whether a datagram may be of a new client: a ClientHello in epoch 0 (RFC 6347 s4.2.8 has clients begin again from
    /// the same port).
    static func isHello(_ bytes: [UInt8]) -> Bool {
        bytes.count > 13 && bytes[0] == 22 && bytes[3] == 0 && bytes[4] == 0 && bytes[13] == 1
    }

    /// Lets the spare channel hear a client; gives its association once the cookie has come back.
    func hear(_ bytes: [UInt8], from peer: Endpoint, at now: Instant) -> SecureAssociation? {
        guard peers[peer] != nil || peers.count < configuration.mostPeers || evictIdle(at: now) else { return nil }
        guard let spare else { return nil }
        spare.setPeer(peer)
        spare.receive(bytes, at: now)
        guard spare.state != .listening else { return nil }
        self.spare = nil
        let association = SecureAssociation(spare, peer: peer, limit: configuration.handshakeLimit)
        association.opened(at: now)
        peers[peer] = association
        return association
    }

    func listeningChannel() -> SecureChannel? {
        if spare == nil { spare = try? SecureChannel(server: configuration, context: context) }
        return spare
    }

    func forget(_ peer: Endpoint) { peers[peer] = nil }

    /// Makes room where a client has been silent for a while; false where none has.
    private func evictIdle(at now: Instant) -> Bool {
        let oldest = peers.min { ($0.value.lastHeard, $0.key) < ($1.value.lastHeard, $1.key) }
        guard let oldest, now - oldest.value.lastHeard >= .seconds(30) else { return false }
        peers[oldest.key] = nil
        return true
    }

    /// Does what is due, and gives the associations that it concerned.
    func wake(at now: Instant) -> [(Endpoint, SecureAssociation)] {
        var woken: [(Endpoint, SecureAssociation)] = []
        for (peer, association) in peers {
            if association.lastHeard + configuration.idleLimit <= now {
                association.channel.close()
                woken.append((peer, association))
            } else if let wake = association.nextWake, wake <= now {
                association.wake(at: now)
                woken.append((peer, association))
            }
        }
        return woken
    }
}
