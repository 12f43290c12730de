import NetTypes

/// The way of a packet: up through routers until its destination is in the realm, then down.
extension SimNet {
    /// Puts a packet on its way from a host.
    mutating func send(_ packet: Packet, from host: Int) {
        if hosts[host].addresses.contains(packet.destination.address) {
            // To itself: no link, and not before the sender has done what it is at.
            return schedule.add(.arrival(packet, .host(host)), at: clock)
        }
        let crossing = hosts[host].up.cross(packet.content, at: clock, &random)
        forward(packet, to: .realm(hosts[host].realm(packet.destination.family)), crossing)
    }

    mutating func arrive(_ packet: Packet, at stop: Stop) {
        switch stop {
        case .realm(let realm): route(packet, in: realm)
        case .router(let router): enter(packet, router)
        case .host(let host): deliver(packet, to: host)
        }
    }

    private mutating func route(_ packet: Packet, in realm: Int) {
        switch realms[realm].owners[packet.destination.address] {
        case .host(let host):
            forward(packet, to: .host(host), hosts[host].down.cross(packet.content, at: clock, &random))
        case .router(let router):
            forward(packet, to: .router(router), routers[router].down.cross(packet.content, at: clock, &random))
        case nil:
            guard let router = realms[realm].router else { return note(packet, .noSuchAddress) }
            leave(packet, router)
        }
    }

    private mutating func forward(_ packet: Packet, to stop: Stop, _ crossing: Wire.Crossing) {
        // The copy first: what arrives at once may have a long way of its own.
        if let copy = crossing.copy { schedule.add(.arrival(packet, stop), at: copy) }
        guard let arrival = crossing.arrival else { return note(packet, .lost) }
        if arrival == clock { arrive(packet, at: stop) } else { schedule.add(.arrival(packet, stop), at: arrival) }
    }

    /// Takes a packet out of a router's realm.
    private mutating func leave(_ original: Packet, _ router: Int) {
        var packet = original
        switch routers[router].passOut(&packet, at: clock, &random) {
        case .passed: goUp(packet, router)
        case .turnedRound: enter(packet, router)
        case .dropped(let reason): note(packet, .dropped(RouterID(index: router), reason))
        case .rejected(let reason, let kind):
            note(packet, .rejected(RouterID(index: router), reason, kind))
            let reporter = routers[router].address(original.source.family)
            if let refusal = original.refusal(kind, from: reporter, at: clock) {
                route(refusal, in: routers[router].innerRealm)
            }
        }
    }

    private mutating func goUp(_ packet: Packet, _ router: Int) {
        let realm = routers[router].outerRealm
        forward(packet, to: .realm(realm), routers[router].up.cross(packet.content, at: clock, &random))
    }

    /// Takes a packet into a router's realm.
    private mutating func enter(_ original: Packet, _ router: Int) {
        var packet = original
        switch routers[router].passIn(&packet, at: clock) {
        case .passed, .turnedRound: route(packet, in: routers[router].innerRealm)
        case .dropped(let reason): note(packet, .dropped(RouterID(index: router), reason))
        case .rejected(let reason, let kind):
            note(packet, .rejected(RouterID(index: router), reason, kind))
            let reporter = routers[router].address(original.source.family)
            if let refusal = original.refusal(kind, from: reporter, at: clock) { goUp(refusal, router) }
        }
    }

    /// Keeps the end of a packet's way, where someone wants to know.
    mutating func note(_ packet: Packet, _ fate: TraceEntry.Fate) {
        guard isTracing else { return }
        let kind: TraceEntry.Kind =
            switch packet.content {
            case .datagram: .udp
            case .segment: .tcp
            case .icmp(let kind, _, _): .icmp(kind)
            }
        trace.append(
            TraceEntry(
                sentAt: Instant(nanoseconds: packet.sentAt), endedAt: now, kind: kind, source: packet.source,
                destination: packet.destination, byteCount: packet.bytes.count, fate: fate))
    }
}
