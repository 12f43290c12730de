import Engines
import NetTypes
import Server
import SimNet

/// A network of two machines, what stands between them, a STUN server and the TURN servers that they have.
struct PathWorld {
    /// An agent that runs in the network.
    struct Player {
        var id: EngineID
        var board: ModelBoard
    }

    private struct Side {
        var host: HostID
        var bases: [IPAddress]
        var turn: [ICEConfiguration.TURNServer]
    }

    /// The addresses of one machine in one family.
    private struct Addresses {
        /// Behind a NAT.
        var inside: IPAddress
        /// Between a home's NAT and a carrier's.
        var middle: IPAddress
        /// On the Internet.
        var outside: IPAddress

        init(_ family: IPAddress.Family, isLocal: Bool) {
            let number: UInt32 = isLocal ? 1 : 2
            switch family {
            case .ipv4:
                inside = IPAddress(v4: 0xC0A8_000A + number << 8)
                middle = IPAddress(v4: 0x6440_000A + number << 8)
                outside = IPAddress(v4: 0x0E00_0001 + number << 24)
            case .ipv6:
                let site = UInt128(number) << 96
                inside = IPAddress(v6: 0xFD00 << 112 | site | 10)
                middle = IPAddress(v6: 0xFD80 << 112 | site | 10)
                outside = IPAddress(v6: 0x2A14 << 112 | site | 1)
            }
        }
    }

    var net = SimNet(seed: 0x1CE)
    private let question: PathQuestion
    private let link: Link
    private var local: Side?
    private var remote: Side?

    /// - Parameter delay: one way, from a machine to the middle of the Internet, where the servers are.
    init(_ question: PathQuestion, delay: Duration) {
        self.question = question
        link = Link(delay: delay)
        startSTUNServer()
        switch question.neighbourhood {
        case .apart:
            local = addMachine(question.local, isLocal: true)
            remote = addMachine(question.remote, isLocal: false)
        case .sameNAT, .sameNetwork:
            addNeighbours()
        }
    }

    // MARK: Agents

    /// Nil where one of them has no address to start from.
    mutating func startAgents() -> (Player, Player)? {
        guard let local, let remote, !local.bases.isEmpty, !remote.bases.isEmpty else { return nil }
        return (start(.controlling, local, seed: 1), start(.controlled, remote, seed: 2))
    }

    private mutating func start(_ role: ICERole, _ side: Side, seed: UInt64) -> Player {
        let preferences = LocalPreference.order(side.bases.map { LocalPreference.Choice($0, interfaceOrder: 0) })
        let configuration = ICEConfiguration(
            role, bases: zip(side.bases, preferences).map { ICEConfiguration.Base($0, localPreference: $1) },
            stunServers: Self.stunAddresses.map { Endpoint($0, 3478) }, turnServers: side.turn)
        let board = ModelBoard()
        let agent = ICEAgent(configuration, random: SeededGenerator(seed: seed), from: net.now)
        return Player(id: net.start(ModelAgent(agent: agent, board: board), on: side.host), board: board)
    }

    /// Gives each agent all that the other has gathered; but between networks behind one NAT the hosts' private addresses
    /// lead nowhere, and are left out.
    mutating func exchange(_ one: Player, _ other: Player) {
        let ours = told(by: one)
        let theirs = told(by: other)
        give(theirs, to: one)
        give(ours, to: other)
    }

    private struct Description {
        var credentials: ICECredentials
        var candidates: [Candidate]
        var pacing: Duration
    }

    private func told(by player: Player) -> Description? {
        guard let agent = net.engine(player.id, as: ModelAgent.self)?.agent else { return nil }
        return Description(
            credentials: agent.localCredentials,
            candidates: agent.localCandidates.filter { $0.kind != .host || leadsToHost($0) },
            pacing: agent.configuration.pacing)
    }

    private func leadsToHost(_ candidate: Candidate) -> Bool {
        guard question.neighbourhood == .sameNAT, let family = candidate.endpoint?.family else { return true }
        return !question.local[family].isTranslated && question.local[family].reach == .passing
    }

    private mutating func give(_ description: Description?, to player: Player) {
        guard let description else { return }
        net.withEngine(player.id, as: ModelAgent.self) { engine, now in
            for candidate in description.candidates { engine.agent.addRemote(candidate, at: now) }
            engine.agent.endRemoteCandidates(at: now)
            engine.agent.setRemote(description.credentials, pacing: description.pacing, at: now)
        }
    }

    // MARK: Machines

    private mutating func addMachine(_ machine: SettledMachine, isLocal: Bool) -> Side {
        var bases: [IPAddress] = []
        var routers: [IPAddress.Family: RouterID] = [:]
        for family in IPAddress.Family.allCases {
            let network = machine[family]
            let addresses = Addresses(family, isLocal: isLocal)
            guard network.reach != .absent else { continue }
            bases.append(network.isTranslated ? addresses.inside : addresses.outside)
            routers[family] = addRouter(network, addresses)
        }
        let host = net.addHost(
            addresses: bases, behindForIPv4: routers[.ipv4], behindForIPv6: routers[.ipv6], link: link)
        return Side(host: host, bases: bases, turn: addRelays(machine, isLocal: isLocal))
    }

