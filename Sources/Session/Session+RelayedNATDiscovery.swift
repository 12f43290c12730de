import Engines
import Facts
import NetTypes
import Planning
import STUN

/// A discovery through relays, on its sockets.
struct RelayedNATRun: Sendable {
    var discovery: RelayedNATDiscovery
    var paths: [RelayedNATSocket: PathID] = [:]
    /// The attempts at its relays in ``Session/turnRuns``, by the relay's place.
    var attempts: [Int] = []
    /// The last time that the clock woke it: what is due by then is sent, and what is due since waits behind what has
    /// come in the meantime, or a slow machine would send more than it hears.
    var lookedAt: Instant
    /// Whether nothing more is asked: the relays are being deleted.
    var isOver = false
    /// Whether its evidence is among the observations.
    var isReported = false
}

/// The exchange of a discovery that a transaction belongs to.
struct NATTransaction: Sendable {
    var run: Int
    var exchange: Int
    var path: PathID
}

extension Session {
    /// Servers that give relays for it: their answers must agree, and two addresses suffice.
    static var mostNATRelayServers: Int { 2 }

    // MARK: Relays

    /// `nat` asks at once, beside RFC 5780.
    mutating func discoverNATThroughRelay(
        of server: Observation.ServerIndex, at endpoint: Endpoint, over transports: [Transport],
        from source: IPAddress, at now: Instant
    ) {
        guard plan.natDiscovery == .atOnce,
            let transport = plan.servers[server].turn?.transports.first(where: transports.contains)
        else { return }
        addNATRelay(of: server, at: endpoint, over: transport, from: source, at: now)
    }

    /// A check asks once it has a relay that works, and no server has shown mapping and filtering by itself.
    ///
    /// So a credential that was refused is not tried again, and a server with RFC 5780 keeps its ports.
    private mutating func discoverNATWhereUnknown(at now: Instant) {
        guard plan.natDiscovery == .onceAnswered, !isConcluded else { return }
        for attempt in turnRuns where attempt.purpose == .attempt && attempt.evidence.allocation != nil {
            let evidence = attempt.evidence
            guard evidence.relayFamily == evidence.source.family, !evidence.serverAddress.address.isLoopback,
                isNATUnknown(from: evidence.source)
            else { continue }
            addNATRelay(
                of: evidence.server, at: evidence.serverAddress, over: evidence.transport, from: evidence.source,
                at: now)
        }
    }

    private func isNATUnknown(from source: IPAddress) -> Bool {
        guard !isUDPAwaited(from: source), areLookupsOver else { return false }
        return activities.all(NATCheck.self).filter { $0.source == source }.allSatisfy {
            $0.isOver && $0.isInconclusive
        }
    }

    private mutating func addNATRelay(
        of server: Observation.ServerIndex, at endpoint: Endpoint, over transport: Transport, from source: IPAddress,
        isSecond: Bool = false, at now: Instant
    ) {
        let run =
            relayedNATRuns.firstIndex { $0.discovery.evidence.source == source } ?? relayedNATRuns.count
        if run == relayedNATRuns.count {
            relayedNATRuns.append(
                RelayedNATRun(
                    discovery: RelayedNATDiscovery(source: source, nonce: random.next(), at: now), lookedAt: now))
        }
        let servers = Set(relayedNATRuns[run].attempts.map { turnRuns[$0].evidence.serverAddress })
        guard !relayedNATRuns[run].isOver,
            isSecond || !servers.contains(endpoint) && servers.count < Self.mostNATRelayServers
        else { return }
        let relay = relayedNATRuns[run].discovery.addRelay(of: endpoint, at: now)
        relayedNATRuns[run].attempts.append(turnRuns.count)
        allocate(
            server, at: endpoint, over: transport, from: source, relaying: source.family,
            for: .natDiscovery(run: run, relay: relay), schedule: .eager, at: now)
    }

    /// Whether an attempt is at a relay beside another of the same discovery: it does not wait for the quota, which that
    /// one keeps as long as the discovery lasts.
    func isSecondNATRelay(_ attempt: Int) -> Bool {
        guard case .natDiscovery(let run, let relay) = turnRuns[attempt].purpose else { return false }
        return relayedNATRuns[run].attempts.prefix(relay).contains {
            turnRuns[$0].evidence.server == turnRuns[attempt].evidence.server
        }
    }

    mutating func natRelayAllocated(
        _ allocated: TURNAllocated, _ relay: Int, of run: Int, by attempt: Int, at now: Instant
    ) {
        guard let relayed = allocated.relayedAddresses.first, !relayedNATRuns[run].isOver else {
            return stopData(attempt, at: now)
        }
        relayedNATRuns[run].discovery.allocated(
            relay, at: relayed, of: turnRuns[attempt].evidence.serverAddress,
            outside: allocated.mappedAddress?.address, roundTrip: allocated.roundTrip.duration, at: now)
    }

