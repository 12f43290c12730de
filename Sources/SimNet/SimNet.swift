package import NetTypes

/// A host of a simulated network, by the number that the network gave it.
package struct HostID: Hashable, Sendable {
    let index: Int
}

/// An engine that runs in the background of a simulated network.
package struct EngineID: Hashable, Sendable {
    let seat: Int
}

/// A deterministic network on a virtual clock, on which engines run unchanged: hosts, links, NATs and firewalls.
///
/// The public internet is the root realm, and each router owns a realm behind it. A packet goes up through routers
/// until its destination is in the realm, then down: a NAT translates its source on the way out and its destination on
/// the way in, a firewall only looks. Everything random comes from the one seed: the same calls on a network of the
/// same seed are the same run, to the packet.
package struct SimNet {
    /// The present of the virtual clock.
    package var now: Instant { Instant(nanoseconds: clock) }
    /// What the resolver of every host answers.
    package var names = NameTable()
    /// Whether the end of every packet's way is kept in ``trace``.
    package var isTracing = false
    package internal(set) var trace: [TraceEntry] = []

    /// What happens at a time.
    enum Event {
        /// A packet comes out of a link.
        case arrival(Packet, Stop)
        case answer(QueryID, SystemAnswer, seat: Int)
        case wake(seat: Int)
        /// A connection attempt has had no answer for as long as the system tries.
        case connectingTimedOut(slot: Int, serial: Int)
    }

    /// The end of a link.
    enum Stop {
        case host(Int)
        /// A router's outside.
        case router(Int)
        case realm(Int)
    }

    enum Owner {
        case host(Int)
        /// A NAT whose address it is, or a firewall behind which it is.
        case router(Int)
    }

    struct Realm {
        /// The router that it is behind; nil for the public internet.
        var router: Int?
        var owners: [IPAddress: Owner] = [:]
    }

    /// An engine and its paths, as one process of a host.
    struct Seat {
        let host: Int
        /// Nil where the owner of the network has it.
        var engine: (any Engine)?
        /// Whether the owner of the network runs it.
        var isForeground: Bool
        /// Places in ``sockets``.
        var paths: [PathID: Int] = [:]
        var acceptedCount: UInt32 = 0
        /// The wake-up that is in the schedule, in nanoseconds.
        var wake: Int64?
        /// What came while no one ran the engine.
        var inbox: [Input] = []
    }

    var clock: Int64 = 0
    var random: SeededGenerator
    var schedule = Schedule<Event>()
    var realms = [Realm()]
    var routers: [Router] = []
    var hosts: [Host] = []
    var seats: [Seat] = []
    var sockets: [Socket?] = []
    var freeSockets: [Int] = []
    var socketCount = 0
    /// What has come to light and is not handed over yet; a timeout is one that may be due.
    var ready: [(seat: Int, input: Input)] = []
    var readyHead = 0
    /// Steps since the clock moved.
    var idleSteps = 0

    /// Inputs in one run: more are a livelock.
    private static let mostInARun = 100_000_000

    package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    // MARK: Topology

    /// Adds a router, and the realm behind it.
    ///
    /// - Parameters:
    ///   - externalAddresses: a NAT's pool; of a firewall, the addresses that its ICMP errors come from.
    ///   - outer: the router in whose realm its outside is; nil is the public internet.
    ///   - link: between it and its outer realm.
    package mutating func addRouter(
        _ behaviour: Router.Behaviour, externalAddresses: [IPAddress] = [], behind outer: RouterID? = nil,
        link: Link = Link()
    ) -> RouterID {
        let index = routers.count
        let realm = outer.map { routers[$0.index].innerRealm } ?? 0
        routers.append(Router(behaviour, externalAddresses, outer: realm, inner: realms.count, link))
        realms.append(Realm(router: index))
        if case .nat = behaviour {
            for address in externalAddresses { claim(address, in: realm, for: .router(index)) }
        }
        return RouterID(index: index)
    }

    /// Adds a host.
    ///
    /// - Parameters:
    ///   - addresses: the first of each family is where it sends from by itself.
    ///   - router: the router in whose realm it is; nil is the public internet.
    ///   - link: between it and its realm.
    package mutating func addHost(
        addresses: [IPAddress], behind router: RouterID? = nil, link: Link = Link()
    ) -> HostID {
        addHost(addresses: addresses, behindForIPv4: router, behindForIPv6: router, link: link)
    }

    /// Adds a host that has another router for each family.
    package mutating func addHost(
        addresses: [IPAddress], behindForIPv4 ipv4Router: RouterID?, behindForIPv6 ipv6Router: RouterID?,
        link: Link = Link()
    ) -> HostID {
        let host = Host(
            addresses: addresses.map(\.withoutZone), ipv4Realm: ipv4Router.map { routers[$0.index].innerRealm } ?? 0,
            ipv6Realm: ipv6Router.map { routers[$0.index].innerRealm } ?? 0, up: Wire(link), down: Wire(link))
        for address in host.addresses { claim(address, in: host.realm(address.family), for: .host(hosts.count)) }
        hosts.append(host)
        return HostID(index: hosts.count - 1)
    }

    /// Makes an address reachable in a realm, and outside of it as far as only firewalls stand between.
    private mutating func claim(_ address: IPAddress, in realm: Int, for owner: Owner) {
        let previous = realms[realm].owners.updateValue(owner, forKey: address)
        precondition(previous == nil, "\(address) is given twice in one realm")
        if let router = realms[realm].router, !routers[router].translates {
            claim(address, in: routers[router].outerRealm, for: .router(router))
        }
    }

    // MARK: Running

    /// Starts an engine in the background of a host, such as a server. What it tells is not kept.
    @discardableResult
    package mutating func start(_ engine: any Engine, on host: HostID) -> EngineID {
        seats.append(Seat(host: host.index, engine: engine, isForeground: false))
        visit(seats.count - 1, nil)
        return EngineID(seat: seats.count - 1)
    }

    /// The state of an engine in the background.
    package func engine<E: Engine>(_ id: EngineID, as type: E.Type = E.self) -> E? { seats[id.seat].engine as? E }

    /// Ends an engine in the background as the death of its process would: the system closes what it had open.
    package mutating func stop(_ id: EngineID) {
        closeAll(of: id.seat)
        seats[id.seat].engine = nil
    }

    /// Runs an engine until it is finished or the time comes, and gives what it told.
    ///
    /// Whoever runs an engine that was stopped by the time goes on where it was: its sockets stay open until it is
    /// finished, and what arrives in between waits for it. A run that can have no end is a failed precondition.
    package mutating func run<E: Engine>(_ engine: inout E, on host: HostID, until end: Instant? = nil) -> [E.Event] {
        let seat = foregroundSeat(of: host)
        var events: [E.Event] = []
        drain(&engine, seat, &events)
        let inbox = seats[seat].inbox
        seats[seat].inbox = []
        for input in inbox {
            engine.handle(input, at: now)
            drain(&engine, seat, &events)
        }
        var total = 0
        while !engine.isFinished {
            total += 1
            precondition(total < Self.mostInARun, "livelock: the engine has no end")
            guard let (place, input) = nextReady() else {
                guard step(until: end?.nanoseconds) else { return events }
                continue
            }
            guard place == seat else {
                visit(place, input)
                continue
            }
            if case .timeout = input, !isDue(engine, seat) { continue }
            engine.handle(input, at: now)
            drain(&engine, seat, &events)
        }
        closeAll(of: seat)
        seats[seat].isForeground = false
        return events
    }

    /// Lets the engines in the background run until a time.
    package mutating func advance(to end: Instant) {
        while true {
            if let (place, input) = nextReady() {
                visit(place, input)
            } else if !step(until: end.nanoseconds) {
                return
            }
        }
    }

    private mutating func foregroundSeat(of host: HostID) -> Int {
        if let present = seats.firstIndex(where: { $0.host == host.index && $0.isForeground }) { return present }
        seats.append(Seat(host: host.index, engine: nil, isForeground: true))
        return seats.count - 1
    }
}
