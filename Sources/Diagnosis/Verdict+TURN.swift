import NetTypes
import Planning

extension Verdict {
    /// The verdict of `turn`: every relay that was asked for is to carry data.
    init(turn: [TURNResult]) {
        let tally = RelayTally(turn)
        let families = [IPAddress.Family.ipv4, .ipv6].compactMap { family -> FamilyVerdict? in
            let results = turn.filter { $0.family == family }
            guard results.contains(where: { $0.gap == nil }) else { return nil }
            let part = RelayTally(results)
            return FamilyVerdict(
                family: family, isOK: part.isWhole, best: part.working > 0 ? .relayed : .none, summary: part.sentence)
        }
        let isSplit = families.count > 1 && Set(families.map(\.isOK)).count > 1
        self.init(
            isOK: tally.isWhole, best: tally.working > 0 ? .relayed : .none,
            summary: isSplit ? families.map(\.sentence).joined(separator: " ") : tally.sentence + ".",
            families: families)
    }

    /// With what is to be said of data from relay to relay. It decides nothing: each relay does what was asked of it, and
    /// what fails is a warning.
    func adding(_ pairs: [RelayPairResult]) -> Verdict {
        let tried = pairs.filter { $0.outcome.notMeasured == nil }
        let failed = tried.filter { !$0.isOK }
        guard !failed.isEmpty else { return self }
        var verdict = self
        verdict.summary +=
            tried.count == 1
            ? " No data from relay to relay."
            : " No data from relay to relay in \(failed.count) of \(tried.count) pairs."
        return verdict
    }

    /// With what the relays add: one counts only where bytes went through it.
    func adding(_ turn: [TURNResult]) -> Verdict {
        guard !turn.isEmpty else { return self }
        let tally = RelayTally(turn)
        var verdict = self
        verdict.isOK = isOK && tally.isWhole
        if tally.working > 0, best == .none { verdict.best = .relayed }
        verdict.summary += " TURN: \(tally.sentence)."
        for index in families.indices where families[index].best == .none {
            let part = RelayTally(turn.filter { $0.family == families[index].family })
            if part.working > 0 { verdict.families[index].best = .relayed }
        }
        return verdict
    }
}

extension TURNResult {
    /// Whether it says nothing of the server: left out by the options, out of this machine's reach, or of a family that
    /// the server does not have.
    fileprivate var isOptional: Bool {
        guard let reason = gap?.reason else { return false }
        return [.excluded, .noRoute, .notSupported].contains(reason)
    }
}

/// How the relays of a run stand.
private struct RelayTally {
    var working = 0
    var failed: [TURNResult] = []
    var unmeasured = 0
    private var fastest: (trip: Duration, over: Transport)?

    /// Whether each that was asked for carries data. What this machine cannot reach, as a relayed address of a family
    /// that it has no route for, is no failure of the relay where another was tried.
    var isWhole: Bool { failed.isEmpty && working > 0 && unmeasured == 0 }

    init(_ results: [TURNResult]) {
        for result in results where !result.isOptional {
            if result.isOK {
                working += 1
                if let trip = result.data?.roundTrips?.median, trip < fastest?.trip ?? .seconds(3600) {
                    fastest = (trip, result.transport)
                }
            } else if result.gap == nil {
                failed.append(result)
            } else {
                unmeasured += 1
            }
        }
    }

    var sentence: String {
        let count = working + failed.count
        guard count > 0 else { return "no relay could be tried" }
        if let fastest, failed.isEmpty {
            let what = count == 1 ? "the relay carries data both ways" : "all \(count) relays carry data both ways"
            return "\(what), \(Words.duration(fastest.trip)) there and back over \(fastest.over.rawValue.uppercased())"
        }
        let first = failed.first.map { $0.place + ": " + ($0.error?.message ?? "it failed") } ?? ""
        return working == 0
            ? count == 1 ? "no relay: \(first)" : "no relay: none of \(count) carries data; \(first)"
            : "\(working) of \(count) relays carry data; not \(first)"
    }
}
