import Engines
import NetTypes
import STUN
import Server
import SimNet
import TestSupport

/// An engine in the background with what it told, which is otherwise lost.
struct Recorder<Base: Engine & Sendable>: Engine, Sendable {
    typealias Event = Never

    var base: Base
    private(set) var events: [Base.Event] = []

    init(_ base: Base) { self.base = base }

    mutating func handle(_ input: Input, at now: Instant) { base.handle(input, at: now) }
    mutating func pollOutput(at now: Instant) -> Output? { base.pollOutput(at: now) }
    mutating func pollEvent() -> Never? {
        while let event = base.pollEvent() { events.append(event) }
        return nil
    }
    var nextWake: Instant? { base.nextWake }
    var isFinished: Bool { base.isFinished }
}

/// Two ICE agents, each behind what it is behind, with a STUN server and, where wanted, TURN; candidates trickle
/// between them over signaling that takes no time and loses nothing.
struct ICEDuel {
    typealias Agent = ICEAgent<SeededGenerator>
    typealias Seat = Recorder<Agent>

    enum Middle: Hashable {
        case nothing
        case nat(Dependence, Dependence)
        case router(Router.Behaviour)
    }

    struct Side {
        var middle = Middle.nothing
        var link = Link(delay: .milliseconds(5))
        var hasTURN = false
        var usesIPv6 = false
        var usesIPv4 = true
        var change: (inout ICEConfiguration) -> Void = { _ in }
    }

    var net: SimNet
    let servers: HostID
    var turnServer: EngineID?
    var ids: [EngineID] = []
    /// How many events of each have been looked at.
    var seen = [0, 0]
    /// Whether candidates and credentials are passed on.
    var signals = true
    /// Whether each side ends its candidates.
    var ends = true

    /// Set, candidates come up to 300 ms late, in any order, some twice, and after the word that no more come.
    var disorder: SeededGenerator?
    private var late: [(at: Instant, to: Int, candidate: Candidate)] = []

    static let stun = [Endpoint(IPAddress(11, 0, 0, 1), 3478), Endpoint(IPAddress(v6: 0x2a00_0011 << 96 | 1), 3478)]
    static let turn = [Endpoint(IPAddress(11, 0, 0, 2), 3478), Endpoint(IPAddress(v6: 0x2a00_0011 << 96 | 2), 3478)]
    static let outside = [IPAddress(13, 0, 0, 1), IPAddress(14, 0, 0, 1)]

    init(_ sides: [Side], seed: UInt64) throws {
        net = SimNet(seed: seed)
        servers = net.addHost(
            addresses: (Self.stun + Self.turn).map(\.address), link: Link(delay: .milliseconds(5)))
        net.start(
            STUNServer(configuration: STUNServerConfiguration(addresses: Self.stun.map { .init(primary: $0.address) })),
            on: servers)
        if sides.contains(where: \.hasTURN) {
            let addresses = Self.turn.map(\.address)
            turnServer = net.start(
                STUNServer.lab(at: addresses, try .lab(relays: addresses), seed: seed), on: servers)
        }
        for (number, side) in sides.enumerated() { try add(side, number, seed: seed) }
    }

    private mutating func add(_ side: Side, _ number: Int, seed: UInt64) throws {
        let outside = Self.outside[number]
        var router: RouterID?
        var inside = IPAddress(192, 168, UInt8(number + 1), 2)
        switch side.middle {
        case .nothing: inside = outside
        case .nat(let mapping, let filtering):
            let behaviour = NATBehaviour(mapping: mapping, filtering: filtering, allocation: .random)
            router = net.addRouter(.nat(behaviour), externalAddresses: [outside])
        case .router(let behaviour):
            router = net.addRouter(behaviour, externalAddresses: [outside])
            if case .firewall = behaviour { inside = IPAddress(13, 0, 1, UInt8(number + 1)) }
        }
        let six = IPAddress(v6: 0x2a00_0013 << 96 | UInt128(number + 1))
        var addresses: [IPAddress] = []
        if side.usesIPv4 { addresses.append(inside) }
        if side.usesIPv6 { addresses.append(six) }
        let host = net.addHost(addresses: addresses, behind: router, link: side.link)
        var configuration = ICEConfiguration(
            number == 0 ? .controlling : .controlled,
            bases: addresses.enumerated().map { .init($1, localPreference: UInt16(65535 - $0)) },
            stunServers: Self.stun)
        if side.hasTURN {
            let credential = try LongTermCredential(username: "user", password: "pencil")
            configuration.turnServers = Self.turn.filter { server in
                addresses.contains { $0.family == server.family }
            }.map { .init($0, credential: credential) }
        }
        side.change(&configuration)
        let agent = Agent(configuration, random: SeededGenerator(seed: seed &* 31 &+ UInt64(number)), from: net.now)
        ids.append(net.start(Seat(agent), on: host))
    }

