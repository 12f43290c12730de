import Engines
import NetTypes

extension SimNet {
    /// The wait of TCP before it sends a segment again.
    private static var segmentRetransmission: Duration { .milliseconds(200) }

    /// Puts a packet on its sender's link.
    mutating func send(_ packet: Packet, from host: HostID) {
        cross(packet, of: host, isInbound: false)
    }

    private mutating func cross(_ packet: Packet, of host: HostID, isInbound: Bool) {
        let link = hosts[host.place].link
        let event: Event = isInbound ? .arrives(packet, host) : .forwards(packet, from: host)
        var arrival = now + link.passage(&random)
        if packet.isReliable {
            while random.happens(link.loss) { arrival = arrival + Self.segmentRetransmission }
            let passage = Passage(
                host: host, isInbound: isInbound, source: packet.source, destination: packet.destination)
            if let last = lastPassages[passage], arrival <= last { arrival = last + .nanoseconds(1) }
            lastPassages[passage] = arrival
        } else if random.happens(link.loss) {
            return note(packet, .lost)
        }
        queue.add(event, at: arrival)
        if !packet.isReliable, random.happens(link.duplication) {
            queue.add(event, at: now + link.passage(&random))
        }
    }

    func realm(of host: HostID) -> RouterID? { hosts[host.place].behind }

    mutating func route(_ packet: Packet, from host: HostID) { routeUp(packet, in: realm(of: host)) }

    /// Takes a packet up to the first realm that knows its destination, and down from there.
    private mutating func routeUp(_ sent: Packet, in start: RouterID?) {
        var packet = sent
        var realm = start
        while true {
            if let neighbour = neighbours[Place(realm: realm, address: packet.destination.address)] {
                return routeDown(packet, to: neighbour)
            }
            guard let router = realm else { return note(packet, .noRoute) }
            guard let out = leave(packet, through: router) else { return }
            packet = out
            let outer = routers[router.place].behind
            // A packet for the NAT's own outside comes back in where the NAT does hairpins.
            if routers[router.place].externalAddresses.contains(packet.destination.address),
                case .nat(let model) = routers[router.place].kind
            {
                return model.hairpins ? routeDown(packet, to: .router(router)) : note(packet, .filtered)
            }
            realm = outer
        }
    }

    private mutating func routeDown(_ sent: Packet, to first: Neighbour) {
        var packet = sent
        var neighbour = first
        while true {
            switch neighbour {
            case .host(let host):
                return cross(packet, of: host, isInbound: true)
            case .router(let router):
                guard let inside = enter(packet, through: router) else { return }
                packet = inside
                guard let next = neighbours[Place(realm: router, address: packet.destination.address)] else {
                    return note(packet, .noRoute)
                }
                neighbour = next
            }
        }
    }

    // MARK: Routers

    /// What a packet looks like on the outside; nil where it does not get out.
    private mutating func leave(_ packet: Packet, through router: RouterID) -> Packet? {
        var packet = packet
        let place = router.place
        switch routers[place].kind {
        case .nat(let model):
            if case .icmp = packet.payload { return packet }
            packet.source = routers[place].table.outbound(
                packet.transport, from: packet.source, to: packet.destination, model,
                addresses: routers[place].externalAddresses, at: now, &random)
        case .firewall(let model):
            if case .icmp = packet.payload { return packet }
            let verdict = packet.transport == .udp ? model.outboundUDP : .pass
            guard judge(verdict, packet, by: router, in: router) else { return nil }
            routers[place].table.outbound(
                packet.transport, from: packet.source, to: packet.destination, lifetime: model.lifetime, at: now)
        }
        return packet
    }

    /// What a packet looks like on the inside; nil where it is not let in.
    private mutating func enter(_ packet: Packet, through router: RouterID) -> Packet? {
        var packet = packet
        var isAboutOwn = false
        if case .icmp = packet.payload { isAboutOwn = true }
        let found = routers[router.place].table
        switch routers[router.place].kind {
        case .nat(let model):
            let flow = found.inbound(
                packet.transport, to: packet.destination, from: packet.source, filtering: model.filtering,
                lifetime: model.lifetime, at: now)
            guard let flow, flow.isAllowed || isAboutOwn else {
                note(packet, .filtered)
                return nil
            }
            packet.destination = flow.inside
        case .firewall(let model):
            if model.filtering == .none || isAboutOwn { return packet }
            let flow = found.inbound(
                packet.transport, to: packet.destination, from: packet.source, filtering: model.filtering,
                lifetime: model.lifetime, at: now)
            if flow?.isAllowed != true, !judge(model.inbound, packet, by: router, in: routers[router.place].behind) {
                return nil
            }
        }
        return packet
    }

    /// Whether a firewall's verdict lets a packet pass; a rejection is told to its sender, in the realm it came from.
    private mutating func judge(
        _ verdict: FirewallModel.Verdict, _ packet: Packet, by router: RouterID, in realm: RouterID?
    ) -> Bool {
        switch verdict {
        case .pass: return true
        case .drop: note(packet, .filtered)
        case .reject(let kind):
            note(packet, .refused)
            if let reporter = routers[router.place].externalAddresses.first {
                report(kind, about: packet, from: reporter, in: realm)
            }
        }
        return false
    }

    /// Tells the sender of a packet what became of it.
    mutating func report(_ kind: PathError.Kind, about packet: Packet, from reporter: IPAddress, in realm: RouterID?) {
        guard case .datagram(let bytes) = packet.payload else {
            guard case .synchronize = packet.payload else { return }
            let refusal = Packet(
                transport: .tcp, source: packet.destination, destination: packet.source, payload: .reset)
            return routeUp(refusal, in: realm)
        }
        let message = Packet(
            transport: packet.transport, source: packet.destination, destination: packet.source,
            payload: .icmp(kind, from: reporter, about: packet.destination, quoting: bytes))
        routeUp(message, in: realm)
    }
}
