import Engines
import Facts
import NetTypes
import Planning
import STUN

/// Two allocations that send to each other's relayed addresses, as two peers do of which each has a relay: see
/// ``RelayProof``, where the first end is the second socket and the second end the client.
struct RelayPair: Sendable {
    private static let first = 0, second = 1

    /// The place among the pairs of the run.
    let number: Int
    /// Whether it is tried in the place of a second socket, which tells itself of the other direction.
    private let standsIn: Bool
    /// The relays that carried data, on whose servers the two are.
    private let models: [ObservedRelay]
    /// The two allocations; empty while the pair waits for room on the servers.
    private var ends: [ObservedRelay] = []
    /// Once each has let the other in.
    private var proof: RelayProof?
    /// Whether the second end's channel to the first was asked for.
    private var hasAskedChannel = false
    /// Whether it is tried again once no other pair is under way: the user's quota was full of them.
    private(set) var isWaiting = false
    private(set) var isReported = false

    init(number: Int, first: ObservedRelay, second: ObservedRelay, standsIn: Bool = false) {
        self.number = number
        self.standsIn = standsIn
        models = [first, second]
    }

    var isUnderWay: Bool { !isWaiting && !isReported }
    var areEndsOver: Bool { !ends.isEmpty && ends.allSatisfy(\.isOver) }
    var waitsForQuota: Bool { ends.contains(where: \.waitsForQuota) }
    /// Whether a server had no room for it.
    var isCrowdedOut: Bool { ends.contains { $0.evidence.trouble?.isForWantOfRoom == true } }

    // MARK: Start

    mutating func begin(_ desk: inout Desk, at now: Instant) {
        isWaiting = false
        ends = models.map { model in
            var request = ObservedRelay.Request(like: model)
            request.isPairEnd = true
            request.schedule = .persistent(knowing: model.evidence.allocation?.roundTrip)
            return ObservedRelay(request, &desk, at: now)
        }
        settle(&desk, at: now)
    }

    /// Puts it off until there is room: it begins anew then.
    mutating func waitForRoom() {
        (ends, proof, hasAskedChannel, isWaiting) = ([], nil, false, true)
    }

    // MARK: Steps

    /// Takes an input; false where the path is not one of its ends'.
    mutating func handle(_ input: Input, on path: PathID, _ desk: inout Desk, at now: Instant) -> Bool {
        guard let end = ends.indices.first(where: { ends[$0].client.uses(path) }) else { return false }
        if case .transmitted(let transmit, let instant) = input, end == Self.first {
            // Its Send indication has left, at the kernel's own time.
            let data = (try? Message(decoding: transmit.bytes))?.rawValue(.data)
            if let data { proof?.left(data, at: instant) }
        }
        ends[end].handle(input, &desk, at: now)
        settle(&desk, at: now)
        return true
    }

    mutating func wake(_ desk: inout Desk, at now: Instant) {
        for end in ends.indices { ends[end].handle(.timeout, &desk, at: now) }
        settle(&desk, at: now)
        proof?.handleTimeout(at: now)
        progress(&desk, at: now)
        settle(&desk, at: now)
        if let cut = nextCut(desk), cut <= now { cutShort(&desk, at: now) }
    }

    func nextWake(_ desk: Desk) -> Instant? {
        let next = proof.flatMap { $0.isOver ? nil : $0.nextWake }.map { nextStart(desk, from: $0) }
        return (ends.indices.map { ends[$0].nextWake(desk) } + [next, nextCut(desk)]).compactMap(\.self).min()
    }

    private func nextCut(_ desk: Desk) -> Instant? {
        ends.indices.compactMap { ends[$0].cut(before: desk.deadline) }.min()
    }

    /// One that still waits for room when the run ends is not begun any more.
    mutating func conclude(_ desk: inout Desk, at now: Instant) {
        if isWaiting {
            isWaiting = false
            return report(&desk, at: now)
        }
        cutShort(&desk, at: now)
    }

    private mutating func cutShort(_ desk: inout Desk, at now: Instant) {
        for end in ends.indices where !ends[end].waitsForQuota { ends[end].cutShort(isProof: false, at: now) }
        stop(&desk, at: now)
        settle(&desk, at: now)
    }

