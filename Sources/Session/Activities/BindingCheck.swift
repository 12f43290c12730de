import Engines
import Facts
import NetTypes
import Planning
import STUN

/// Asks one address of a server for a Binding from one address of this machine over one transport: once, or in a series
/// of `--count` requests.
struct BindingCheck: Activity {
    static var rank: ActivityRank { .checks }

    /// A request that is under way.
    struct Request: Sendable {
        let index: Observation.ProbeIndex
        let probe: Probe
        var client: BindingClient
    }

    /// The first of its requests.
    let probe: Probe
    var path: PathID?
    /// Those that are under way, in their order.
    var requests: [Request] = []
    private var ended: Set<TransactionID> = []
    private var series: Series?
    /// A connection: what has come in and is not a whole frame yet.
    var stream = StreamState()
    /// UDP's silence, put to the test beside a connection that answers.
    var silence: SilenceBesideTCP?
    /// How long the silence of a base that leads nowhere was waited for; nil where nothing shortens the wait.
    private var patience: Duration?

    /// The later requests of a series: one each interval, sent once, so that what is lost shows as loss.
    private struct Series: Sendable {
        var last: Probe
        /// For each answer, from the first round trip (RFC 6298 s2.2: RTO after one sample is three times it).
        let wait: Duration
        var nextAt: Instant
    }

    /// The least wait for the answer to a request that is sent once.
    private static let leastWait = Duration.milliseconds(100)

    init(_ probe: Probe) { self.probe = probe }

    var isStream: Bool { probe.transport.isStream }
    /// Whether it is the question to a server over UDP whose answer others wait for.
    var isAwaitedOverUDP: Bool { probe.transport == .udp && probe.role == .primary && !isOver }

    // MARK: Start

    mutating func begin(_ desk: inout Desk, at now: Instant) {
        let security = desk.plan.security(
            over: probe.transport, to: desk.plan.servers[probe.server], at: probe.serverAddress)
        switch probe.transport {
        case .udp: path = desk.shareSocket(from: probe.source, to: probe.serverAddress)
        case .dtls: path = desk.open(.datagram, from: probe.source, security: security)
        case .tcp, .tls:
            path = desk.open(.connection(to: probe.serverAddress), from: probe.source, security: security)
            stream.connectStartedAt = now
        }
        // Nothing is sent again over TCP; the answer may take until the deadline.
        request(probe, isStream ? .once(waiting: desk.plan.timeout) : desk.plan.schedule, &desk, at: now)
    }

    private mutating func request(
        _ probe: Probe, _ schedule: RetransmissionSchedule, _ desk: inout Desk, at now: Instant
    ) {
        guard let path else { return }
        let client = BindingClient(
            to: probe.serverAddress, isReliable: isStream, schedule: schedule, using: &desk.random, from: now)
        let request = Request(index: desk.nextProbe(), probe: probe, client: client)
        requests.append(request)
        if probe.transport == .udp { desk.expect(client.id) }
        desk.observe(.probeStarted(request.index, probe), at: now)
        if case .failed(let trouble) = desk.paths[path]?.state {
            end(client.id, .failed(request.index, .path(trouble)), &desk, at: now)
        }
    }

    // MARK: Sending

    mutating func poll(_ desk: inout Desk, at now: Instant) -> Output? {
        guard !isStream, let path, desk.local(of: path) != nil,
            desk.pacer.earliest(to: probe.serverAddress.address, from: now) <= now,
            let place = requests.firstIndex(where: { $0.client.isDue(at: now) })
        else { return nil }
        desk.pacer.book(to: probe.serverAddress.address, at: now)
        requests[place].client.transmitted(at: now)
        desk.observe(.sent(requests[place].index, attempt: requests[place].client.transaction.attempts), at: now)
        return .transmit(
            Transmit(path: path, destination: probe.serverAddress, bytes: requests[place].client.request))
    }

    func nextWake(_ desk: Desk) -> Instant? {
        guard let path, desk.local(of: path) != nil else { return nil }
        let requests = requests.compactMap { request -> Instant? in
            guard let wake = request.client.nextWake else { return nil }
            // Only what is due to be sent waits for its destination's rate; a timeout does not.
            guard !isStream, request.client.isDue(at: wake) else { return wake }
            return desk.pacer.earliest(to: probe.serverAddress.address, from: wake)
        }
        return [requests.min(), series?.nextAt, silence?.test.nextWake].compactMap(\.self).min()
    }

    var isOver: Bool { path == nil }

    // MARK: Time

    mutating func wake(_ desk: inout Desk, at now: Instant) {
        for place in requests.indices.reversed() {
            guard let end = requests[place].client.handleTimeout(at: now) else { continue }
            let request = requests[place]
            let failure: ProbeFailure =
                switch end {
                case .suspected(let error): .path(PathTrouble(error))
                case .silence:
                    isStream
                        ? streamEnd(request, silence: .noAnswer)
                        : patience.map { .noAnswerBesideOthers(waited: $0) } ?? .noAnswer
                }
            self.end(request.client.id, .failed(request.index, failure), &desk, at: now)
        }
        continueSeries(&desk, at: now)
        lookAtSilence(&desk, at: now)
    }

