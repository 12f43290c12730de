import Engines
import Facts
import NetTypes
import Planning
import STUN

/// A relay that an activity has: its client, what the client has shown, and its place in the user's quota.
///
/// The activity hands in what concerns its paths, and drains ``nextEvent(_:at:)`` and ``nextOutput(_:at:)``.
struct ObservedRelay: Sendable {
    /// What is asked for, of whom.
    struct Request: Sendable {
        var server: Observation.ServerIndex
        var endpoint: Endpoint
        var transport: Transport
        var source: IPAddress
        var family: IPAddress.Family
        /// Whom the certificate must name instead of the URI's host (ALTERNATE-DOMAIN).
        var name: String?
        /// Of its requests over UDP.
        var schedule = RetransmissionSchedule.persistent
        /// Of a port that another allocation has reserved.
        var reservation: [UInt8]?
        /// What is asked of the allocation beyond the usual.
        var options: Set<AllocationOption> = []
        var isPairEnd = false
        /// Whether it waits where the run's own allocations fill the quota.
        var waitsForQuota = true

        init(
            _ server: Observation.ServerIndex, at endpoint: Endpoint, over transport: Transport,
            from source: IPAddress, relaying family: IPAddress.Family
        ) {
            self.server = server
            self.endpoint = endpoint
            self.transport = transport
            self.source = source
            self.family = family
        }

        /// The same relay as that of another attempt, once more.
        init(like other: ObservedRelay) {
            let evidence = other.evidence
            self.init(
                evidence.server, at: evidence.serverAddress, over: evidence.transport, from: evidence.source,
                relaying: evidence.relayFamily)
            name = other.client.alternateDomain
        }
    }

    let request: Request
    var evidence: TURNEvidence
    var client: RelayClient
    let startedAt: Instant
    /// Whether it waits for the run's own allocations on the server to go.
    private(set) var waitsForQuota = false
    /// The earliest time for that; nil for as soon as they are gone.
    private var quotaRetryAt: Instant?
    /// Whether nothing more comes of it.
    private(set) var isOver = false
    /// Those whom the server is asked to admit, and the requests of these that it has not answered yet.
    private(set) var peers: Set<IPAddress> = []
    private var openPermissions = 0
    private var isPermitted = false

    init(_ request: Request, _ desk: inout Desk, at now: Instant) {
        self.request = request
        startedAt = now
        evidence = TURNEvidence(
            attempt: desk.nextAttempt(), server: request.server, serverAddress: request.endpoint,
            transport: request.transport, source: request.source, relayFamily: request.family,
            username: desk.plan.servers[request.server].turn?.username ?? "")
        client = RelayClient(
            desk.plan.clientRequest(request), at: now, paths: &desk.pathNumbers, visited: &desk.visitedRelays)
        desk.quota.hold(evidence.attempt, on: request.server, isPairEnd: request.isPairEnd)
    }

    /// Whether what was to be seen of it has been: its deletion is under way, or over.
    var isStopped: Bool { evidence.took != .zero }

    // MARK: Events

    /// Takes what concerns one of its paths, or a wake-up.
    mutating func handle(_ input: Input, _ desk: inout Desk, at now: Instant) {
        guard !isOver else { return }
        client.handle(input, at: now, paths: &desk.pathNumbers, visited: &desk.visitedRelays)
    }

    /// The next thing that the client tells, which is evidence by then.
    mutating func nextEvent(_ desk: inout Desk, at now: Instant) -> RelayClientEvent? {
        while let output = client.pollPath() {
            desk.adopt(output)
            desk.outputs.append(output)
        }
        guard let event = client.pollEvent() else { return nil }
        evidence.take(event)
        switch event {
        case .turn(.permitted(_, _, isRenewal: false)):
            isPermitted = true
            openPermissions -= 1
        case .began: (peers, openPermissions, isPermitted) = ([], 0, false)
        case .failed(let failure): failed(failure, &desk, at: now)
        default: break
        }
        return event
    }

    /// Asks the server to admit peers, each by a request of its own: one may be refused where another is not.
    mutating func permit(_ addresses: [IPAddress]) {
        for address in addresses where peers.insert(address).inserted {
            openPermissions += 1
            client.createPermission(for: [address])
        }
    }

    /// Whether a refused permission is all that there is: no other was granted, or may still be.
    var isRefused: Bool { !isPermitted && openPermissions <= 0 }

    private mutating func failed(_ failure: RelayFailure, _ desk: inout Desk, at now: Instant) {
        switch failure.cause {
        case .request(.delete, _), .request(.connect, _): return
        case .request(.permission, _) where openPermissions > 0:
            openPermissions -= 1
            guard isRefused else { return }
        case .request(.allocate, .errorResponse(let response)) where response.code == 486 && request.waitsForQuota:
            waitForQuota(&desk, at: now)
        default: break
        }
        guard evidence.trouble == nil else { return }
        var trouble = TURNEvidence.Trouble(failure)
        if trouble.kind == .errorResponse, trouble.code == 437, evidence.relay?.soak != nil {
            trouble.kind = .allocationLost
        }
        evidence.trouble = trouble
    }

