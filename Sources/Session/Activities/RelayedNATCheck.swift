import Engines
import Facts
import NetTypes
import Planning
import STUN

/// A discovery, through relays, of the NAT before one address of this machine, on its sockets.
struct RelayedNATCheck: Activity {
    static var rank: ActivityRank { .relayedMappings }

    /// Servers that give relays for it: their answers must agree, and two addresses suffice.
    private static let mostServers = 2

    private var discovery: RelayedNATDiscovery
    private var sockets: [RelayedNATSocket: PathID] = [:]
    private var exchanges = BindingExchanges<Int>()
    /// In the order in which the discovery numbers them.
    private var relays: [ObservedRelay] = []
    /// Whether another server may still be asked from there.
    private var mayHearOfMore: Bool
    /// Whether nothing more is asked: the relays are being deleted.
    private var isEnded = false
    private(set) var isOver = false

    /// - Parameter servers: those that are asked about the NAT from the same address: they see it as well.
    init(
        from source: IPAddress, asking servers: [Endpoint], mayHearOfMore: Bool, _ desk: inout Desk, at now: Instant
    ) {
        discovery = RelayedNATDiscovery(source: source, nonce: desk.random.next(), at: now)
        for server in servers { discovery.add(server: server, at: now) }
        self.mayHearOfMore = mayHearOfMore
    }

    var source: IPAddress { discovery.evidence.source }
    /// Whether relays of one more server are of use.
    var wantsRelays: Bool { !isEnded && Set(relays.map(\.evidence.serverAddress)).count < Self.mostServers }

    // MARK: What others tell

    /// A server gives relays.
    mutating func addRelay(
        of server: Observation.ServerIndex, at endpoint: Endpoint, over transport: Transport, _ desk: inout Desk,
        at now: Instant
    ) {
        guard wantsRelays, !relays.contains(where: { $0.evidence.serverAddress == endpoint }) else { return }
        allocate(on: server, at: endpoint, over: transport, &desk, at: now)
        advance(&desk, at: now)
    }

    /// Another server is asked from the same address.
    mutating func add(_ server: Endpoint, _ desk: inout Desk, at now: Instant) {
        guard !isEnded else { return }
        discovery.add(server: server, at: now)
        advance(&desk, at: now)
    }

    mutating func expectMore(_ expectsMore: Bool, _ desk: inout Desk, at now: Instant) {
        mayHearOfMore = expectsMore
        advance(&desk, at: now)
    }

    private mutating func allocate(
        on server: Observation.ServerIndex, at endpoint: Endpoint, over transport: Transport, _ desk: inout Desk,
        at now: Instant
    ) {
        _ = discovery.addRelay(of: endpoint, at: now)
        var request = ObservedRelay.Request(
            server, at: endpoint, over: transport, from: source, relaying: source.family)
        request.schedule = .eager
        // A second one of a server would wait for the first, which is kept as long as the discovery lasts.
        request.waitsForQuota = !relays.contains { $0.request.server == server }
        relays.append(ObservedRelay(request, &desk, at: now))
        settle(&desk, at: now)
    }

    // MARK: Sending

    mutating func poll(_ desk: inout Desk, at now: Instant) -> Output? {
        for relay in relays.indices {
            if let output = relays[relay].nextOutput(&desk, at: now) { return output }
        }
        // What is due by the clock's last word is sent. What is due since waits behind what has come in the meantime, or
        // a slow machine would send more than it hears.
        guard let (at, step) = nextStep(desk, from: now), at <= now, let path = sockets[step.socket],
            let due = discovery.nextStep?.at, due <= desk.lookedAt
        else { return nil }
        return perform(step, on: path, &desk, at: now)
    }

    private mutating func perform(
        _ step: RelayedNATDiscovery.Step, on path: PathID, _ desk: inout Desk, at now: Instant
    ) -> Output? {
        if let destination = destination(of: step) { desk.pacer.book(to: destination, at: now) }
        let exchange = discovery.sent(step, at: now)
        let payload = discovery.payload.bytes(exchange)
        switch step.way {
        case .asked(let number):
            let server = discovery.evidence.servers[number]
            let bytes = exchanges.request(exchange, on: path, to: server, using: &desk.random, at: now)
            return .transmit(Transmit(path: path, destination: server, bytes: bytes))
        case .contacted(let relay):
            guard let relayed = discovery.evidence.relays[relay].relayedAddress else { return nil }
            return .transmit(Transmit(path: path, destination: relayed, bytes: payload))
        case .relayed(let relay, let mapped):
            relays[relay].client.send(payload, to: mapped, usesChannel: false)
            return relays[relay].nextOutput(&desk, at: now)
        }
    }

    /// Where a step's first datagram goes; nil where it goes over a connection.
    private func destination(of step: RelayedNATDiscovery.Step) -> IPAddress? {
        switch step.way {
        case .asked(let server): discovery.evidence.servers[server].address
        case .contacted(let relay): discovery.evidence.relays[relay].relayedAddress?.address
        case .relayed(let relay, _):
            relays[relay].request.transport.isStream ? nil : relays[relay].evidence.serverAddress.address
        }
    }

    /// The next step and when its destination's rate lets it out.
    private func nextStep(_ desk: Desk, from now: Instant) -> (at: Instant, step: RelayedNATDiscovery.Step)? {
        guard !isEnded, let (due, step) = discovery.nextStep else { return nil }
        let at = max(due, now)
        return (destination(of: step).map { desk.pacer.earliest(to: $0, from: at) } ?? at, step)
    }