    private mutating func continueSeries(_ desk: inout Desk, at now: Instant) {
        guard let path, var current = series, current.nextAt <= now else { return }
        current.last.sequence += 1
        current.nextAt = current.nextAt + desk.plan.requestInterval
        let isLast = current.last.sequence + 1 >= desk.plan.count || desk.local(of: path) == nil
        series = isLast ? nil : current
        guard desk.local(of: path) != nil else { return closeIfDone(&desk) }
        request(current.last, .once(waiting: current.wait), &desk, at: now)
        if isStream { write(&desk, at: now) }
    }

    /// Where nothing else is under way to the same address, and another address of this machine was answered within
    /// `roundTrip`, this one that is not answered leads nowhere: it waits for no more than five requests that follow that
    /// round trip.
    mutating func limitPatience(roundTrip: Duration) {
        guard patience == nil else { return }
        let interval = max(.milliseconds(80), roundTrip * 2)
        let schedule = RetransmissionSchedule(
            initialTimeout: interval, maximumTransmissions: 5, finalMultiplier: 2, longestWait: interval)
        patience = interval * 6
        for place in requests.indices { requests[place].client.follow(schedule) }
    }

    /// Another question to the same address shows how long its answers take.
    mutating func hasten(patience: Duration, at now: Instant) {
        for place in requests.indices {
            guard let last = requests[place].client.transaction.transmissions.last else { continue }
            requests[place].client.hasten(to: max(now, last + patience))
        }
    }

    // MARK: Events

