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
        turnRuns.append(
            TURNRun(
                purpose: purpose, evidence: evidence,
                allocation: TURNAllocation(configuration(for: evidence, schedule ?? .persistent)),
                path: openClient(of: index, for: server, to: endpoint, over: transport, from: source, name: name),
                startedAt: now, schedule: schedule ?? .persistent, redirects: redirects, alternateDomain: name))
        return index
    }

    private func configuration(
        for evidence: TURNEvidence, _ schedule: RetransmissionSchedule
    ) -> TURNConfiguration {
        var configuration = TURNConfiguration(
            credential: plan.servers[evidence.server].turn?.credential, isReliable: evidence.transport.isStream,
            schedule: evidence.transport.isStream ? .standard : schedule)
        configuration.server = evidence.serverAddress.address
        configuration.relayTransport = plan.relayTransport
        // As browsers ask: an allocation for each family, since servers ignore ADDITIONAL-ADDRESS-FAMILY.
        configuration.families = evidence.relayFamily == .ipv4 ? .unspecified : .only(evidence.relayFamily)
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
    private mutating func allocateAgain(_ run: Int, at endpoint: Endpoint, at now: Instant) {
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
        turnRuns[run].allocation = TURNAllocation(configuration(for: evidence, turnRuns[run].schedule))
    }

    // MARK: Paths

    private mutating func closePaths(of run: Int) {
        settleRace(of: run, wonBy: turnRuns[run].path)
        if paths[turnRuns[run].path] != nil { close(turnRuns[run].path) }
    }

    mutating func turnPathOpened(_ place: TURNPlace, _ local: Endpoint, on path: PathID, at now: Instant) {
        switch place {
        case .client(let run):
            settleRace(of: run, wonBy: path)
            if turnRuns[run].evidence.localAddress != local { turnConnected(place, local, on: path, at: now) }
        case .peer(let run): peerOpened(run, local, at: now)
        case .tcp(let run, let role): tcpPathOpened(run, role, local, at: now)
        case .nameless(let run): namelessHandshakeEnded(run, [], at: now)
        }
    }

    /// The path to the server is there, before any handshake on it.
    mutating func turnConnected(_ place: TURNPlace, _ local: Endpoint, on path: PathID, at now: Instant) {
        guard case .client(let run) = place, turnRuns[run].path == path else { return }
        turnRuns[run].evidence.localAddress = local
        if turnRuns[run].evidence.transport.isStream {
            turnRuns[run].evidence.connectedAfter = now - turnRuns[run].startedAt
        }
        if turnRuns[run].evidence.transport == .dtls { turnRuns[run].race.begin(at: now) }
    }

    mutating func turnPathNotSecured(_ place: TURNPlace, _ refusal: SecureRefusal, at now: Instant) {
        switch place {
        case .client(let run):
            if comparesWithoutServerName(run, at: now) { return }
            lose(run, TURNEvidence.Trouble(.tls, .notSecured), at: now)
        case .nameless(let run): namelessHandshakeEnded(run, refusal.failures, at: now)
        case .tcp(let run, let role): tcpPathFailed(run, role, nil, at: now)
        case .peer: break
        }
    }

    /// The server has ended a path after its handshake. Over DTLS one that lost its end of the handshake does (seen of
    /// coturn under loss, about once in 400): another port gets another.
    mutating func turnPathEnded(_ place: TURNPlace, at now: Instant) {
        if case .tcp(let run, let role) = place { return tcpPathFailed(run, role, nil, at: now) }
        guard case .client(let run) = place, !turnRuns[run].isReported else { return }
        let evidence = turnRuns[run].evidence
        guard evidence.transport == .dtls, evidence.allocation == nil, !turnRuns[run].hasChangedPort, !isConcluded
        else { return lose(run, TURNEvidence.Trouble(stage(of: run), .closed), at: now) }
        turnRuns[run].hasChangedPort = true
        allocateAgain(run, at: evidence.serverAddress, at: now)
    }

    mutating func turnPathFailed(_ place: TURNPlace, _ error: PathError, _ trouble: PathTrouble, at now: Instant) {
        switch place {
        case .peer(let run): peerFailed(run, trouble, isFatal: error.isFatal, at: now)
        case .tcp(let run, let role): if error.isFatal { tcpPathFailed(run, role, trouble, at: now) }
        case .nameless(let run): if error.isFatal { namelessHandshakeEnded(run, nil, at: now) }
        case .client(let run):
            guard !turnRuns[run].isReported else { return }
            if error.isFatal || trouble.origin == .local && trouble.kind != .outOfResources {
                return lose(run, trouble, at: now)
            }
            // One ICMP message may be forged, or belong to a moment: it ends nothing unless it comes twice, or nothing
            // else comes within one retransmission timeout.
            guard trouble.origin != .local, error.destination == turnRuns[run].evidence.serverAddress else { return }
            if turnRuns[run].suspicion != nil { return fail(run, trouble, at: now) }
            turnRuns[run].suspicion = (trouble, now + plan.schedule.initialTimeout)
            turnRuns[run].allocation.hasten(to: now + Self.secondOpinion)
        }
    }

    private mutating func lose(_ run: Int, _ trouble: PathTrouble, at now: Instant) {
        var end = TURNEvidence.Trouble(stage(of: run), .path)
        end.path = trouble
        lose(run, end, at: now)
    }

    /// What ICMP says twice ends the attempt. Where the server holds an allocation it is asked to delete it all the
    /// same, as long as that may take: the path may be back.
    private mutating func fail(_ run: Int, _ trouble: PathTrouble, at now: Instant) {
        turnRuns[run].suspicion = nil
        guard turnRuns[run].evidence.allocation != nil, turnRuns[run].evidence.deletion == nil else {
            return lose(run, trouble, at: now)
        }
        guard turnRuns[run].evidence.took == .zero else { return }
        if turnRuns[run].evidence.trouble == nil {
            turnRuns[run].evidence.trouble = TURNEvidence.Trouble(stage(of: run), .path)
            turnRuns[run].evidence.trouble?.path = trouble
        }
        stopData(run, at: now)
        settle(run, at: now)
    }

    private func stage(of run: Int) -> TURNEvidence.Trouble.Stage {
        switch paths[turnRuns[run].path]?.state {
        case .securing, .unsecured: return .tls
        case .opening, .failed, nil: return .connect
        case .open: break
        }
        guard turnRuns[run].evidence.allocation != nil else { return .allocate }
        return turnRuns[run].evidence.relay?.permittedAfter == nil ? .permission : .relay
    }

    /// The path is gone, and with it all that could still be said to the server.
    mutating func lose(_ run: Int, _ trouble: TURNEvidence.Trouble, at now: Instant) {
        if turnRuns[run].evidence.trouble == nil { turnRuns[run].evidence.trouble = trouble }
        turnRuns[run].allocation.abandon()
        settle(run, at: now)
    }

    // MARK: Sending

    mutating func nextTURNTransmission(at now: Instant) -> Output? {
        for run in turnRuns.indices where !turnRuns[run].isReported {
            if let output = nextAllocationOutput(run, at: now) ?? nextTrialOutput(run, at: now) { return output }
        }
        for pair in relayPairs.indices where relayPairs[pair].isUnderWay {
            if let output = nextPairOutput(pair, at: now) { return output }
        }
        return nil
    }

    private mutating func nextAllocationOutput(_ run: Int, at now: Instant) -> Output? {
        let server = turnRuns[run].evidence.serverAddress
        let path = turnRuns[run].path
        guard case .open = paths[path]?.state else { return nil }
        if turnRuns[run].evidence.transport.isStream {
            return turnRuns[run].allocation.pollOutput(at: now, using: &random).map { .write(path, $0) }
        }
        // Data goes at once: it was booked with the datagram that it answers, or when it was made.
        if let data = turnRuns[run].allocation.pollData(using: &random) {
            return .transmit(Transmit(path: path, destination: server, bytes: data))
        }
        guard pacer.earliest(to: server.address, from: now) <= now,
            let bytes = turnRuns[run].allocation.pollOutput(at: now, using: &random)
        else { return nil }
        pacer.book(to: server.address, at: now)
        return .transmit(Transmit(path: path, destination: server, bytes: bytes))
    }

    /// The kernel says when a datagram left.
    mutating func turnTransmitted(_ place: TURNPlace, _ bytes: [UInt8], at instant: Instant) {
        guard case .client(let run) = place else { return }
        turnRuns[run].allocation.left(bytes, at: instant)
    }

    func nextTURNWake(_ run: Int) -> Instant? {
        guard !turnRuns[run].isReported else { return nil }
        let server = turnRuns[run].evidence.serverAddress.address
        var allocation = turnRuns[run].allocation.nextWake
        if !turnRuns[run].evidence.transport.isStream, paths[turnRuns[run].path]?.state.isOpen == true {
            // What the pacer held back is not on the allocation's own clock.
            if turnRuns[run].allocation.isOutputWaiting { allocation = startedAt }
            allocation = allocation.map { pacer.earliest(to: server, from: $0) }
        }
        let wakes = [
            allocation, nextTrialWake(of: run), turnRuns[run].suspicion?.giveUpAt, turnRuns[run].race.nextAt,
            turnRuns[run].quotaRetryAt,
        ]
        return wakes.compactMap { $0 }.min()
    }

    // MARK: Receiving

    mutating func turnDatagramArrived(_ place: TURNPlace, _ datagram: Datagram, at now: Instant) {
        switch place {
        case .client(let run):
            let server = turnRuns[run].evidence.serverAddress
            guard datagram.source.port == server.port,
                datagram.source.address.withoutZone == server.address.withoutZone
            else { return }
            turnRuns[run].suspicion = nil
            turnRuns[run].arrivedAt = datagram.arrivedAt
            turnRuns[run].allocation.handle(datagram: datagram.bytes, at: datagram.arrivedAt)
            settle(run, at: now)
        case .peer(let run): peerDatagramArrived(run, datagram, at: now)
        case .nameless: break
        case .tcp: break
        }
    }

    mutating func turnStreamChanged(_ place: TURNPlace, _ event: StreamEvent, at now: Instant) {
        if case .tcp(let run, let role) = place { return tcpStreamChanged(run, role, event, at: now) }
        guard case .client(let run) = place, !turnRuns[run].isReported else { return }
        switch event.kind {
        case .accepted: break
        case .ended: lose(run, TURNEvidence.Trouble(stage(of: run), .closed), at: now)
        case .bytes(let bytes):
            if turnRuns[run].firstBytes.count < 64 { turnRuns[run].firstBytes += bytes.prefix(64) }
            turnRuns[run].framer.append(bytes)
            turnRuns[run].arrivedAt = event.at
            // HTTP's first bytes would be those of ChannelData.
            if turnRuns[run].evidence.realm == nil, turnRuns[run].evidence.allocation == nil,
                let name = ForeignProtocol.identify(turnRuns[run].firstBytes)?.name
            {
                return lose(run, TURNEvidence.Trouble(stage(of: run), .foreignProtocol, detail: name), at: now)
            }
            do {
                while let frame = try turnRuns[run].framer.next() {
                    turnRuns[run].allocation.handle(frame, at: event.at)
                }
                settle(run, at: now)
            } catch {
                lose(run, TURNEvidence.Trouble(stage(of: run), .foreignProtocol), at: now)
            }
        }
    }

    // MARK: Time

    mutating func advanceTURN(to now: Instant) {
        for run in turnRuns.indices where !turnRuns[run].isReported {
            if let suspicion = turnRuns[run].suspicion, suspicion.giveUpAt <= now {
                fail(run, suspicion.trouble, at: now)
                continue
            }
            advanceRace(of: run, to: now)
            turnRuns[run].allocation.handleTimeout(at: now)
            advanceTrial(of: run, to: now)
            settle(run, at: now)
        }
        advancePairs(to: now)
    }

    /// Ends all attempts: what was measured stays, and what the servers hold is deleted.
    mutating func concludeTURN(at now: Instant) {
        concludePairs(at: now)
        let open = turnRuns.indices.filter { !turnRuns[$0].isReported }
        for run in open {
            turnRuns[run].next = nil
            guard !turnRuns[run].waitsForQuota else { continue }
            if turnRuns[run].evidence.took == .zero { turnRuns[run].evidence.isCutShort = true }
            // What a server that has carried data did not answer in time was lost, as far as that shows.
            if turnRuns[run].purpose.isAttempt, turnRuns[run].evidence.trouble == nil {
                turnRuns[run].evidence.trouble = unfinished(run, at: now)
            }
        }
        // The end of one may be that of another, where they are a pair.
        for run in open where !turnRuns[run].isReported {
            if turnRuns[run].waitsForQuota {
                report(run, at: now)
                continue
            }
            stopData(run, at: now)
            if paths[turnRuns[run].path]?.state.isOpen != true { turnRuns[run].allocation.abandon() }
            settle(run, at: now)
        }
    }

    /// How long a request must have waited before its silence means something: the first retransmission timeout.
    private static var meaningfulWait: Duration { .milliseconds(500) }

    /// What an attempt waited for in vain when the run ended; nil where it had not waited long, or had no question open.
    private func unfinished(_ run: Int, at now: Instant) -> TURNEvidence.Trouble? {
        let stage = stage(of: run)
        let isUnderWay = stage == .connect || stage == .tls
        // What was never sent, since other requests had gone to the same address, was not waited for.
        let since = isUnderWay ? turnRuns[run].startedAt : turnRuns[run].allocation.waitingSince
        guard turnRuns[run].evidence.took == .zero, let since, now - since >= Self.meaningfulWait else { return nil }
        let pending = turnRuns[run].framer.pending
        if isUnderWay {
            // One of several handshakes has said already why none came to an end.
            let isTold = turnRuns[run].evidence.tls?.failures.isEmpty == false
            return TURNEvidence.Trouble(stage, isTold ? .notSecured : .noAnswer)
        }
        if turnRuns[run].allocation.discards[.unauthenticatedSuccess, default: 0] > 0 {
            return TURNEvidence.Trouble(stage, .notAuthenticated, detail: "none of them")
        }
        // An answer to what is over already may have come twice.
        if turnRuns[run].evidence.realm == nil, turnRuns[run].allocation.discards[.noTransaction, default: 0] > 0 {
            return TURNEvidence.Trouble(stage, .foreignAnswer)
        }
        if pending.have > 0 {
            let whole = pending.need.map { " of \($0)" } ?? ""
            return TURNEvidence.Trouble(stage, .truncated, detail: "\(pending.have)\(whole) bytes")
        }
        if stage == .allocate, turnRuns[run].allocation.discards[.malformed, default: 0] > 0 {
            return TURNEvidence.Trouble(stage, .malformed, detail: "it cannot be decoded")
        }
        // With a permission there, the relay's silence is judged by what came through it.
        return stage == .relay
            ? nil : TURNEvidence.Trouble(stage, .noAnswer, detail: "\(turnRuns[run].allocation.transmissions)")
    }

    /// Ends what the time for it did not suffice to end.
    mutating func abandonTURN(at now: Instant) {
        for run in turnRuns.indices where !turnRuns[run].isReported {
            turnRuns[run].allocation.abandon()
            settle(run, at: now)
        }
    }

    var isTURNOver: Bool { turnRuns.allSatisfy(\.isReported) && relayPairs.allSatisfy(\.isReported) }

    // MARK: What it means

    /// Takes what the allocation has to say, and ends the attempt where nothing is left to do.
    mutating func settle(_ run: Int, at now: Instant) {
        while let event = turnRuns[run].allocation.pollEvent() { take(event, of: run, at: now) }
        guard turnRuns[run].allocation.isFinished, !turnRuns[run].isReported else { return }
        guard let next = turnRuns[run].next, !isConcluded else { return report(run, at: now) }
        if !turnRuns[run].waitsForQuota || hasRoom(for: run, at: now) { allocateAgain(run, at: next, at: now) }
    }

    private mutating func report(_ run: Int, at now: Instant) {
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
            case .attempt: startTrial(run, allocated, at: now)
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
            case .attempt, .pairEnd: permitted(after: trip.duration, run, at: now)
            case .natDiscovery(let discovery, let relay): natRelayPermitted(peers, relay, of: discovery, at: now)
            }
        case .channelBound(_, _, let trip, isRenewal: false): channelSettled(after: trip.duration, run, at: now)
        case .received(let data):
            switch turnRuns[run].purpose {
            case .attempt: received(data, run, at: now)
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
