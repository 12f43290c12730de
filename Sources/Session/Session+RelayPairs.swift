import Engines
import Facts
import NetTypes
import Planning
import STUN

/// Two allocations that send to each other's relayed addresses, as two peers do of which each has a relay: see
/// ``RelayProof``, where the first end is the second socket and the second end the client.
struct RelayPair: Sendable {
    /// The attempts that carried data, on whose servers the two are.
    let attempts: [RelayPairEnd: Int]
    /// The two allocations; empty while the pair waits for room on the servers.
    var runs: [RelayPairEnd: Int] = [:]
    /// Once each has let the other in.
    var proof: RelayProof?
    /// Whether the second end's channel to the first was asked for.
    var hasAskedChannel = false
    /// Whether it is tried again once no other pair is under way: the user's quota was full of them.
    var isWaiting = false
    var isReported = false

    var isUnderWay: Bool { !isWaiting && !isReported }
}

extension Session {
    /// Datagrams of each lane of a pair: with two, one server's relay and its pair stay within the burst of
    /// ``DestinationPacer``. A load is for the relays one by one.
    private var pairCount: Int { min(plan.relay.count, plan.isLoadTest ? Plan.mostPairDatagrams : 2) }

    // MARK: Start

    /// An attempt has carried data both ways: its relay is to reach another on the same server, and those of the other
    /// servers.
    mutating func relayProven(_ run: Int, at now: Instant) {
        guard plan.pairsRelays, !isConcluded else { return }
        let family = turnRuns[run].evidence.relayFamily
        let others = provenRelays.filter { turnRuns[$0].evidence.relayFamily == family }
        guard !others.contains(where: { isSameServer(turnRuns[$0].evidence, turnRuns[run].evidence) }) else { return }
        provenRelays.append(run)
        for other in [run] + others {
            guard relayPairs.count < Plan.maximumRelayPairs else { return leaveOutPairs(at: now) }
            // In the order in which the servers were named, whichever was proven first.
            let ends = [other, run].sorted { turnRuns[$0].evidence.server < turnRuns[$1].evidence.server }
            relayPairs.append(RelayPair(attempts: [.first: ends[0], .second: ends[1]]))
            startPair(relayPairs.count - 1, at: now)
        }
    }

    /// One server has many URIs, by transport and port, that name the same host. On loopback the port tells servers
    /// apart.
    private func isSameServer(_ one: TURNEvidence, _ other: TURNEvidence) -> Bool {
        if one.server == other.server || one.serverAddress == other.serverAddress { return true }
        if one.serverAddress.address.isLoopback || other.serverAddress.address.isLoopback { return false }
        return one.serverAddress.address == other.serverAddress.address
            || plan.servers[one.server].uri.host == plan.servers[other.server].uri.host
    }

    private mutating func leaveOutPairs(at now: Instant) {
        guard !hasLeftOutPairs else { return }
        hasLeftOutPairs = true
        let limit = Plan.maximumRelayPairs
        observe(
            .notMeasured(
                nil,
                NotMeasured(
                    what: "data from relay to relay", reason: .limit,
                    detail: "there are more pairs of servers and families than the \(limit) that one run tries")),
            at: now)
    }

    private mutating func startPair(_ pair: Int, at now: Instant) {
        for end in RelayPairEnd.allCases {
            guard let attempt = relayPairs[pair].attempts[end] else { continue }
            let evidence = turnRuns[attempt].evidence
            relayPairs[pair].runs[end] = allocate(
                evidence.server, at: evidence.serverAddress, over: evidence.transport, from: evidence.source,
                relaying: evidence.relayFamily, for: .pairEnd(pair: pair, end: end),
                name: turnRuns[attempt].client.alternateDomain,
                schedule: schedule(knowing: evidence.allocation?.roundTrip), at: now)
        }
    }

    /// The server's round trip is known: its answers are not waited for as a stranger's (RFC 8489 s6.2.1).
    private func schedule(knowing roundTrip: Duration?) -> RetransmissionSchedule {
        var schedule = RetransmissionSchedule.persistent
        guard let roundTrip else { return schedule }
        schedule.initialTimeout = min(schedule.initialTimeout, max(.milliseconds(100), roundTrip * 3))
        return schedule
    }