    mutating func natRelayPermitted(_ peers: [IPAddress], _ relay: Int, of run: Int, at now: Instant) {
        relayedNATRuns[run].discovery.permitted(relay, peers, at: now)
    }

    mutating func natRelayReceived(_ data: TURNReceived, _ relay: Int, of run: Int, at now: Instant) {
        relayedNATRuns[run].discovery.received(
            data.bytes, from: data.peer, through: relay, arrivedAt: now, at: now)
    }

    /// The relay is being deleted, or was lost.
    mutating func natRelayEnded(_ relay: Int, of run: Int, at now: Instant) {
        if !relayedNATRuns[run].isOver { relayedNATRuns[run].discovery.lost(relay, at: now) }
    }

    mutating func natRelayReported(_ relay: Int, of run: Int, at now: Instant) {
        natRelayEnded(relay, of: run, at: now)
        reportIfDeleted(run, at: now)
    }

    // MARK: Sending

    mutating func nextRelayedNATTransmission(at now: Instant) -> Output? {
        for run in relayedNATRuns.indices {
            guard let (at, step) = nextRelayedNATStep(run, from: now), at <= now,
                relayedNATRuns[run].discovery.nextStep.map({ $0.at <= relayedNATRuns[run].lookedAt }) ?? false,
                let path = relayedNATRuns[run].paths[step.socket]
            else { continue }
            if let output = perform(step, of: run, on: path, at: now) { return output }
        }
        return nil
    }

    private mutating func perform(
        _ step: RelayedNATDiscovery.Step, of run: Int, on path: PathID, at now: Instant
    ) -> Output? {
        if let destination = destination(of: step, run) { pacer.book(to: destination, at: now) }
        let exchange = relayedNATRuns[run].discovery.sent(step, at: now)
        let payload = relayedNATRuns[run].discovery.payload.bytes(exchange)
        let evidence = relayedNATRuns[run].discovery.evidence
        switch step.way {
        case .asked(let server):
            let id = TransactionID(using: &desk.random)
            relayedNATTransactions[id] = NATTransaction(run: run, exchange: exchange, path: path)
            return .transmit(
                Transmit(path: path, destination: evidence.servers[server], bytes: BindingRequest.bytes(id)))
        case .contacted(let relay):
            guard let relayed = evidence.relays[relay].relayedAddress else { return nil }
            return .transmit(Transmit(path: path, destination: relayed, bytes: payload))
        case .relayed(let relay, let mapped):
            turnRuns[relayedNATRuns[run].attempts[relay]].client.send(payload, to: mapped, usesChannel: false)
            return nextTURNTransmission(at: now)
        }
    }

    /// Where a step's first datagram goes; nil where it goes over a connection.
    private func destination(of step: RelayedNATDiscovery.Step, _ run: Int) -> IPAddress? {
        let evidence = relayedNATRuns[run].discovery.evidence
        switch step.way {
        case .asked(let server): return evidence.servers[server].address
        case .contacted(let relay): return evidence.relays[relay].relayedAddress?.address
        case .relayed(let relay, _):
            let attempt = turnRuns[relayedNATRuns[run].attempts[relay]].evidence
            return attempt.transport.isStream ? nil : attempt.serverAddress.address
        }
    }

    /// The next step of a discovery and when its destination's rate lets it out.
    private func nextRelayedNATStep(
        _ run: Int, from now: Instant
    ) -> (at: Instant, step: RelayedNATDiscovery.Step)? {
        guard !relayedNATRuns[run].isOver, let (due, step) = relayedNATRuns[run].discovery.nextStep else { return nil }
        let at = max(due, now)
        return (destination(of: step, run).map { pacer.earliest(to: $0, from: at) } ?? at, step)
    }

    func nextRelayedNATWake(_ run: Int) -> Instant? {
        guard !relayedNATRuns[run].isOver else { return nil }
        let due = relayedNATRuns[run].discovery.nextStep?.at ?? startedAt
        return [nextRelayedNATStep(run, from: due)?.at, relayedNATRuns[run].discovery.nextWait].compactMap { $0 }
            .min()
    }

    // MARK: Receiving

