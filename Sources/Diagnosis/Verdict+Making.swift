import Facts
import NetTypes
import Planning

extension Verdict {
    /// The verdict of a run: it is never better than its evidence, and a server that was asked in vain is never fine.
    init(plan: Plan, stun: [STUNResult], nat: [NATRecord], candidates: [CandidateRecord]) {
        let families = [IPAddress.Family.ipv4, .ipv6].compactMap { family in
            FamilyVerdict(
                family, stun: stun.filter { $0.family == family },
                nat: nat.first { $0.family == family && $0.transport == .udp },
                candidates: candidates)
        }
        let servers = ServerTally(stun)
        let hasCandidate = candidates.contains { $0.withheld == nil }
        let needsCandidate = plan.command != .stun
        isOK = servers.isWhole && (needsCandidate ? hasCandidate : servers.count > 0)
        // A family in which no server was asked shows nothing beyond this machine, where another shows more.
        let asked = families.filter { family in stun.contains { $0.family == family.family && $0.gap == nil } }
        best = (asked.isEmpty ? families : asked).map(\.best).min { $0.rank < $1.rank } ?? .none
        self.families = families
        summary = Self.summary(families, servers, hasCandidate: hasCandidate || !needsCandidate)
    }

    private static func summary(_ families: [FamilyVerdict], _ servers: ServerTally, hasCandidate: Bool) -> String {
        var sentences = families.map(\.sentence)
        func add(_ some: Int, _ said: String) {
            guard some > 0 else { return }
            if servers.count > 1 {
                sentences.append("\(some) of \(servers.count) servers \(said).")
            } else if families.allSatisfy(\.isOK) {
                // Of a single server, a family's own sentence has said it where that is no.
                sentences.append("The server \(said).")
            }
        }
        add(servers.silent, "gave no answer that can be used")
        add(servers.partial, "answered only in part: not over every transport and family that was asked")
        add(servers.unmeasured, "could not be asked in this run")
        if !hasCandidate { sentences.append("No address of this machine can be offered to a peer.") }
        return sentences.isEmpty ? "Nothing could be measured." : sentences.joined(separator: " ")
    }
}

extension Verdict.FamilyVerdict {
    /// Nil where nothing was measured in the family.
    fileprivate init?(
        _ family: IPAddress.Family, stun: [STUNResult], nat: NATRecord?, candidates: [CandidateRecord]
    ) {
        let hosts = candidates.filter { $0.isOfferedHost && $0.endpoint.family == family }
        let measured = stun.filter { $0.gap == nil }
        guard !hosts.isEmpty || !measured.isEmpty else { return nil }
        guard !measured.isEmpty else {
            let why = stun.isEmpty ? "no server was asked" : "no server was asked in time to answer"
            self.init(
                family: family, isOK: stun.isEmpty, best: .host,
                summary: "\(Words.count(hosts.count, "host candidate")); \(why)")
            return
        }
        guard let told = Told(measured, nat) else {
            self.init(
                family: family, isOK: false, best: .none,
                summary: "no STUN server answered, so no address is known that a peer outside could reach")
            return
        }
        self.init(family: family, isOK: ServerTally(measured).isWhole, best: told.best, summary: told.summary)
    }

    /// What the answers of one family tell, taken together.
    private struct Told {
        var best: Verdict.Best
        var summary: String

        /// Nil where nothing answered.
        init?(_ measured: [STUNResult], _ nat: NATRecord?) {
            let all = measured.filter(\.isOK)
            let overUDP = all.filter { $0.transport == .udp }
            // A server of the own network is behind no NAT of the way out: one beyond it knows better.
            let answers = (overUDP.isEmpty ? all : overUDP).preferring { $0.serverAddress?.address.realm == .global }
            // Where the answers differ, the verdict is the lesser one.
            let isDirect = answers.allSatisfy { $0.answer?.mappedAddress == $0.answer?.localAddress }
            let shown = answers.preferring { $0.answer?.mappedAddress != $0.answer?.localAddress }
            guard let mapped = shown.first?.answer?.mappedAddress else { return nil }
            let trip = answers.compactMap { $0.answer?.roundTrip.duration }.min() ?? .zero
            if overUDP.isEmpty, measured.contains(where: { $0.transport == .udp }) {
                best = .none
                summary =
                    "only TCP gets an answer, seen from outside as \(mapped); without UDP no server-reflexive "
                    + "candidate is known"
            } else if isDirect {
                best = .host
                let isOnThisMachine = answers.allSatisfy { $0.serverAddress?.address.isLoopback ?? false }
                summary =
                    isOnThisMachine
                    ? "only a server on this machine itself was reached, which says nothing of a NAT"
                    : "no NAT on the way: servers see this machine's own address \(mapped.address)"
                        + (nat?.firewall.map { ", \($0)" } ?? "")
            } else {
                best = .serverReflexive
                summary = "behind \(nat?.kind ?? "a NAT"), seen from outside as \(mapped) (server-reflexive)"
            }
            summary += ", \(Words.duration(trip)) round trip"
        }
    }
}

extension [STUNResult] {
    /// Those that meet the condition where there are any, else all.
    fileprivate func preferring(_ condition: (STUNResult) -> Bool) -> [STUNResult] {
        let preferred = filter(condition)
        return preferred.isEmpty ? self : preferred
    }
}

extension Verdict.Best {
    /// The most direct first.
    var rank: Int {
        switch self {
        case .host: 0
        case .serverReflexive: 1
        case .relayed: 2
        case .none: 3
        }
    }
}
