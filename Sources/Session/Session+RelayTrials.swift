import Engines
import Facts
import NetTypes
import Planning
import STUN

/// A second socket that sends through a relayed address: see ``RelayProof``.
struct RelayTrial: Sendable {
    var proof: RelayProof
    var path: PathID?
    /// The second socket's own question where the server sees it.
    var binding: ClientTransaction?
    /// Whether the channel to the second socket was asked for.
    var hasAskedChannel = false
    /// Where the client sends to the second socket, as the relay would see it.
    var target: Endpoint?
    /// Nil where none was asked for, or not yet.
    var soak: RelaySoakState?
    /// Whether its part of the attempt is done.
    var isOver: Bool { proof.isOver && soak?.soak.isOver ?? true }
}

extension Session {
    /// The allocation is there: a second socket is to send to its address, which needs a permission for that socket's
    /// outside.
    mutating func startTrial(_ run: Int, _ allocated: TURNAllocated, at now: Instant) {
        guard let relayed = allocated.relayedAddresses.first else { return stopData(run, at: now) }
        turnRuns[run].evidence.relay = TURNEvidence.Relay(relayedAddress: relayed)
        if plan.relayTransport == .tcp {
            turnRuns[run].tcp = TCPRelayTrial(nonce: random.next())
        } else {
            turnRuns[run].trial = RelayTrial(
                proof: RelayProof(
                    relayed: relayed, count: plan.relay.count, size: plan.relay.size, pace: plan.relay.pace,
                    roundTrip: allocated.roundTrip.duration,
                    isReliable: turnRuns[run].evidence.transport.isStream && !plan.isLoadTest, nonce: random.next()))
        }
        if relayed.family == turnRuns[run].evidence.source.family {
            startTrial(run, from: turnRuns[run].evidence.source, at: now)
        } else {
            askForPeerSource(of: run, to: relayed)
        }
    }

    /// The system has said from where it sends to a relayed address of the other family.
    mutating func peerSourceKnown(_ answer: SystemAnswer, run: Int, at now: Instant) {
        guard turnRuns[run].evidence.took == .zero else { return }
        guard case .source(let source) = answer else {
            turnRuns[run].evidence.relay?.isUntried = true
            guard turnRuns[run].tcp == nil else { return stopData(run, at: now) }
            turnRuns[run].trial?.proof.giveUp()
            return endDataIfOver(run, at: now)
        }
        startTrial(run, from: source, at: now)
    }

    private mutating func startTrial(_ run: Int, from source: IPAddress, at now: Instant) {
        let mapped = turnRuns[run].evidence.allocation?.mappedAddress?.address
        // In the family of the path to the server its answer says what the outside is.
        let outside = mapped.flatMap { $0.family == source.family ? $0 : nil } ?? source.withoutZone
        turnRuns[run].client.createPermission(for: [outside])
        guard turnRuns[run].tcp == nil else {
            // Who connects before there is a permission is turned away.
            turnRuns[run].tcp?.source = source
            return
        }
        let path = open(.datagram, from: source)
        paths[path]?.turn = .peer(run: run)
        turnRuns[run].trial?.path = path
    }

    mutating func peerOpened(_ run: Int, _ local: Endpoint, at now: Instant) {
        turnRuns[run].evidence.relay?.peerLocalAddress = local
        turnRuns[run].trial?.proof.begin(at: now)
    }

    mutating func peerFailed(_ run: Int, _ trouble: PathTrouble, isFatal: Bool, at now: Instant) {
        guard turnRuns[run].evidence.took == .zero else { return }
        if turnRuns[run].evidence.relay?.pathTrouble == nil {
            turnRuns[run].evidence.relay?.pathTrouble = trouble
        }
        guard isFatal else { return }
        turnRuns[run].trial?.proof.giveUp()
        endDataIfOver(run, at: now)
    }

    // MARK: Sending

    mutating func nextTrialOutput(_ run: Int, at now: Instant) -> Output? {
        guard let path = turnRuns[run].trial?.path, paths[path]?.state.isOpen == true,
            let relayed = turnRuns[run].trial?.proof.relayed
        else { return nil }
        if let output = nextPeerBinding(run, on: path, at: now) { return output }
        guard nextTrialStart(run, relayed, from: now) <= now else { return nil }
        switch turnRuns[run].trial?.proof.next(at: now) {
        case nil: return nextSoakOutput(run, on: path, to: relayed, at: now)
        case .toRelay(let bytes):
            bookTrial(run, relayed, at: now)
            return .transmit(Transmit(path: path, destination: relayed, bytes: bytes))
        case .aside(let bytes):
            bookTrial(run, relayed, at: now)
            let server = turnRuns[run].evidence.serverAddress.address
            guard server.family == relayed.family else { return nextTURNTransmission(at: now) }
            return .transmit(Transmit(path: path, destination: Endpoint(server, relayed.port), bytes: bytes))
        case .toPeer(let bytes):
            bookTrial(run, relayed, at: now)
            if let target = turnRuns[run].trial?.target {
                turnRuns[run].client.send(bytes, to: target, usesChannel: false)
            }
            return nextTURNTransmission(at: now)
        }
    }

