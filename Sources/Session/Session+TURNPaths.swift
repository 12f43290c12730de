import Engines
import NetTypes
import STUN

/// The path between an attempt at a relay and its server: how it opens, fails and ends, and what goes over it.
extension Session {
    mutating func closePaths(of run: Int) {
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
    mutating func fail(_ run: Int, _ trouble: PathTrouble, at now: Instant) {
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

    func stage(of run: Int) -> TURNEvidence.Trouble.Stage {
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
            return turnRuns[run].allocation.pollOutput(at: now, using: &desk.random).map { .write(path, $0) }
        }
        // Data goes at once: it was booked with the datagram that it answers, or when it was made.
        if let data = turnRuns[run].allocation.pollData(using: &desk.random) {
            return .transmit(Transmit(path: path, destination: server, bytes: data))
        }
        guard pacer.earliest(to: server.address, from: now) <= now,
            let bytes = turnRuns[run].allocation.pollOutput(at: now, using: &desk.random)
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
}
