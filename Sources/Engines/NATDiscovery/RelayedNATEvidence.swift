package import NetTypes

/// All that a discovery through relays saw from one local address: what was sent from which socket, or through which
/// relay to it, and what came.
///
/// A relayed address is a second endpoint under our control: what is sent to it comes to the TURN server with the source
/// that the NAT chose for that destination, and what it sends to a mapped address shows whom the filter lets in. What
/// it means is computed from the evidence alone (``RelayedNATVerdict``), so a recorded run can be judged again.
package struct RelayedNATEvidence: Hashable, Sendable, Codable {
    package var source: IPAddress
    /// The servers that are asked for a Binding beside the relays: each sees this machine from a place of its own.
    package var servers: [Endpoint] = []
    package var relays: [Relay] = []
    package var exchanges: [RelayedNATExchange] = []
    /// Why what an observer shows is not believed; see ``settle(_:)``.
    package private(set) var objections: [NATObserver: String] = [:]
    /// From where a relay sends, if that is not the address that it was said to have.
    package private(set) var strays: [Int: Endpoint] = [:]
    /// Where each socket was bound.
    package var localEndpoints: [RelayedNATSocket: Endpoint] = [:]
    /// When it ended, since its start.
    package var endedAt: Duration = .zero
    /// Whether the run's end cut it short.
    package var isCutShort = false

    package init(source: IPAddress) { self.source = source }

    package struct Relay: Hashable, Sendable, Codable {
        /// The TURN server's endpoint.
        package var server: Endpoint
        package var relayedAddress: Endpoint?
        /// This machine's outside, as its server says.
        package var outside: IPAddress?
        /// To its server; known once there is an allocation.
        package var roundTrip: Duration?
        /// Which peers it was asked to admit, and those that it does.
        package var asked: Set<IPAddress> = []
        package var permitted: Set<IPAddress> = []
        /// Whether there is no relay, or it is gone.
        package var isLost = false

        package init(server: Endpoint) { self.server = server }
    }
}

/// Who sees a mapped address of ours.
package enum NATObserver: Hashable, Sendable, Codable {
    /// By the place in ``RelayedNATEvidence/servers``: XOR-MAPPED-ADDRESS of its answer says it.
    case server(Int)
    /// By the place in ``RelayedNATEvidence/relays``: XOR-PEER-ADDRESS of the data that came to it says it.
    case relay(Int)
}

/// One socket for each question, so that no question opens a filter for another.
package enum RelayedNATSocket: Hashable, Sendable, Codable {
    /// Sends to every observer: do they see the same mapped address? All of them get in to it, whatever filters.
    case mapping
    /// Has sent to nothing but this one: who else gets in?
    case filtering(NATObserver)
}

/// One datagram and what became of it. Each is of its own, so that what comes belongs to one, and a loss counts once.
package struct RelayedNATExchange: Hashable, Sendable, Codable {
    package enum Way: Hashable, Sendable, Codable {
        /// A Binding request from the socket to a server.
        case asked(server: Int)
        /// A datagram from the socket to a relayed address.
        case contacted(relay: Int)
        /// Data through a relay to a mapped address of the socket.
        case relayed(Int, to: Endpoint)
    }

    package var socket: RelayedNATSocket
    package var way: Way
    /// Since the discovery's start.
    package var sentAt: Duration
    package var outcome: Outcome?
    /// Why an answer says nothing.
    package var objection: String?

    package struct Outcome: Hashable, Sendable, Codable {
        /// Since it was sent.
        package var after: Duration
        /// The mapped address that the observer saw; of what came through a relay, its source as the socket saw it.
        package var endpoint: Endpoint

        package init(after: Duration, endpoint: Endpoint) {
            self.after = after
            self.endpoint = endpoint
        }
    }
}

extension RelayedNATExchange.Way {
    /// What it asks where this machine is seen.
    init(to observer: NATObserver) {
        switch observer {
        case .server(let server): self = .asked(server: server)
        case .relay(let relay): self = .contacted(relay: relay)
        }
    }

    /// The relay that it is sent through.
    package var sender: Int? { if case .relayed(let relay, _) = self { relay } else { nil } }

    package var observer: NATObserver? {
        switch self {
        case .asked(let server): .server(server)
        case .contacted(let relay): .relay(relay)
        case .relayed: nil
        }
    }
}

