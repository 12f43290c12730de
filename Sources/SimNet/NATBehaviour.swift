import NetTypes

/// On what of the remote endpoint a NAT's mapping or filtering depends (RFC 4787 s4.1, s5).
package enum Dependence: String, Hashable, Sendable, CaseIterable {
    case endpointIndependent = "endpoint-independent"
    case addressDependent = "address-dependent"
    case addressAndPortDependent = "address-and-port-dependent"

    /// The part of a remote endpoint that matters; the rest is zero.
    func relevant(_ remote: Endpoint) -> Endpoint {
        switch self {
        case .endpointIndependent: Endpoint(IPAddress(v4: 0), 0)
        case .addressDependent: Endpoint(remote.address, 0)
        case .addressAndPortDependent: remote
        }
    }
}

/// How a NAT behaves, in the terms of RFC 4787 (UDP) and RFC 5382 (TCP): both are mapped and filtered alike. An IPv6
/// NAT is the same.
package struct NATBehaviour: Hashable, Sendable {
    /// How the external port of a new mapping is chosen (RFC 4787 s4.2.1).
    package enum Allocation: Hashable, Sendable {
        /// The internal port; a random one where another mapping has it.
        case preserving
        /// The last mapping's port and this much more, from a random one; ports in use are passed over.
        case sequential(step: Int)
        case random
    }

    /// How the external address of a new mapping is chosen (RFC 4787 s4.1).
    package enum Pooling: Hashable, Sendable {
        /// The same one for every mapping of an internal address; internal addresses take them in turn.
        case paired
        case arbitrary
    }

    package var mapping: Dependence
    package var filtering: Dependence
    package var allocation: Allocation
    package var pooling: Pooling
    /// How long a UDP mapping and its filter live without traffic that refreshes them (RFC 4787 s4.3).
    package var lifetime: Duration
    /// The same for TCP (RFC 5382 s5).
    package var streamLifetime: Duration
    /// Whether inbound traffic refreshes as well; outbound traffic always does (RFC 4787 REQ-6).
    package var inboundRefreshes: Bool
    /// Whether inside hosts reach each other by their external endpoints, each seen with its own (RFC 4787 REQ-9).
    package var hairpins: Bool
    /// What becomes of inbound traffic that no mapping or filter lets in.
    package var unsolicited: FirewallBehaviour.Action

    package init(
        mapping: Dependence = .endpointIndependent, filtering: Dependence = .addressAndPortDependent,
        allocation: Allocation = .preserving, pooling: Pooling = .paired, lifetime: Duration = .seconds(120),
        streamLifetime: Duration = .seconds(7440), inboundRefreshes: Bool = false, hairpins: Bool = false,
        unsolicited: FirewallBehaviour.Action = .drop
    ) {
        self.mapping = mapping
        self.filtering = filtering
        self.allocation = allocation
        self.pooling = pooling
        self.lifetime = lifetime
        self.streamLifetime = streamLifetime
        self.inboundRefreshes = inboundRefreshes
        self.hairpins = hairpins
        self.unsolicited = unsolicited
    }
}
