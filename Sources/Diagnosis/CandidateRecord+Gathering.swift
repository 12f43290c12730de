import Engines
import Facts
import NetTypes
import Planning
import STUN

extension CandidateRecord {
    /// The candidates of a run (RFC 8445 s5.1): those that a browser would offer by priority, then the others.
    ///
    /// - Parameter relays: those that carry data give a relayed candidate each.
    static func candidates(of record: RunRecord, relays: [TURNResult] = []) -> [CandidateRecord] {
        guard record.plan.gathersReflexive else { return [] }
        var foundations = FoundationAssigner()
        var offered: [CandidateRecord] = []
        var withheld: [CandidateRecord] = []
        for (index, base) in record.plan.bases.enumerated() {
            if let reason = base.withheld {
                withheld.append(host(base, Endpoint(base.address.address, 0), &foundations, withheld: reason))
            } else if let local = record.baseEndpoints[index] {
                offered.append(host(base, local, &foundations))
                offered.append(activeHost(base, local, &foundations))
                offered += reflexive(index, base, local, record, &foundations)
            } else {
                let why =
                    record.baseFailures[index].map { ", since \(failure($0, base.address.address))" }
                    ?? " before the run ended"
                withheld.append(
                    host(
                        base, Endpoint(base.address.address, 0), &foundations,
                        withheld: "no socket could be bound to it\(why)"))
            }
        }
        offered += relayed(relays.filter(\.isOK), record, &foundations)
        return offered.sorted { $0.candidate.priority > $1.candidate.priority } + withheld
    }

    private static func failure(_ failure: ProbeFailure, _ address: IPAddress) -> String {
        guard case .path(let trouble) = failure else { return "it failed" }
        return ProbeError(trouble, to: Endpoint(address, 0), over: .udp).message
    }

    private static func host(
        _ base: Plan.Base, _ local: Endpoint, _ foundations: inout FoundationAssigner, withheld: String? = nil
    ) -> CandidateRecord {
        let candidate = Candidate(
            .host, foundation: foundations.foundation(.host, base: local.address),
            priority: CandidatePriority.priority(.host, .udp, localPreference: base.localPreference), endpoint: local)
        return CandidateRecord(candidate, local, base, withheld: withheld)
    }

    /// Browsers connect out over TCP, from a port that is not known before: 9, "discard" (RFC 6544 s4.5).
    private static func activeHost(
        _ base: Plan.Base, _ local: Endpoint, _ foundations: inout FoundationAssigner
    ) -> CandidateRecord {
        let endpoint = Endpoint(local.address, 9)
        let candidate = Candidate(
            .host, transport: .tcp, tcpType: .active,
            foundation: foundations.foundation(.host, base: local.address, transport: .tcp),
            priority: CandidatePriority.priority(
                .host, .tcp, tcpType: .active, localPreference: base.localPreference),
            endpoint: endpoint)
        return CandidateRecord(candidate, endpoint, base)
    }

    /// The server-reflexive candidates of one base; one that says what another says is redundant (RFC 8445 s5.1.3).
    private static func reflexive(
        _ index: Int, _ base: Plan.Base, _ local: Endpoint, _ record: RunRecord,
        _ foundations: inout FoundationAssigner
    ) -> [CandidateRecord] {
        var known: Set<Endpoint> = [local]
        // A NAT may give a base one address for each server, and each candidate has a priority of its own (RFC 8445
        // s5.1.2): the first of every base goes before the second of any.
        var further = 0
        return record.probes.compactMap { probe -> CandidateRecord? in
            guard probe.probe.base == index, probe.probe.transport == .udp, let answer = probe.answer,
                known.insert(answer.mappedAddress).inserted
            else { return nil }
            defer { further += record.plan.bases.count }
            let candidate = Candidate(
                .serverReflexive,
                foundation: foundations.foundation(
                    .serverReflexive, base: local.address, server: probe.probe.serverAddress.address),
                priority: CandidatePriority.priority(
                    .serverReflexive, .udp,
                    localPreference: UInt16(max(0, Int(base.localPreference) - further))),
                endpoint: answer.mappedAddress, related: local)
            return CandidateRecord(
                candidate, local, base, server: record.plan.servers[probe.probe.server].uri.text)
        }
    }

    /// The relayed candidates; the nearer the way to the server is to plain UDP, the better.
    private static func relayed(
        _ relays: [TURNResult], _ record: RunRecord, _ foundations: inout FoundationAssigner
    ) -> [CandidateRecord] {
        let order: [Transport] = [.udp, .dtls, .tcp, .tls]
        var known: Set<Endpoint> = []
        return relays.enumerated().compactMap { index, result in
            guard let relayed = result.relay?.relayedAddress, known.insert(relayed).inserted,
                let server = result.serverAddress, let source = result.evidence?.source
            else { return nil }
            let rank = (order.firstIndex(of: result.transport) ?? order.count) * 256 + min(index, 255)
            let candidate = Candidate(
                .relayed,
                foundation: foundations.foundation(
                    .relayed, base: relayed.address, server: server.address,
                    transport: result.transport.isStream ? .tcp : .udp),
                priority: CandidatePriority.priority(.relayed, .udp, localPreference: .max - UInt16(rank)),
                endpoint: relayed, related: result.evidence?.allocation?.mappedAddress)
            let base = record.plan.bases.first { $0.address.address.withoutZone == source.withoutZone }
            return CandidateRecord(
                candidate: candidate, base: relayed, interface: base?.interface, interfaceKind: base?.interfaceKind,
                server: result.server)
        }
    }

    private init(
        _ candidate: Candidate, _ local: Endpoint, _ base: Plan.Base, server: String? = nil, withheld: String? = nil
    ) {
        self.init(
            candidate: candidate, base: local, interface: base.interface, interfaceKind: base.interfaceKind,
            server: server, isTemporary: base.address.isTemporary, isDeprecated: base.address.isDeprecated,
            withheld: withheld)
    }
}
