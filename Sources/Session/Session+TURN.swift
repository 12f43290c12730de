import Engines
import NetTypes
import STUN

/// An attempt at a relay: an allocation on its path, and the second socket that sends through it.
struct TURNRun: Sendable {
    let purpose: TURNPurpose
    var evidence: TURNEvidence
    var allocation: TURNAllocation
    var path: PathID
    /// DTLS: the other handshakes that are under way.
    var race = HandshakeRace()
    /// The path of a handshake without SNI.
    var namelessPath: PathID?
    /// What is still asked of the allocation beyond the usual: a server refuses some at once.
    var options: Set<AllocationOption> = []
    let startedAt: Instant
    let schedule: RetransmissionSchedule
    var framer = StreamFramer()
    var firstBytes: [UInt8] = []
    var trial: RelayTrial?
    /// In the place of ``trial`` where the relay is one of TCP.
    var tcp: TCPRelayTrial?
    var redirects: RedirectPolicy
    /// Where to try again once this allocation is done with: a redirect's target, or the same server from another port.
    var next: Endpoint?
    /// ALTERNATE-DOMAIN of the redirect: whom the other server's certificate must name.
    var alternateDomain: String?
    var hasChangedPort = false
    /// Whether ``next`` waits for the session's own allocations on the server to go: the quota was full of them.
    var waitsForQuota = false
    /// The earliest time for that; nil for as soon as they are gone.
    var quotaRetryAt: Instant?
    /// The first ICMP error of the path to the server, and when an answer must have come to outweigh it.
    var suspicion: (trouble: PathTrouble, giveUpAt: Instant)?
    /// When the last that came on its path had arrived.
    var arrivedAt: Instant?
    var isReported = false
}

/// What a path is to an attempt at a relay.
enum TURNPlace: Sendable {
    case client(run: Int)
    case peer(run: Int)
    case tcp(run: Int, TCPRelayTrial.Role)
    /// A handshake without SNI, to compare: see Session+ServerName.swift.
    case nameless(run: Int)
}

extension Session {
    /// How long the deletion of allocations may take once the run is over.
    package static var cleanupLimit: Duration { .milliseconds(1500) }

    /// Asks for an allocation; returns its place in ``turnRuns``.
    ///
    /// - Parameters:
    ///   - name: whom the certificate must name instead of the URI's host (ALTERNATE-DOMAIN).
    ///   - schedule: of its requests; nil for the plan's.
    @discardableResult
    mutating func allocate(
        _ server: Observation.ServerIndex, at endpoint: Endpoint, over transport: Transport, from source: IPAddress,
        relaying family: IPAddress.Family, for purpose: TURNPurpose = .attempt, name: String? = nil,
        schedule: RetransmissionSchedule? = nil, at now: Instant
    ) -> Int {
        let index = turnRuns.count
        let evidence = TURNEvidence(
            attempt: index, server: server, serverAddress: endpoint, transport: transport, source: source,
            relayFamily: family,
            username: plan.servers[server].turn?.username ?? "")
        let redirects = RedirectPolicy(
            from: endpoint, isEnabled: plan.redirects != .never, followsPrivate: plan.redirects == .anywhere)
        let options = purpose.isAttempt ? self.options(relaying: family) : []
        turnRuns.append(
            TURNRun(
                purpose: purpose, evidence: evidence,
                allocation: TURNAllocation(configuration(for: evidence, purpose, options, schedule ?? .persistent)),
                path: openClient(of: index, for: server, to: endpoint, over: transport, from: source, name: name),
                options: options, startedAt: now, schedule: schedule ?? .persistent, redirects: redirects,
                alternateDomain: name))
        return index
    }

    private func configuration(
        for evidence: TURNEvidence, _ purpose: TURNPurpose, _ options: Set<AllocationOption>,
        _ schedule: RetransmissionSchedule
    ) -> TURNConfiguration {
        var configuration = TURNConfiguration(
            credential: plan.servers[evidence.server].turn?.credential, isReliable: evidence.transport.isStream,
            schedule: evidence.transport.isStream ? .standard : schedule)
        configuration.server = evidence.serverAddress.address
        configuration.relayTransport = plan.relayTransport
        // As browsers ask: an allocation for each family, since servers ignore ADDITIONAL-ADDRESS-FAMILY.
        configuration.families = evidence.relayFamily == .ipv4 ? .unspecified : .only(evidence.relayFamily)
        configuration.ask(for: options)
        if case .reservation(_, let token) = purpose { configuration.port = .reserved(token: token) }
        // What a crash leaves behind is to die soon.
        configuration.lifetime = plan.soak == nil ? Plan.allocationLifetime : Plan.soakLifetime
        return configuration
    }