    mutating func abandon(_ desk: inout Desk, at now: Instant) {
        for end in ends.indices { ends[end].client.giveUp(at: now) }
        settle(&desk, at: now)
    }

    /// There is no use in it any more.
    mutating func end(_ desk: inout Desk, at now: Instant) {
        stop(&desk, at: now)
        settle(&desk, at: now)
    }

    // MARK: What the clients tell

    private mutating func settle(_ desk: inout Desk, at now: Instant) {
        // What ends one of them ends the other: so the first is looked at once more after the second.
        for end in Array(ends.indices) + ends.indices {
            repeat {
                while let event = ends[end].nextEvent(&desk, at: now) { take(event, of: end, &desk, at: now) }
            } while ends[end].beginsAgain(&desk, at: now)
            // An allocation of the pair is gone, and with it the pair.
            if ends[end].ends(&desk, at: now) { stop(&desk, at: now) }
        }
    }

    private mutating func take(_ event: RelayClientEvent, of end: Int, _ desk: inout Desk, at now: Instant) {
        switch event {
        case .turn(.allocated(let allocated)): self.allocated(allocated, end, &desk, at: now)
        case .turn(.permitted(_, let trip, isRenewal: false)):
            guard ends[end].evidence.relay?.permittedAfter == nil else { return }
            ends[end].evidence.relay?.permittedAfter = trip.duration
            startProof(&desk, at: now)
        case .turn(.channelBound(_, _, let trip, isRenewal: false)):
            channelSettled(after: trip.duration, end, &desk, at: now)
        case .turn(.received(let data)): received(data, end, &desk, at: now)
        case .failed(let failure):
            if case .request(.channel, _) = failure.cause {
                channelSettled(after: nil, end, &desk, at: now)
            } else if ends[end].isUseless(after: failure) {
                stop(&desk, at: now)
            }
        default: break
        }
    }

    /// One of the two is there. Once both are, each is to let the other in.
    private mutating func allocated(_ allocated: TURNAllocated, _ end: Int, _ desk: inout Desk, at now: Instant) {
        guard let relayed = allocated.relayedAddresses.first else { return stop(&desk, at: now) }
        ends[end].evidence.relay = TURNEvidence.Relay(relayedAddress: relayed)
        guard let first = relayedAddress(of: Self.first), let second = relayedAddress(of: Self.second) else { return }
        ends[Self.first].client.createPermission(for: [second.address])
        ends[Self.second].client.createPermission(for: [first.address])
    }

    private func relayedAddress(of end: Int) -> Endpoint? { ends[end].evidence.relay?.relayedAddress }

    /// Once both permissions are there, data follows at once.
    private mutating func startProof(_ desk: inout Desk, at now: Instant) {
        guard proof == nil, let second = relayedAddress(of: Self.second),
            ends.allSatisfy({ $0.evidence.relay?.permittedAfter != nil })
        else { return }
        let plan = desk.plan
        // With two datagrams of each lane, one server's relay and its pair stay within the burst of ``DestinationPacer``.
        // A load is for the relays one by one.
        let count = min(plan.relay.count, plan.isLoadTest ? Plan.mostPairDatagrams : 2)
        // The way between the servers is no longer than the one by this machine.
        let roundTrips = ends.compactMap { $0.evidence.allocation?.roundTrip }
        var proof = RelayProof(
            relayed: second, count: count, size: plan.relay.size, roundTrip: roundTrips.reduce(.zero, +),
            isReliable: ends.contains { $0.evidence.transport.isStream }, nonce: desk.random.next())
        proof.permitted(at: now)
        proof.begin(at: now)
        self.proof = proof
    }

    /// Data of the other relay: the second end sends it back the same way, to the first it has come back.
    private mutating func received(_ data: TURNReceived, _ end: Int, _ desk: inout Desk, at now: Instant) {
        if ends[end].evidence.relay?.peerAddress == nil { ends[end].evidence.relay?.peerAddress = data.peer }
        if end == Self.first {
            _ = proof?.returned(data.bytes, from: data.peer, at: ends[end].client.arrivedAt ?? now)
        } else {
            guard let answer = proof?.arrived(data.bytes) else { return }
            ends[end].client.send(answer, to: data.peer, usesChannel: data.channel != nil)
        }
        progress(&desk, at: now)
    }