extension RelayedNATEvidence {
    package func endpoint(of observer: NATObserver) -> Endpoint? {
        switch observer {
        case .server(let server): servers[server]
        case .relay(let relay): relays[relay].relayedAddress
        }
    }

    /// Everyone who may see this machine, relays that are not there yet left out.
    package var observers: [NATObserver] {
        servers.indices.map { .server($0) }
            + relays.indices.filter { relays[$0].relayedAddress != nil }.map { .relay($0) }
    }

    /// How an observer saw a socket, each time.
    func sightings(of socket: RelayedNATSocket, by observer: NATObserver) -> [Endpoint] {
        exchanges.filter { $0.socket == socket && $0.way.observer == observer }.compactMap(\.outcome?.endpoint)
    }

    /// How the observers that can be believed see a socket. They stand where the relays do: to a server of this
    /// machine's own network it may look otherwise, and that says nothing of the way out.
    func views(of socket: RelayedNATSocket) -> [NATObserver: Endpoint] {
        var views: [NATObserver: Endpoint] = [:]
        for observer in observers where isComparable(observer) && objection(to: observer) == nil {
            let way = RelayedNATExchange.Way(to: observer)
            views[observer] =
                exchanges.first { $0.way == way && $0.outcome != nil && $0.socket == socket }?.outcome?.endpoint
        }
        return views
    }

    private func isComparable(_ observer: NATObserver) -> Bool {
        let relayed = relays.lazy.compactMap(\.relayedAddress).first
        return endpoint(of: observer)?.address.realm == relayed?.address.realm
    }

    /// Why what an observer shows is not believed; nil where it is.
    package func objection(to observer: NATObserver) -> String? { objections[observer] }

    /// Draws from an exchange that has come to its end what is to be believed.
    mutating func settle(_ exchange: Int) {
        let way = exchanges[exchange].way
        if let observer = way.observer { objections[observer] = findObjection(to: observer) }
        if let relay = way.sender, let from = exchanges[exchange].outcome?.endpoint, strays[relay] == nil,
            from != relays[relay].relayedAddress
        {
            strays[relay] = from
        }
    }

    private func findObjection(to observer: NATObserver) -> String? {
        guard let place = endpoint(of: observer) else { return nil }
        let own = exchanges.filter { $0.way.observer == observer }
        if let objection = own.lazy.compactMap(\.objection).first { return objection }
        let locals = Set(localEndpoints.values.map(\.address))
        for (socket, local) in localEndpoints {
            let seen = Set(own.filter { $0.socket == socket }.compactMap(\.outcome?.endpoint))
            if seen.count > 1 {
                return "it saw one socket at \(seen.sorted().map(\.description).joined(separator: " and "))"
            }
            guard let seen = seen.first else { continue }
            if place.address.realm == .global, seen.address.realm != .global, !locals.contains(seen.address) {
                return "it sees \(seen), an address of its own network (\(seen.address.realm.rawValue))"
            }
            if seen.address == local.address, seen.port != local.port {
                return "it sees this machine's own address with another port (\(seen), not \(local)): "
                    + "something before the server rewrites ports"
            }
        }
        return nil
    }

    /// From where a relay sends, if that is not the address that it was said to have.
    package func straySource(of relay: Int) -> Endpoint? { strays[relay] }

    /// Whether a relay can show the filter: what it sends is known to come in where the way is open.
    func sends(_ relay: Int) -> Bool {
        !relays[relay].isLost && views(of: .mapping)[.relay(relay)] != nil && straySource(of: relay) == nil
    }

    /// The longest time that something to or through an observer took; nil where none is known.
    func longestRoundTrip(_ observer: NATObserver) -> Duration? {
        var trips = exchanges.filter { $0.way.observer == observer }.compactMap(\.outcome?.after)
        if case .relay(let relay) = observer {
            trips += [relays[relay].roundTrip].compactMap(\.self)
            trips += exchanges.filter { $0.way.sender == relay && $0.socket == .mapping }.compactMap(\.outcome?.after)
        }
        return trips.max()
    }

    func patience(_ observer: NATObserver) -> Duration {
        SequentialTest.patience(roundTrip: longestRoundTrip(observer) ?? .zero)
    }
}