    mutating func openClient(
        of run: Int, for server: Observation.ServerIndex, to endpoint: Endpoint, over transport: Transport,
        from source: IPAddress, name: String? = nil
    ) -> PathID {
        let path = open(
            transport.isStream ? .connection(to: endpoint) : .datagram, from: source,
            security: security(over: transport, server, endpoint, name: name))
        paths[path]?.turn = .client(run: run)
        return path
    }

    /// Tries again elsewhere, or from another port.
    mutating func allocateAgain(_ run: Int, at endpoint: Endpoint, at now: Instant) {
        closePaths(of: run)
        turnRuns[run].next = nil
        turnRuns[run].waitsForQuota = false
        turnRuns[run].quotaRetryAt = nil
        turnRuns[run].suspicion = nil
        turnRuns[run].framer = StreamFramer()
        turnRuns[run].firstBytes = []
        turnRuns[run].evidence.trouble = nil
        turnRuns[run].evidence.serverAddress = endpoint
        let evidence = turnRuns[run].evidence
        turnRuns[run].path = openClient(
            of: run, for: evidence.server, to: endpoint, over: evidence.transport, from: evidence.source,
            name: turnRuns[run].alternateDomain)
        turnRuns[run].allocation = TURNAllocation(
            configuration(for: evidence, turnRuns[run].purpose, turnRuns[run].options, turnRuns[run].schedule))
    }

    // MARK: What it means

    /// Takes what the allocation has to say, and ends the attempt where nothing is left to do.
    mutating func settle(_ run: Int, at now: Instant) {
        while let event = turnRuns[run].allocation.pollEvent() { take(event, of: run, at: now) }
        guard turnRuns[run].allocation.isFinished, !turnRuns[run].isReported, !waitsForReservation(run) else { return }
        guard let next = turnRuns[run].next, !isConcluded else { return reportTURN(run, at: now) }
        if !turnRuns[run].waitsForQuota || hasRoom(for: run, at: now) { allocateAgain(run, at: next, at: now) }
    }

    mutating func reportTURN(_ run: Int, at now: Instant) {
        turnRuns[run].isReported = true
        if turnRuns[run].evidence.took == .zero { turnRuns[run].evidence.took = now - turnRuns[run].startedAt }
        if turnRuns[run].evidence.allocation != nil { releasedAt[turnRuns[run].evidence.server] = now }
        keepTallies(of: run)
        closePaths(of: run)
        closeTCPTrial(run)
        for path in [turnRuns[run].trial?.path, turnRuns[run].namelessPath].compactMap(\.self)
        where paths[path] != nil {
            close(path)
        }
        switch turnRuns[run].purpose {
        case .attempt: observe(.turnSeen(turnRuns[run].evidence), at: now)
        case .reservation(let reserver, _):
            reservationFailed(run)
            settle(reserver, at: now)
        case .pairEnd(let pair, _): pairEndOver(pair, at: now)
        case .natDiscovery(let discovery, let relay): natRelayReported(relay, of: discovery, at: now)
        }
        for other in turnRuns.indices where turnRuns[other].waitsForQuota { settle(other, at: now) }
    }