    /// - Parameter time: the round trip of the ChannelBind; nil where it failed.
    private mutating func channelSettled(after time: Duration?, _ end: Int, _ desk: inout Desk, at now: Instant) {
        ends[end].evidence.relay?.boundAfter = time
        proof?.channelSettled(isBound: time != nil, at: now)
        progress(&desk, at: now)
    }

    // MARK: Sending

    mutating func nextOutput(_ desk: inout Desk, at now: Instant) -> Output? {
        for end in ends.indices {
            if let output = ends[end].nextOutput(&desk, at: now) { return output }
        }
        guard let proof, !proof.isOver, nextStart(desk, from: now) <= now, let outgoing = self.proof?.next(at: now)
        else { return nil }
        switch outgoing {
        case .toRelay(let bytes):
            book(&desk, at: now)
            ends[Self.first].client.send(bytes, to: proof.relayed, usesChannel: false)
            return ends[Self.first].nextOutput(&desk, at: now)
        case .toPeer(let bytes):
            book(&desk, at: now)
            guard let target = relayedAddress(of: Self.first) else { return nil }
            ends[Self.second].client.send(bytes, to: target, usesChannel: false)
            return ends[Self.second].nextOutput(&desk, at: now)
        // No NAT of this side is between the two.
        case .aside: return nil
        }
    }

    /// What the first end sends is sent back by the second: it waits until both may send.
    private func nextStart(_ desk: Desk, from now: Instant) -> Instant {
        pacedServers(desk.plan).reduce(now) { max($0, desk.pacer.earliest(to: $1, from: now)) }
    }

    private func book(_ desk: inout Desk, at now: Instant) {
        for server in pacedServers(desk.plan) { desk.pacer.book(to: server, at: now) }
    }

    private func pacedServers(_ plan: Plan) -> [IPAddress] {
        guard !plan.isLoadTest else { return [] }
        return ends.indices.filter { !ends[$0].evidence.transport.isStream }
            .map { ends[$0].evidence.serverAddress.address }
    }

    // MARK: The end

    private mutating func progress(_ desk: inout Desk, at now: Instant) {
        // Where the other end's relay is, is known.
        if proof?.wantsPeerAddress == true { proof?.reverse(isPossible: !standsIn, at: now) }
        if proof?.wantsChannel == true, !hasAskedChannel {
            hasAskedChannel = true
            let back = ends[Self.second].evidence.relay?.peerAddress
            let number = back.flatMap { ends[Self.second].client.bindChannel(to: $0) }
            if number == nil { proof?.channelSettled(isBound: false, at: now) }
        }
        if proof?.isOver == true { stop(&desk, at: now) }
    }

    /// The data is through, or cannot be: both allocations are deleted.
    private mutating func stop(_ desk: inout Desk, at now: Instant) {
        for end in ends.indices where !ends[end].isOver {
            ends[end].ceaseToWait(&desk)
            ends[end].stop(at: now)
        }
    }

    mutating func report(_ desk: inout Desk, at now: Instant) {
        isReported = true
        desk.observe(.relayPairSeen(evidence), at: now)
    }

    var evidence: RelayPairEvidence {
        let ofEnds = (ends.isEmpty ? models : ends).map(\.evidence)
        var evidence = RelayPairEvidence(pair: number, ofEnds[Self.first], ofEnds[Self.second])
        if ends.isEmpty { evidence.isCutShort = true }
        if let proof {
            evidence.indications = .init(proof[.indication])
            evidence.channel = .init(proof[.channel])
            evidence.altered = proof.altered
            evidence.reverse = proof.reverse.map { .init(sent: $0.sent, arrived: $0.arrived, source: $0.source) }
        }
        return evidence
    }
}

extension RetransmissionSchedule {
    /// The server's round trip is known: its answers are not waited for as a stranger's (RFC 8489 s6.2.1).
    fileprivate static func persistent(knowing roundTrip: Duration?) -> RetransmissionSchedule {
        var schedule = RetransmissionSchedule.persistent
        guard let roundTrip else { return schedule }
        schedule.initialTimeout = min(schedule.initialTimeout, max(.milliseconds(100), roundTrip * 3))
        return schedule
    }
}
