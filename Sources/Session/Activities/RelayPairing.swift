import Engines
import Facts
import NetTypes
import Planning
import STUN

/// Lets the relays that carried data send to each other, two at a time.
struct RelayPairing: Activity {
    static var rank: ActivityRank { .relays }

    /// The first attempt of each server and relay family that carried data, in their order.
    private var proven: [ObservedRelay] = []
    private var pairs: [RelayPair] = []
    private var hasLeftOut = false
    private var isConcluded = false

    var isOver: Bool { pairs.allSatisfy(\.isReported) }

    // MARK: What others tell

    /// An attempt has carried data both ways: its relay is to reach another on the same server, and those of the other
    /// servers.
    mutating func add(_ relay: ObservedRelay, _ desk: inout Desk, at now: Instant) {
        let others = proven.filter { $0.request.family == relay.request.family }
        guard !others.contains(where: { desk.plan.isSameServer($0.evidence, relay.evidence) }) else { return }
        proven.append(relay)
        for other in [relay] + others {
            guard pairs.count < Plan.maximumRelayPairs else { return leaveOut(&desk, at: now) }
            // In the order in which the servers were named, whichever was proven first.
            let ends = [other, relay].sorted { $0.request.server < $1.request.server }
            pairs.append(RelayPair(number: pairs.count, first: ends[0], second: ends[1]))
            pairs[pairs.count - 1].begin(&desk, at: now)
            settle(&desk, at: now)
        }
    }

    private mutating func leaveOut(_ desk: inout Desk, at now: Instant) {
        guard !hasLeftOut else { return }
        hasLeftOut = true
        let limit = NotMeasured(
            what: "data from relay to relay", reason: .limit,
            detail: "there are more pairs of servers and families than the \(Plan.maximumRelayPairs) that one run tries"
        )
        desk.observe(.notMeasured(nil, limit), at: now)
    }

    // MARK: Activity

    mutating func handle(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {
        guard case .input(let input) = event, let path = input.path else { return }
        for pair in pairs.indices where !pairs[pair].isReported {
            if pairs[pair].handle(input, on: path, &desk, at: now) { break }
        }
        wake(&desk, at: now)
    }

    mutating func wake(_ desk: inout Desk, at now: Instant) {
        for pair in pairs.indices where pairs[pair].isUnderWay { pairs[pair].wake(&desk, at: now) }
        settle(&desk, at: now)
    }

    mutating func poll(_ desk: inout Desk, at now: Instant) -> Output? {
        for pair in pairs.indices where pairs[pair].isUnderWay {
            if let output = pairs[pair].nextOutput(&desk, at: now) { return output }
        }
        return nil
    }

    func nextWake(_ desk: Desk) -> Instant? {
        pairs.lazy.filter(\.isUnderWay).compactMap { $0.nextWake(desk) }.min()
    }

    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) {
        isConcluded = true
        for pair in pairs.indices { pairs[pair].conclude(&desk, at: now) }
        settle(&desk, at: now)
    }

    mutating func abandon(_ desk: inout Desk, at now: Instant) {
        for pair in pairs.indices where pairs[pair].isUnderWay { pairs[pair].abandon(&desk, at: now) }
        settle(&desk, at: now)
    }

    /// Tells of the pairs that are over; one that was crowded out waits until no other is under way.
    private mutating func settle(_ desk: inout Desk, at now: Instant) {
        for pair in pairs.indices where pairs[pair].isUnderWay && pairs[pair].areEndsOver {
            let areOthersUnderWay = pairs.indices.contains { $0 != pair && pairs[$0].isUnderWay }
            if pairs[pair].isCrowdedOut, !isConcluded, areOthersUnderWay {
                pairs[pair].waitForRoom()
            } else {
                pairs[pair].report(&desk, at: now)
            }
        }
        guard !isConcluded, !pairs.contains(where: \.isUnderWay), let next = pairs.firstIndex(where: \.isWaiting)
        else { return }
        pairs[next].begin(&desk, at: now)
    }
}

extension Plan {
    /// One server has many URIs, by transport and port, that name the same host. On loopback the port tells servers
    /// apart.
    fileprivate func isSameServer(_ one: TURNEvidence, _ other: TURNEvidence) -> Bool {
        if one.server == other.server || one.serverAddress == other.serverAddress { return true }
        if one.serverAddress.address.isLoopback || other.serverAddress.address.isLoopback { return false }
        return one.serverAddress.address == other.serverAddress.address
            || servers[one.server].uri.host == servers[other.server].uri.host
    }
}
