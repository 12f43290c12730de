package import NetTypes

/// How a stateful firewall behaves. It routes and translates nothing: inside addresses are reachable from outside as
/// far as it lets them be.
package struct FirewallBehaviour: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        case pass
        case drop
        /// Answered with this ICMP error; `connectionRefused` is a TCP RST, and port unreachable for UDP.
        case reject(PathError.Kind)
    }

    /// What becomes of inbound traffic that nothing inside asked for.
    package var inbound: Action
    package var outboundUDP: Action
    package var outboundTCP: Action
    /// What inbound traffic counts as asked for: after the inside endpoint has sent anywhere, to the source's address,
    /// or to the very source.
    package var filtering: Dependence
    /// How long the state of UDP lives without traffic; either direction refreshes it.
    package var lifetime: Duration
    package var streamLifetime: Duration

    package init(
        inbound: Action = .drop, outboundUDP: Action = .pass, outboundTCP: Action = .pass,
        filtering: Dependence = .addressAndPortDependent, lifetime: Duration = .seconds(120),
        streamLifetime: Duration = .seconds(7440)
    ) {
        self.inbound = inbound
        self.outboundUDP = outboundUDP
        self.outboundTCP = outboundTCP
        self.filtering = filtering
        self.lifetime = lifetime
        self.streamLifetime = streamLifetime
    }
}
