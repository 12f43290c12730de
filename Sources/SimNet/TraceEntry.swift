package import NetTypes

/// The end of one packet's way, as a traced network keeps it.
package struct TraceEntry: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case udp
        case tcp
        case icmp(PathError.Kind)
    }

    package enum Fate: Hashable, Sendable {
        case delivered(HostID)
        /// A link lost it.
        case lost
        /// No one has its destination address.
        case noSuchAddress
        /// No socket of the host takes it.
        case noListener(HostID)
        /// An error or reset for which nothing waits any more.
        case unwanted(HostID)
        case dropped(RouterID, Reason)
        case rejected(RouterID, Reason, PathError.Kind)
    }

    /// Why a router let it not through.
    package enum Reason: Hashable, Sendable {
        /// Nothing inside has a mapping or state for it.
        case noMapping
        /// There is one, and its filter does not admit this source.
        case filtered
        /// A rule against outbound traffic.
        case outboundRule
        /// From inside to an external address, which this NAT does not turn round.
        case noHairpin
        /// The NAT has no external address of the family.
        case noExternalAddress
        /// No external port is free.
        case portsExhausted
        case timeToLiveExceeded
    }

    package var sentAt: Instant
    /// When its way ended.
    package var endedAt: Instant
    package var kind: Kind
    /// The endpoints as they were where its way ended.
    package var source: Endpoint
    package var destination: Endpoint
    /// Bytes of payload.
    package var byteCount: Int
    package var fate: Fate
}
