import Engines
import NetTypes
import STUN

/// A server on its way from a name to endpoints with a source address each.
struct Resolution: Sendable {
    let server: Observation.ServerIndex
    var engine: ResolutionEngine
    /// What was found, by the endpoint whose source address the system has yet to tell.
    var awaitsSource: [Endpoint: [Transport]] = [:]

    var isOver: Bool { engine.isFinished && awaitsSource.isEmpty }
    var nextWake: Instant? { engine.nextWake }

    /// What it waits for, in words.
    var unfinishedStep: String {
        engine.isFinished
            ? "the system did not tell the route in time"
            : "no answer to \(engine.unansweredSteps.joined(separator: ", "))"
    }
}

/// Who waits for a query's answer.
enum Asker: Hashable, Sendable {
    case name(resolution: Int)
    case source(resolution: Int, Endpoint)
    /// The second socket of an attempt at a relay, of the other family than the server's address.
    case peer(run: Int)
}

extension Session {
    mutating func startResolutions(at now: Instant) {
        for (index, server) in plan.servers.enumerated() where server.excluded == nil {
            let engine = ResolutionEngine(
                server.uri, families: plan.families,
                transports: server.fallsBackToTCP ? server.transports + [.tcp] : server.transports,
                zone: server.zone, from: now)
            resolutions.append(Resolution(server: index, engine: engine))
            continueResolution(resolutions.count - 1, at: now)
        }
    }

    mutating func advanceResolutions(to now: Instant) {
        for index in resolutions.indices where !resolutions[index].engine.isFinished {
            resolutions[index].engine.handleTimeout(at: now)
            continueResolution(index, at: now)
        }
    }

    mutating func queryAnswered(_ id: QueryID, _ answer: SystemAnswer, at now: Instant) {
        guard let query = pendingQueries.removeValue(forKey: id) else { return }
        answers[query] = answer
        for asker in askers.removeValue(forKey: query) ?? [] { deliver(answer, to: query, for: asker, at: now) }
        sendQueries()
    }

    /// Asks each question once in a run, however many servers need its answer: a name keeps one meaning.
    mutating func ask(_ query: SystemQuery, for asker: Asker, at now: Instant) {
        if let answer = answers[query] { return deliver(answer, to: query, for: asker, at: now) }
        askers[query, default: []].append(asker)
        guard askers[query]?.count == 1 else { return }
        waitingQueries.append(query)
        sendQueries()
    }

    /// Each question to the DNS is a thread of the driver's: there are many, and not any number of them.
    private static var mostQueries: Int { 256 }

    private mutating func sendQueries() {
        while pendingQueries.count < Self.mostQueries, let query = waitingQueries.popFirst() {
            nextQuery += 1
            pendingQueries[QueryID(nextQuery)] = query
            outputs.append(.query(QueryID(nextQuery), query))
        }
    }

    private mutating func deliver(
        _ answer: SystemAnswer, to query: SystemQuery, for asker: Asker, at now: Instant
    ) {
        switch asker {
        case .name(let index):
            resolutions[index].engine.handle(answer, to: query, at: now, using: &random)
            continueResolution(index, at: now)
        case .peer(let run): peerSourceKnown(answer, run: run, at: now)
        case .source(let index, let endpoint):
            guard let transports = resolutions[index].awaitsSource.removeValue(forKey: endpoint) else { return }
            sourceKnown(answer, for: endpoint, over: transports, of: resolutions[index].server, at: now)
        }
    }

    private mutating func continueResolution(_ index: Int, at now: Instant) {
        while let query = resolutions[index].engine.pollQuery() { ask(query, for: .name(resolution: index), at: now) }
        let server = resolutions[index].server
        while let event = resolutions[index].engine.pollEvent() {
            switch event {
            case .failed(let family, let faults):
                guard let fault = faults.first else { continue }
                if fault.kind == .familyNotAsked {
                    let excluded = NotMeasured(
                        what: plan.servers[server].uri.text, family: family, reason: .excluded,
                        detail: "the options leave \(family.name) out")
                    observe(.notMeasured(server, excluded), at: now)
                } else {
                    observe(.notResolved(server, family: family, ResolutionFailure(fault)), at: now)
                }
            case .resolved(_, let found, _, let omitted):
                if omitted > 0 {
                    let limit = NotMeasured(
                        what: "\(omitted) more addresses of \(plan.servers[server].uri.text)", reason: .limit,
                        detail: "\(ResolutionEngine.targetLimit) addresses of a name are tried at most")
                    observe(.notMeasured(nil, limit), at: now)
                }
                resolved(found, by: index, at: now)
            }
        }
    }