    /// Whether a failure leaves an allocation of which nothing is to be had any more. Where the allocation is gone with
    /// its path, nothing of it is left to stop.
    func isUseless(after failure: RelayFailure) -> Bool {
        switch failure.cause {
        case .request(.delete, _), .request(.connect, _), .request(.channel, _): false
        case .request(.permission, _) where !peers.isEmpty && !isRefused: false
        default: evidence.allocation != nil && !client.isFinished
        }
    }

    mutating func nextOutput(_ desk: inout Desk, at now: Instant) -> Output? {
        isOver ? nil : client.pollOutput(at: now, pacer: &desk.pacer, using: &desk.random)
    }

    func nextWake(_ desk: Desk) -> Instant? {
        isOver ? nil : [client.nextWake(desk.pacer), quotaRetryAt].compactMap(\.self).min()
    }

    // MARK: The quota

    private mutating func waitForQuota(_ desk: inout Desk, at now: Instant) {
        let isFull = desk.quota.isFull(for: evidence.attempt)
        let clearedAt = desk.quota.clearedAt(for: evidence.attempt)
        guard isFull || clearedAt ?? now > now else { return }
        waitsForQuota = true
        quotaRetryAt = isFull ? nil : clearedAt
        desk.quota.wait(evidence.attempt, true)
    }

    /// It is not waited for any more.
    mutating func ceaseToWait(_ desk: inout Desk) {
        waitsForQuota = false
        quotaRetryAt = nil
        desk.quota.wait(evidence.attempt, false)
    }

    // MARK: The end

    /// What was to be seen of it has been, or cannot be: the allocation is deleted.
    mutating func stop(at now: Instant) {
        guard !isStopped else { return }
        evidence.took = max(.nanoseconds(1), now - startedAt)
        // Data may come through all the same; an answer that is not signed is no answer.
        if evidence.trouble == nil, evidence.relay?.permittedAfter == nil,
            client.discards[.unauthenticatedSuccess, default: 0] > 0
        {
            evidence.trouble = TURNEvidence.Trouble(.permission, .notAuthenticated, detail: "none of them")
        }
        client.delete(at: now)
    }

    /// The time for it is over: what was measured stays.
    ///
    /// - Parameter isProof: whether it was to show that relays carry data: then what a server that has carried data did
    ///   not answer in time is lost, as far as that shows.
    mutating func cutShort(isProof: Bool, at now: Instant) {
        guard !isStopped else { return }
        evidence.isCutShort = true
        guard isProof, evidence.trouble == nil else { return }
        evidence.trouble = client.unfinished(at: now).map(TURNEvidence.Trouble.init)
    }

    /// When it is cut short for its deletion, where the time after the deadline does not suffice for that: two of its
    /// round trips, since one may be lost. A server that is slower is not waited for.
    func cut(before deadline: Instant) -> Instant? {
        guard !isStopped, !isOver, client.mayHoldAllocation,
            let needed = client.roundTrip.map({ $0 * 2 + .milliseconds(20) }),
            needed > Plan.cleanupLimit, needed <= Plan.cleanupLimitAfterSignal
        else { return nil }
        return deadline.advanced(by: Plan.cleanupLimit - needed)
    }

    /// Whether the client is at its end, and there is room by now in the quota that it has waited for: it has begun again,
    /// and has news.
    mutating func beginsAgain(_ desk: inout Desk, at now: Instant) -> Bool {
        guard client.isFinished, waitsForQuota else { return false }
        guard !desk.quota.isFull(for: evidence.attempt) else {
            quotaRetryAt = nil
            return false
        }
        guard quotaRetryAt ?? now <= now else { return false }
        ceaseToWait(&desk)
        client.again(at: now, paths: &desk.pathNumbers)
        return true
    }

    /// Notes that it is over where its client is at its end, and it waits for nothing; returns whether it is by this.
    mutating func ends(_ desk: inout Desk, at now: Instant) -> Bool {
        guard client.isFinished, !waitsForQuota, !isOver else { return false }
        isOver = true
        if evidence.took == .zero { evidence.took = now - startedAt }
        desk.quota.release(evidence.attempt, hadAllocation: evidence.allocation != nil, at: now)
        desk.news.append(.relayGone)
        return true
    }
}

extension Plan {
    /// What a client is to ask for.
    fileprivate func clientRequest(_ relay: ObservedRelay.Request) -> RelayClient.Request {
        let server = servers[relay.server]
        var configuration = TURNConfiguration(
            credential: server.turn?.credential, isReliable: relay.transport.isStream,
            schedule: relay.transport.isStream ? .standard : relay.schedule)
        configuration.relayTransport = relayTransport
        // As browsers ask: an allocation for each family, since servers ignore ADDITIONAL-ADDRESS-FAMILY.
        configuration.families = relay.family == .ipv4 ? .unspecified : .only(relay.family)
        // What a crash leaves behind is to die soon.
        configuration.lifetime = soak == nil ? Plan.allocationLifetime : Plan.soakLifetime
        if let token = relay.reservation { configuration.port = .reserved(token: token) }
        var request = RelayClient.Request(relay.endpoint, over: relay.transport, from: relay.source, configuration)
        request.interface = interface
        request.options = relay.options
        if case .client(let security) = security(
            over: relay.transport, to: server, at: relay.endpoint, name: relay.name)
        {
            request.security = security
        }
        request.followsRedirects = redirects != .never
        request.followsPrivate = redirects == .anywhere
        request.suspicionTime = schedule.initialTimeout
        request.comparesNames = true
        return request
    }
}
