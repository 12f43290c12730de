import NetTypes

/// What the exchanges show, at a moment or at the end.
extension NATLifetimeEvidence {
    /// What a server can do for the search.
    enum Capability: Hashable, Sendable {
        case undetermined
        case silent
        /// An answer came to the fresh socket that the asking one had asked for.
        case honoursResponsePort
        /// It tells mapped addresses, and what it made of RESPONSE-PORT.
        case mapsOnly(String)
    }

    /// What became of a sample.
    package enum Outcome: Hashable, Sendable, Codable {
        case open
        /// Its mapping was there after so much idle time at least.
        case alive(after: Duration)
        /// Its mapping was gone after so much idle time at most.
        case expired(by: Duration, risk: Double)
        case undecided(String)
    }

    /// Before the first answer of a server requests are repeated at this pace, and so often: for a second, or for
    /// longer where the destination's rate holds them back.
    static let blindPace = Duration.milliseconds(100)
    static let mostBlindRequests = 10
    /// Rounds of one sample's test: enough at a loss of 40 % each way.
    static let mostRounds = 60
    /// Requests of a sample's socket for one answer.
    static let mostRepeats = 12

    /// The chance of a wrong negative that one sample may run: all together they run that of one verdict.
    ///
    /// Each sample of a mapping that lives could be taken for dead, so what the whole search may risk is divided among
    /// them (Bonferroni): by 90 samples the tenth unanswered probe settles it on a path without loss, not the seventh.
    var mostRiskEach: Double { SequentialTest.mostRisk / Double(max(1, idleTimes.count)) }

    // MARK: Servers

    func capability(of server: Int, at now: Duration) -> Capability {
        let asked = servers[server]
        if asked.hasFailed { return .mapsOnly("its socket could not be used") }
        guard asked.mapped != nil else {
            if let code = asked.exchanges.lazy.compactMap(\.errorCode).first {
                return .mapsOnly("it answers with error \(code)")
            }
            let requests = asked.exchanges.filter { $0.kind == .refresh }
            guard requests.count >= Self.mostBlindRequests, let last = requests.last else { return .undetermined }
            return now >= last.sentAt + Self.blindPace ? .silent : .undetermined
        }
        if let asker = asked.askerMapped, let fresh = asked.mapped,
            asker.mappedAddress.address != fresh.mappedAddress.address
        {
            return .mapsOnly(
                "the NAT gives this machine's sockets different addresses, so that none can have another answered")
        }
        for exchange in asked.exchanges where exchange.kind == .control {
            if exchange.answer != nil, !exchange.hasReturned { return .honoursResponsePort }
            if let code = exchange.errorCode { return .mapsOnly("it answers RESPONSE-PORT with error \(code)") }
            if exchange.hasReturned { return .mapsOnly("it ignores RESPONSE-PORT") }
        }
        let test = serverTest(server, at: now)
        if test.risk <= SequentialTest.mostRisk, test.answeredControls > 0 {
            return .mapsOnly("it does not answer to the port that RESPONSE-PORT names")
        }
        let controls = asked.exchanges.filter { $0.kind == .control }
        if controls.count >= Self.mostRounds, let last = controls.last, last.sentAt + patience(server: server) <= now {
            return .mapsOnly("too much was lost to tell whether it does as RESPONSE-PORT says")
        }
        return .undetermined
    }

    /// The silence of a server that was asked for an answer to the fresh socket, against that socket's own requests.
    func serverTest(_ server: Int, at now: Duration, anticipating: Bool = false) -> SequentialTest {
        servers[server].exchanges.test(
            probe: .control, control: .refresh, patience: patience(server: server), at: now, anticipating)
    }

    func longestRoundTrip(server: Int) -> Duration? {
        servers[server].exchanges.lazy.compactMap(\.answer?.after).max()
    }

    func patience(server: Int) -> Duration {
        SequentialTest.patience(roundTrip: longestRoundTrip(server: server) ?? .zero)
    }

    // MARK: Samples

    /// When a sample's socket was last known to send or to hear, at the latest: it is idle at least since then.
    func idleSince(_ sample: Int) -> Duration? {
        let opening = samples[sample].opening
        guard let answered = opening.lastIndex(where: { $0.answer != nil }), let answer = opening[answered].answer
        else { return nil }
        var since = opening[answered].sentAt + answer.after
        // A later transmission may still be on its way out.
        if let last = opening.last { since = max(since, last.sentAt + answer.after) }
        return max(since, samples[sample].lastHeardAt ?? .zero)
    }

    /// When a sample's mapping was last in use, at the soonest: what was sent then got through.
    private func inUse(_ sample: Int) -> Duration? { samples[sample].opening.last { $0.answer != nil }?.sentAt }

