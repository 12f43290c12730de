import Engines
import NetTypes
import STUN

/// A server on its way from a name to endpoints with a source address each.
struct Resolution: Sendable {
    let server: Observation.ServerIndex
    var engine: ResolutionEngine
    /// Whether the endpoints are known, or known not to be.
    var isResolved = false
    /// Endpoints whose source address the system has yet to tell.
    var awaitsSource: Set<Endpoint> = []

    var isOver: Bool { isResolved && awaitsSource.isEmpty }
    var nextWake: Instant? { isResolved ? nil : engine.nextWake }
    var unfinishedStep: String { isResolved ? "the route was not known in time" : "its name was not resolved in time" }
}

/// Who waits for a query's answer.
enum Asker: Hashable, Sendable {
    case name(resolution: Int)
    case source(resolution: Int, Endpoint)
}

extension Session {
    mutating func startResolutions(at now: Instant) {
        for (index, server) in plan.servers.enumerated() where server.excluded == nil {
            let engine = ResolutionEngine(
                server.uri, transports: server.transports, families: plan.families, from: now, random: &random)
            resolutions.append(Resolution(server: index, engine: engine))
            continueResolution(resolutions.count - 1, at: now)
        }
    }

    mutating func advanceResolutions(to now: Instant) {
        for index in resolutions.indices where !resolutions[index].isResolved {
            resolutions[index].engine.handleTimeout(at: now)
            continueResolution(index, at: now)
        }
    }

    mutating func queryAnswered(_ id: QueryID, _ answer: SystemAnswer, at now: Instant) {
        guard let query = pendingQueries.removeValue(forKey: id) else { return }
        answers[query] = answer
        for asker in askers.removeValue(forKey: query) ?? [] { deliver(answer, to: query, for: asker, at: now) }
    }

    /// Asks each question once in a run, however many servers need its answer: a name keeps one meaning.
    private mutating func ask(_ query: SystemQuery, for asker: Asker, at now: Instant) {
        if let answer = answers[query] { return deliver(answer, to: query, for: asker, at: now) }
        askers[query, default: []].append(asker)
        guard askers[query]?.count == 1 else { return }
        nextQuery += 1
        pendingQueries[QueryID(nextQuery)] = query
        outputs.append(.query(QueryID(nextQuery), query))
    }

    private mutating func deliver(
        _ answer: SystemAnswer, to query: SystemQuery, for asker: Asker, at now: Instant
    ) {
        switch asker {
        case .name(let index):
            resolutions[index].engine.handle(answer, to: query, at: now)
            continueResolution(index, at: now)
        case .source(let index, let endpoint):
            resolutions[index].awaitsSource.remove(endpoint)
            sourceKnown(answer, for: endpoint, of: resolutions[index].server, at: now)
        }
    }

    private mutating func continueResolution(_ index: Int, at now: Instant) {
        while let query = resolutions[index].engine.pollQuery() { ask(query, for: .name(resolution: index), at: now) }
        guard !resolutions[index].isResolved, let outcome = resolutions[index].engine.outcome else { return }
        resolutions[index].isResolved = true
        let server = resolutions[index].server
        for failure in outcome.failures {
            observe(
                .notResolved(
                    server, family: failure.family,
                    ResolutionFailure(failure: failure.failure, step: failure.step)), at: now)
        }
        let endpoints = sendable(outcome.endpoints, of: server, at: now)
        if !endpoints.isEmpty { observe(.resolved(server, endpoints), at: now) }
        resolutions[index].awaitsSource = Set(endpoints)
        for endpoint in endpoints {
            ask(.source(to: endpoint, interface: plan.interface), for: .source(resolution: index, endpoint), at: now)
        }
    }

    /// The endpoints that may be asked: single hosts, and no more of them than the limit.
    private mutating func sendable(
        _ all: [Endpoint], of server: Observation.ServerIndex, at now: Instant
    ) -> [Endpoint] {
        func leaveOut(_ what: String, _ detail: String) {
            observe(.notMeasured(server, NotMeasured(what: what, reason: .limit, detail: detail)), at: now)
        }
        var endpoints: [Endpoint] = []
        for endpoint in all where !endpoints.contains(endpoint) {
            switch endpoint.address.realm {
            case .multicast, .broadcast, .unspecified:
                leaveOut("\(endpoint)", "\(endpoint.address.realm.rawValue): icecheck sends to single hosts only")
            default: endpoints.append(endpoint)
            }
        }
        if endpoints.count > Plan.maximumAddresses {
            leaveOut(
                "\(endpoints.count - Plan.maximumAddresses) more addresses",
                "\(Plan.maximumAddresses) addresses of a name are tried at most")
        }
        return Array(endpoints.prefix(Plan.maximumAddresses))
    }

    /// The system has said from where it would send to `endpoint`: the probes of that endpoint start.
    private mutating func sourceKnown(
        _ answer: SystemAnswer, for endpoint: Endpoint, of server: Observation.ServerIndex, at now: Instant
    ) {
        guard case .source(let routed) = answer else {
            let detail = "this machine has no route to \(endpoint.address)"
            observe(
                .notMeasured(
                    server,
                    NotMeasured(
                        what: plan.servers[server].uri.text, family: endpoint.family, reason: .noRoute,
                        detail: detail)), at: now)
            return
        }
        let source = plan.bindAddress.flatMap { $0.family == endpoint.family ? $0 : nil } ?? routed
        for transport in plan.servers[server].transports {
            let probe = Probe(
                server: server, serverAddress: endpoint, transport: transport, role: .primary, source: source,
                base: base(of: source))
            start(probe, at: now)
        }
        if plan.gathersReflexive, plan.servers[server].transports.contains(.udp) {
            startReflexiveProbes(of: server, to: endpoint, besides: source, at: now)
        }
        if plan.servers[server].fallsBackToTCP {
            let probe = Probe(
                server: server, serverAddress: endpoint, transport: .tcp, role: .fallback, source: source)
            fallbacks.append(Fallback(probe: probe, at: now + plan.schedule.initialTimeout))
        }
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
        } else {
            startProbe(probe, path: datagramPath(from: probe.source), schedule: plan.schedule, at: now)
        }
    }
}