    mutating func handle(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {
        switch event {
        case .opened: if isStream { connected(&desk, at: now) }
        case .secured(_, _, let facts, let time):
            keep(TLSEvidence(facts: facts, handshake: time), &desk, at: now)
            if isStream { connected(&desk, at: now) }
        case .notSecured(_, let refusal, let time, _):
            let evidence = TLSEvidence(
                facts: refusal.facts, failures: refusal.failures, firstBytes: refusal.firstBytes, handshake: time)
            keep(evidence, &desk, at: now)
            endAll(.notSecured, &desk, at: now)
        case .datagram(let datagram): arrived(datagram, &desk, at: now)
        case .transmitted(let transmit, let instant):
            guard let id = TransactionID(inMessage: transmit.bytes), let place = place(of: id) else { return }
            requests[place].client.left(at: instant)
        case .failed(let error):
            if error.path != path { return silenceEnded(&desk) }
            guard error.isFatal else { return suspect(error, &desk, at: now) }
            endAll(.path(PathTrouble(error)), &desk, at: now)
        case .stream(let event):
            if event.path == path { streamChanged(event, &desk, at: now) } else { silenceChanged(event, &desk) }
        case .connected, .answer, .input: break
        }
    }

    private func place(of id: TransactionID) -> Int? { requests.firstIndex { $0.client.id == id } }

    private func keep(_ evidence: TLSEvidence, _ desk: inout Desk, at now: Instant) {
        for request in requests { desk.observe(.secured(request.index, evidence), at: now) }
    }

    private mutating func arrived(_ datagram: Datagram, _ desk: inout Desk, at now: Instant) {
        let id = TransactionID(inMessage: datagram.bytes)
        // A second answer to a request that is over is about none.
        if let id, ended.contains(id) { return }
        guard let place = id.flatMap(place(of:)) ?? requests.indices.first,
            let (reply, trip) = requests[place].client.read(
                datagram.bytes, from: datagram.source, arrivedAt: datagram.arrivedAt)
        else { return }
        take(reply, trip, at: place, from: datagram.source, isKernelTimed: datagram.isKernelTimed, &desk, now)
    }

    /// Believes a reply: the request ends with it.
    mutating func take(
        _ reply: BindingReply, _ trip: BindingClient.Trip, at place: Int, from source: Endpoint, isKernelTimed: Bool,
        _ desk: inout Desk, _ now: Instant
    ) {
        guard let path, let local = desk.local(of: path) else { return }
        let request = requests[place]
        guard case .success(let mapping) = reply else {
            guard let failure = ProbeFailure(reply) else { return }
            return end(request.client.id, .failed(request.index, failure), &desk, at: now)
        }
        let roundTrip = RoundTrip(
            duration: trip.duration, attempt: trip.attempt, isAmbiguous: trip.isAmbiguous, isKernelTimed: isKernelTimed)
        if probe.transport == .udp { desk.learn(outside: mapping.mappedAddress.address, of: local.address) }
        let answer = BindingAnswer(mapping, local: local, source: source, roundTrip: roundTrip)
        if request.probe.sequence == 0, request.probe.role != .reflexive, desk.plan.count > 1 {
            series = Series(
                last: request.probe, wait: max(Self.leastWait, trip.duration * 3),
                nextAt: now + desk.plan.requestInterval)
        }
        end(request.client.id, .answered(request.index, answer), answeredAfter: trip.duration, &desk, at: now)
    }

    // MARK: Errors

    private mutating func suspect(_ error: PathError, _ desk: inout Desk, at now: Instant) {
        let id = TransactionID(inMessage: error.quoted)
        guard id.map({ !ended.contains($0) }) ?? true, let place = id.flatMap(place(of:)) ?? (id == nil ? 0 : nil),
            requests.indices.contains(place)
        else { return }
        let request = requests[place]
        desk.observe(.pathError(request.index, PathTrouble(error)), at: now)
        let meaning = requests[place].client.failed(error, patience: desk.plan.schedule.initialTimeout, at: now)
        if meaning == .over {
            end(request.client.id, .failed(request.index, .path(PathTrouble(error))), &desk, at: now)
        }
    }

    // MARK: The end

    /// Ends a request with its last fact.
    ///
    /// - Parameter trip: how long the answer took, where that is how it ends.
    mutating func end(
        _ id: TransactionID, _ fact: Observation.Fact, answeredAfter trip: Duration? = nil, _ desk: inout Desk,
        at now: Instant
    ) {
        guard let place = place(of: id) else { return }
        let request = requests.remove(at: place)
        ended.insert(id)
        for reason in IgnoredReplies.Reason.allCases {
            guard let from = BindingReply.IgnoreReason(reason), let ignored = request.client.ignored[from] else {
                continue
            }
            let replies = IgnoredReplies(
                reason: reason, count: ignored.count, from: ignored.from, detail: ignored.detail)
            desk.observe(.ignored(request.index, replies), at: now)
        }
        desk.observe(fact, at: now)
        if trip == nil, request.probe.sequence == 0 { series = nil }
        if let path, let trip, isStream, probe.role == .fallback, series == nil {
            // Whether UDP still waits beside it is for the policy to see, which closes it otherwise.
            desk.news.append(.connectionFree(path, probe, after: trip))
            self.path = nil
        }
        desk.news.append(.checked(request.probe, isAnswered: trip != nil))
        closeIfDone(&desk)
        if let trip { desk.news.append(.answered(request.probe, after: trip)) }
    }

    /// A path is closed with the last request on it; a socket that is shared stays.
    private mutating func closeIfDone(_ desk: inout Desk) {
        guard let path, requests.isEmpty, series == nil else { return }
        self.path = nil
        silenceEnded(&desk)
        if probe.transport == .udp { desk.leave(path) } else { desk.close(path) }
    }

    private mutating func endAll(_ failure: ProbeFailure, _ desk: inout Desk, at now: Instant) {
        series = nil
        for request in requests {
            end(request.client.id, .failed(request.index, failure), &desk, at: now)
        }
        closeIfDone(&desk)
    }

    /// What it asks is not needed any more.
    mutating func cutShort(_ desk: inout Desk, at now: Instant) { endAll(.cutShort, &desk, at: now) }

    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) {
        series = nil
        for request in requests {
            end(request.client.id, .failed(request.index, unfinished(request, desk)), &desk, at: now)
        }
        closeIfDone(&desk)
    }
}

extension ProbeFailure {
    /// Nil where the reply is a success, or nothing that was believed.
    init?(_ reply: BindingReply) {
        switch reply {
        case .ignored, .success: return nil
        case .error(let code, let reason): self = .errorResponse(code: code, reason: OutsideText(bytes: reason))
        case .brokenError(let why): self = .brokenErrorResponse(why)
        case .unknownAttributes(let types): self = .unknownAttributes(types.map(\.rawValue))
        case .unusable(let why): self = .unusableAddress(why)
        }
    }
}

extension BindingReply.IgnoreReason {
    /// Nil for a reason that no check gives.
    init?(_ reason: IgnoredReplies.Reason) {
        switch reason {
        case .wrongTransactionID: self = .wrongTransactionID
        case .wrongSource: self = .wrongSource
        case .malformed: self = .malformed
        case .badFingerprint: self = .badFingerprint
        case .notAResponse: self = .notAResponse
        case .echo: self = .echo
        case .duplicate: return nil
        }
    }
}

extension BindingAnswer {
    init(_ mapping: BindingReply.Mapping, local: Endpoint, source: Endpoint, roundTrip: RoundTrip) {
        self.init(
            mappedAddress: mapping.mappedAddress, rewrittenAddress: mapping.rewrittenAddress,
            isLegacy: mapping.isLegacy, localAddress: local, source: source, roundTrip: roundTrip,
            software: mapping.software.map(OutsideText.init(bytes:)), otherAddress: mapping.otherAddress,
            responseOrigin: mapping.responseOrigin, remarks: mapping.remarks)
    }
}
