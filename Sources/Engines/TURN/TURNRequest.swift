import NetTypes
import STUN

/// What a request asks for. It is written when it is sent, so that it carries the nonce of that moment.
enum TURNRequest: Hashable, Sendable {
    case allocate
    case refresh
    case delete
    case permission([IPAddress])
    case channel(UInt16, Endpoint)
    case connect(Endpoint)
    case connectionBind(UInt32)

    var method: Method {
        switch self {
        case .allocate: .allocate
        case .refresh, .delete: .refresh
        case .permission: .createPermission
        case .channel: .channelBind
        case .connect: .connect
        case .connectionBind: .connectionBind
        }
    }

    var stage: TURNStage {
        switch self {
        case .allocate: .allocate
        case .refresh: .refresh
        case .delete: .delete
        case .permission(let addresses): .permission(addresses)
        case .channel(_, let peer): .channel(peer)
        case .connect(let peer): .connect(peer)
        case .connectionBind(let id): .connectionBind(id)
        }
    }

    func bytes(
        _ id: TransactionID, _ configuration: TURNConfiguration, _ signature: LongTermAuthenticator.Signature?
    ) -> [UInt8] {
        var builder = MessageBuilder(.request, method, id)
        if let software = configuration.software { builder.append(.software, Array(software.prefix(128))) }
        write(to: &builder, configuration)
        signature?.sign(&builder)
        return builder.bytes
    }

    private func write(to builder: inout MessageBuilder, _ configuration: TURNConfiguration) {
        switch self {
        case .allocate: Self.writeAllocate(to: &builder, configuration)
        case .refresh:
            if let lifetime = configuration.lifetime { builder.append(.lifetime, lifetime) }
        case .delete: builder.append(.lifetime, 0)
        case .permission(let addresses):
            for address in addresses { builder.append(.xorPeerAddress, Endpoint(address, 0)) }
        case .channel(let number, let peer):
            builder.append(.channelNumber, number)
            builder.append(.xorPeerAddress, peer)
        case .connect(let peer): builder.append(.xorPeerAddress, peer)
        case .connectionBind(let id): builder.append(.connectionID, id)
        }
    }

    private static func writeAllocate(to builder: inout MessageBuilder, _ configuration: TURNConfiguration) {
        builder.append(.requestedTransport, configuration.relayTransport.rawValue)
        if let lifetime = configuration.lifetime { builder.append(.lifetime, lifetime) }
        if configuration.dontFragment { builder.append(.dontFragment, true) }
        // A reservation excludes what it has settled, and two families a reservation (RFC 8656 s7.1).
        if case .reserved(let token) = configuration.port {
            builder.append(.reservationToken, token)
            return
        }
        switch configuration.families {
        case .unspecified: break
        case .only(let family): builder.append(.requestedAddressFamily, family)
        case .dual: builder.append(.additionalAddressFamily, .ipv6)
        }
        if case .even(let reservesNext) = configuration.port {
            builder.append(.evenPort, reservesNext && configuration.families != .dual)
        }
    }
}