    /// The mapped address that the sample's idle mapping has.
    func mappedAddress(ofSample sample: Int) -> Endpoint? {
        samples[sample].opening.last { $0.answer != nil }?.answer?.mappedAddress
    }

    /// How long an answer to a sample's test may take; what comes later counts as lost, with the controls as well.
    func patience(sample: Int) -> Duration {
        let own = samples[sample].test.lazy.compactMap(\.answer?.after).max() ?? .zero
        return max(choice.map { patience(server: $0.server) } ?? .zero, own * 2)
    }

    func sampleTest(_ sample: Int, at now: Duration, anticipating: Bool = false) -> SequentialTest {
        samples[sample].test.test(
            probe: .probe, control: .control, patience: patience(sample: sample), at: now, anticipating)
    }

    package func outcome(ofSample sample: Int, at now: Duration) -> Outcome {
        guard let choice, servers.indices.contains(choice.server), let idleSince = idleSince(sample),
            let inUse = inUse(sample),
            let first = samples[sample].test.first
        else { return samples[sample].hasFailed ? .undecided("its socket got no answer") : .open }
        let idle = first.sentAt - idleSince
        switch choice.method {
        case .responsePort:
            if samples[sample].test.contains(where: { $0.kind == .probe && $0.answer != nil }) {
                return .alive(after: idle)
            }
            let test = sampleTest(sample, at: now)
            let last = samples[sample].test.last { $0.kind == .probe }?.sentAt ?? first.sentAt
            if test.answeredControls > 0, test.risk <= mostRiskEach {
                return .expired(by: last + patience(sample: sample) - inUse, risk: test.risk)
            }
            let requests = samples[sample].test
            let refreshes = requests.filter { $0.kind == .refresh }
            let isUsedUp =
                requests.count { $0.kind == .probe } >= Self.mostRounds
                || refreshes.count >= Self.mostRepeats && !refreshes.contains { $0.answer != nil }
            guard isUsedUp, let end = requests.last?.sentAt, end + patience(sample: sample) <= now else {
                return .open
            }
            let controls = test.answeredControls + test.failedControls
            return .undecided("\(test.answeredControls) of \(controls) control requests were answered")
        case .sameSocket: return ownOutcome(sample, idle: idle, inUse: inUse, at: now)
        }
    }

    /// What the sample's own socket was told: the same mapped address, or twice the same other one.
    private func ownOutcome(_ sample: Int, idle: Duration, inUse: Duration, at now: Duration) -> Outcome {
        let test = samples[sample].test
        let answered = test.filter { $0.answer != nil }
        let told = answered.compactMap(\.answer?.mappedAddress)
        if let first = told.first, first == mappedAddress(ofSample: sample) { return .alive(after: idle) }
        if told.count >= 2, let first = answered.first, let answer = first.answer {
            guard told[0] == told[1] else {
                return .undecided("the server saw one socket at \(told[0]) and \(told[1])")
            }
            return .expired(by: first.sentAt + answer.after - inUse, risk: 0)
        }
        guard test.count >= Self.mostRepeats, let last = test.last, last.sentAt + patience(sample: sample) <= now else {
            return .open
        }
        return .undecided("its socket got no answer")
    }

    /// The external addresses that this machine was seen at.
    var externalAddresses: Set<IPAddress> {
        guard let choice else { return [] }
        let all = servers[choice.server].exchanges + samples.flatMap { $0.opening + $0.test }
        return Set(all.compactMap(\.answer?.mappedAddress.address))
    }
}

extension NATLifetimeEvidence.Server {
    /// What the fresh socket was last seen at.
    var mapped: NATLifetimeEvidence.Answer? { exchanges.last { $0.kind == .refresh && $0.answer != nil }?.answer }

    /// What the asking socket was seen at.
    var askerMapped: NATLifetimeEvidence.Answer? {
        exchanges.last { $0.kind == .introduction && $0.answer != nil }?.answer
    }

    /// Whether a new mapping would look as the old one did.
    var preservesPort: Bool { mapped?.mappedAddress.port == freshLocal?.port }
}

extension [NATLifetimeEvidence.Exchange] {
    /// The silence of one kind of exchange against another, which must be answered.
    fileprivate func test(
        probe: NATLifetimeEvidence.Kind, control: NATLifetimeEvidence.Kind, patience: Duration, at now: Duration,
        _ anticipating: Bool
    ) -> SequentialTest {
        SequentialTest(
            probes: lazy.filter { $0.kind == probe }.map(\.sentAt),
            controls: lazy.filter { $0.kind == control }
                .map { SequentialTest.Control(sentAt: $0.sentAt, answeredAfter: $0.answer?.after) },
            patience: patience, at: now, anticipating: anticipating)
    }
}