    /// What a machine is directly behind; nil for the Internet itself.
    private mutating func addRouter(_ network: SettledNetwork, _ addresses: Addresses) -> RouterID? {
        if network.reach == .blocked {
            return net.addRouter(.firewall(FirewallBehaviour(outboundUDP: .drop)))
        }
        guard let filtering = network.filtering.dependence else { return nil }
        guard let mapping = network.mapping.dependence else {
            return net.addRouter(.firewall(FirewallBehaviour(filtering: filtering)))
        }
        // Which port a new mapping gets cannot be known where there is one for each destination.
        let behaviour = NATBehaviour(
            mapping: mapping, filtering: filtering, allocation: mapping == .endpointIndependent ? .preserving : .random,
            hairpins: network.hairpins)
        let outer = net.addRouter(.nat(behaviour), externalAddresses: [addresses.outside])
        guard network.isCarrierGrade else { return outer }
        let home = NATBehaviour(mapping: .endpointIndependent, filtering: filtering)
        return net.addRouter(.nat(home), externalAddresses: [addresses.middle], behind: outer)
    }

    /// Two machines behind one router of each family: what is known of one is true for the other.
    private mutating func addNeighbours() {
        var routers: [IPAddress.Family: RouterID] = [:]
        var bases: (local: [IPAddress], remote: [IPAddress]) = ([], [])
        for family in IPAddress.Family.allCases {
            let network = question.local[family]
            let (ours, theirs) = (Addresses(family, isLocal: true), Addresses(family, isLocal: false))
            if network.reach != .absent { routers[family] = addRouter(network, ours) }
            if network.reach != .absent { bases.local.append(ours.inside) }
            if question.remote[family].reach != .absent, network.reach != .absent { bases.remote.append(theirs.inside) }
        }
        func addHost(_ bases: [IPAddress]) -> HostID {
            net.addHost(addresses: bases, behindForIPv4: routers[.ipv4], behindForIPv6: routers[.ipv6], link: link)
        }
        local = Side(
            host: addHost(bases.local), bases: bases.local, turn: addRelays(question.local, isLocal: true))
        remote = Side(
            host: addHost(bases.remote), bases: bases.remote, turn: addRelays(question.remote, isLocal: false))
    }

    // MARK: Servers

    private static let stunAddresses = [IPAddress(11, 0, 0, 1), IPAddress(v6: 0x2A00 << 112 | 1)]

    private mutating func startSTUNServer() {
        let host = net.addHost(addresses: Self.stunAddresses)
        var configuration = STUNServerConfiguration(addresses: Self.stunAddresses.map { .init(primary: $0) })
        configuration.acceptsConnections = false
        net.start(STUNServer(configuration: configuration), on: host)
    }

    /// The TURN server of a machine, as its agent asks it.
    private mutating func addRelays(_ machine: SettledMachine, isLocal: Bool) -> [ICEConfiguration.TURNServer] {
        let relays = machine.relays
        guard !relays.isEmpty, let credential = Self.credential else { return [] }
        let addresses = Self.relayAddresses(isLocal: isLocal)
        let bound = addresses.filter { relays.has($0.family) }
        guard var turn = Self.relayService else { return [] }
        turn.relays = bound.map { TURNServerConfiguration.Relay(bound: $0) }
        let host = net.addHost(addresses: addresses)
        let configuration = STUNServerConfiguration(addresses: addresses.map { .init(primary: $0) })
        net.start(
            STUNServer(
                configuration: configuration, turn: turn, from: net.now, secondsSince1970: 1_800_000_000,
                random: SeededGenerator(seed: isLocal ? 3 : 4)), on: host)
        // It is asked by a family in which the machine gets through.
        let families = IPAddress.Family.allCases
        let family =
            families.first { machine[$0].reach == .passing } ?? families.first { machine[$0].reach != .absent }
        guard let family, let address = addresses.first(where: { $0.family == family }) else { return [] }
        var server = ICEConfiguration.TURNServer(
            Endpoint(address, 3478), transport: relays.isOverStreams ? .tcp : .udp, credential: credential)
        server.relayFamilies = bound.map(\.family)
        return [server]
    }

    private static func relayAddresses(isLocal: Bool) -> [IPAddress] {
        isLocal
            ? [IPAddress(12, 0, 0, 1), IPAddress(v6: 0x2A01 << 112 | 1)]
            : [IPAddress(13, 0, 0, 1), IPAddress(v6: 0x2A02 << 112 | 1)]
    }

    private static let user = "model"
    private static let password = "of a network"
    /// The model's own: it opens nothing.
    private static let credential = try? LongTermCredential(username: user, password: password)

    /// Made once: the keys of an account take longer than all the rest.
    private static let relayService: TURNServerConfiguration? = {
        guard var turn = try? TURNServerConfiguration(realm: "model", relays: []),
            (try? turn.addAccount(username: user, password: password)) != nil
        else { return nil }
        turn.algorithms = nil
        turn.allowsAnyPeer = true
        return turn
    }()
}

extension NATDependence {
    /// As the model's routers have it; nil where nothing depends since nothing is there.
    fileprivate var dependence: Dependence? {
        switch self {
        case .none: nil
        case .endpointIndependent: .endpointIndependent
        case .addressDependent: .addressDependent
        case .addressAndPortDependent: .addressAndPortDependent
        }
    }
}