    private mutating func resolved(_ found: [ResolvedEndpoint], by index: Int, at now: Instant) {
        var endpoints: [Endpoint] = []
        for target in found {
            if !endpoints.contains(target.endpoint) { endpoints.append(target.endpoint) }
            resolutions[index].awaitsSource[target.endpoint, default: []].append(target.transport)
        }
        observe(.resolved(resolutions[index].server, endpoints), at: now)
        for endpoint in endpoints {
            ask(.source(to: endpoint, interface: plan.interface), for: .source(resolution: index, endpoint), at: now)
        }
    }

    /// The system has said from where it would send to `endpoint`: the probes of that endpoint start.
    private mutating func sourceKnown(
        _ answer: SystemAnswer, for endpoint: Endpoint, over transports: [Transport],
        of server: Observation.ServerIndex, at now: Instant
    ) {
        guard case .source(let routed) = answer else {
            let excluded = NotMeasured(
                what: plan.servers[server].uri.text, family: endpoint.family, reason: .noRoute,
                detail: Self.words(answer, to: endpoint.address))
            observe(.notMeasured(server, excluded), at: now)
            return
        }
        let source = plan.bindAddress.flatMap { $0.family == endpoint.family ? $0 : nil } ?? routed
        for transport in plan.relayTransports(of: server) where transports.contains(transport) {
            for family in plan.relayFamilies(for: endpoint) {
                allocate(server, at: endpoint, over: transport, from: source, relaying: family, at: now)
            }
        }
        for transport in transports where plan.asksBinding {
            let isPrimary = plan.servers[server].transports.contains(transport)
            let probe = Probe(
                server: server, serverAddress: endpoint, transport: transport,
                role: isPrimary ? .primary : .fallback, source: source,
                base: transport == .udp ? base(of: source) : nil)
            if isPrimary {
                start(probe, at: now)
            } else {
                fallbacks.append(Fallback(probe: probe, at: now + plan.fallbackWait))
            }
        }
        if plan.natDiscovery == .atOnce, transports.contains(.udp) {
            discoverNAT(with: endpoint, from: source, at: now)
        }
        if plan.natDiscovery == .atOnce, transports.contains(.tcp) {
            discoverNATOverTCP(with: endpoint, from: source, at: now)
        }
        discoverNATThroughRelay(of: server, at: endpoint, over: transports, from: source, at: now)
        if plan.gathersReflexive, transports.contains(.udp) {
            startReflexiveProbes(of: server, to: endpoint, besides: source, at: now)
        }
    }

    /// Why nothing can be sent to an address.
    private static func words(_ answer: SystemAnswer, to address: IPAddress) -> String {
        // What Linux says to a datagram for a broadcast address (EACCES, the same number everywhere).
        if case .failed(.noRoute(errno: 13)) = answer { return "\(address) is a broadcast address" }
        if address.isIPv4Mapped { return "\(address) is IPv4 written as IPv6; ask for \(address.canonical)" }
        return "this machine has no route to \(address)"
    }

    /// Asks from the other bases as well: each has a server-reflexive candidate of its own.
    private mutating func startReflexiveProbes(
        of server: Observation.ServerIndex, to endpoint: Endpoint, besides source: IPAddress, at now: Instant
    ) {
        guard !endpoint.address.isLoopback, !endpoint.address.isLinkLocal else { return }
        for (index, base) in plan.bases.enumerated() {
            let address = base.address.address
            guard base.withheld == nil, address.family == endpoint.family, address.withoutZone != source.withoutZone
            else { continue }
            start(
                Probe(
                    server: server, serverAddress: endpoint, transport: .udp, role: .reflexive, source: address,
                    base: index), at: now)
        }
    }

    private func base(of source: IPAddress) -> Int? {
        guard plan.gathersReflexive else { return nil }
        return plan.bases.firstIndex { $0.withheld == nil && $0.address.address.withoutZone == source.withoutZone }
    }

    mutating func start(_ probe: Probe, at now: Instant) {
        if probe.transport.isStream {
            startStreamProbe(probe, at: now)
        } else if probe.transport == .dtls {
            let path = open(
                .datagram, from: probe.source,
                security: security(over: .dtls, probe.server, probe.serverAddress))
            startProbe(probe, path: path, schedule: plan.schedule, at: now)
        } else {
            startProbe(probe, path: datagramPath(from: probe.source), schedule: plan.schedule, at: now)
        }
    }
}

extension ResolutionFailure {
    fileprivate init(_ fault: ResolutionFault) { self.init(step: fault.step, message: fault.message) }
}