    func agent(_ number: Int) -> Agent {
        guard let seat = net.engine(ids[number], as: Seat.self) else { preconditionFailure("the agent was stopped") }
        return seat.base
    }

    func events(_ number: Int) -> [ICEEvent] { net.engine(ids[number], as: Seat.self)?.events ?? [] }

    mutating func command(_ number: Int, _ body: (inout Agent, Instant) -> Void) {
        net.withEngine(ids[number], as: Seat.self) { seat, now in body(&seat.base, now) }
    }

    // MARK: Signaling

    /// Passes on what each side has to tell the other.
    mutating func signal() {
        for number in 0...1 {
            let events = events(number)
            let credentials = agent(number).localCredentials
            let pacing = agent(number).configuration.pacing
            let fresh = events[seen[number]...]
            seen[number] = events.count
            command(1 - number) { peer, now in peer.setRemote(credentials, pacing: pacing, at: now) }
            for event in fresh {
                switch event.fact {
                case .gathered(let candidate): pass(candidate, to: 1 - number)
                case .restarted: for candidate in agent(number).localCandidates { pass(candidate, to: 1 - number) }
                case .gatheringFinished where ends:
                    command(1 - number) { peer, now in peer.endRemoteCandidates(at: now) }
                default: break
                }
            }
        }
        deliver()
    }

    private mutating func pass(_ candidate: Candidate, to number: Int) {
        guard disorder != nil else { return late.append((net.now, number, candidate)) }
        let copies = (disorder?.next() ?? 0) % 4 == 0 ? 2 : 1
        for _ in 0..<copies {
            let delay = Duration.milliseconds(Int64((disorder?.next() ?? 0) % 300))
            late.append((net.now + delay, number, candidate))
        }
    }

    private mutating func deliver() {
        let due = late.filter { $0.at <= net.now }
        late.removeAll { $0.at <= net.now }
        for (_, number, candidate) in due {
            command(number) { peer, now in peer.addRemote(candidate, at: now) }
        }
    }

    /// Lets it go on until both have settled, or the time is over; signals each millisecond of the first half second.
    mutating func run(for limit: Duration = .seconds(60)) {
        let start = net.now
        let end = net.now + limit
        while net.now < end {
            if signals { signal() }
            if (0...1).allSatisfy({ agent($0).state == .connected || agent($0).state == .failed }) { return }
            advance(net.now - start < .milliseconds(500) ? .milliseconds(1) : .milliseconds(100))
        }
    }

    /// Lets what is on its way arrive: both may still change to a pair that is nominated later.
    mutating func settle() {
        for _ in 0..<150 where !agree {
            signal()
            advance(.milliseconds(100))
        }
    }

    /// Sends data both ways over the selected pairs; whether it arrives, in five tries.
    mutating func exchange() -> Bool {
        var isDone = [false, false]
        for attempt in 0..<5 {
            for number in 0...1 where !isDone[number] {
                let payload = [UInt8](repeating: 0x80 | UInt8(number), count: 10 + attempt)
                command(number) { agent, now in _ = agent.send(payload, at: now) }
            }
            advance(.seconds(2))
            for number in 0...1 {
                isDone[number] = events(1 - number).contains { event in
                    if case .received(let bytes) = event.fact { bytes.first == 0x80 | UInt8(number) } else { false }
                }
            }
        }
        return isDone == [true, true]
    }

    mutating func advance(_ duration: Duration) { net.advance(to: net.now + duration) }

    // MARK: What came of it

    var isConnected: Bool { (0...1).allSatisfy { agent($0).state == .connected } }

    /// The selected pair as each side names it: the two transport addresses, the own one first.
    func selected(_ number: Int) -> [Endpoint] {
        guard let pair = agent(number).selectedPair, let local = pair.validLocal?.endpoint,
            let remote = pair.remote.endpoint
        else { return [] }
        return [local, remote]
    }

    /// Whether the two sides have selected one and the same path.
    var agree: Bool { !selected(0).isEmpty && selected(0) == Array(selected(1).reversed()) }

    /// Allocations that the TURN server has still.
    var allocationsLeft: Int? {
        turnServer.flatMap { net.engine($0, as: STUNServer.self)?.allocations?.left }
    }

    var isRelayed: Bool { agent(0).selectedPair?.isRelayed ?? false || agent(1).selectedPair?.isRelayed ?? false }

    func dump() -> String {
        (0...1).map { number in
            let agent = agent(number)
            let pairs = agent.pairs.map {
                "  \($0.local.kind) \($0.local.endpoint.map(\.description) ?? "") -> \($0.remote.kind) "
                    + "\($0.remote.endpoint.map(\.description) ?? "") \($0.state) \($0.failure.map { "\($0)" } ?? "")"
                    + "\($0.isNominated ? " nominated" : "") \($0.transmissions)"
            }
            return "side \(number): \(agent.state) \(agent.role)\n" + pairs.joined(separator: "\n")
        }.joined(separator: "\n")
    }
}
