import NetTypes
import Session

extension Verdict {
    /// The verdict of a run: it is never better than its evidence, and a server that was asked in vain is never fine.
    init(plan: Plan, stun: [STUNResult], candidates: [CandidateRecord]) {
        let families = [IPAddress.Family.ipv4, .ipv6].compactMap { family in
            FamilyVerdict(family, stun: stun.filter { $0.family == family }, candidates: candidates)
        }
        let servers = ServerTally(stun)
        let hasCandidate = candidates.contains { $0.withheld == nil }
        let needsCandidate = plan.command != .stun
        isOK = servers.dead.isEmpty && (needsCandidate ? hasCandidate : servers.count > 0)
        // A family in which no server was asked shows nothing beyond this machine, where another shows more.
        let asked = families.filter { family in stun.contains { $0.family == family.family && $0.isMeasured } }
        best = (asked.isEmpty ? families : asked).map(\.best).min { $0.rank < $1.rank } ?? .none
        self.families = families
        summary = Self.summary(families, servers, hasCandidate: hasCandidate || !needsCandidate)
    }

    private static func summary(_ families: [FamilyVerdict], _ servers: ServerTally, hasCandidate: Bool) -> String {
        var sentences = families.map { "\($0.family.name): \($0.summary)." }
        if !servers.dead.isEmpty, servers.count > 1 {
            sentences.append("\(servers.dead.count) of \(servers.count) servers gave no answer that can be used.")
        }
        if !hasCandidate { sentences.append("No address of this machine can be offered to a peer.") }
        return sentences.isEmpty ? "Nothing could be measured." : sentences.joined(separator: " ")
    }
}

/// Which servers answered: over every transport that they were asked over and in every family that they were
/// reachable in.
struct ServerTally {
    private(set) var count = 0
    private(set) var dead: [String] = []

    init(_ stun: [STUNResult]) {
        var names: [String] = []
        // What the options leave out is no server of this run.
        for result in stun where !result.isExcluded && !names.contains(result.server) { names.append(result.server) }
        count = names.count
        dead = names.filter { name in !Self.isAlive(stun.filter { $0.server == name }) }
    }

    private static func isAlive(_ results: [STUNResult]) -> Bool {
        struct Way: Hashable {
            let transport: Transport
            let family: IPAddress.Family?
        }
        let counted = results.filter { result in
            if case .notMeasured(let why) = result.outcome { return why.reason != .noRoute && why.reason != .excluded }
            return true
        }
        let ways = Dictionary(grouping: counted) { Way(transport: $0.transport, family: $0.family) }
        return !ways.isEmpty && ways.values.allSatisfy { $0.contains { $0.isOK } }
    }
}

extension STUNResult {
    fileprivate var isMeasured: Bool { if case .notMeasured = outcome { false } else { true } }

    /// Whether the options leave it out.
    fileprivate var isExcluded: Bool {
        if case .notMeasured(let why) = outcome { return why.reason == .excluded }
        return false
    }
}

extension Verdict.FamilyVerdict {
    /// Nil where nothing was measured in the family.
    fileprivate init?(_ family: IPAddress.Family, stun: [STUNResult], candidates: [CandidateRecord]) {
        let hosts = candidates.filter {
            $0.address.family == family && $0.withheld == nil && $0.type == "host" && $0.transport == .udp
        }
        let measured = stun.filter(\.isMeasured)
        guard !hosts.isEmpty || !measured.isEmpty else { return nil }
        guard !measured.isEmpty else {
            let count = Words.count(hosts.count, "host candidate")
            self.init(family: family, isOK: true, best: .host, summary: "\(count); no server was asked")
            return
        }
        let isOK = ServerTally(measured).dead.isEmpty
        let answers = measured.filter(\.isOK)
        // Media goes over UDP: where that was tried, what TCP shows is no path for it.
        let wasUDPTried = measured.contains { $0.transport == .udp }
        let usable = answers.filter { $0.transport == .udp || !wasUDPTried }
        guard let best = usable.first(where: \.showsNoNAT) ?? usable.first, let answer = best.answer else {
            self.init(
                family: family, isOK: isOK, best: .none,
                summary: answers.isEmpty
                    ? "no STUN server answered, so no address is known that a peer outside could reach"
                    : "UDP gets no answer, and TCP does: no path over UDP is to be expected")
            return
        }
        let trip = usable.compactMap { $0.answer?.roundTrip.duration }.min() ?? .zero
        let how =
            best.showsNoNAT
            ? "no NAT on the way: servers see this machine's own address \(answer.mappedAddress.address)"
            : "behind a NAT, seen from outside as \(answer.mappedAddress) (server-reflexive)"
        self.init(
            family: family, isOK: isOK, best: best.showsNoNAT ? .host : .serverReflexive,
            summary: "\(how), \(Words.duration(trip)) round trip")
    }
}

extension STUNResult {
    /// Whether the server sees the address that the machine itself has.
    fileprivate var showsNoNAT: Bool { answer.map { $0.mappedAddress == $0.localAddress } ?? false }
}

extension Verdict.Best {
    /// The most direct first.
    fileprivate var rank: Int {
        switch self {
        case .host: 0
        case .serverReflexive: 1
        case .relayed: 2
        case .none: 3
        }
    }
}
