import Engines
import Facts
import NetTypes
import Planning
import STUN

/// An attempt at a relay: allocates one and puts it to use. A second socket sends through it (``RelayTrial``), or
/// connects through it where it relays TCP (``TCPRelayTrial``).
///
/// Where nothing comes from the second socket, two more allocations like it send to each other (``RelayPair``), as the
/// relays of a call between two such clients do.
struct RelayCheck: Activity {
    static var rank: ActivityRank { .relays }

    var relay: ObservedRelay
    var trial: RelayTrial?
    /// In the place of ``trial`` where the relay is one of TCP.
    var tcp: TCPRelayTrial?
    /// The allocation that takes up the port that this one has reserved, to see that it is there.
    private var reservation: ObservedRelay?
    /// Tried where the second socket does not get through.
    private var pair: RelayPair?
    private var hasJudged = false
    private(set) var isOver = false

    init(_ request: ObservedRelay.Request, _ desk: inout Desk, at now: Instant) {
        relay = ObservedRelay(request, &desk, at: now)
    }

    var evidence: TURNEvidence { relay.evidence }
    var waitsForQuota: Bool { relay.waitsForQuota || pair?.waitsForQuota == true }

    /// Whether all that was to be shown by a second socket has been.
    private var isDone: Bool { tcp?.isOver ?? trial?.isOver ?? false }

    /// Whether data went through its relay both ways, unaltered, in all that was tried.
    private var hasCarriedData: Bool {
        guard let seen = evidence.relay, isDone, evidence.trouble == nil else { return false }
        return seen.way != nil && seen.altered == 0 && seen.soak?.isBroken != true
    }

    // MARK: What others tell

    /// The server's host answers over another transport within `roundTrip`.
    mutating func hurry(roundTrip: Duration) { relay.client.hurry(roundTrip: roundTrip) }

    /// UDP to the server is silent, where TCP is answered.
    mutating func endSilence(_ desk: inout Desk, at now: Instant) {
        guard evidence.transport == .udp, evidence.realm == nil, evidence.allocation == nil, !relay.isStopped else {
            return
        }
        if evidence.trouble == nil { relay.evidence.trouble = TURNEvidence.Trouble(relay.client.silence) }
        stop(&desk, at: now)
        settle(&desk, at: now)
    }

    // MARK: Activity

    mutating func begin(_ desk: inout Desk, at now: Instant) { settle(&desk, at: now) }

    mutating func handle(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {
        switch event {
        case .input(let input):
            if let path = input.path, reservation?.client.uses(path) == true {
                reservation?.handle(input, &desk, at: now)
            } else if let path = input.path, pair?.handle(input, on: path, &desk, at: now) == true {
                break
            } else {
                relay.handle(input, &desk, at: now)
            }
        case .answer(_, let answer): peerSourceKnown(answer, &desk, at: now)
        case _ where tcp != nil: handleTCP(event, &desk, at: now)
        default: handleData(event, &desk, at: now)
        }
        wake(&desk, at: now)
    }

    mutating func wake(_ desk: inout Desk, at now: Instant) {
        relay.handle(.timeout, &desk, at: now)
        reservation?.handle(.timeout, &desk, at: now)
        pair?.wake(&desk, at: now)
        settle(&desk, at: now)
        advanceData(&desk, at: now)
        settle(&desk, at: now)
        if let cut = relay.cut(before: desk.deadline), cut <= now { cutShort(&desk, at: now) }
    }

    mutating func poll(_ desk: inout Desk, at now: Instant) -> Output? {
        relay.nextOutput(&desk, at: now) ?? nextDataOutput(&desk, at: now)
            ?? reservation?.nextOutput(&desk, at: now) ?? pair?.nextOutput(&desk, at: now)
    }

    func nextWake(_ desk: Desk) -> Instant? {
        [
            relay.nextWake(desk), nextDataWake(desk), relay.cut(before: desk.deadline), reservation?.nextWake(desk),
            pair?.nextWake(desk),
        ].compactMap(\.self).min()
    }

    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) {
        if relay.waitsForQuota {
            relay.ceaseToWait(&desk)
            return settle(&desk, at: now)
        }
        cutShort(&desk, at: now)
    }

