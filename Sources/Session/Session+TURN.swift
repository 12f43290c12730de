import Engines
import Facts
import NetTypes
import Planning
import STUN

/// An attempt at a relay: its client, and the second socket that sends through it.
struct TURNRun: Sendable {
    let purpose: TURNPurpose
    var evidence: TURNEvidence
    var client: RelayClient
    let startedAt: Instant
    var trial: RelayTrial?
    /// In the place of ``trial`` where the relay is one of TCP.
    var tcp: TCPRelayTrial?
    /// Whether it waits for the session's own allocations on the server to go: the quota was full of them.
    var waitsForQuota = false
    /// The earliest time for that; nil for as soon as they are gone.
    var quotaRetryAt: Instant?
    var isReported = false
}

/// What a path is to an attempt at a relay.
enum TURNPlace: Sendable {
    case client(run: Int)
    case peer(run: Int)
    case tcp(run: Int, TCPRelayTrial.Role)
}

extension Session {
    /// Asks for an allocation; returns its place in ``turnRuns``.
    ///
    /// - Parameters:
    ///   - name: whom the certificate must name instead of the URI's host (ALTERNATE-DOMAIN).
    ///   - schedule: of its requests.
    @discardableResult
    mutating func allocate(
        _ server: Observation.ServerIndex, at endpoint: Endpoint, over transport: Transport, from source: IPAddress,
        relaying family: IPAddress.Family, for purpose: TURNPurpose = .attempt, name: String? = nil,
        schedule: RetransmissionSchedule = .persistent, at now: Instant
    ) -> Int {
        let index = turnRuns.count
        var configuration = TURNConfiguration(
            credential: plan.servers[server].turn?.credential, isReliable: transport.isStream,
            schedule: transport.isStream ? .standard : schedule)
        configuration.relayTransport = plan.relayTransport
        // As browsers ask: an allocation for each family, since servers ignore ADDITIONAL-ADDRESS-FAMILY.
        configuration.families = family == .ipv4 ? .unspecified : .only(family)
        // What a crash leaves behind is to die soon.
        configuration.lifetime = plan.soak == nil ? Plan.allocationLifetime : Plan.soakLifetime
        if case .reservation(_, let token) = purpose { configuration.port = .reserved(token: token) }
        var request = RelayClient.Request(endpoint, over: transport, from: source, configuration)
        request.interface = plan.interface
        if purpose.isAttempt { request.options = plan.options(relaying: family) }
        if case .client(let security) = plan.security(
            over: transport, to: plan.servers[server], at: endpoint, name: name)
        {
            request.security = security
        }
        request.followsRedirects = plan.redirects != .never
        request.followsPrivate = plan.redirects == .anywhere
        request.suspicionTime = plan.schedule.initialTimeout
        request.comparesNames = true
        turnRuns.append(
            TURNRun(
                purpose: purpose,
                evidence: TURNEvidence(
                    attempt: index, server: server, serverAddress: endpoint, transport: transport, source: source,
                    relayFamily: family, username: plan.servers[server].turn?.username ?? ""),
                client: RelayClient(request, at: now, paths: &desk.pathNumbers, visited: &desk.visitedRelays),
                startedAt: now))
        openAndClosePaths(of: index)
        return index
    }

    // MARK: What it means

    /// Takes what the client has to say, and ends the attempt where nothing is left to do.
    mutating func settle(_ run: Int, at now: Instant) {
        openAndClosePaths(of: run)
        while let event = turnRuns[run].client.pollEvent() { take(event, of: run, at: now) }
        openAndClosePaths(of: run)
        guard turnRuns[run].client.isFinished, !turnRuns[run].isReported, !waitsForReservation(run) else { return }
        guard turnRuns[run].waitsForQuota, !isConcluded else { return reportTURN(run, at: now) }
        if hasRoom(for: run, at: now) {
            turnRuns[run].waitsForQuota = false
            turnRuns[run].quotaRetryAt = nil
            turnRuns[run].client.again(at: now, paths: &desk.pathNumbers)
            settle(run, at: now)
        }
    }

    mutating func reportTURN(_ run: Int, at now: Instant) {
        turnRuns[run].isReported = true
        if turnRuns[run].evidence.took == .zero { turnRuns[run].evidence.took = now - turnRuns[run].startedAt }
        if turnRuns[run].evidence.allocation != nil { releasedAt[turnRuns[run].evidence.server] = now }
        keepTallies(of: run)
        closeTCPTrial(run)
        if let path = turnRuns[run].trial?.path, paths[path] != nil { close(path) }
        switch turnRuns[run].purpose {
        case .attempt: observe(.turnSeen(turnRuns[run].evidence), at: now)
        case .reservation(let reserver, _): reservationEnded(run, of: reserver, at: now)
        case .pairEnd(let pair, _): pairEndOver(pair, at: now)
        case .natDiscovery(let discovery, let relay): natRelayReported(relay, of: discovery, at: now)
        }
        for other in turnRuns.indices where turnRuns[other].waitsForQuota { settle(other, at: now) }
    }

    private mutating func take(_ event: RelayClientEvent, of run: Int, at now: Instant) {
        turnRuns[run].evidence.take(event)
        switch event {
        case .turn(let event): take(event, of: run, at: now)
        case .failed(let failure): failed(failure, run, at: now)
        case .began, .connected, .handshake, .namelessHandshake, .optionsAnswered: break
        }
    }

    private mutating func take(_ event: TURNEvent, of run: Int, at now: Instant) {
        keepRenewal(event, of: run)
        switch event {
        case .allocated(let allocated):
            switch turnRuns[run].purpose {
            case .attempt:
                takeUpReservation(of: run, allocated, at: now)
                startTrial(run, allocated, at: now)
            case .reservation(let reserver, _): reservationTaken(run, of: reserver, allocated, at: now)
            case .pairEnd(let pair, _): pairEndAllocated(run, of: pair, allocated, at: now)
            case .natDiscovery(let discovery, let relay):
                natRelayAllocated(allocated, relay, of: discovery, by: run, at: now)
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
        case .challenged, .refreshed, .permitted, .channelBound, .relayedICMP, .discarded, .moved, .deleted, .failed,
            .expired:
            break
        }
    }

    private mutating func failed(_ failure: RelayFailure, _ run: Int, at now: Instant) {
        switch failure.cause {
        case .request(.delete, _): return
        case .request(.connect, let failure): return connectFailed(failure, run, at: now)
        case .request(.allocate, .errorResponse(let response))
        where response.code == 486 && turnRuns[run].purpose.reserver == nil:
            // Its reserver waits for a reservation, and could not make room for it.
            waitForQuota(run, at: now)
        default: break
        }
        if turnRuns[run].evidence.trouble == nil {
            var trouble = TURNEvidence.Trouble(failure)
            if trouble.kind == .errorResponse, trouble.code == 437, turnRuns[run].trial?.soak != nil {
                trouble.kind = .allocationLost
            }
            turnRuns[run].evidence.trouble = trouble
        }
        if case .request(.channel, _) = failure.cause { return channelSettled(after: nil, run, at: now) }
        // Where the allocation is gone with its path, nothing of it is left to stop.
        if turnRuns[run].evidence.allocation != nil, !turnRuns[run].client.isFinished { stopData(run, at: now) }
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