    mutating func relayedNATDatagramArrived(
        _ datagram: Datagram, _ run: Int, at socket: RelayedNATSocket, _ now: Instant
    ) {
        guard !relayedNATRuns[run].isOver else { return }
        guard let id = TransactionID(inMessage: datagram.bytes), let transaction = relayedNATTransactions[id],
            transaction.path == datagram.path
        else {
            return relayedNATRuns[run].discovery.arrived(
                datagram.bytes, at: socket, from: datagram.source, arrivedAt: datagram.arrivedAt, at: now)
        }
        switch BindingReply(datagram.bytes, to: id) {
        case .success(let mapping):
            let sentAt = relayedNATRuns[run].discovery.sentAt(transaction.exchange)
            let source = Endpoint(datagram.source.address.withoutZone, datagram.source.port)
            let answer = NATExchange.Answer(
                after: max(.zero, datagram.arrivedAt - sentAt), source: source, mapping)
            relayedNATRuns[run].discovery.answered(transaction.exchange, answer, at: now)
        case .error(let code, _):
            relayedNATRuns[run].discovery.refused(transaction.exchange, errorCode: code, at: now)
        case .ignored, .brokenError, .unknownAttributes, .unusable: break
        }
    }

    // MARK: Time

    mutating func clockLookedAt(_ now: Instant) {
        for run in relayedNATRuns.indices { relayedNATRuns[run].lookedAt = now }
    }

    mutating func advanceRelayedNAT(to now: Instant) {
        discoverNATWhereUnknown(at: now)
        for run in relayedNATRuns.indices where !relayedNATRuns[run].isOver {
            addNATServers(to: run, at: now)
            relayedNATRuns[run].discovery.handleTimeout(at: now)
            while let (relay, address) = relayedNATRuns[run].discovery.nextPermission(at: now) {
                turnRuns[relayedNATRuns[run].attempts[relay]].client.createPermission(for: [address])
            }
            addWantedRelay(to: run, at: now)
            openSockets(of: run)
            let isOpening = relayedNATRuns[run].paths.values.contains { paths[$0]?.state.isOpening == true }
            let mayHearOfMore = plan.natDiscovery == .atOnce && !areLookupsOver
            if relayedNATRuns[run].discovery.isOver, !isOpening, !mayHearOfMore { end(relayedNAT: run, at: now) }
        }
    }

    /// The servers that are asked about the NAT from the same address see it as well.
    private mutating func addNATServers(to run: Int, at now: Instant) {
        let source = relayedNATRuns[run].discovery.evidence.source
        let asked = activities.all(NATCheck.self).first { $0.source == source }
        for server in asked?.servers ?? [] { relayedNATRuns[run].discovery.add(server: server, at: now) }
    }

    private mutating func addWantedRelay(to run: Int, at now: Instant) {
        guard let wanted = relayedNATRuns[run].discovery.wantedRelay else { return }
        let evidence = relayedNATRuns[run].discovery.evidence
        guard let first = evidence.relays.firstIndex(where: { $0.server == wanted }) else { return }
        let attempt = turnRuns[relayedNATRuns[run].attempts[first]].evidence
        addNATRelay(
            of: attempt.server, at: wanted, over: attempt.transport, from: evidence.source, isSecond: true, at: now)
    }

    private mutating func openSockets(of run: Int) {
        for socket in relayedNATRuns[run].discovery.sockets where relayedNATRuns[run].paths[socket] == nil {
            let path = open(.datagram, from: relayedNATRuns[run].discovery.evidence.source)
            paths[path]?.relayedNATSocket = (run, socket)
            relayedNATRuns[run].paths[socket] = path
        }
    }

    mutating func concludeRelayedNAT(at now: Instant) {
        for run in relayedNATRuns.indices where !relayedNATRuns[run].isOver { end(relayedNAT: run, at: now) }
    }

    private mutating func end(relayedNAT run: Int, at now: Instant) {
        relayedNATRuns[run].discovery.end(at: now)
        relayedNATRuns[run].isOver = true
        for path in relayedNATRuns[run].paths.values.sorted(by: { $0.number < $1.number }) { close(path) }
        for attempt in relayedNATRuns[run].attempts where !turnRuns[attempt].isReported {
            turnRuns[attempt].waitsForQuota = false
            stopData(attempt, at: now)
            settle(attempt, at: now)
        }
        reportIfDeleted(run, at: now)
    }

    /// What each relay was comes with it: so it is told when the last of them is gone.
    private mutating func reportIfDeleted(_ run: Int, at now: Instant) {
        let attempts = relayedNATRuns[run].attempts
        guard relayedNATRuns[run].isOver, !relayedNATRuns[run].isReported,
            attempts.allSatisfy({ turnRuns[$0].isReported })
        else { return }
        relayedNATRuns[run].isReported = true
        observe(
            .natSeenThroughRelays(
                relayedNATRuns[run].discovery.evidence, attempts.map { turnRuns[$0].evidence }), at: now)
    }
}
