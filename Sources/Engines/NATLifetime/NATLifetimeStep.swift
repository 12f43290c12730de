import NetTypes

/// What a server or a sample is waiting for.
enum NATLifetimeStep: Hashable, Sendable {
    /// Something that only an input changes.
    case nothing
    case ask(at: Duration, NATLifetime.Question)
    case wait(until: Duration)
    case over

    var waitsUntil: Duration? {
        if case .wait(let until) = self { return until }
        return nil
    }

    func isDue(at now: Duration) -> Bool {
        switch self {
        case .ask(let at, _): at <= now
        case .wait(let until): until <= now
        case .nothing, .over: false
        }
    }
}

/// What is to be done next: a function of what was seen so far.
extension NATLifetimeEvidence {
    /// Samples are opened so far apart: together with their tests that is what one destination may be sent.
    static let openingPace = Duration.milliseconds(25)

    /// The wait before a request is repeated: a round trip and a little more.
    private func interval(server: Int) -> Duration {
        longestRoundTrip(server: server).map { $0 * 5 / 4 + .milliseconds(5) } ?? Self.blindPace
    }

    private func pace(server: Int) -> Duration {
        longestRoundTrip(server: server).map(SequentialTest.pace) ?? Self.blindPace
    }

    // MARK: Servers

    func step(ofServer server: Int, isReady: Set<NATLifetimeSocket>, at now: Duration) -> NATLifetimeStep {
        guard !servers[server].hasFailed else { return .over }
        guard isReady.contains(.fresh(server: server)), isReady.contains(.asker(server: server)) else {
            return .nothing
        }
        guard capability(of: server, at: now) == .undetermined else { return .over }
        let asked = servers[server]
        let introductions = asked.exchanges.filter { $0.kind == .introduction }
        let refreshes = asked.exchanges.filter { $0.kind == .refresh }
        if introductions.isEmpty { return ask(server, .introduction, at: asked.addedAt) }
        guard let mapped = asked.mapped else {
            let next = refreshes.last.map { $0.sentAt + Self.blindPace } ?? asked.addedAt
            return refreshes.count < Self.mostBlindRequests ? ask(server, .refresh, at: next) : .wait(until: next)
        }
        if asked.askerMapped == nil, introductions.count < Self.mostRepeats, let last = introductions.last {
            return ask(server, .introduction, at: last.sentAt + interval(server: server))
        }
        let controls = asked.exchanges.filter { $0.kind == .control }
        let isEnough = serverTest(server, at: now, anticipating: true)
        if isEnough.answeredControls > 0 && isEnough.risk <= SequentialTest.mostRisk
            || controls.count >= Self.mostRounds
        {
            return untilOver(asked.exchanges, patience(server: server), at: now)
        }
        // The control first: the refresh after it vouches for the server.
        if let last = asked.exchanges.last, last.kind == .control { return ask(server, .refresh, at: last.sentAt) }
        let next = controls.last.map { $0.sentAt + pace(server: server) } ?? asked.addedAt
        return ask(server, .control, port: mapped.mappedAddress.port, at: next)
    }

    private func ask(_ server: Int, _ kind: Kind, port: UInt16? = nil, at: Duration) -> NATLifetimeStep {
        let socket: NATLifetimeSocket = kind == .refresh ? .fresh(server: server) : .asker(server: server)
        return .ask(
            at: at,
            NATLifetime.Question(
                socket: socket, destination: servers[server].endpoint, responsePort: port, kind: kind,
                subject: .server(server)))
    }

    /// Until the time of the next exchange is over, each of which may settle a test.
    private func untilOver(_ exchanges: [Exchange], _ patience: Duration, at now: Duration) -> NATLifetimeStep {
        let ends = exchanges.map { $0.sentAt + patience }.filter { $0 > now }
        return ends.min().map { .wait(until: $0) } ?? .nothing
    }

    // MARK: Samples

