import Engines
import NetTypes
import STUN
import Session

/// A server on its way from a name to endpoints.
struct ConnectResolution: Sendable {
    var server: ConnectConfiguration.Server
    var engine: ResolutionEngine
    var hasAddress = false
    /// Those that it did not come to an address by.
    var faults: [ResolutionFault] = []
}

/// Who waits for a query's answer.
struct ConnectQuery: Sendable {
    var resolution: Int
    var query: SystemQuery
}

/// The servers' names, before the agent begins to gather.
extension ConnectSession {
    mutating func beginResolving(at now: Instant) {
        for server in configuration.servers {
            let engine = ResolutionEngine(
                server.uri, families: configuration.families, transports: server.transports, zone: server.zone,
                from: now)
            resolutions.append(ConnectResolution(server: server, engine: engine))
        }
        for index in resolutions.indices { continueResolution(index, at: now) }
        beginGatheringIfResolved(at: now)
    }

    /// Gathering does not wait longer for names than for servers.
    private static var longest: Duration { .seconds(3) }

    var resolutionWake: Instant? {
        guard phase == .resolving else { return nil }
        return ([startedAt + Self.longest] + resolutions.compactMap(\.engine.nextWake)).min()
    }

    mutating func answered(_ id: QueryID, _ answer: SystemAnswer, at now: Instant) {
        guard let asked = queries.removeValue(forKey: id), phase == .resolving else { return }
        resolutions[asked.resolution].engine.handle(answer, to: asked.query, at: now, using: &random)
        continueResolution(asked.resolution, at: now)
    }

    mutating func advanceResolving(to now: Instant) {
        guard phase == .resolving else { return }
        for index in resolutions.indices {
            resolutions[index].engine.handleTimeout(at: now)
            continueResolution(index, at: now)
        }
        beginGatheringIfResolved(at: now)
    }

    private mutating func continueResolution(_ index: Int, at now: Instant) {
        while let query = resolutions[index].engine.pollQuery() {
            let id = QueryID(nextQuery)
            nextQuery += 1
            queries[id] = ConnectQuery(resolution: index, query: query)
            outputs.append(.query(id, query))
        }
        let server = resolutions[index].server
        while let event = resolutions[index].engine.pollEvent() {
            switch event {
            case .resolved(_, let endpoints, _, _):
                resolutions[index].hasAddress = resolutions[index].hasAddress || !endpoints.isEmpty
                for found in endpoints { add(found, of: server) }
            case .failed(_, let faults):
                guard let fault = faults.first, fault.kind != .familyNotAsked else { continue }
                resolutions[index].faults.append(fault)
            }
        }
    }

    private mutating func add(_ found: ResolvedEndpoint, of server: ConnectConfiguration.Server) {
        guard server.uri.scheme.isTURN else {
            if found.transport == .udp, !stunServers.contains(found.endpoint) { stunServers.append(found.endpoint) }
            return
        }
        var asked = ICEConfiguration.TURNServer(
            found.endpoint, transport: found.transport, credential: server.credential,
            security: security(found, of: server))
        asked.relayFamilies = relayFamilies(for: found.endpoint)
        turnServers.append(asked)
    }

    /// The families of relayed address to ask a server for: those of this machine's candidates, as the options leave them.
    private func relayFamilies(for server: Endpoint) -> [IPAddress.Family] {
        [IPAddress.Family.ipv4, .ipv6].filter { family in
            configuration.families.contains(family)
                && (family == server.family || configuration.bases.contains { $0.address.family == family })
        }
    }

    private func security(
        _ found: ResolvedEndpoint, of server: ConnectConfiguration.Server
    ) -> SecureClientConfiguration? {
        guard found.transport == .tls || found.transport == .dtls else { return nil }
        let identity: SecureClientConfiguration.Identity =
            switch server.uri.host {
            case .name(let name): .name(name.ascii)
            case .address(let address, _): .address(address)
            }
        var security = SecureClientConfiguration(
            found.transport == .tls ? .tls : .dtls, identity: identity, wallClock: configuration.trust.wallClock,
            peer: found.endpoint)
        security.applicationProtocols = ["stun.turn"]
        security.trustedPEM = configuration.trust.rootsPEM
        security.isInsecure = configuration.trust.isInsecure
        return .some(security)
    }

    private mutating func beginGatheringIfResolved(at now: Instant) {
        let isResolved = resolutions.allSatisfy(\.engine.isFinished)
        guard agent == nil, phase == .resolving, isResolved || now >= startedAt + Self.longest else { return }
        for resolution in resolutions {
            for fault in resolution.faults {
                // A name of one family is not at fault.
                if resolution.hasAddress, fault.kind == .failed(.noRecords) { continue }
                seen.notResolved.append(
                    .init(server: resolution.server.uri.text, reason: "\(fault.step): \(fault.message)"))
            }
            guard !resolution.engine.isFinished else { continue }
            let steps = resolution.engine.unansweredSteps.joined(separator: ", ")
            seen.notResolved.append(.init(server: resolution.server.uri.text, reason: "no answer to \(steps)"))
        }
        // In icecheck's line the tie-breakers decide, once both are known.
        var ice = ICEConfiguration(
            configuration.form == .sdp(answers: true) ? .controlled : .controlling, bases: configuration.bases,
            stunServers: stunServers, turnServers: turnServers)
        ice.kinds = configuration.kinds
        ice.usesTCP = configuration.usesTCP
        ice.checksAllPairs = configuration.checksAllPairs
        ice.refusesPrivate = configuration.refusesPrivate
        ice.followsRedirects = configuration.redirects != .never
        ice.followsPrivate = configuration.redirects == .anywhere
        agent = ICEAgent(ice, random: random, from: now)
        // The agent has a copy of the generator: the two do not give the same numbers.
        for _ in 0..<64 { _ = random.next() }
        enter(.signaling, at: now)
        readEarly(at: now)
    }
}
