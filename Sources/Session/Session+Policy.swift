import Engines
import Facts
import NetTypes
import Planning
import STUN

/// Who starts or ends whom: every rule of it stands here.
extension Session {
    /// What is begun with the run.
    mutating func beginAll(at now: Instant) {
        if let connect = plan.connect {
            begin(Connection(connect, plan, random: desk.random, at: now), at: now)
        } else if plan.gathersReflexive {
            begin(HostCandidates(), at: now)
        }
        for (index, server) in plan.servers.enumerated() where server.excluded == nil {
            begin(ServerLookup(index, plan, at: now), at: now)
        }
        if plan.servers.isEmpty { lookedUp(at: now) }
    }

    mutating func followNews(at now: Instant) {
        while true {
            if let (id, event) = desk.nextKnownAnswer() {
                activities.handle(event, by: id, &desk, at: now)
            } else if let news = desk.news.popFirst() {
                // Once the run is concluded nothing is begun.
                if !isConcluded { follow(news, at: now) }
            } else {
                return
            }
        }
    }

    private mutating func follow(_ news: News, at now: Instant) {
        switch news {
        case .routed(let server, let endpoint, let transports, let source):
            routed(server, endpoint, transports, from: source, at: now)
        case .lookedUp: lookedUp(at: now)
        case .answered(let probe, let trip): answered(probe, after: trip, at: now)
        case .checked(let probe, let isAnswered): checked(probe, isAnswered: isAnswered, at: now)
        case .connectionFree(let path, let probe, let trip):
            testSilence(beside: path, of: probe, after: trip, at: now)
        case .silenceProven(let probe, let risk):
            // UDP to a server is not answered where TCP is: nothing more is asked of it over UDP.
            desk.learn(silenceOf: probe.serverAddress.address, from: probe.source)
            activities.change(NATCheck.self, where: { $0.source == probe.source }, &desk) { check, _ in
                check.giveUp(probe.serverAddress, risk: risk, at: now)
            }
            activities.change(
                RelayCheck.self,
                where: { $0.evidence.serverAddress == probe.serverAddress && $0.evidence.source == probe.source }, &desk
            ) { check, desk in check.endSilence(&desk, at: now) }
            activities.change(RelayCheck.self, where: { $0.evidence.source == probe.source }, &desk) {
                $0.wake(&$1, at: now)
            }
        case .fallbackDue(let probe): begin(BindingCheck(probe), at: now)
        case .natAnswered(let server, let source, let trip, let patience):
            learn(roundTrip: trip, to: server.address)
            activities.change(
                BindingCheck.self,
                where: {
                    $0.probe.serverAddress == server && $0.probe.source == source && $0.probe.transport == .udp
                }, &desk
            ) { check, _ in check.hasten(patience: patience, at: now) }
        case .natAnsweredOverTCP(let address, let source):
            // Where UDP is not answered yet, it is time to find out why.
            activities.change(
                TCPFallback.self,
                where: { $0.probe.serverAddress.address == address && $0.probe.source == source }, &desk
            ) { fallback, _ in fallback.hasten(to: now) }
        case .natSeen:
            tellWhatIsToCome(at: now)
            tellConnectionOfNATs(at: now)
        case .relayAllocated(let server, let source, let trip):
            desk.relaySources.insert(source)
            activities.change(
                RelayCheck.self,
                where: {
                    $0.evidence.serverAddress.address == server.address && $0.evidence.source == source
                }, &desk
            ) { check, _ in check.hurry(roundTrip: trip) }
        case .relayProven(let relay): if plan.pairsRelays { pair(relay, at: now) }
        case .relayGone:
            // Where the user's quota was full of the run's own, there may be room.
            activities.change(RelayCheck.self, where: \.waitsForQuota, &desk) { $0.wake(&$1, at: now) }
            activities.change(RelayPairing.self, &desk) { $0.wake(&$1, at: now) }
            activities.change(RelayedNATCheck.self, &desk) { $0.wake(&$1, at: now) }
        case .connectionClosed:
            // What is still to be learned when the connection is over is of no use any more.
            activities.change(NATCheck.self, &desk) { check, desk in check.conclude(.deadline, &desk, at: now) }
            activities.change(ServerLookup.self, &desk) { lookup, _ in lookup.abandon() }
        }
        discoverNATThroughRelaysIfUnknown(at: now)
    }

    @discardableResult
    private mutating func begin(_ activity: some Activity, at now: Instant) -> ActivityID {
        activities.begin(activity, &desk, at: now)
    }

    // MARK: A server's address is known