    func nextWake(_ desk: Desk) -> Instant? {
        var wakes = relays.map { $0.nextWake(desk) }
        if !isEnded {
            wakes += [nextStep(desk, from: discovery.nextStep?.at ?? desk.startedAt)?.at, discovery.nextWait]
        }
        return wakes.compactMap(\.self).min()
    }

    // MARK: Events

    mutating func handle(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {
        switch event {
        case .input(let input):
            let relay = input.path.flatMap { path in relays.firstIndex { $0.client.uses(path) } }
            if let relay { relays[relay].handle(input, &desk, at: now) }
            settle(&desk, at: now)
        case .opened(let path, let local):
            if let socket = socket(of: path) { discovery.opened(socket, local, at: now) }
        case .transmitted(let transmit, let instant): exchanges.left(transmit, at: instant)
        case .datagram(let datagram): if !isEnded { arrived(datagram, at: now) }
        default: break
        }
        advance(&desk, at: now)
    }

    private func socket(of path: PathID) -> RelayedNATSocket? { sockets.first { $0.value == path }?.key }

    private mutating func arrived(_ datagram: Datagram, at now: Instant) {
        let arrival = exchanges.arrival(datagram.bytes, on: datagram.path, at: datagram.arrivedAt)
        guard let arrival, arrival.isOnOwnPath else {
            guard let socket = socket(of: datagram.path) else { return }
            return discovery.arrived(
                datagram.bytes, at: socket, from: datagram.source, arrivedAt: datagram.arrivedAt, at: now)
        }
        switch arrival.reply {
        case .success(let mapping):
            let source = Endpoint(datagram.source.address.withoutZone, datagram.source.port)
            discovery.answered(
                arrival.tag, NATExchange.Answer(after: arrival.after, source: source, mapping), at: now)
        case .error(let code, _): discovery.refused(arrival.tag, errorCode: code, at: now)
        case .ignored, .brokenError, .unknownAttributes, .unusable: break
        }
    }

    // MARK: What the clients tell

    private mutating func settle(_ desk: inout Desk, at now: Instant) {
        for relay in relays.indices {
            repeat {
                while let event = relays[relay].nextEvent(&desk, at: now) { take(event, of: relay, at: now) }
            } while relays[relay].beginsAgain(&desk, at: now)
            if relays[relay].ends(&desk, at: now), !isEnded { discovery.lost(relay, at: now) }
        }
        // What each relay was comes with it: so it is told when the last of them is gone.
        guard isEnded, !isOver, relays.allSatisfy(\.isOver) else { return }
        isOver = true
        desk.observe(.natSeenThroughRelays(discovery.evidence, relays.map(\.evidence)), at: now)
    }

    private mutating func take(_ event: RelayClientEvent, of relay: Int, at now: Instant) {
        switch event {
        case .turn(.allocated(let allocated)):
            guard let relayed = allocated.relayedAddresses.first, !isEnded else { return stop(relay, at: now) }
            discovery.allocated(
                relay, at: relayed, of: relays[relay].evidence.serverAddress,
                outside: allocated.mappedAddress?.address, roundTrip: allocated.roundTrip.duration, at: now)
        case .turn(.permitted(let peers, _, isRenewal: false)): discovery.permitted(relay, peers, at: now)
        case .turn(.received(let data)):
            discovery.received(data.bytes, from: data.peer, through: relay, arrivedAt: now, at: now)
        case .failed(let failure): if relays[relay].isUseless(after: failure) { stop(relay, at: now) }
        default: break
        }
    }

    /// A relay is of no more use.
    private mutating func stop(_ relay: Int, at now: Instant) {
        if !relays[relay].isStopped, !isEnded { discovery.lost(relay, at: now) }
        relays[relay].stop(at: now)
    }

    // MARK: Time

    mutating func wake(_ desk: inout Desk, at now: Instant) {
        for relay in relays.indices { relays[relay].handle(.timeout, &desk, at: now) }
        settle(&desk, at: now)
        advance(&desk, at: now)
    }

    private mutating func advance(_ desk: inout Desk, at now: Instant) {
        guard !isEnded else { return }
        discovery.handleTimeout(at: now)
        while let (relay, address) = discovery.nextPermission(at: now) {
            relays[relay].client.createPermission(for: [address])
        }
        if let wanted = discovery.wantedRelay,
            let first = relays.first(where: { $0.evidence.serverAddress == wanted })
        {
            allocate(on: first.request.server, at: wanted, over: first.request.transport, &desk, at: now)
        }
        for socket in discovery.sockets where sockets[socket] == nil {
            sockets[socket] = desk.open(.datagram, from: source)
        }
        let isOpening = sockets.values.contains { desk.paths[$0]?.state.isOpening == true }
        if discovery.isOver, !isOpening, !mayHearOfMore { end(&desk, at: now) }
    }

    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) {
        for relay in relays.indices where !relays[relay].waitsForQuota {
            relays[relay].cutShort(isProof: false, at: now)
        }
        end(&desk, at: now)
    }

    private mutating func end(_ desk: inout Desk, at now: Instant) {
        guard !isEnded else { return }
        discovery.end(at: now)
        isEnded = true
        for path in sockets.values.sorted(by: { $0.number < $1.number }) { desk.close(path) }
        for relay in relays.indices where !relays[relay].isOver {
            relays[relay].ceaseToWait(&desk)
            relays[relay].stop(at: now)
        }
        settle(&desk, at: now)
    }

    mutating func abandon(_ desk: inout Desk, at now: Instant) {
        for relay in relays.indices { relays[relay].client.giveUp(at: now) }
        settle(&desk, at: now)
    }
}
