import NetTypes

/// A router of a simulated network, by the number that the network gave it.
package struct RouterID: Hashable, Sendable {
    let index: Int
}

/// What stands between two realms: a NAT or a firewall.
package struct Router {
    package enum Behaviour: Hashable, Sendable {
        case nat(NATBehaviour)
        case firewall(FirewallBehaviour)
    }

    /// What becomes of a packet.
    enum Passage {
        /// It goes on, translated where this is a NAT.
        case passed
        /// It goes back inside, with its source translated: its destination is this NAT's own.
        case turnedRound
        case dropped(TraceEntry.Reason)
        case rejected(TraceEntry.Reason, PathError.Kind)
    }

    let behaviour: Behaviour
    let externalAddresses: [IPAddress]
    /// The realm that its external addresses stand in.
    let outerRealm: Int
    /// The realm behind it.
    let innerRealm: Int
    var up: Wire
    var down: Wire
    private var datagrams: FlowTable
    private var streams: FlowTable
    private var pairs: [IPAddress: IPAddress] = [:]
    /// How many inside addresses of each family have been given an external one.
    private var pairedCount = (ipv4: 0, ipv6: 0)
    private var lastPort: (udp: Int, tcp: Int)?

    /// The ports that a NAT chooses from (RFC 4787 REQ-3: not the well-known ones).
    private static let ports = 1024...65535

    init(_ behaviour: Behaviour, _ externalAddresses: [IPAddress], outer: Int, inner: Int, _ link: Link) {
        self.behaviour = behaviour
        self.externalAddresses = externalAddresses
        outerRealm = outer
        innerRealm = inner
        up = Wire(link)
        down = Wire(link)
        switch behaviour {
        case .nat(let nat):
            datagrams = FlowTable(nat, isStream: false)
            streams = FlowTable(nat, isStream: true)
        case .firewall(let firewall):
            datagrams = FlowTable(firewall, isStream: false)
            streams = FlowTable(firewall, isStream: true)
        }
    }

    var translates: Bool {
        if case .nat = behaviour { true } else { false }
    }

    /// Its address of a family, to report errors from.
    func address(_ family: IPAddress.Family) -> IPAddress? { externalAddresses.first { $0.family == family } }

    // MARK: Outwards

    mutating func passOut(_ packet: inout Packet, at now: Int64, _ random: inout SeededGenerator) -> Passage {
        packet.timeToLive -= 1
        if packet.timeToLive == 0 { return .rejected(.timeToLiveExceeded, .timeToLiveExceeded) }
        if case .icmp(let kind, let isAboutStream, let quoted) = packet.content {
            return passOut(error: kind, isAboutStream, quoted, in: &packet, at: now)
        }
        switch behaviour {
        case .firewall(let firewall):
            switch packet.isStream ? firewall.outboundTCP : firewall.outboundUDP {
            case .drop: return .dropped(.outboundRule)
            case .reject(let kind): return .rejected(.outboundRule, kind)
            case .pass: break
            }
            let inside = packet.source
            _ = withFlows(packet.isStream) { flows in
                flows.outbound(from: inside, to: packet.destination, at: now) { _ in inside }
            }
            return .passed
        case .nat(let nat):
            let isOwn = externalAddresses.contains(packet.destination.address)
            guard !isOwn || nat.hairpins else { return .dropped(.noHairpin) }
            guard let external = externalAddress(for: packet.source.address, nat.pooling) else {
                return .rejected(.noExternalAddress, .networkUnreachable)
            }
            guard let outside = map(packet, to: external, nat, at: now, &random) else {
                return .dropped(.portsExhausted)
            }
            packet.source = outside
            return isOwn ? .turnedRound : .passed
        }
    }

    /// An ICMP error from inside, about a packet that was let in.
    private mutating func passOut(
        error kind: PathError.Kind, _ isAboutStream: Bool, _ quoted: Endpoint, in packet: inout Packet, at now: Int64
    ) -> Passage {
        guard translates else { return .passed }
        let flows = isAboutStream ? streams : datagrams
        guard let outside = flows.outside(of: quoted, towards: packet.destination, at: now) else {
            return .dropped(.noMapping)
        }
        packet.content = .icmp(kind, isAboutStream: isAboutStream, quotedDestination: outside)
        if let own = address(packet.source.family) { packet.source.address = own }
        return externalAddresses.contains(packet.destination.address) ? .turnedRound : .passed
    }

    // MARK: Inwards

    mutating func passIn(_ packet: inout Packet, at now: Int64) -> Passage {
        packet.timeToLive -= 1
        if packet.timeToLive == 0 { return .rejected(.timeToLiveExceeded, .timeToLiveExceeded) }
        let destination = packet.destination
        let source = packet.source
        if case .icmp = packet.content {
            let flows = packet.isStream ? streams : datagrams
            guard let inside = flows.inside(of: destination, at: now) else { return .dropped(.noMapping) }
            packet.destination = inside
            return .passed
        }
        let unsolicited: FirewallBehaviour.Action
        switch behaviour {
        case .nat(let nat): unsolicited = nat.unsolicited
        case .firewall(let firewall): unsolicited = firewall.inbound
        }
        let found = withFlows(packet.isStream) { $0.inbound(to: destination, from: source, at: now) }
        let reason: TraceEntry.Reason
        switch found {
        case .inside(let inside):
            packet.destination = inside
            return .passed
        case .noMapping: reason = .noMapping
        case .filtered: reason = .filtered
        }
        switch unsolicited {
        case .reject(let kind): return .rejected(reason, kind)
        // Without a mapping a NAT has no one to pass it to.
        case .pass: return translates ? .dropped(reason) : .passed
        case .drop: return .dropped(reason)
        }
    }

    // MARK: Mappings

    private mutating func withFlows<Result>(_ isStream: Bool, _ body: (inout FlowTable) -> Result) -> Result {
        isStream ? body(&streams) : body(&datagrams)
    }

    /// The pool's address for an inside one; for arbitrary pooling nil stands for "any".
    private mutating func externalAddress(
        for inside: IPAddress, _ pooling: NATBehaviour.Pooling
    ) -> [IPAddress]? {
        let pool = externalAddresses.filter { $0.family == inside.family }
        if pool.count < 2 || pooling == .arbitrary { return pool.isEmpty ? nil : pool }
        if let paired = pairs[inside] { return [paired] }
        let turn = inside.family == .ipv4 ? pairedCount.ipv4 : pairedCount.ipv6
        if inside.family == .ipv4 { pairedCount.ipv4 += 1 } else { pairedCount.ipv6 += 1 }
        let chosen = pool[turn % pool.count]
        pairs[inside] = chosen
        return [chosen]
    }

    private mutating func map(
        _ packet: Packet, to addresses: [IPAddress], _ nat: NATBehaviour, at now: Int64,
        _ random: inout SeededGenerator
    ) -> Endpoint? {
        var last = lastPort ?? (random.number(below: Self.ports.count), random.number(below: Self.ports.count))
        var offset = packet.isStream ? last.tcp : last.udp
        let inside = packet.source
        let outside = withFlows(packet.isStream) { flows in
            flows.outbound(from: inside, to: packet.destination, at: now) { isFree in
                let address = addresses.count == 1 ? addresses[0] : addresses[random.number(below: addresses.count)]
                return Self.allocate(nat.allocation, address, inside.port, &offset, &random, isFree)
            }
        }
        if packet.isStream { last.tcp = offset } else { last.udp = offset }
        lastPort = last
        return outside
    }

    /// A free external endpoint, or nil where every port is taken.
    ///
    /// - Parameter offset: the place in ``ports`` of the last mapping's port.
    private static func allocate(
        _ allocation: NATBehaviour.Allocation, _ address: IPAddress, _ insidePort: UInt16, _ offset: inout Int,
        _ random: inout SeededGenerator, _ isFree: (Endpoint) -> Bool
    ) -> Endpoint? {
        if case .preserving = allocation, isFree(Endpoint(address, insidePort)) { return Endpoint(address, insidePort) }
        var step = 1
        if case .sequential(let wanted) = allocation {
            step = wanted
        } else {
            offset = random.number(below: ports.count)
        }
        for attempt in 0..<ports.count * 2 {
            // A step may come round to the ports it has been at: then every port is tried.
            offset = (offset + (attempt < ports.count ? step : 1)) % ports.count
            if offset < 0 { offset += ports.count }
            let endpoint = Endpoint(address, UInt16(ports.lowerBound + offset))
            if isFree(endpoint) { return endpoint }
        }
        return nil
    }
}
