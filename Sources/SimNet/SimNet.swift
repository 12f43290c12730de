import Engines
package import NetTypes

/// A network on a virtual clock: hosts with engines on them, links, NATs and firewalls, all from one seed.
///
/// The Internet is the outermost realm; each router has a realm of its own behind it, so routers behind routers make
/// double NATs. A packet takes the sender's link, passes the routers up and down at once, and takes the receiver's
/// link. The same engines run here as on sockets.
package struct SimNet: Sendable {
    package struct HostID: Hashable, Sendable { let place: Int }
    package struct RouterID: Hashable, Sendable { let place: Int }

    enum Event: Sendable {
        /// Has passed its sender's link.
        case forwards(Packet, from: HostID)
        /// Has passed its receiver's link.
        case arrives(Packet, HostID)
        case input(Input, HostID)
    }

    struct Router: Sendable {
        enum Kind: Sendable {
            case nat(NATModel)
            case firewall(FirewallModel)
        }

        var kind: Kind
        var externalAddresses: [IPAddress]
        /// The router that it is itself behind.
        var behind: RouterID?
        var table = MappingTable()
    }

    /// Who has an address within a realm.
    enum Neighbour: Sendable {
        case host(HostID)
        case router(RouterID)
    }

    struct Passage: Hashable, Sendable {
        var host: HostID
        var isInbound: Bool
        var source: Endpoint
        var destination: Endpoint
    }

    struct Place: Hashable, Sendable {
        var realm: RouterID?
        var address: IPAddress
    }

    package internal(set) var now = Instant.zero
    var random: SeededGenerator
    var queue = EventQueue<Event>()
    var hosts: [Host] = []
    var routers: [Router] = []
    var neighbours: [Place: Neighbour] = [:]
    /// When the last segment of a connection passes a link: what a loss delays holds up what follows it.
    var lastPassages: [Passage: Instant] = [:]
    /// Names that the system's resolver knows, for both families.
    package var names: [String: [IPAddress]] = [:]
    /// How long the system takes for an answer about a name.
    package var lookupDelay = Duration.zero
    /// Whether ``trace`` is kept.
    package var keepsTrace = false
    package internal(set) var trace: [PacketFate] = []

    package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    // MARK: Topology

    package mutating func addNAT(
        _ model: NATModel, externalAddresses: [IPAddress], behind: RouterID? = nil
    ) -> RouterID {
        addRouter(Router(kind: .nat(model), externalAddresses: externalAddresses, behind: behind))
    }

    /// - Parameter address: what its ICMP messages come from.
    package mutating func addFirewall(
        _ model: FirewallModel, address: IPAddress, behind: RouterID? = nil
    ) -> RouterID {
        addRouter(Router(kind: .firewall(model), externalAddresses: [address], behind: behind))
    }

    private mutating func addRouter(_ router: Router) -> RouterID {
        let id = RouterID(place: routers.count)
        routers.append(router)
        for address in router.externalAddresses { announce(address, .router(id), in: router.behind) }
        return id
    }

    package mutating func addHost(
        _ addresses: [IPAddress], behind: RouterID? = nil, link: Link = Link()
    ) -> HostID {
        let id = HostID(place: hosts.count)
        hosts.append(Host(addresses: addresses, behind: behind, link: link, random: &random))
        for address in addresses { announce(address, .host(id), in: behind) }
        return id
    }

    /// A firewall routes: what is inside has its address outside as well.
    private mutating func announce(_ address: IPAddress, _ neighbour: Neighbour, in realm: RouterID?) {
        precondition(neighbours[Place(realm: realm, address: address)] == nil, "\(address) is there already")
        neighbours[Place(realm: realm, address: address)] = neighbour
        if let realm, case .firewall = routers[realm.place].kind {
            announce(address, .router(realm), in: routers[realm.place].behind)
        }
    }

    // MARK: Running

    /// Sets an engine on a host, where it runs whenever time passes.
    package mutating func run(_ engine: any Engine & Sendable, on host: HostID) {
        hosts[host.place].engine = engine
        drain(host)
    }

    /// Runs an engine on a host until it is finished, nothing is left to happen, or the instant comes.
    ///
    /// - Returns: its events, in their order.
    package mutating func run<E: Engine & Sendable>(
        _ engine: inout E, on host: HostID, until end: Instant? = nil
    ) -> [E.Event] {
        hosts[host.place].events = []
        hosts[host.place].keepsEvents = true
        run(engine, on: host)
        advance(until: end, orFinished: host)
        if let last = hosts[host.place].engine as? E { engine = last }
        hosts[host.place].engine = nil
        hosts[host.place].keepsEvents = false
        return hosts[host.place].events.compactMap { $0 as? E.Event }
    }

    /// Lets time pass.
    package mutating func advance(until end: Instant) { advance(until: end, orFinished: nil) }

    private mutating func advance(until end: Instant?, orFinished host: HostID?) {
        var steps = 0
        while host.map({ hosts[$0.place].engine?.isFinished != true }) ?? true {
            steps += 1
            precondition(steps < 5_000_000, "livelock: the engines never come to rest")
            let wake = hosts.indices.compactMap { index in hosts[index].wake.map { ($0, index) } }.min { $0.0 < $1.0 }
            let next = [queue.nextAt, wake?.0].compactMap { $0 }.min()
            guard let next, end.map({ next <= $0 }) ?? true else { break }
            now = max(now, next)
            if let wake, wake.0 <= next {
                handle(.timeout, on: HostID(place: wake.1))
            } else if let event = queue.popFirst() {
                happen(event)
            }
        }
        if let end { now = max(now, end) }
    }

    private mutating func happen(_ event: Event) {
        switch event {
        case .forwards(let packet, let host): route(packet, from: host)
        case .arrives(let packet, let host): arrive(packet, at: host)
        case .input(let input, let host): handle(input, on: host)
        }
    }

    mutating func note(_ packet: Packet, _ fate: PacketFate.Fate) {
        if keepsTrace { trace.append(PacketFate(at: now, packet: packet, fate: fate)) }
    }
}