    /// One of the two is there. Once both are, each is to let the other in.
    mutating func pairEndAllocated(_ run: Int, of pair: Int, _ allocated: TURNAllocated, at now: Instant) {
        guard let relayed = allocated.relayedAddresses.first else { return stopData(run, at: now) }
        turnRuns[run].evidence.relay = TURNEvidence.Relay(relayedAddress: relayed)
        guard let ends = pairRuns(pair),
            let first = turnRuns[ends.first].evidence.relay?.relayedAddress,
            let second = turnRuns[ends.second].evidence.relay?.relayedAddress
        else { return }
        turnRuns[ends.first].client.createPermission(for: [second.address])
        turnRuns[ends.second].client.createPermission(for: [first.address])
    }

    /// Once both permissions are there, data follows at once.
    mutating func pairEndPermitted(_ pair: Int, at now: Instant) {
        guard let ends = pairRuns(pair), relayPairs[pair].proof == nil,
            turnRuns[ends.first].evidence.relay?.permittedAfter != nil,
            let second = turnRuns[ends.second].evidence.relay, second.permittedAfter != nil
        else { return }
        // The way between the servers is no longer than the one by this machine.
        let roundTrips = [ends.first, ends.second].compactMap { turnRuns[$0].evidence.allocation?.roundTrip }
        var proof = RelayProof(
            relayed: second.relayedAddress, count: pairCount, size: plan.relay.size,
            roundTrip: roundTrips.reduce(.zero, +),
            isReliable: [ends.first, ends.second].contains { turnRuns[$0].evidence.transport.isStream },
            nonce: random.next())
        proof.permitted(at: now)
        proof.begin(at: now)
        relayPairs[pair].proof = proof
    }

    private func pairRuns(_ pair: Int) -> (first: Int, second: Int)? {
        guard let first = relayPairs[pair].runs[.first], let second = relayPairs[pair].runs[.second] else { return nil }
        return (first, second)
    }

    // MARK: Sending

    mutating func nextPairOutput(_ pair: Int, at now: Instant) -> Output? {
        guard let ends = pairRuns(pair), let proof = relayPairs[pair].proof, !proof.isOver,
            nextPairStart(ends, from: now) <= now, let outgoing = relayPairs[pair].proof?.next(at: now)
        else { return nil }
        switch outgoing {
        case .toRelay(let bytes):
            bookPair(ends, at: now)
            turnRuns[ends.first].client.send(bytes, to: proof.relayed, usesChannel: false)
        case .toPeer(let bytes):
            bookPair(ends, at: now)
            if let target = turnRuns[ends.first].evidence.relay?.relayedAddress {
                turnRuns[ends.second].client.send(bytes, to: target, usesChannel: false)
            }
        // No NAT of this side is between the two.
        case .aside: break
        }
        return nextTURNTransmission(at: now)
    }

    /// What the first end sends is sent back by the second: it waits until both may send.
    private func nextPairStart(_ ends: (first: Int, second: Int), from now: Instant) -> Instant {
        if plan.isLoadTest { return now }
        return pacedServers(ends).reduce(now) { max($0, pacer.earliest(to: $1, from: now)) }
    }

    private mutating func bookPair(_ ends: (first: Int, second: Int), at now: Instant) {
        if plan.isLoadTest { return }
        for server in pacedServers(ends) { pacer.book(to: server, at: now) }
    }

    private func pacedServers(_ ends: (first: Int, second: Int)) -> [IPAddress] {
        [ends.first, ends.second].map { turnRuns[$0].evidence }.filter { !$0.transport.isStream }
            .map(\.serverAddress.address)
    }

    var nextPairWake: Instant? {
        relayPairs.indices.compactMap { pair -> Instant? in
            guard let ends = pairRuns(pair), let proof = relayPairs[pair].proof, !proof.isOver else { return nil }
            return proof.nextWake.map { nextPairStart(ends, from: $0) }
        }.min()
    }

    mutating func advancePairs(to now: Instant) {
        for pair in relayPairs.indices where relayPairs[pair].isUnderWay {
            relayPairs[pair].proof?.handleTimeout(at: now)
            progress(pair, at: now)
        }
    }

    /// The first end's Send indication has left, at the kernel's own time.
    mutating func pairDatagramLeft(_ run: Int, _ bytes: [UInt8], at instant: Instant) {
        guard case .pairEnd(let pair, .first) = turnRuns[run].purpose,
            let data = (try? Message(decoding: bytes))?.rawValue(.data)
        else { return }
        relayPairs[pair].proof?.left(data, at: instant)
    }

    // MARK: Receiving

