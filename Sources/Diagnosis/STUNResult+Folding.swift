import Facts
import NetTypes
import Planning
import STUN

extension STUNResult {
    /// One result for each address of each server and each transport that it was asked over, in the order of the
    /// servers; one for a server, or a family of it, that has no address.
    static func results(of record: RunRecord) -> [STUNResult] {
        record.plan.servers.indices.flatMap { server -> [STUNResult] in
            let answered = probed(server, record)
            return answered + unprobed(server, record, isEmpty: answered.isEmpty)
        }
    }

    private static func probed(_ server: Int, _ record: RunRecord) -> [STUNResult] {
        struct Key: Hashable {
            let endpoint: Endpoint
            let transport: Transport
        }
        var order: [Key] = []
        var groups: [Key: [RunRecord.ProbeRecord]] = [:]
        for probe in record.probes where probe.probe.server == server && probe.probe.role != .reflexive {
            let key = Key(endpoint: probe.probe.serverAddress, transport: probe.probe.transport)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(probe)
        }
        let hasUDPAnswer = groups.contains { $0.key.transport == .udp && $0.value.contains { $0.answer != nil } }
        return order.compactMap { key in
            let probes = groups[key] ?? []
            // TCP was tried only because UDP was silent; once UDP answers, what TCP did not do is no result.
            if probes[0].probe.role == .fallback, hasUDPAnswer, probes[0].answer == nil { return nil }
            return STUNResult(probes, of: record.plan.servers[server].uri.text, record.endReason)
        }
    }

    static func unprobed(_ server: Int, _ record: RunRecord, isEmpty: Bool) -> [STUNResult] {
        let plan = record.plan.servers[server]
        let transport = plan.transports.first ?? .udp
        func result(_ family: IPAddress.Family?, _ outcome: Outcome) -> STUNResult {
            STUNResult(
                server: plan.uri.text, transport: transport, family: family, serverAddress: nil, outcome: outcome)
        }
        if let excluded = plan.excluded { return [result(nil, .notMeasured(excluded))] }
        var results = (record.notMeasuredByServer[server] ?? []).map { why -> STUNResult in
            // A family without a route is a gap where the server was reached in another, and the answer where not.
            let isAnswer = isEmpty && why.reason == .noRoute
            return result(why.family, isAnswer ? .failed(ProbeError(.noRoute, why.detail)) : .notMeasured(why))
        }
        // A name that has an address in one family is no failure for having none in the other.
        if isEmpty, results.isEmpty, let unresolved = record.unresolved[server] {
            let first = unresolved.first { $0.family == .ipv4 } ?? unresolved[0]
            results.append(result(nil, .failed(ProbeError(first.failure))))
        }
        return results
    }

    /// The result of one address: the first probe of a series gives the answer, all of them the statistics.
    private init(_ probes: [RunRecord.ProbeRecord], of server: String, _ endReason: NotMeasured.Reason) {
        let first = probes[0]
        let answers = probes.compactMap(\.answer)
        self.init(
            server: server, transport: first.probe.transport, family: first.probe.serverAddress.family,
            serverAddress: first.probe.serverAddress, outcome: Outcome(first, endReason),
            localAddress: first.localAddress, attempts: probes.reduce(0) { $0 + $1.sentAt.count },
            answer: answers.first, statistics: nil, ignored: Self.merged(probes.flatMap(\.ignored)),
            pathTroubles: first.answer == nil ? [] : first.troubles, tls: first.tls)
        if probes.count > 1 {
            // What the end of the run cut short is neither answered nor lost.
            let decided = probes.filter { $0.failure != .cutShort && $0.failure != .notConnected && !$0.sentAt.isEmpty }
            statistics = RoundTripStatistics(answers.map(\.roundTrip.duration), sent: decided.count)
        }
    }

    private static func merged(_ all: [IgnoredReplies]) -> [IgnoredReplies] {
        IgnoredReplies.Reason.allCases.compactMap { reason in
            let same = all.filter { $0.reason == reason }
            guard var first = same.first else { return nil }
            first.count = same.reduce(0) { $0 + $1.count }
            return first
        }
    }
}

extension STUNResult.Outcome {
    /// How long a request must have waited before its silence means something: the first retransmission timeout.
    private static var meaningfulWait: Duration { .milliseconds(500) }

    init(_ record: RunRecord.ProbeRecord, _ endReason: NotMeasured.Reason) {
        guard record.answer == nil else {
            self = .answered
            return
        }
        let waited = (record.endedAt ?? record.startedAt) - (record.sentAt.first ?? record.startedAt)
        let isUnfinished = record.failure == .cutShort || record.failure == .notConnected || record.failure == nil
        let isUnsent = record.sentAt.isEmpty && !record.probe.transport.isStream
        if isUnfinished, isUnsent || waited < Self.meaningfulWait, record.ignored.isEmpty, record.troubles.isEmpty {
            self = .notMeasured(
                record.probe.serverAddress, endReason,
                record.sentAt.isEmpty
                    ? "nothing was sent before the run ended"
                    : "the run ended \(Words.duration(waited)) after the first request")
        } else {
            self = .failed(ProbeError(record))
        }
    }
}

extension RoundTripStatistics {
    /// Of the round trips in the order in which they were measured; nil where there are none.
    package init?(_ trips: [Duration], sent: Int) {
        let sorted = trips.sorted()
        guard let least = sorted.first, let most = sorted.last else { return nil }
        let middle = sorted.count / 2
        let differences = zip(trips, trips.dropFirst()).map { abs($0.nanoseconds - $1.nanoseconds) }
        self.init(
            sent: sent, received: trips.count, minimum: least,
            median: sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2,
            percentile95: sorted[min(sorted.count - 1, (sorted.count * 95 + 99) / 100 - 1)], maximum: most,
            jitter: differences.isEmpty ? .zero : .nanoseconds(differences.reduce(0, +) / Int64(differences.count)))
    }
}