    mutating func abandon(_ desk: inout Desk, at now: Instant) {
        relay.client.giveUp(at: now)
        reservation?.client.giveUp(at: now)
        pair?.abandon(&desk, at: now)
        settle(&desk, at: now)
    }

    private mutating func cutShort(_ desk: inout Desk, at now: Instant) {
        relay.cutShort(isProof: true, at: now)
        reservation?.cutShort(isProof: false, at: now)
        reservation?.stop(at: now)
        pair?.conclude(&desk, at: now)
        stop(&desk, at: now)
        settle(&desk, at: now)
    }

    // MARK: What the clients tell

    private mutating func settle(_ desk: inout Desk, at now: Instant) {
        repeat {
            while let event = relay.nextEvent(&desk, at: now) { take(event, &desk, at: now) }
        } while relay.beginsAgain(&desk, at: now)
        settleReservation(&desk, at: now)
        guard reservation == nil else { return }
        if relay.ends(&desk, at: now) { closeTrial(&desk) }
        judge(&desk)
        guard relay.isOver, hasJudged, !isOver else { return }
        isOver = true
        keepTallies()
        desk.observe(.turnSeen(evidence), at: now)
    }

    /// Once all ways were tried: tells the others of a relay that carries data.
    private mutating func judge(_ desk: inout Desk) {
        guard relay.isStopped || relay.isOver, !hasJudged, pair?.areEndsOver ?? true else { return }
        hasJudged = true
        if isPairOfUse { relay.evidence.relay?.pair = pair?.evidence }
        defer { if hasCarriedData { desk.news.append(.relayProven(relay)) } }
        guard evidence.trouble == nil, isDone, let seen = evidence.relay, seen.way == nil, !seen.isUntried else {
            return
        }
        relay.evidence.trouble = seen.refusal ?? TURNEvidence.Trouble(.relay, .noData)
    }

    /// Nothing came from the second socket that should have come by now. The way from relay to relay is tried beside it
    /// where data of this family goes to the server as well: what a pair on one server shows of another family, it shows
    /// of that server alone.
    mutating func pairIfStalled(_ desk: inout Desk, at now: Instant) {
        guard let trial, let seen = evidence.relay else { return }
        if pair != nil {
            if !isPairOfUse { pair?.end(&desk, at: now) }
            guard pair?.evidence.hasCarriedData == true else { return }
            self.trial?.proof.streamIsWell()
            // Why nothing comes from the second socket is known.
            let silent = desk.silences[evidence.source.withoutZone] ?? []
            if isPairOfUse, silent.contains(evidence.serverAddress.address) { self.trial?.proof.giveUp() }
        } else if !relay.isStopped, evidence.trouble == nil, trial.proof.isStalled(at: now), !seen.isUntried,
            seen.relayedAddress.family == evidence.source.family
        {
            var pair = RelayPair(number: 0, first: relay, second: relay, standsIn: true)
            pair.begin(&desk, at: now)
            self.pair = pair
        }
    }

    /// What comes late from the second socket, or comes to it, says more than a pair.
    private var isPairOfUse: Bool {
        trial.map { $0.proof[.indication].arrived == 0 && $0.proof.reverse?.arrived ?? 0 == 0 } ?? false
    }

    private mutating func take(_ event: RelayClientEvent, _ desk: inout Desk, at now: Instant) {
        switch event {
        case .turn(let event):
            keepRenewal(event)
            take(event, &desk, at: now)
        case .failed(let failure):
            switch failure.cause {
            case .request(.connect, let failure): connectFailed(failure, &desk, at: now)
            case .request(.channel, _): channelSettled(after: nil, &desk, at: now)
            case .request(.permission, .errorResponse(let response)) where response.code == 403 && relay.isRefused:
                peersRefused(&desk, at: now)
            default: if relay.isUseless(after: failure) { stop(&desk, at: now) }
            }
        case .began, .connected, .handshake, .namelessHandshake, .optionsAnswered: break
        }
    }