    func step(ofSample sample: Int, isReady: Set<NATLifetimeSocket>, at now: Duration) -> NATLifetimeStep {
        guard let choice, !samples[sample].hasFailed else { return .over }
        guard isReady.contains(.sample(sample)) else { return .nothing }
        guard let idleSince = idleSince(sample) else { return openingStep(sample, choice, at: now) }
        let test = samples[sample].test
        if test.isEmpty {
            let kind: Kind = choice.method == .sameSocket ? .own : .probe
            return ask(sample, kind, choice, at: idleSince + idleTimes[sample])
        }
        guard outcome(ofSample: sample, at: now) == .open else { return .over }
        switch choice.method {
        case .responsePort: return testStep(sample, choice, at: now)
        case .sameSocket:
            guard test.count < Self.mostRepeats, let last = test.last else {
                return untilOver(test, patience(sample: sample), at: now)
            }
            // Another port than before is told once more.
            let next = last.answer.map { last.sentAt + $0.after } ?? last.sentAt + interval(server: choice.server)
            return ask(sample, .own, choice, at: next)
        }
    }

    private func openingStep(_ sample: Int, _ choice: Choice, at now: Duration) -> NATLifetimeStep {
        let opening = samples[sample].opening
        guard let last = opening.last else {
            return ask(sample, .own, choice, at: choice.at + Self.openingPace * sample)
        }
        if opening.count < Self.mostRepeats {
            return ask(sample, .own, choice, at: last.sentAt + interval(server: choice.server))
        }
        let end = last.sentAt + patience(sample: sample)
        return end > now ? .wait(until: end) : .over
    }

    /// One probe first: most mappings live, and then its answer is all. With it goes the fresh socket's own request,
    /// whose answer tells where that one is to be reached now. Where the probe stays silent come the rounds: a probe,
    /// the control that vouches for it, and the fresh socket's next request.
    private func testStep(_ sample: Int, _ choice: Choice, at now: Duration) -> NATLifetimeStep {
        let test = samples[sample].test
        guard let first = test.first, let last = test.last else { return .nothing }
        let refreshes = test.filter { $0.kind == .refresh }
        guard let refreshed = refreshes.last else { return ask(sample, .refresh, choice, at: first.sentAt) }
        if !refreshes.contains(where: { $0.answer != nil }) {
            guard refreshes.count < Self.mostRepeats else { return untilOver(test, patience(sample: sample), at: now) }
            return ask(sample, .refresh, choice, at: refreshed.sentAt + interval(server: choice.server))
        }
        switch last.kind {
        case .probe where test.count > 1: return ask(sample, .control, choice, at: last.sentAt)
        case .control: return ask(sample, .refresh, choice, at: last.sentAt)
        default: break
        }
        let ahead = sampleTest(sample, at: now, anticipating: true)
        let isEnough = ahead.answeredControls > 0 && ahead.risk <= mostRiskEach
        if isEnough || test.count(where: { $0.kind == .probe }) >= Self.mostRounds {
            return untilOver(test, patience(sample: sample), at: now)
        }
        let isFirstRound = !test.contains { $0.kind == .control }
        let next =
            isFirstRound
            ? max(last.sentAt, first.sentAt + interval(server: choice.server))
            : last.sentAt + pace(server: choice.server)
        return ask(sample, .probe, choice, at: next)
    }

    private func ask(_ sample: Int, _ kind: Kind, _ choice: Choice, at: Duration) -> NATLifetimeStep {
        let socket: NATLifetimeSocket =
            switch kind {
            case .own: .sample(sample)
            case .refresh: .fresh(server: choice.server)
            case .control, .probe, .introduction: .asker(server: choice.server)
            }
        let port: UInt16? =
            switch kind {
            case .probe: mappedAddress(ofSample: sample)?.port
            case .control: freshPort(sample, choice)
            case .own, .refresh, .introduction: nil
            }
        return .ask(
            at: at,
            NATLifetime.Question(
                socket: socket, destination: servers[choice.server].endpoint, responsePort: port, kind: kind,
                subject: .sample(sample)))
    }

    /// Where the fresh socket is to be reached: it may have been given another port since it was used last.
    private func freshPort(_ sample: Int, _ choice: Choice) -> UInt16? {
        let seen = samples[sample].test.last { $0.kind == .refresh && $0.answer != nil }?.answer
        return (seen ?? servers[choice.server].mapped)?.mappedAddress.port
    }

    /// The external addresses that a sample's exchanges and the first ones showed.
    func externalAddresses(with sample: Int) -> Set<IPAddress> {
        let first = choice.flatMap { servers[$0.server].mapped?.mappedAddress.address }
        let own = (samples[sample].opening + samples[sample].test).compactMap(\.answer?.mappedAddress.address)
        return Set(own + [first].compactMap { $0 })
    }
}