    private mutating func nextPeerBinding(_ run: Int, on path: PathID, at now: Instant) -> Output? {
        let server = turnRuns[run].evidence.serverAddress
        guard let binding = turnRuns[run].trial?.binding, binding.isDue(at: now),
            pacer.earliest(to: server.address, from: now) <= now
        else { return nil }
        pacer.book(to: server.address, at: now)
        turnRuns[run].trial?.binding?.transmitted(at: now)
        return .transmit(Transmit(path: path, destination: server, bytes: binding.request))
    }

    /// A datagram to the relay comes back through the client: it waits until both may be sent, so that its round trip is
    /// the path's.
    private func nextTrialStart(_ run: Int, _ relayed: Endpoint, from now: Instant) -> Instant {
        if plan.isLoadTest { return now }
        let evidence = turnRuns[run].evidence
        let isPaced = !evidence.transport.isStream
        return max(
            pacer.earliest(to: relayed.address, from: now),
            isPaced ? pacer.earliest(to: evidence.serverAddress.address, from: now) : now)
    }

    private mutating func bookTrial(_ run: Int, _ relayed: Endpoint, at now: Instant) {
        guard !plan.isLoadTest else { return }
        pacer.book(to: relayed.address, at: now)
        guard !turnRuns[run].evidence.transport.isStream else { return }
        pacer.book(to: turnRuns[run].evidence.serverAddress.address, at: now)
    }

    func nextTrialWake(of run: Int) -> Instant? {
        if let tcp = turnRuns[run].tcp { return turnRuns[run].evidence.took == .zero ? tcp.nextWake : nil }
        guard let trial = turnRuns[run].trial, !trial.isOver else { return nil }
        let proof = trial.proof.nextWake.map { nextTrialStart(run, trial.proof.relayed, from: $0) }
        return [proof, nextSoakWake(of: run), trial.binding?.nextWake].compactMap { $0 }.min()
    }

    mutating func advanceTrial(of run: Int, to now: Instant) {
        if turnRuns[run].tcp != nil { return advanceTCPTrial(run, at: now) }
        turnRuns[run].trial?.proof.handleTimeout(at: now)
        advanceSoak(of: run, to: now)
        if turnRuns[run].trial?.binding?.handleTimeout(at: now) == true {
            turnRuns[run].trial?.binding = nil
            turnRuns[run].trial?.proof.reverse(isPossible: false, at: now)
        }
        progress(run, at: now)
    }

    // MARK: Receiving

    mutating func permitted(after time: Duration, _ run: Int, at now: Instant) {
        guard turnRuns[run].evidence.relay?.permittedAfter == nil else { return }
        turnRuns[run].evidence.relay?.permittedAfter = time
        if let pair = turnRuns[run].purpose.pair { return pairEndPermitted(pair, at: now) }
        turnRuns[run].trial?.proof.permitted(at: now)
        startTCPTrial(run, at: now)
    }

    /// Data of a peer came to the client: it goes back the same way.
    mutating func received(_ data: TURNReceived, _ run: Int, at now: Instant) {
        guard let answer = turnRuns[run].trial?.proof.arrived(data.bytes) else { return }
        if turnRuns[run].evidence.relay?.peerAddress == nil {
            turnRuns[run].evidence.relay?.peerAddress = data.peer
        }
        turnRuns[run].trial?.soak?.soak.arrived(data.bytes, overChannel: data.channel != nil, at: now)
        turnRuns[run].client.send(answer, to: data.peer, usesChannel: data.channel != nil)
    }

    /// - Parameter time: the round trip of the ChannelBind; nil where it failed.
    mutating func channelSettled(after time: Duration?, _ run: Int, at now: Instant) {
        if let pair = turnRuns[run].purpose.pair { return pairChannelSettled(after: time, run, of: pair, at: now) }
        guard turnRuns[run].evidence.relay?.boundAfter == nil else { return }
        turnRuns[run].evidence.relay?.boundAfter = time
        turnRuns[run].trial?.proof.channelSettled(isBound: time != nil, at: now)
        progress(run, at: now)
    }