    private mutating func take(_ event: TURNEvent, _ desk: inout Desk, at now: Instant) {
        switch event {
        case .allocated(let allocated):
            takeUpReservation(of: allocated, &desk, at: now)
            startTrial(allocated, &desk, at: now)
            desk.news.append(
                .relayAllocated(
                    evidence.serverAddress, source: evidence.source, roundTrip: allocated.roundTrip.duration))
        case .permitted(_, let trip, isRenewal: false): permitted(after: trip.duration, &desk, at: now)
        case .channelBound(_, _, let trip, isRenewal: false): channelSettled(after: trip.duration, &desk, at: now)
        case .received(let data): received(data, at: now)
        case .connectionAttempted(let peer, let id): bindData(id, of: .inbound, from: peer, &desk, at: now)
        case .connected(let peer, let id): bindData(id, of: .outbound, from: peer, &desk, at: now)
        case .challenged, .refreshed, .permitted, .channelBound, .relayedICMP, .discarded, .deleted, .failed,
            .expired:
            break
        }
    }

    /// The data is through, or cannot be: the allocation is deleted.
    mutating func stop(_ desk: inout Desk, at now: Instant) {
        guard !relay.isStopped else { return }
        keepTallies()
        closeTCPTrial(&desk)
        relay.stop(at: now)
        judge(&desk)
    }

    mutating func stopIfDone(_ desk: inout Desk, at now: Instant) {
        if isDone { stop(&desk, at: now) }
    }

    private mutating func keepTallies() {
        guard let proof = trial?.proof else { return }
        relay.evidence.relay?.keep(proof)
        keepSoak()
    }

    private mutating func closeTrial(_ desk: inout Desk) {
        closeTCPTrial(&desk)
        if let path = trial?.path { desk.close(path) }
    }

    // MARK: A reserved port (EVEN-PORT)

    /// A port that the allocation has reserved is taken up at once.
    private mutating func takeUpReservation(of allocated: TURNAllocated, _ desk: inout Desk, at now: Instant) {
        guard let token = allocated.reservationToken, relay.client.options.contains(.nextPort) else { return }
        var request = ObservedRelay.Request(like: relay)
        request.reservation = token
        // The allocation waits for it, and could not make room for it.
        request.waitsForQuota = false
        reservation = ObservedRelay(request, &desk, at: now)
    }

    /// That the reserved port is there is all that is to be seen of it; a refusal is told with its code.
    private mutating func settleReservation(_ desk: inout Desk, at now: Instant) {
        while let event = reservation?.nextEvent(&desk, at: now) {
            let place = evidence.options?.firstIndex { $0.option == .nextPort }
            if case .turn(.allocated(let allocated)) = event {
                if let place { relay.evidence.options?[place].address = allocated.relayedAddresses.first }
                reservation?.stop(at: now)
            } else if case .failed(let failure) = event, reservation?.isUseless(after: failure) == true {
                reservation?.stop(at: now)
            }
        }
        guard reservation?.ends(&desk, at: now) == true else { return }
        if let seen = reservation?.evidence, seen.allocation == nil,
            let place = evidence.options?.firstIndex(where: { $0.option == .nextPort })
        {
            relay.evidence.options?[place].outcome = .refused
            relay.evidence.options?[place].code = seen.trouble?.code
        }
        reservation = nil
    }
}

extension Plan {
    /// What is asked of an attempt's allocation: both families only of the one that has no family of its own.
    func options(relaying family: IPAddress.Family) -> Set<AllocationOption> {
        Set((allocationOptions ?? []).filter { $0 != .bothFamilies || family == .ipv4 })
    }
}

extension TURNEvidence.Relay {
    /// What of a proof is to be told.
    mutating func keep(_ proof: RelayProof) {
        indications = .init(proof[.indication])
        channel = .init(proof[.channel])
        altered = proof.altered
        reverse = proof.reverse.map { .init(sent: $0.sent, arrived: $0.arrived, source: $0.source) }
    }
}

extension TURNEvidence.Relay.Tally {
    init(_ tally: RelayProof.Tally) {
        self.init(sent: tally.sent, arrived: tally.arrived, roundTrips: tally.roundTrips)
    }
}
