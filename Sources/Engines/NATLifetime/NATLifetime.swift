package import NetTypes

/// Finds out how long a UDP mapping lives that nothing uses, by RFC 5780 s4.6 with many sockets at once.
///
/// Each sample is a socket that asks a server once and is then left idle, for a time of its own. When that is over a
/// second socket asks the server to answer to the sample's mapped port (RESPONSE-PORT). What gets in shows that the
/// mapping lives; where nothing does, the sequential test decides, with controls that ask for answers to a socket whose
/// mapping is kept in use. A sample is tested once: the answer may have refreshed its mapping.
///
/// One dense ladder of idle times rather than bisection, since nothing is faster: that a mapping lives for L is seen
/// at the soonest when one has been idle for L, so no search ends before L. Here every idle time starts at once, and
/// the search ends with the first sample that is gone: after L, at most one step of the ladder, and some round trips.
/// Bisection takes L for each of its tests that finds a mapping alive and more for each that finds none, some ten
/// times L for the same precision, and it would need as many sockets, since none can be used twice. The price is a
/// socket and two datagrams for each step.
///
/// What it measures is a mapping that has seen one exchange. A NAT may keep one for longer that has seen more (Linux:
/// 120 s in place of 30), so the interval that follows from this one is right for those as well.
package struct NATLifetime: Sendable {
    /// A request to send.
    package struct Question: Hashable, Sendable {
        package var socket: NATLifetimeSocket
        package var destination: Endpoint
        /// The port that the answer is to go to; nil for the socket's own.
        package var responsePort: UInt16?
        var kind: NATLifetimeEvidence.Kind
        var subject: Subject
    }

    /// Whom an exchange is about.
    enum Subject: Hashable, Sendable {
        case server(Int)
        case sample(Int)
    }

    /// The place of an exchange, by which its answer is handed back.
    package struct ExchangeID: Hashable, Sendable {
        let subject: Subject
        let index: Int
        /// Where the answer must come in.
        package let target: NATLifetimeSocket
    }

    package private(set) var evidence: NATLifetimeEvidence
    /// Whether every server that there will be is known.
    private var hasAllServers = false
    private var isReady: Set<NATLifetimeSocket> = []
    private var serverSteps: [NATLifetimeStep] = []
    private var sampleSteps: [NATLifetimeStep] = []
    private let startedAt: Instant
    /// Samples that are over, in the order in which they were settled: for the progress line.
    private var news: [(sample: Int, outcome: NATLifetimeEvidence.Outcome)] = []
    private var surplus: [NATLifetimeSocket] = []
    package private(set) var isOver = false

    package init(source: IPAddress, idleTimes: [Duration], at start: Instant) {
        precondition(!idleTimes.isEmpty, "a search has a time to try")
        evidence = NATLifetimeEvidence(source: source, idleTimes: idleTimes)
        startedAt = start
    }

    /// The most requests that one server's address is sent: a few for each sample, the rounds of one that is gone and
    /// of one before it, and those that find out what the server does.
    package static func mostRequests(idleTimes: [Duration]) -> Int {
        let rounds = 3 * NATLifetimeEvidence.mostRounds
        return idleTimes.isEmpty ? 0 : idleTimes.count * (NATLifetimeEvidence.mostRepeats + 2) + 3 * rounds
    }

    // MARK: Servers and sockets

    /// Adds a server to choose from; one that comes after the choice is not asked.
    package mutating func add(server: Endpoint, at now: Instant) -> [NATLifetimeSocket] {
        guard evidence.choice == nil, !isOver, !evidence.servers.contains(where: { $0.endpoint == server }) else {
            return []
        }
        let index = evidence.servers.count
        evidence.servers.append(NATLifetimeEvidence.Server(endpoint: server, addedAt: now - startedAt))
        serverSteps.append(.nothing)
        refreshServer(index, at: now)
        return [.fresh(server: index), .asker(server: index)]
    }

    /// No further server will be added.
    package mutating func allServersAdded(at now: Instant) {
        guard !hasAllServers else { return }
        hasAllServers = true
        choose(at: now)
    }

    package mutating func opened(_ socket: NATLifetimeSocket, _ local: Endpoint, at now: Instant) {
        isReady.insert(socket)
        switch socket {
        case .fresh(let server):
            evidence.servers[server].freshLocal = local
            refreshServer(server, at: now)
        case .asker(let server): refreshServer(server, at: now)
        case .sample(let sample):
            evidence.samples[sample].local = local
            refreshSample(sample, at: now)
        }
    }

    /// A socket that cannot be used.
    package mutating func failed(_ socket: NATLifetimeSocket, at now: Instant) {
        isReady.remove(socket)
        switch socket {
        case .fresh(let server), .asker(let server):
            evidence.servers[server].hasFailed = true
            refreshServer(server, at: now)
        case .sample(let sample):
            evidence.samples[sample].hasFailed = true
            refreshSample(sample, at: now)
        }
    }

    /// Sockets to open now: those of the samples, once there is a choice.
    package mutating func takeSocketsToOpen() -> [NATLifetimeSocket] {
        defer { wanted = [] }
        return wanted
    }
    private var wanted: [NATLifetimeSocket] = []

    /// Sockets that are needed no longer.
    package mutating func takeSocketsToClose() -> [NATLifetimeSocket] {
        defer { surplus = [] }
        return surplus
    }

    /// What was settled since the last call, with the idle time of each.
    package mutating func takeNews() -> [(idle: Duration, outcome: NATLifetimeEvidence.Outcome)] {
        defer { news = [] }
        return news.map { (evidence.idleTimes[$0.sample], $0.outcome) }
    }

    // MARK: Sending

    /// The next request and when it is due; nil where none is left.
    package var nextQuestion: (at: Instant, question: Question)? {
        guard let (at, question) = Self.first(sampleSteps, Self.first(serverSteps, nil)) else { return nil }
        return (startedAt + at, question)
    }

    private static func first(
        _ steps: [NATLifetimeStep], _ other: (at: Duration, question: Question)?
    ) -> (at: Duration, question: Question)? {
        var next = other
        for step in steps {
            guard case .ask(let at, let question) = step else { continue }
            if let sooner = next, sooner.at <= at { continue }
            next = (at, question)
        }
        return next
    }

    /// Books a question that is being sent.
    package mutating func sent(_ question: Question, at now: Instant) -> ExchangeID {
        let exchange = NATLifetimeEvidence.Exchange(kind: question.kind, sentAt: now - startedAt)
        let index: Int
        switch question.subject {
        case .server(let server):
            index = evidence.servers[server].exchanges.count
            evidence.servers[server].exchanges.append(exchange)
        case .sample(let sample):
            let isOpening = evidence.idleSince(sample) == nil
            index = isOpening ? -1 - evidence.samples[sample].opening.count : evidence.samples[sample].test.count
            if isOpening {
                evidence.samples[sample].opening.append(exchange)
            } else {
                evidence.samples[sample].test.append(exchange)
            }
        }
        refresh(question.subject, at: now)
        return ExchangeID(subject: question.subject, index: index, target: target(of: question))
    }

    private func target(of question: Question) -> NATLifetimeSocket {
        switch (question.kind, question.subject) {
        case (.control, .server(let server)): return .fresh(server: server)
        case (.control, .sample): return evidence.choice.map { .fresh(server: $0.server) } ?? question.socket
        case (.probe, .sample(let sample)): return .sample(sample)
        default: return question.socket
        }
    }

    // MARK: Receiving

    /// Takes an answer that came in at `socket`.
    package mutating func answered(
        _ id: ExchangeID, on socket: NATLifetimeSocket, mappedAddress: Endpoint, isLegacy: Bool, arrivedAt: Instant,
        at now: Instant
    ) {
        heard(on: socket, at: arrivedAt)
        guard !isOver else { return }
        let arrival = arrivedAt - startedAt
        change(id) { exchange in
            guard exchange.answer == nil else { return }
            let after = max(.zero, arrival - exchange.sentAt)
            let answer = NATLifetimeEvidence.Answer(after: after, mappedAddress: mappedAddress, isLegacy: isLegacy)
            if socket == id.target {
                exchange.answer = answer
                exchange.hasReturned = false
            } else if case .asker = socket, exchange.kind == .control {
                exchange.hasReturned = true
            }
        }
        refresh(id.subject, at: now)
    }

    /// Takes an error response.
    package mutating func refused(
        _ id: ExchangeID, on socket: NATLifetimeSocket, errorCode: Int, arrivedAt: Instant, at now: Instant
    ) {
        heard(on: socket, at: arrivedAt)
        guard !isOver else { return }
        change(id) { $0.errorCode = errorCode }
        refresh(id.subject, at: now)
    }

    /// Whatever comes in may refresh a mapping: a sample that is not tested yet is idle from then on.
    private mutating func heard(on socket: NATLifetimeSocket, at arrival: Instant) {
        guard case .sample(let sample) = socket, evidence.samples[sample].test.isEmpty else { return }
        let at = arrival - startedAt
        evidence.samples[sample].lastHeardAt = max(at, evidence.samples[sample].lastHeardAt ?? at)
    }

    private mutating func change(_ id: ExchangeID, _ body: (inout NATLifetimeEvidence.Exchange) -> Void) {
        switch id.subject {
        case .server(let server): body(&evidence.servers[server].exchanges[id.index])
        case .sample(let sample) where id.index < 0: body(&evidence.samples[sample].opening[-1 - id.index])
        case .sample(let sample): body(&evidence.samples[sample].test[id.index])
        }
    }

    // MARK: Time

    /// When a wait is over, which may settle something.
    package var nextWait: Instant? {
        var next: Duration?
        for steps in [serverSteps, sampleSteps] {
            for step in steps {
                if let until = step.waitsUntil { next = min(next ?? until, until) }
            }
        }
        return next.map { startedAt + $0 }
    }

    package mutating func handleTimeout(at now: Instant) {
        guard !isOver else { return }
        let time = now - startedAt
        for server in serverSteps.indices where serverSteps[server].isDue(at: time) { refreshServer(server, at: now) }
        for sample in sampleSteps.indices where sampleSteps[sample].isDue(at: time) { refreshSample(sample, at: now) }
    }

    /// Ends it: what was seen is judged as it is.
    package mutating func end(at now: Instant, isCutShort: Bool) {
        evidence.endedAt = now - startedAt
        evidence.isCutShort = isCutShort
        finish()
    }

    private mutating func finish() {
        isOver = true
        serverSteps = serverSteps.map { _ in .over }
        sampleSteps = sampleSteps.map { _ in .over }
    }

    // MARK: What follows

    private mutating func refresh(_ subject: Subject, at now: Instant) {
        switch subject {
        case .server(let server): refreshServer(server, at: now)
        case .sample(let sample): refreshSample(sample, at: now)
        }
    }

    private mutating func refreshServer(_ server: Int, at now: Instant) {
        guard !isOver, evidence.choice == nil else { return }
        serverSteps[server] = evidence.step(ofServer: server, isReady: isReady, at: now - startedAt)
        choose(at: now)
    }

    /// Takes the first server that answers where it is asked to; where none does, one that shows another port for a new
    /// mapping.
    private mutating func choose(at now: Instant) {
        guard evidence.choice == nil, !isOver else { return }
        let time = now - startedAt
        let capabilities = evidence.servers.indices.map { evidence.capability(of: $0, at: time) }
        if let server = capabilities.firstIndex(of: .honoursResponsePort) {
            return begin(server, .responsePort, at: now)
        }
        guard hasAllServers, !capabilities.contains(.undetermined) else { return }
        let fallback = evidence.servers.indices.first { server in
            guard let mapped = evidence.servers[server].mapped else { return false }
            return !mapped.isLegacy && !evidence.servers[server].preservesPort
        }
        if let fallback { begin(fallback, .sameSocket, at: now) } else { finish() }
    }

    private mutating func begin(_ server: Int, _ method: NATLifetimeEvidence.Method, at now: Instant) {
        evidence.choice = NATLifetimeEvidence.Choice(server: server, method: method, at: now - startedAt)
        for other in serverSteps.indices {
            serverSteps[other] = .over
            if other != server || method == .sameSocket { surplus += [.fresh(server: other), .asker(server: other)] }
        }
        evidence.samples = evidence.idleTimes.map { _ in NATLifetimeEvidence.Sample() }
        sampleSteps = evidence.samples.map { _ in .nothing }
        wanted = evidence.samples.indices.map { .sample($0) }
    }

    private mutating func refreshSample(_ sample: Int, at now: Instant) {
        guard !isOver, sampleSteps[sample] != .over else { return }
        let time = now - startedAt
        sampleSteps[sample] = evidence.step(ofSample: sample, isReady: isReady, at: time)
        guard sampleSteps[sample] == .over else {
            if evidence.choice?.method == .responsePort, evidence.externalAddresses(with: sample).count > 1 { finish() }
            return
        }
        let outcome = evidence.outcome(ofSample: sample, at: time)
        news.append((sample, outcome))
        surplus.append(.sample(sample))
        switch outcome {
        case .expired: finish()
        case .alive:
            // What was idle for less is alive as well, whatever its test has lost.
            for shorter in 0..<sample where sampleSteps[shorter] != .over {
                sampleSteps[shorter] = .over
                surplus.append(.sample(shorter))
            }
        case .open, .undecided: break
        }
        if sampleSteps.allSatisfy({ $0 == .over }) { finish() }
    }
}
