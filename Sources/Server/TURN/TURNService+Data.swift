import NetTypes
import STUN

/// What goes through the relays (RFC 8656 s10 to s12). None of it is answered: what does not fit is dropped and
/// counted.
extension TURNService {
    /// The most that a datagram carries over IPv4.
    private static let mostToPeer = 65_507
    /// Less than a datagram or a STUN message carries, by more than what is written around it.
    private static let mostToClient = 65_400

    /// Whether an endpoint is a relay socket of this server.
    func isRelay(_ endpoint: Endpoint) -> Bool {
        guard ports[endpoint.family]?.contains(endpoint.port) == true, let relay = configuration.relay(endpoint.family)
        else { return false }
        return [relay.bound, relay.advertised].contains(endpoint.address.withoutZone)
            || relay.bound.realm == .unspecified
    }

    // MARK: From clients

    /// A Send indication.
    mutating func relay(_ indication: Message, from client: TURNClient, at now: Instant) {
        guard let allocation = allocations[client], Self.unknown(in: indication).isEmpty,
            let peer = try? indication.value(.xorPeerAddress), let data = indication.rawValue(.data)
        else { return counts.dropped += 1 }
        relay(data, to: peer, of: allocation, at: now)
    }

    /// Data on a channel.
    mutating func relay(_ data: ChannelData, from client: TURNClient, at now: Instant) {
        expire(at: now)
        guard let allocation = allocations[client], let peer = allocation.peer(of: data.channel, at: now) else {
            return counts.dropped += 1
        }
        relay(data.data, to: peer, of: allocation, at: now)
    }

    private mutating func relay(_ data: [UInt8], to peer: Endpoint, of allocation: ServedAllocation, at now: Instant) {
        guard let relayed = allocation.relay(peer.family), peer.port != 0, allocation.permits(peer.address, at: now),
            data.count <= Self.mostToPeer,
            // Of its own public address, only the relays are anybody's peers.
            configuration.permits(peer.address) || isRelay(peer)
        else { return counts.dropped += 1 }
        counts.relayedToPeers += 1
        // The NAT in front of it need not send back what goes to its own outside.
        if let client = clientBehindNAT(peer) { return deliver(data, from: relayed.address, to: client, at: now) }
        outputs.append(.transmit(Transmit(path: relayed.path, destination: peer, bytes: data)))
    }

    /// Whose relay an address is that only a NAT knows as this server's.
    private func clientBehindNAT(_ peer: Endpoint) -> TURNClient? {
        guard let relay = configuration.relay(peer.family), relay.advertised != relay.bound,
            peer.address == relay.advertised
        else { return nil }
        return allocations.first { $0.value.relayed.contains { $0.address == peer } }?.key
    }

    // MARK: From peers

    /// A datagram that came to a relay socket.
    mutating func received(_ datagram: Datagram, at now: Instant) {
        expire(at: now)
        let peer = Endpoint(datagram.source.address.withoutZone, datagram.source.port)
        guard case .allocation(let client) = owners[datagram.path] else { return counts.dropped += 1 }
        deliver(datagram.bytes, from: peer, to: client, at: now)
    }

    private mutating func deliver(_ bytes: [UInt8], from peer: Endpoint, to client: TURNClient, at now: Instant) {
        guard let allocation = allocations[client], allocation.opening == nil,
            allocation.permits(peer.address, at: now), peer.port != 0, bytes.count <= Self.mostToClient
        else { return counts.dropped += 1 }
        counts.relayedToClients += 1
        if let channel = allocation.channel(to: peer, at: now) {
            let data = ChannelData(channel: channel, data: bytes)
            outputs.append(client.output(data.encoded(padded: client.isConnection)))
        } else {
            tell(client, of: peer) { $0.append(.data, bytes) }
        }
    }

    /// An ICMP message that came for something sent to a peer (RFC 8656 s11.6).
    mutating func received(_ error: PathError, at now: Instant) {
        guard case .icmp = error.origin, let peer = error.destination,
            case .allocation(let client) = owners[error.path],
            allocations[client]?.permits(peer.address.withoutZone, at: now) == true,
            let icmp = RelayedICMP(error.kind, peer.family)
        else { return }
        tell(client, of: Endpoint(peer.address.withoutZone, peer.port)) { $0.append(.icmp, icmp) }
    }

    private mutating func tell(_ client: TURNClient, of peer: Endpoint, _ fill: (inout MessageBuilder) -> Void) {
        var builder = MessageBuilder(.indication, .data, TransactionID(using: &random))
        builder.append(.xorPeerAddress, peer)
        fill(&builder)
        outputs.append(client.output(builder.bytes))
    }
}

extension RelayedICMP {
    /// The message behind an error of a path, as far as it is told (RFC 792, RFC 4443).
    fileprivate init?(_ kind: PathError.Kind, _ family: IPAddress.Family) {
        let isV4 = family == .ipv4
        switch kind {
        case .portUnreachable: self = isV4 ? Self(3, 3) : Self(1, 4)
        case .hostUnreachable: self = isV4 ? Self(3, 1) : Self(1, 3)
        case .networkUnreachable: self = isV4 ? Self(3, 0) : Self(1, 0)
        case .administrativelyProhibited: self = isV4 ? Self(3, 13) : Self(1, 1)
        case .protocolUnreachable where isV4: self = Self(3, 2)
        case .messageTooBig(let mtu): self = isV4 ? Self(3, 4, mtu ?? 0) : Self(2, 0, mtu ?? 0)
        case .timeToLiveExceeded: self = isV4 ? Self(11, 0) : Self(3, 0)
        case .otherICMP(let type, let code) where type < 128: self = Self(type, UInt16(code))
        default: return nil
        }
    }

    private init(_ type: UInt8, _ code: UInt16, _ data: UInt32 = 0) {
        self.init(type: type, code: code, data: data)
    }
}
