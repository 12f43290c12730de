package import Engines
package import NetTypes

/// How a simulated NAT behaves, in the terms of RFC 4787.
package struct NATModel: Hashable, Sendable {
    package enum PortAllocation: Hashable, Sendable {
        /// The inside port where it is free, else the next one that is.
        case preserving
        case sequential(step: Int)
        case random
    }

    package enum Pooling: Hashable, Sendable {
        /// An inside address keeps one external address.
        case paired
        case arbitrary
    }

    /// `none` is not for a NAT: see ``FirewallModel``.
    package var mapping: NATDependence
    package var filtering: NATDependence
    package var allocation: PortAllocation
    package var pooling: Pooling
    /// How long a mapping lives after the last packet that went out through it (RFC 4787 s4.3).
    package var lifetime: Duration
    /// Whether inside hosts reach each other's external addresses (RFC 4787 s6), seen from their external ones.
    package var hairpins: Bool

    package init(
        mapping: NATDependence = .endpointIndependent, filtering: NATDependence = .addressAndPortDependent,
        allocation: PortAllocation = .preserving, pooling: Pooling = .paired, lifetime: Duration = .seconds(120),
        hairpins: Bool = false
    ) {
        precondition(mapping != .none && filtering != .none, "a NAT maps and filters in some way")
        self.mapping = mapping
        self.filtering = filtering
        self.allocation = allocation
        self.pooling = pooling
        self.lifetime = lifetime
        self.hairpins = hairpins
    }
}

/// A stateful firewall: it translates nothing, and lets in what answers.
package struct FirewallModel: Hashable, Sendable {
    package enum Verdict: Hashable, Sendable {
        case pass
        case drop
        /// With an ICMP message of this kind.
        case reject(PathError.Kind)
    }

    /// Whom a packet that went out opens the way in for; `none` lets everything in.
    package var filtering: NATDependence
    package var inbound: Verdict
    package var outboundUDP: Verdict
    package var lifetime: Duration

    package init(
        filtering: NATDependence = .addressAndPortDependent, inbound: Verdict = .drop, outboundUDP: Verdict = .pass,
        lifetime: Duration = .seconds(120)
    ) {
        self.filtering = filtering
        self.inbound = inbound
        self.outboundUDP = outboundUDP
        self.lifetime = lifetime
    }
}
