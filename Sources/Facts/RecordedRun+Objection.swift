import Engines
import NetTypes
import Planning

/// What no run could have seen: a record may come from anyone, and the diagnosis trusts its places and amounts.
extension RecordedRun {
    /// Where the first of it stands, and what it is; nil where there is nothing.
    var objection: String? {
        if case .interrupted(let signal) = end, !(1...64).contains(signal) {
            return "end: there is no signal \(signal)"
        }
        if let objection = plan.objection { return "plan: \(objection)" }
        for (place, observation) in observations.enumerated() {
            guard observation.at >= .zero, observation.fact.fits(plan) else {
                return "observations[\(place)]: it does not fit the plan, or itself"
            }
        }
        return nil
    }
}

extension Plan {
    fileprivate var objection: String? {
        guard servers.count <= Self.maximumServers else { return "it has more servers than a run asks" }
        guard (1...64).contains(schedule.maximumTransmissions), schedule.initialTimeout > .zero else {
            return "no request is sent with this schedule"
        }
        guard (1...100_000).contains(count), (0...100_000).contains(relay.count), (0...65_535).contains(relay.size)
        else { return "it sends more than a run does" }
        guard timeout >= .zero, requestInterval >= .zero, fallbackWait >= .zero, relay.pace ?? .zero >= .zero,
            soak ?? .zero >= .zero, idleTimes.allSatisfy({ $0 > .zero })
        else { return "it takes a negative time" }
        let lengths = (interfaces.flatMap(\.addresses) + bases.map(\.address)).map {
            (0...$0.address.family.bitWidth).contains($0.prefixLength)
        }
        return lengths.allSatisfy(\.self) ? nil : "an address has a prefix that is longer than itself"
    }
}

extension Observation.Fact {
    /// Whether what it names by a place is there, in the plan and in itself.
    fileprivate func fits(_ plan: Plan) -> Bool {
        let servers = plan.servers.indices
        switch self {
        case .baseOpened(let base, _), .baseFailed(let base, _): return plan.bases.indices.contains(base)
        case .resolved(let server, _), .notResolved(let server, _, _): return servers.contains(server)
        case .probeStarted(_, let probe):
            return servers.contains(probe.server) && probe.base.map(plan.bases.indices.contains) ?? true
        case .notMeasured(let server, _): return server.map(servers.contains) ?? true
        case .natSeen(let evidence): return evidence.isWhole
        case .natSeenThroughRelays(let evidence, let attempts):
            return evidence.isWhole && attempts.allSatisfy { servers.contains($0.server) }
        case .natLifetimeSeen(let evidence): return evidence.isWhole
        case .turnSeen(let evidence): return servers.contains(evidence.server)
        case .relayPairSeen(let evidence):
            return servers.contains(evidence.first.server) && servers.contains(evidence.second.server)
        case .connected, .secured, .sent, .answered, .ignored, .pathError, .failed, .natLifetimeSampled, .connecting,
            .connectionSeen, .deadlineReached, .interrupted:
            return true
        }
    }
}

extension NATEvidence {
    fileprivate var isWhole: Bool {
        exchanges.allSatisfy { servers.indices.contains($0.server) && $0.socket.fits(servers.count) }
            && connections.allSatisfy { servers.indices.contains($0.server) }
            && silence.allSatisfy { servers.indices.contains($0.key) && (0...1).contains($0.value) }
            && localEndpoints.keys.allSatisfy { $0.fits(servers.count) }
    }
}

extension NATSocket {
    fileprivate func fits(_ servers: Int) -> Bool {
        if case .filtering(let server) = self { (0..<servers).contains(server) } else { true }
    }
}

extension RelayedNATEvidence {
    fileprivate var isWhole: Bool {
        exchanges.allSatisfy { exchange in
            let observer = exchange.way.observer ?? .relay(exchange.way.sender ?? -1)
            return has(observer) && has(exchange.socket)
        } && objections.keys.allSatisfy(has) && strays.keys.allSatisfy(relays.indices.contains)
            && localEndpoints.keys.allSatisfy(has)
    }

    private func has(_ observer: NATObserver) -> Bool {
        switch observer {
        case .server(let server): servers.indices.contains(server)
        case .relay(let relay): relays.indices.contains(relay)
        }
    }

    private func has(_ socket: RelayedNATSocket) -> Bool {
        if case .filtering(let observer) = socket { has(observer) } else { true }
    }
}

extension NATLifetimeEvidence {
    fileprivate var isWhole: Bool {
        (choice.map { servers.indices.contains($0.server) } ?? true) && samples.count <= idleTimes.count
    }
}