    private mutating func routed(
        _ server: Observation.ServerIndex, _ endpoint: Endpoint, _ transports: [Transport], from source: IPAddress,
        at now: Instant
    ) {
        if plan.connect != nil {
            activities.change(Connection.self, &desk) { connection, desk in
                connection.add(endpoint, of: desk.plan.servers[server], transports, desk)
            }
            if transports.contains(.udp) { discoverNAT(with: endpoint, from: source, at: now) }
            return tellWhatIsToCome(at: now)
        }
        for transport in plan.relayTransports(of: plan.servers[server]) where transports.contains(transport) {
            for family in plan.relayFamilies(for: endpoint) {
                var request = ObservedRelay.Request(
                    server, at: endpoint, over: transport, from: source, relaying: family)
                request.options = plan.options(relaying: family)
                begin(RelayCheck(request, &desk, at: now), at: now)
            }
        }
        for transport in transports where plan.asksBinding {
            let isPrimary = plan.servers[server].transports.contains(transport)
            let probe = Probe(
                server: server, serverAddress: endpoint, transport: transport,
                role: isPrimary ? .primary : .fallback, source: source,
                base: transport == .udp ? plan.offeredBase(of: source) : nil)
            if isPrimary {
                begin(BindingCheck(probe), at: now)
            } else {
                begin(TCPFallback(probe, at: now + plan.fallbackWait), at: now)
            }
        }
        if plan.natDiscovery == .atOnce {
            if transports.contains(.udp) { discoverNAT(with: endpoint, from: source, at: now) }
            if transports.contains(.tcp) { discoverNATOverTCP(with: endpoint, from: source, at: now) }
        }
        if plan.natDiscovery == .atOnce,
            let transport = plan.servers[server].turn?.transports.first(where: transports.contains)
        {
            discoverNATThroughRelay(of: server, at: endpoint, over: transport, from: source, at: now)
        }
        if plan.gathersReflexive, transports.contains(.udp) {
            for probe in plan.reflexiveProbes(of: server, to: endpoint, besides: source) {
                begin(BindingCheck(probe), at: now)
            }
        }
        tellWhatIsToCome(at: now)
    }

    private mutating func lookedUp(at now: Instant) {
        tellWhatIsToCome(at: now)
        guard plan.connect != nil, areLookupsOver else { return }
        activities.change(Connection.self, &desk) { connection, desk in connection.namesKnown(&desk, at: now) }
        tellConnectionOfNATs(at: now)
    }

    /// Once the NATs before this side are known, the peer is told of them. Of several addresses of a family, the first
    /// that was answered counts.
    private mutating func tellConnectionOfNATs(at now: Instant) {
        guard plan.connect != nil, areLookupsOver, activities.areOver(NATCheck.self) else { return }
        var traits: [IPAddress.Family: NATTraits] = [:]
        for check in activities.all(NATCheck.self) where traits[check.source.family]?.passesUDP != true {
            traits[check.source.family] = NATTraits(check.discovery.evidence)
        }
        activities.change(Connection.self, &desk) { connection, desk in
            connection.natsKnown(traits, &desk, at: now)
        }
    }

    // MARK: A check is over

    private mutating func answered(_ probe: Probe, after trip: Duration, at now: Instant) {
        defer { tellWhatIsToCome(at: now) }
        learn(roundTrip: trip, to: probe.serverAddress.address)
        // What is silent, or on this machine, tells nothing of a NAT.
        guard plan.natDiscovery == .onceAnswered, probe.role != .reflexive, probe.sequence == 0,
            !probe.serverAddress.address.isLoopback
        else { return }
        if probe.transport == .udp { discoverNAT(with: probe.serverAddress, from: probe.source, at: now) }
        if probe.transport == .tcp || plan.servers[probe.server].fallsBackToTCP {
            discoverNATOverTCP(with: probe.serverAddress, from: probe.source, at: now)
        }
    }

    /// Over UDP or DTLS: with an answer TCP need not be tried, nor any longer; without one it need not wait.
    private mutating func checked(_ probe: Probe, isAnswered: Bool, at now: Instant) {
        // What an answer leads to is told of with it.
        defer { if !isAnswered { tellWhatIsToCome(at: now) } }
        guard probe.role == .primary, !probe.transport.isStream else { return }
        func isBeside(_ other: Probe) -> Bool {
            other.server == probe.server && other.serverAddress.family == probe.serverAddress.family
        }
        activities.change(TCPFallback.self, where: { isBeside($0.probe) }, &desk) { fallback, _ in
            if isAnswered { fallback.cancel() } else { fallback.hasten(to: now) }
        }
        guard isAnswered else { return }
        activities.change(
            BindingCheck.self, where: { $0.probe.role == .fallback && isBeside($0.probe) }, &desk
        ) { check, desk in check.cutShort(&desk, at: now) }
    }

