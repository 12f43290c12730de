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

extension RelayCheck {
    // MARK: Start

    /// The allocation is there: a second socket is to send to its address, which needs a permission for that socket's
    /// outside.
    mutating func startTrial(_ allocated: TURNAllocated, _ desk: inout Desk, at now: Instant) {
        guard let relayed = allocated.relayedAddresses.first else { return stop(&desk, at: now) }
        relay.evidence.relay = TURNEvidence.Relay(relayedAddress: relayed)
        let plan = desk.plan
        if plan.relayTransport == .tcp {
            tcp = TCPRelayTrial(nonce: desk.random.next())
        } else {
            trial = RelayTrial(
                proof: RelayProof(
                    relayed: relayed, count: plan.relay.count, size: plan.relay.size, pace: plan.relay.pace,
                    roundTrip: allocated.roundTrip.duration,
                    isReliable: evidence.transport.isStream && !plan.isLoadTest, nonce: desk.random.next()))
        }
        if relayed.family == evidence.source.family {
            startTrial(from: evidence.source, &desk)
        } else {
            desk.ask(.source(to: relayed, interface: plan.interface))
        }
    }

    /// The system has said from where it sends to a relayed address of the other family.
    mutating func peerSourceKnown(_ answer: SystemAnswer, _ desk: inout Desk, at now: Instant) {
        guard !relay.isStopped else { return }
        guard case .source(let source) = answer else {
            relay.evidence.relay?.isUntried = true
            guard tcp == nil else { return stop(&desk, at: now) }
            trial?.proof.giveUp()
            return stopIfDone(&desk, at: now)
        }
        startTrial(from: source, &desk)
    }

    private mutating func startTrial(from source: IPAddress, _ desk: inout Desk) {
        permitPeers(from: source, desk)
        // Who connects before there is a permission is turned away.
        if tcp != nil { tcp?.source = source } else { trial?.path = desk.open(.datagram, from: source) }
    }

    /// Asks for the admission of whatever the relay may see the second socket as: its own address; the one that the server
    /// saw, which is a proxy's where one hides the client; the one that servers see over UDP.
    private mutating func permitPeers(from source: IPAddress, _ desk: Desk) {
        let mapped = evidence.allocation?.mappedAddress?.address
        let outsides = desk.outsides[source.withoutZone, default: []].sorted()
        relay.permit(
            ([mapped].compactMap(\.self) + [source.withoutZone] + outsides).filter { $0.family == source.family })
    }

    /// The server admits none of these addresses.
    mutating func peersRefused(_ desk: inout Desk, at now: Instant) {
        guard trial != nil else { return stop(&desk, at: now) }
        let refusal = evidence.trouble
        relay.evidence.relay?.refusal = refusal
        relay.evidence.trouble = nil
        trial?.proof.giveUp()
        progress(&desk, at: now)
    }

