import Engines
package import Facts
package import NetTypes
package import Planning
import STUN

/// Runs a plan, without input or output of its own: it takes what the network and the system say and gives what to
/// do next, and observations.
///
/// It is a ``Desk`` and its activities. What follows when one of them has news is decided in Session+Policy.swift.
/// Everything that does not need another's answer is under way at the same time.
package struct Session: Engine {
    package typealias Event = Observation

    let deadline: Instant
    var desk: Desk
    var activities = ActivityTable()
    private(set) var isConcluded = false
    /// When the deletion of allocations is given up; nil before the run is concluded.
    var cleanupEnd: Instant?

    // Relays: see Session+TURN.swift.
    var turnRuns: [TURNRun] = []
    /// When the last allocation on a server was given back.
    var releasedAt: [Observation.ServerIndex: Instant] = [:]
    // Relay to relay: see Session+RelayPairs.swift.
    var relayPairs: [RelayPair] = []
    /// The first attempt of each server and relay family that carried data, in their order.
    var provenRelays: [Int] = []
    var hasLeftOutPairs = false
    // NAT behavior through relays: see Session+RelayedNATDiscovery.swift.
    var relayedNATRuns: [RelayedNATRun] = []
    var relayedNATTransactions: [TransactionID: NATTransaction] = [:]
    /// Who waits for the source of a second socket.
    var peerQuestions: [QueryID: Int] = [:]

    /// The channel over which the descriptions of ``ConnectPlan`` are exchanged: the driver has it from the start.
    package static let channel = PathID(0x4000_0000)

    package var plan: Plan { desk.plan }
    /// What is known of a connection to a peer by now; nil where none was asked for.
    package var connection: ConnectEvidence? { activities.all(Connection.self).first?.evidence }

    /// Makes the session and starts it: the first outputs are ready to be polled.
    ///
    /// - Parameter random: the source of transaction IDs; a CSPRNG where the network is real.
    package init(_ plan: Plan, random: some RandomNumberGenerator & Sendable, from start: Instant) {
        desk = Desk(plan, random: RandomSource(random), from: start)
        deadline = start + plan.timeout
        beginAll(at: start)
        followNews(at: start)
    }

    package mutating func handle(_ input: Input, at now: Instant) {
        if case .timeout = input { clockLookedAt(now) }
        if !relaysTook(input, at: now) {
            for (id, event) in desk.route(input) {
                activities.handle(event, by: id, &desk, at: now)
                followNews(at: now)
            }
        }
        activities.wakeDue(&desk, at: now)
        followNews(at: now)
        advanceTURN(to: now)
        guard !isConcluded else {
            if let cleanupEnd, now >= cleanupEnd { abandon(at: now) }
            return
        }
        advanceRelayedNAT(to: now)
        if now >= deadline { conclude(.deadline, at: now) }
    }

    package mutating func pollOutput(at now: Instant) -> Output? {
        if let output = desk.outputs.popFirst() { return output }
        if let output = nextTURNTransmission(at: now) { return output }
        return activities.poll(&desk, at: now) ?? (isConcluded ? nil : nextRelayedNATTransmission(at: now))
    }

    package mutating func pollEvent() -> Observation? { desk.observations.popFirst() }

    package var nextWake: Instant? {
        guard !isFinished else { return nil }
        let relays = turnRuns.indices.compactMap(nextTURNWake).min()
        guard !isConcluded else {
            return [relays, nextPairWake, activities.nextWake, cleanupEnd].compactMap(\.self).min()
        }
        return [
            deadline, relays, nextPairWake, activities.nextWake,
            relayedNATRuns.indices.compactMap(nextRelayedNATWake).min(),
        ].compactMap(\.self).min()
    }

    package var isFinished: Bool {
        isTURNOver && relayedNATRuns.allSatisfy(\.isReported) && activities.areOver
    }

    /// Ends the run: what is under way is cut short, what was not begun is not measured; what was measured stays.
    package mutating func conclude(_ reason: NotMeasured.Reason, at now: Instant) {
        guard !isConcluded else { return }
        isConcluded = true
        cleanupEnd = now + (reason == .interrupted ? Self.cleanupLimitAfterSignal : Self.cleanupLimit)
        activities.conclude(reason, &desk, at: now)
        concludeRelayedNAT(at: now)
        concludeTURN(at: now)
        observe(reason == .interrupted ? .interrupted : .deadlineReached, at: now)
    }

    /// Ends what the time for cleaning up did not suffice to end.
    private mutating func abandon(at now: Instant) {
        giveUpTURN(at: now)
        activities.abandon(&desk, at: now)
    }
}