    private mutating func take(_ event: TURNEvent, of run: Int, at now: Instant) {
        keepRenewal(event, of: run)
        switch event {
        case .challenged(let challenge):
            turnRuns[run].evidence.realm = OutsideText(bytes: challenge.realm)
            turnRuns[run].evidence.software = challenge.software.map(OutsideText.init(bytes:))
            if challenge.authentication.usesToken {
                turnRuns[run].evidence.token = TURNEvidence.Token(challenge, after: turnRuns[run].evidence.token)
            }
        case .allocated(let allocated):
            turnRuns[run].evidence.allocation = TURNEvidence.Allocation(allocated)
            if let software = allocated.software { turnRuns[run].evidence.software = OutsideText(bytes: software) }
            switch turnRuns[run].purpose {
            case .attempt:
                optionsAnswered(run, allocated, at: now)
                startTrial(run, allocated, at: now)
            case .reservation(let reserver, _): reservationTaken(run, of: reserver, allocated, at: now)
            case .pairEnd(let pair, _): pairEndAllocated(run, of: pair, allocated, at: now)
            case .natDiscovery(let discovery, let relay):
                natRelayAllocated(allocated, relay, of: discovery, by: run, at: now)
            }
        case .expired:
            if turnRuns[run].evidence.trouble == nil {
                turnRuns[run].evidence.trouble = TURNEvidence.Trouble(.relay, .allocationLost)
            }
        case .permitted(let peers, let trip, isRenewal: false):
            switch turnRuns[run].purpose {
            case .attempt, .pairEnd, .reservation: permitted(after: trip.duration, run, at: now)
            case .natDiscovery(let discovery, let relay): natRelayPermitted(peers, relay, of: discovery, at: now)
            }
        case .channelBound(_, _, let trip, isRenewal: false): channelSettled(after: trip.duration, run, at: now)
        case .received(let data):
            switch turnRuns[run].purpose {
            case .attempt: received(data, run, at: now)
            case .reservation: break
            case .pairEnd(let pair, let end): pairEndReceived(data, run, end, of: pair, at: now)
            case .natDiscovery(let discovery, let relay): natRelayReceived(data, relay, of: discovery, at: now)
            }
        case .connectionAttempted(let peer, let id): bindData(id, of: .inbound, from: peer, run, at: now)
        case .connected(let peer, let id): bindData(id, of: .outbound, from: peer, run, at: now)
        case .failed(.connect, let failure): connectFailed(failure, run, at: now)
        case .failed(.delete, _): break
        case .failed(let stage, let failure): failed(stage, failure, run, at: now)
        case .deleted(let deletion): turnRuns[run].evidence.deletion = TURNEvidence.Deletion(deletion)
        case .refreshed, .permitted, .channelBound, .relayedICMP, .discarded, .moved:
            break
        }
    }

    private mutating func failed(_ stage: TURNStage, _ failure: TURNFailure, _ run: Int, at now: Instant) {
        if case .redirected(let redirect) = failure, turnRuns[run].evidence.allocation == nil {
            // For a relay of the other family the same way is gone again.
            let alike = turnRuns.filter { $0.evidence.relayFamily == turnRuns[run].evidence.relayFamily }
            let visited = Set(alike.map(\.evidence.serverAddress))
            switch turnRuns[run].redirects.decide(redirect, visited: visited) {
            case .follow(let server):
                turnRuns[run].evidence.redirects.append(server)
                turnRuns[run].next = server
                turnRuns[run].alternateDomain =
                    redirect.domain.flatMap { String(validating: $0, as: UTF8.self) } ?? turnRuns[run].alternateDomain
            case .refuse(let refusal):
                turnRuns[run].evidence.trouble = TURNEvidence.Trouble(redirect, refused: refusal)
            }
            return
        }
        if case .errorResponse(let response) = failure, optionsRefused(run, by: response) { return }
        if case .errorResponse(let response) = failure, response.suggestsNewFiveTuple, !turnRuns[run].hasChangedPort {
            turnRuns[run].hasChangedPort = true
            turnRuns[run].next = turnRuns[run].evidence.serverAddress
        }
        if case .errorResponse(let response) = failure, response.code == 486, response.method == .allocate {
            waitForQuota(run, at: now)
        }
        if turnRuns[run].evidence.trouble == nil {
            turnRuns[run].evidence.trouble = TURNEvidence.Trouble(stage, failure)
            if case .errorResponse(let response) = failure, response.code == 437, turnRuns[run].trial?.soak != nil {
                turnRuns[run].evidence.trouble?.kind = .allocationLost
            }
        }
        if case .channel = stage { return channelSettled(after: nil, run, at: now) }
        if turnRuns[run].evidence.allocation != nil { stopData(run, at: now) }
    }
}

extension TURNRun {
    /// Whether all that was to be shown through the relay has been.
    var isDone: Bool { tcp?.isOver ?? trial?.isOver ?? false }

    /// Whether data went through its relay both ways, unaltered, in all that was tried.
    var hasCarriedData: Bool {
        guard let relay = evidence.relay, isDone, evidence.trouble == nil else { return false }
        return !relay.isSilent && relay.altered == 0 && relay.soak?.isBroken != true
    }
}

extension TURNEvidence.Allocation {
    init(_ allocated: TURNAllocated) {
        self.init(
            mappedAddress: allocated.mappedAddress,
            lifetime: allocated.lifetime.granted, roundTrips: allocated.roundTrips, elapsed: allocated.elapsed,
            roundTrip: allocated.roundTrip.duration, isOpenToAll: allocated.authentication == nil)
    }
}

extension TURNEvidence.Deletion {
    init(_ deletion: TURNDeletion) {
        self =
            switch deletion {
            case .confirmed: .confirmed
            case .absent: .absent
            case .unconfirmed(let time): .unconfirmed(time)
            }
    }
}
