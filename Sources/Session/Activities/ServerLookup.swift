import Engines
import Facts
import NetTypes
import Planning
import STUN

/// A server on its way from a name to endpoints, each with the address that the system sends from.
struct ServerLookup: Activity {
    static var rank: ActivityRank { .lookups }

    private let server: Observation.ServerIndex
    private var engine: ResolutionEngine
    /// What was found, by the endpoint whose source address the system has yet to tell.
    private var awaitsSource: [Endpoint: [Transport]] = [:]
    private var isAbandoned = false

    init(_ server: Observation.ServerIndex, _ plan: Plan, at now: Instant) {
        self.server = server
        let planned = plan.servers[server]
        engine = ResolutionEngine(
            planned.uri, families: plan.families,
            transports: planned.fallsBackToTCP ? planned.transports + [.tcp] : planned.transports,
            zone: planned.zone, from: now)
    }

    mutating func begin(_ desk: inout Desk, at now: Instant) { proceed(&desk, at: now) }

    mutating func wake(_ desk: inout Desk, at now: Instant) {
        guard !engine.isFinished else { return }
        engine.handleTimeout(at: now)
        proceed(&desk, at: now)
    }

    mutating func handle(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {
        guard case .answer(let query, let answer) = event else { return }
        if case .source(let endpoint, _) = query {
            guard let transports = awaitsSource.removeValue(forKey: endpoint) else { return }
            take(answer, for: endpoint, over: transports, &desk, at: now)
            if isOver { desk.news.append(.lookedUp) }
        } else {
            engine.handle(answer, to: query, at: now, using: &desk.random)
            proceed(&desk, at: now)
        }
    }

    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) {
        let step =
            engine.isFinished
            ? "the system did not tell the route in time"
            : "no answer to \(engine.unansweredSteps.joined(separator: ", "))"
        desk.observe(.notMeasured(server, NotMeasured(what: uri(desk), reason: reason, detail: step)), at: now)
        isAbandoned = true
    }

    func nextWake(_ desk: Desk) -> Instant? { engine.nextWake }
    var isOver: Bool { isAbandoned || engine.isFinished && awaitsSource.isEmpty }

    /// Nobody needs the server any more.
    mutating func abandon() { isAbandoned = true }

    private func uri(_ desk: Desk) -> String { desk.plan.servers[server].uri.text }

    private mutating func proceed(_ desk: inout Desk, at now: Instant) {
        while let query = engine.pollQuery() { desk.ask(query) }
        while let event = engine.pollEvent() {
            switch event {
            case .failed(let family, let faults):
                guard let fault = faults.first else { continue }
                if fault.kind == .familyNotAsked {
                    let excluded = NotMeasured(
                        what: uri(desk), family: family, reason: .excluded,
                        detail: "the options leave \(family.name) out")
                    desk.observe(.notMeasured(server, excluded), at: now)
                } else {
                    let failure = ResolutionFailure(
                        step: fault.step, message: fault.message,
                        hasNoRecords: fault.kind == .failed(.noRecords) ? true : nil)
                    desk.observe(.notResolved(server, family: family, failure), at: now)
                }
            case .resolved(_, let found, _, let omitted):
                if omitted > 0 {
                    let limit = NotMeasured(
                        what: "\(omitted) more addresses of \(uri(desk))", reason: .limit,
                        detail: "\(ResolutionEngine.targetLimit) addresses of a name are tried at most")
                    desk.observe(.notMeasured(nil, limit), at: now)
                }
                resolved(found, &desk, at: now)
            }
        }
        if isOver { desk.news.append(.lookedUp) }
    }

    private mutating func resolved(_ found: [ResolvedEndpoint], _ desk: inout Desk, at now: Instant) {
        var endpoints: [Endpoint] = []
        for target in found {
            if !endpoints.contains(target.endpoint) { endpoints.append(target.endpoint) }
            awaitsSource[target.endpoint, default: []].append(target.transport)
        }
        desk.observe(.resolved(server, endpoints), at: now)
        for endpoint in endpoints { desk.ask(.source(to: endpoint, interface: desk.plan.interface)) }
    }

    private func take(
        _ answer: SystemAnswer, for endpoint: Endpoint, over transports: [Transport], _ desk: inout Desk,
        at now: Instant
    ) {
        guard case .source(let routed) = answer else {
            let excluded = NotMeasured(
                what: uri(desk), family: endpoint.family, reason: .noRoute,
                detail: Self.words(answer, to: endpoint.address))
            return desk.observe(.notMeasured(server, excluded), at: now)
        }
        let source = desk.plan.bindAddress.flatMap { $0.family == endpoint.family ? $0 : nil } ?? routed
        desk.news.append(.routed(server, endpoint, transports, source: source))
    }

    /// Why nothing can be sent to an address.
    private static func words(_ answer: SystemAnswer, to address: IPAddress) -> String {
        // What Linux says to a datagram for a broadcast address (EACCES, the same number everywhere).
        if case .failed(.noRoute(errno: 13)) = answer { return "\(address) is a broadcast address" }
        if address.isIPv4Mapped { return "\(address) is IPv4 written as IPv6; ask for \(address.canonical)" }
        return "this machine has no route to \(address)"
    }
}