    mutating func peerDatagramArrived(_ run: Int, _ datagram: Datagram, at now: Instant) {
        if let binding = turnRuns[run].trial?.binding,
            case .success(let mapping) = BindingReply(datagram.bytes, to: binding.id)
        {
            turnRuns[run].trial?.binding = nil
            reverse(run, to: mapping.mappedAddress, at: now)
        } else if turnRuns[run].trial?.soak?.soak.returned(datagram.bytes, at: datagram.arrivedAt) != true {
            _ = turnRuns[run].trial?.proof.returned(
                datagram.bytes, from: datagram.source, at: datagram.arrivedAt)
        }
        progress(run, at: now)
    }

    // MARK: The end

    /// Goes on where the proof waits for something of this session, or is over.
    private mutating func progress(_ run: Int, at now: Instant) {
        if turnRuns[run].trial?.proof.wantsPeerAddress == true, turnRuns[run].trial?.binding == nil {
            findPeerAddress(run, at: now)
        }
        bindChannel(run, at: now)
        startSoak(run, at: now)
        endDataIfOver(run, at: now)
    }

    private mutating func bindChannel(_ run: Int, at now: Instant) {
        guard let trial = turnRuns[run].trial, trial.proof.wantsChannel, !trial.hasAskedChannel,
            let peer = turnRuns[run].evidence.relay?.peerAddress
        else { return }
        turnRuns[run].trial?.hasAskedChannel = true
        if turnRuns[run].client.bindChannel(to: peer) == nil { channelSettled(after: nil, run, at: now) }
    }

    /// How the relay would see the second socket: its own address where no NAT is on the way, else what the server sees.
    private mutating func findPeerAddress(_ run: Int, at now: Instant) {
        let evidence = turnRuns[run].evidence
        guard let local = evidence.relay?.peerLocalAddress else {
            turnRuns[run].trial?.proof.reverse(isPossible: false, at: now)
            return
        }
        let isInside = evidence.allocation?.mappedAddress?.address != evidence.localAddress?.address.withoutZone
        guard isInside, local.family == evidence.serverAddress.family else {
            return reverse(run, to: local, at: now)
        }
        let id = TransactionID(using: &desk.random)
        turnRuns[run].trial?.binding = ClientTransaction(
            id: id, request: BindingRequest.bytes(id), schedule: .brisk, from: now)
    }

    private mutating func reverse(_ run: Int, to target: Endpoint, at now: Instant) {
        turnRuns[run].trial?.target = target
        turnRuns[run].trial?.proof.reverse(isPossible: true, at: now)
    }

    private mutating func endDataIfOver(_ run: Int, at now: Instant) {
        if turnRuns[run].isDone { stopData(run, at: now) }
    }

    /// The bytes are through, or cannot be: the allocation is deleted.
    mutating func stopData(_ run: Int, at now: Instant) {
        guard turnRuns[run].evidence.took == .zero else { return }
        if case .natDiscovery(let discovery, let relay) = turnRuns[run].purpose {
            natRelayEnded(relay, of: discovery, at: now)
        }
        turnRuns[run].evidence.took = max(.nanoseconds(1), now - turnRuns[run].startedAt)
        keepTallies(of: run)
        closeTCPTrial(run)
        // Data may come through all the same; an answer that is not signed is no answer.
        if turnRuns[run].evidence.trouble == nil, turnRuns[run].evidence.relay?.permittedAfter == nil,
            turnRuns[run].client.discards[.unauthenticatedSuccess, default: 0] > 0
        {
            turnRuns[run].evidence.trouble = TURNEvidence.Trouble(
                .permission, .notAuthenticated, detail: "none of them")
        }
        if turnRuns[run].evidence.trouble == nil, turnRuns[run].isDone,
            let relay = turnRuns[run].evidence.relay, relay.isSilent, !relay.isUntried
        {
            turnRuns[run].evidence.trouble = TURNEvidence.Trouble(.relay, .noData)
        }
        turnRuns[run].client.delete(at: now)
        if let pair = turnRuns[run].purpose.pair { return stopPair(pair, at: now) }
        if turnRuns[run].hasCarriedData { relayProven(run, at: now) }
    }

    mutating func keepTallies(of run: Int) {
        guard let proof = turnRuns[run].trial?.proof else { return }
        turnRuns[run].evidence.relay?.indications = .init(proof[.indication])
        turnRuns[run].evidence.relay?.channel = .init(proof[.channel])
        turnRuns[run].evidence.relay?.altered = proof.altered
        keepSoak(of: run)
        turnRuns[run].evidence.relay?.reverse = proof.reverse.map {
            .init(sent: $0.sent, arrived: $0.arrived, source: $0.source)
        }
    }
}

extension TURNEvidence.Relay.Tally {
    init(_ tally: RelayProof.Tally) {
        self.init(sent: tally.sent, arrived: tally.arrived, roundTrips: tally.roundTrips)
    }
}