    /// Data of the other relay: the second end sends it back the same way, to the first it has come back.
    mutating func pairEndReceived(_ data: TURNReceived, _ run: Int, _ end: RelayPairEnd, of pair: Int, at now: Instant)
    {
        if turnRuns[run].evidence.relay?.peerAddress == nil { turnRuns[run].evidence.relay?.peerAddress = data.peer }
        switch end {
        case .first:
            _ = relayPairs[pair].proof?.returned(data.bytes, from: data.peer, at: turnRuns[run].client.arrivedAt ?? now)
        case .second:
            guard let answer = relayPairs[pair].proof?.arrived(data.bytes) else { return }
            turnRuns[run].client.send(answer, to: data.peer, usesChannel: data.channel != nil)
        }
        progress(pair, at: now)
    }

    /// - Parameter time: the round trip of the ChannelBind; nil where it failed.
    mutating func pairChannelSettled(after time: Duration?, _ run: Int, of pair: Int, at now: Instant) {
        turnRuns[run].evidence.relay?.boundAfter = time
        relayPairs[pair].proof?.channelSettled(isBound: time != nil, at: now)
        progress(pair, at: now)
    }

    // MARK: The end

    private mutating func progress(_ pair: Int, at now: Instant) {
        guard let proof = relayPairs[pair].proof, let ends = pairRuns(pair) else { return }
        // Where the other end's relay is, is known.
        if proof.wantsPeerAddress { relayPairs[pair].proof?.reverse(isPossible: true, at: now) }
        if proof.wantsChannel, !relayPairs[pair].hasAskedChannel {
            relayPairs[pair].hasAskedChannel = true
            let back = turnRuns[ends.second].evidence.relay?.peerAddress
            let number = back.flatMap { turnRuns[ends.second].client.bindChannel(to: $0) }
            if number == nil { relayPairs[pair].proof?.channelSettled(isBound: false, at: now) }
        }
        if relayPairs[pair].proof?.isOver == true { stopPair(pair, at: now) }
    }

    /// The data is through, or cannot be: both allocations are deleted.
    mutating func stopPair(_ pair: Int, at now: Instant) {
        for end in RelayPairEnd.allCases {
            guard let run = relayPairs[pair].runs[end], !turnRuns[run].isReported else { continue }
            guard turnRuns[run].evidence.took == .zero else { continue }
            turnRuns[run].waitsForQuota = false
            stopData(run, at: now)
            settle(run, at: now)
        }
    }

    /// An allocation of the pair is gone, and with it the pair.
    mutating func pairEndOver(_ pair: Int, at now: Instant) {
        stopPair(pair, at: now)
        guard let ends = pairRuns(pair), turnRuns[ends.first].isReported, turnRuns[ends.second].isReported,
            relayPairs[pair].isUnderWay
        else { return }
        let troubles = [ends.first, ends.second].compactMap { turnRuns[$0].evidence.trouble }
        let isCrowdedOut = troubles.contains { $0.isForWantOfRoom }
        if isCrowdedOut, !isConcluded, relayPairs.indices.contains(where: { $0 != pair && relayPairs[$0].isUnderWay }) {
            let attempts = relayPairs[pair].attempts
            relayPairs[pair] = RelayPair(attempts: attempts)
            relayPairs[pair].isWaiting = true
            return
        }
        reportPair(pair, at: now)
        guard !isConcluded, !relayPairs.contains(where: \.isUnderWay),
            let next = relayPairs.firstIndex(where: \.isWaiting)
        else { return }
        relayPairs[next].isWaiting = false
        startPair(next, at: now)
    }

    private mutating func reportPair(_ pair: Int, at now: Instant) {
        relayPairs[pair].isReported = true
        let runs = relayPairs[pair].runs
        guard let first = runs[.first] ?? relayPairs[pair].attempts[.first],
            let second = runs[.second] ?? relayPairs[pair].attempts[.second]
        else { return }
        var evidence = RelayPairEvidence(pair: pair, turnRuns[first].evidence, turnRuns[second].evidence)
        if runs.isEmpty { evidence.isCutShort = true }
        if let proof = relayPairs[pair].proof {
            evidence.indications = .init(proof[.indication])
            evidence.channel = .init(proof[.channel])
            evidence.altered = proof.altered
            evidence.reverse = proof.reverse.map { .init(sent: $0.sent, arrived: $0.arrived, source: $0.source) }
        }
        observe(.relayPairSeen(evidence), at: now)
    }

    /// Those that still wait for room when the run ends are not begun any more.
    mutating func concludePairs(at now: Instant) {
        for pair in relayPairs.indices where relayPairs[pair].isWaiting {
            relayPairs[pair].isWaiting = false
            reportPair(pair, at: now)
        }
    }
}
