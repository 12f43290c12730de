package import NetTypes

/// What crosses the simulated network.
package struct Packet: Hashable, Sendable {
    package enum Payload: Hashable, Sendable {
        case datagram([UInt8])
        /// About a datagram that the packet's receiver sent.
        case icmp(PathError.Kind, from: IPAddress, about: Endpoint, quoting: [UInt8])
        case synchronize
        case accept
        case reset
        case bytes([UInt8])
        case finish
    }

    package var transport: Transport
    package var source: Endpoint
    package var destination: Endpoint
    package var payload: Payload

    /// Whether a loss delays it, as TCP sends it again, and it keeps its place in the order.
    var isReliable: Bool { transport == .tcp }
}

/// What became of a packet.
package struct PacketFate: Hashable, Sendable {
    package enum Fate: Hashable, Sendable {
        case delivered
        case lost
        /// A NAT or firewall let it not in.
        case filtered
        /// A firewall let it not out, or rejected it.
        case refused
        case noRoute
    }

    package var at: Instant
    package var packet: Packet
    package var fate: Fate
}