    /// A request over TCP was answered: where UDP to the same address still waits, the connection serves to find out why.
    private mutating func testSilence(
        beside connection: PathID, of probe: Probe, after trip: Duration, at now: Instant
    ) {
        let silent = activities.first(BindingCheck.self) {
            $0.isAwaitedOverUDP && $0.silence == nil && $0.probe.server == probe.server
                && $0.probe.serverAddress.address == probe.serverAddress.address
        }
        guard let silent else { return desk.close(connection) }
        desk.hand(connection, to: silent)
        activities.change(silent, as: BindingCheck.self, &desk) { check, desk in
            check.test(beside: connection, roundTrip: trip, at: now)
            check.lookAtSilence(&desk, at: now)
        }
    }

    // MARK: The NAT

    /// Asks a server about the NAT between it and `source`, beside what other servers are asked from there.
    private mutating func discoverNAT(with server: Endpoint, from source: IPAddress, at now: Instant) {
        let check =
            activities.first(NATCheck.self) { $0.source == source }
            ?? begin(NATCheck(from: source, asksHairpin: plan.asksHairpin, at: now), at: now)
        var asked: [Endpoint] = []
        activities.change(check, as: NATCheck.self, &desk) { check, _ in asked = check.servers }
        // Two names of one endpoint are one server.
        guard !asked.contains(server) else { return }
        guard asked.count < Plan.maximumNATServers else {
            // Of those that answer, the first suffice; only a server that was named for this is missed.
            guard plan.natDiscovery == .atOnce else { return }
            let limit = NotMeasured(
                what: "the NAT by \(server)", family: server.family, reason: .limit,
                detail: "\(Plan.maximumNATServers) servers are asked about it at most")
            return desk.observe(.notMeasured(nil, limit), at: now)
        }
        activities.change(check, as: NATCheck.self, &desk) { check, desk in check.add(server, &desk, at: now) }
        activities.change(RelayedNATCheck.self, where: { $0.source == source }, &desk) { check, desk in
            check.add(server, &desk, at: now)
        }
        guard !plan.idleTimes.isEmpty else { return }
        let search =
            activities.first(NATLifetimeSearch.self) { $0.source == source }
            ?? begin(NATLifetimeSearch(from: source, idleTimes: plan.idleTimes, at: now), at: now)
        activities.change(search, as: NATLifetimeSearch.self, &desk) { search, desk in
            search.add(server, &desk, at: now)
        }
    }

    /// The same about the mapping over TCP.
    private mutating func discoverNATOverTCP(with server: Endpoint, from source: IPAddress, at now: Instant) {
        let check =
            activities.first(NATStreamCheck.self) { $0.source == source }
            ?? begin(NATStreamCheck(from: source, at: now), at: now)
        activities.change(check, as: NATStreamCheck.self, &desk) { check, desk in check.add(server, &desk, at: now) }
    }

    /// Asks relays of a server about the NAT between it and `source`, with the servers that are asked about it already.
    private mutating func discoverNATThroughRelay(
        of server: Observation.ServerIndex, at endpoint: Endpoint, over transport: Transport, from source: IPAddress,
        at now: Instant
    ) {
        var check = activities.first(RelayedNATCheck.self) { $0.source == source }
        if check == nil {
            let asked = activities.all(NATCheck.self).first { $0.source == source }?.servers ?? []
            let mayHearOfMore = plan.natDiscovery == .atOnce && !areLookupsOver
            check = begin(
                RelayedNATCheck(from: source, asking: asked, mayHearOfMore: mayHearOfMore, &desk, at: now), at: now)
        }
        guard let check else { return }
        activities.change(check, as: RelayedNATCheck.self, &desk) { check, desk in
            check.addRelay(of: server, at: endpoint, over: transport, &desk, at: now)
        }
    }

    /// A check asks once it has a relay that works, and no server has shown mapping and filtering by itself.
    ///
    /// So a credential that was refused is not tried again, and a server with RFC 5780 keeps its ports.
    private mutating func discoverNATThroughRelaysIfUnknown(at now: Instant) {
        guard plan.natDiscovery == .onceAnswered, areLookupsOver else { return }
        // It is asked at each piece of news: so the relays, which are many, are looked at last.
        let sources = desk.relaySources.filter { wantsRelays(from: $0) && isNATUnknown(from: $0) }
        guard !sources.isEmpty else { return }
        for evidence in activities.all(RelayCheck.self).map(\.evidence) where evidence.allocation != nil {
            guard evidence.relayFamily == evidence.source.family, !evidence.serverAddress.address.isLoopback,
                sources.contains(evidence.source)
            else { continue }
            discoverNATThroughRelay(
                of: evidence.server, at: evidence.serverAddress, over: evidence.transport, from: evidence.source,
                at: now)
        }
    }