    /// Something happened to the second socket.
    mutating func handleData(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {
        switch event {
        case .opened(_, let local):
            relay.evidence.relay?.peerLocalAddress = local
            trial?.proof.begin(at: now)
        case .datagram(let datagram): returned(datagram, &desk, at: now)
        case .transmitted(let transmit, let instant):
            trial?.proof.left(transmit.bytes, at: instant)
            trial?.soak?.soak.left(transmit.bytes, at: instant)
        case .failed(let error):
            guard !relay.isStopped else { return }
            if evidence.relay?.pathTrouble == nil { relay.evidence.relay?.pathTrouble = PathTrouble(error) }
            guard error.isFatal else { return }
            trial?.proof.giveUp()
            stopIfDone(&desk, at: now)
        default: break
        }
    }

    // MARK: Sending

    mutating func nextDataOutput(_ desk: inout Desk, at now: Instant) -> Output? {
        guard let path = trial?.path, desk.local(of: path) != nil, let relayed = trial?.proof.relayed else {
            return nil
        }
        if let output = nextPeerBinding(on: path, &desk, at: now) { return output }
        guard nextDataStart(desk, relayed, from: now) <= now else { return nil }
        guard let outgoing = trial?.proof.next(at: now) else {
            return trial?.soak?.soak.next(at: now)
                .map { .transmit(Transmit(path: path, destination: relayed, bytes: $0)) }
        }
        book(relayed, &desk, at: now)
        switch outgoing {
        case .toRelay(let bytes): return .transmit(Transmit(path: path, destination: relayed, bytes: bytes))
        case .aside(let bytes):
            let server = evidence.serverAddress.address
            guard server.family == relayed.family else { return relay.nextOutput(&desk, at: now) }
            return .transmit(Transmit(path: path, destination: Endpoint(server, relayed.port), bytes: bytes))
        case .toPeer(let bytes):
            if let target = trial?.target { relay.client.send(bytes, to: target, usesChannel: false) }
            return relay.nextOutput(&desk, at: now)
        }
    }

    private mutating func nextPeerBinding(on path: PathID, _ desk: inout Desk, at now: Instant) -> Output? {
        let server = evidence.serverAddress
        guard let binding = trial?.binding, binding.isDue(at: now),
            desk.pacer.earliest(to: server.address, from: now) <= now
        else { return nil }
        desk.pacer.book(to: server.address, at: now)
        trial?.binding?.transmitted(at: now)
        return .transmit(Transmit(path: path, destination: server, bytes: binding.request))
    }

    /// A datagram to the relay comes back through the client: it waits until both may be sent, so that its round trip is
    /// the path's.
    private func nextDataStart(_ desk: Desk, _ relayed: Endpoint, from now: Instant) -> Instant {
        if desk.plan.isLoadTest { return now }
        let toRelay = desk.pacer.earliest(to: relayed.address, from: now)
        guard !evidence.transport.isStream else { return toRelay }
        return max(toRelay, desk.pacer.earliest(to: evidence.serverAddress.address, from: now))
    }

    private func book(_ relayed: Endpoint, _ desk: inout Desk, at now: Instant) {
        guard !desk.plan.isLoadTest else { return }
        desk.pacer.book(to: relayed.address, at: now)
        if !evidence.transport.isStream { desk.pacer.book(to: evidence.serverAddress.address, at: now) }
    }

    func nextDataWake(_ desk: Desk) -> Instant? {
        if let tcp { return relay.isStopped ? nil : tcp.nextWake }
        guard let trial, !isOver, !trial.isOver else { return nil }
        let proof = trial.proof.nextWake.map { nextDataStart(desk, trial.proof.relayed, from: $0) }
        return [proof, trial.soak?.nextWake, trial.binding?.nextWake].compactMap(\.self).min()
    }

    mutating func advanceData(_ desk: inout Desk, at now: Instant) {
        if tcp != nil { return advanceTCPTrial(&desk, at: now) }
        if let path = trial?.path, let source = desk.local(of: path)?.address { permitPeers(from: source, desk) }
        trial?.proof.handleTimeout(at: now)
        advanceSoak(to: now)
        if trial?.binding?.handleTimeout(at: now) == true {
            trial?.binding = nil
            trial?.proof.reverse(isPossible: false, at: now)
        }
        progress(&desk, at: now)
    }

    // MARK: Receiving

    mutating func permitted(after time: Duration, _ desk: inout Desk, at now: Instant) {
        trial?.proof.permitted(at: now)
        guard evidence.relay?.permittedAfter == nil else { return }
        relay.evidence.relay?.permittedAfter = time
        startTCPTrial(&desk, at: now)
    }

    /// Data of a peer came to the client: it goes back the same way.
    mutating func received(_ data: TURNReceived, at now: Instant) {
        guard let answer = trial?.proof.arrived(data.bytes) else { return }
        if evidence.relay?.peerAddress == nil { relay.evidence.relay?.peerAddress = data.peer }
        trial?.soak?.soak.arrived(data.bytes, overChannel: data.channel != nil, at: now)
        relay.client.send(answer, to: data.peer, usesChannel: data.channel != nil)
    }

    /// - Parameter time: the round trip of the ChannelBind; nil where it failed.
    mutating func channelSettled(after time: Duration?, _ desk: inout Desk, at now: Instant) {
        guard evidence.relay?.boundAfter == nil else { return }
        relay.evidence.relay?.boundAfter = time
        trial?.proof.channelSettled(isBound: time != nil, at: now)
        progress(&desk, at: now)
    }

    private mutating func returned(_ datagram: Datagram, _ desk: inout Desk, at now: Instant) {
        if let binding = trial?.binding, case .success(let mapping) = BindingReply(datagram.bytes, to: binding.id) {
            trial?.binding = nil
            reverse(to: mapping.mappedAddress, at: now)
        } else if trial?.soak?.soak.returned(datagram.bytes, at: datagram.arrivedAt) != true {
            _ = trial?.proof.returned(datagram.bytes, from: datagram.source, at: datagram.arrivedAt)
        }
        progress(&desk, at: now)
    }

    // MARK: Progress

    /// Goes on where the proof waits for something of this activity, or is over.
    private mutating func progress(_ desk: inout Desk, at now: Instant) {
        if trial?.proof.wantsPeerAddress == true, trial?.binding == nil { findPeerAddress(&desk, at: now) }
        bindChannel(&desk, at: now)
        startSoak(desk.plan, at: now)
        pairIfStalled(&desk, at: now)
        stopIfDone(&desk, at: now)
    }

    private mutating func bindChannel(_ desk: inout Desk, at now: Instant) {
        guard let trial, trial.proof.wantsChannel, !trial.hasAskedChannel, let peer = evidence.relay?.peerAddress
        else { return }
        self.trial?.hasAskedChannel = true
        if relay.client.bindChannel(to: peer) == nil { channelSettled(after: nil, &desk, at: now) }
    }

    /// How the relay would see the second socket: its own address where no NAT is on the way, else what the server sees.
    private mutating func findPeerAddress(_ desk: inout Desk, at now: Instant) {
        guard let local = evidence.relay?.peerLocalAddress else {
            trial?.proof.reverse(isPossible: false, at: now)
            return
        }
        guard evidence.isBehindNAT, local.family == evidence.serverAddress.family else {
            return reverse(to: local, at: now)
        }
        let id = TransactionID(using: &desk.random)
        trial?.binding = ClientTransaction(id: id, request: BindingRequest.bytes(id), schedule: .brisk, from: now)
    }

    private mutating func reverse(to target: Endpoint, at now: Instant) {
        trial?.target = target
        trial?.proof.reverse(isPossible: true, at: now)
    }
}

extension TURNEvidence {
    /// Whether the server sees another address of this machine than it has.
    var isBehindNAT: Bool { allocation?.mappedAddress?.address != localAddress?.address.withoutZone }
}