    private func wantsRelays(from source: IPAddress) -> Bool {
        activities.all(RelayedNATCheck.self).allSatisfy { $0.source != source || $0.wantsRelays }
    }

    private func isNATUnknown(from source: IPAddress) -> Bool {
        desk.silences[source.withoutZone] == nil
            && activities.all(NATCheck.self).filter { $0.source == source }.allSatisfy {
                $0.isOver && $0.isInconclusive
            } && !isUDPAwaited(from: source)
    }

    // MARK: Relays

    /// Lets a relay that carried data send to one more of its server, and to those of the other servers.
    private mutating func pair(_ relay: ObservedRelay, at now: Instant) {
        let pairing = activities.first(RelayPairing.self) { _ in true } ?? begin(RelayPairing(), at: now)
        activities.change(pairing, as: RelayPairing.self, &desk) { $0.add(relay, &$1, at: now) }
    }

    private mutating func learn(roundTrip: Duration, to address: IPAddress) {
        desk.learn(roundTrip: roundTrip, to: address)
        activities.change(NATStreamCheck.self, &desk) { check, _ in check.learn(roundTrip: roundTrip, to: address) }
    }

    private var areLookupsOver: Bool { activities.areOver(ServerLookup.self) }

    /// Whether a server that is asked over UDP from `source` may still answer.
    private func isUDPAwaited(from source: IPAddress) -> Bool {
        activities.first(BindingCheck.self) { $0.isAwaitedOverUDP && $0.probe.source == source } != nil
    }

    /// What looks at the NAT ends once no more servers can come, and what may wait hurries once all wait for it.
    private mutating func tellWhatIsToCome(at now: Instant) {
        let areLookupsOver = areLookupsOver
        let mayFollow = plan.natDiscovery == .onceAnswered
        let sources = Set(
            activities.all(NATCheck.self).map(\.source) + activities.all(NATStreamCheck.self).map(\.source))
        let awaited = sources.filter { !areLookupsOver || mayFollow && isUDPAwaited(from: $0) }
        activities.change(NATCheck.self, &desk) { check, desk in
            check.expectMore(awaited.contains(check.source), &desk, at: now)
        }
        let isHurried =
            areLookupsOver && activities.areOver(BindingCheck.self) && activities.areOver(NATCheck.self)
        activities.change(NATStreamCheck.self, &desk) { check, desk in
            check.expectMore(awaited.contains(check.source), isHurried: isHurried, &desk, at: now)
        }
        limitPatience()
        guard areLookupsOver else { return }
        activities.change(RelayedNATCheck.self, &desk) { $0.expectMore(false, &$1, at: now) }
        activities.change(NATLifetimeSearch.self, &desk) { search, desk in search.allServersAdded(&desk, at: now) }
    }

    /// A base that never answers (the bridge of a container, a dead VPN) is waited for no longer than the others show to
    /// be needed, once all of them have answered or failed.
    private mutating func limitPatience() {
        activities.change(BindingCheck.self, where: { $0.probe.role == .reflexive }, &desk) { check, desk in
            guard let trip = desk.roundTrips[check.probe.serverAddress.address] else { return }
            check.limitPatience(roundTrip: trip)
        }
    }
}

extension Plan {
    /// The place of the host candidate that is offered from `source`; nil where none is.
    fileprivate func offeredBase(of source: IPAddress) -> Int? {
        guard gathersReflexive else { return nil }
        return bases.firstIndex { $0.withheld == nil && $0.address.address.withoutZone == source.withoutZone }
    }

    /// Asks from the other bases too: each has a server-reflexive candidate of its own.
    fileprivate func reflexiveProbes(
        of server: Observation.ServerIndex, to endpoint: Endpoint, besides source: IPAddress
    ) -> [Probe] {
        guard !endpoint.address.isLoopback, !endpoint.address.isLinkLocal else { return [] }
        return bases.enumerated().compactMap { index, base in
            let address = base.address.address
            guard base.withheld == nil, address.family == endpoint.family, address.withoutZone != source.withoutZone
            else { return nil }
            return Probe(
                server: server, serverAddress: endpoint, transport: .udp, role: .reflexive, source: address,
                base: index)
        }
    }
}
