import Engines
package import NetTypes
import STUN

/// Runs a plan, without input or output of its own: it takes what the network and the system say and gives what to
/// do next, and observations.
///
/// The flow for a server is: resolve its name → ask the system for the source address to each endpoint → probe from
/// there. Everything that does not need another's answer is under way at the same time.
package struct Session<Random: RandomNumberGenerator & Sendable>: Engine, Sendable {
    package typealias Event = Observation

    package let plan: Plan
    let startedAt: Instant
    let deadline: Instant
    var random: Random

    var outputs: Queue<Output> = Queue()
    var observations: Queue<Observation> = Queue()
    var isConcluded = false

    // Resolution: see Session+Resolution.swift.
    var resolutions: [Resolution] = []
    var pendingQueries: [QueryID: SystemQuery] = [:]
    var waitingQueries: Queue<SystemQuery> = Queue()
    var askers: [SystemQuery: [Asker]] = [:]
    var answers: [SystemQuery: SystemAnswer] = [:]
    var nextQuery: UInt32 = 0

    // Paths and probes: see Session+Probes.swift and Session+Streams.swift.
    var paths: [PathID: Path] = [:]
    var datagramPathBySource: [IPAddress: PathID] = [:]
    var pathNumbers = PathNumbers(from: 1)
    var probes: [ActiveProbe] = []
    var liveProbes: Set<Observation.ProbeIndex> = []
    var probeByTransaction: [TransactionID: Observation.ProbeIndex] = [:]
    var series: [Series] = []
    var fallbacks: [Fallback] = []
    var silences: [Silence] = []
    var pacer = DestinationPacer()

    // NAT behavior: see Session+NATDiscovery.swift.
    var natRuns: [NATRun] = []
    var natTransactions: [TransactionID: NATTransaction] = [:]

    // The lifetime of mappings: see Session+NATLifetime.swift.
    var lifetimeRuns: [NATLifetimeRun] = []
    var lifetimeTransactions: [TransactionID: NATLifetimeTransaction] = [:]

    // The same over TCP: see Session+NATStreams.swift.
    var natStreams: [NATStreamRun] = []
    var natStreamTransactions: [TransactionID: NATTransaction] = [:]

    // The same through relays: see Session+RelayedNATDiscovery.swift.
    var relayedNATRuns: [RelayedNATRun] = []
    var relayedNATTransactions: [TransactionID: NATTransaction] = [:]

    // Relays: see Session+TURN.swift.
    var turnRuns: [TURNRun] = []
    var visitedRelays = VisitedRelays()
    /// When the last allocation on a server was given back.
    var releasedAt: [Observation.ServerIndex: Instant] = [:]
    // Relay to relay: see Session+RelayPairs.swift.
    var relayPairs: [RelayPair] = []
    /// The first attempt of each server and relay family that carried data, in their order.
    var provenRelays: [Int] = []
    var hasLeftOutPairs = false
    /// When the deletion of allocations is given up; nil before the run is concluded.
    var cleanupEnd: Instant?

    /// The longest that was measured to each address.
    var roundTrips: [IPAddress: Duration] = [:]

    /// Makes the session and starts it: the first outputs are ready to be polled.
    ///
    /// - Parameter random: the source of transaction ids; a CSPRNG where the network is real.
    package init(_ plan: Plan, random: Random, from start: Instant) {
        self.plan = plan
        self.random = random
        startedAt = start
        deadline = start + plan.timeout
        openBases()
        startResolutions(at: start)
    }

    package mutating func handle(_ input: Input, at now: Instant) {
        guard !isConcluded else { return cleanUp(after: input, at: now) }
        if relayClientTook(input, at: now) { return advance(to: now) }
        switch input {
        case .opened(let path, let local): pathOpened(path, local, at: now)
        case .datagram(let datagram): datagramArrived(datagram, at: now)
        case .transmitted(let transmit, let instant): transmitted(transmit, at: instant)
        case .pathError(let error): pathFailed(error, at: now)
        case .stream(let event): streamChanged(event, at: now)
        case .answer(let query, let answer): queryAnswered(query, answer, at: now)
        case .secured(let path, let facts, let time): pathSecured(path, facts, after: time, at: now)
        case .securingFailed(let path, let refusal, let time): pathNotSecured(path, refusal, after: time, at: now)
        case .timeout: clockLookedAt(now)
        }
        advance(to: now)
    }

    /// Once the run is concluded, what is left to do is to delete the allocations.
    private mutating func cleanUp(after input: Input, at now: Instant) {
        if !relayClientTook(input, at: now), case .datagram(let datagram) = input,
            let place = paths[datagram.path]?.turn
        {
            turnDatagramArrived(place, datagram, at: now)
        }
        advanceTURN(to: now)
        if let cleanupEnd, now >= cleanupEnd { giveUpTURN(at: now) }
    }

    /// Lets everything that waits for a time look at the clock.
    private mutating func advance(to now: Instant) {
        advanceResolutions(to: now)
        advanceProbes(to: now)
        advanceSeries(to: now)
        advanceFallbacks(to: now)
        advanceSilences(to: now)
        advanceNATDiscovery(to: now)
        advanceLifetimes(to: now)
        advanceNATStreams(to: now)
        advanceTURN(to: now)
        advanceRelayedNAT(to: now)
        if now >= deadline { conclude(.deadline, at: now) }
    }

    package mutating func pollOutput(at now: Instant) -> Output? {
        if let output = outputs.popFirst() { return output }
        return isConcluded
            ? nextTURNTransmission(at: now)
            : nextTURNTransmission(at: now) ?? nextTransmission(at: now) ?? nextNATTransmission(at: now)
                ?? nextLifetimeTransmission(at: now) ?? nextRelayedNATTransmission(at: now)
    }

    package mutating func pollEvent() -> Observation? { observations.popFirst() }

    package var nextWake: Instant? {
        guard !isFinished else { return nil }
        let turn = (turnRuns.indices.map(nextTURNWake) + [nextPairWake]).compactMap(\.self).min()
        guard !isConcluded else { return [turn, cleanupEnd].compactMap { $0 }.min() }
        let wakes = [
            deadline, turn, resolutions.compactMap(\.nextWake).min(), nextProbeWake, series.compactMap(\.nextAt).min(),
            fallbacks.map(\.at).min(), nextSilenceWake, natRuns.indices.compactMap(nextNATWake).min(),
            lifetimeRuns.indices.compactMap(nextLifetimeWake).min(),
            natStreams.indices.compactMap(nextNATStreamWake).min(),
            relayedNATRuns.indices.compactMap(nextRelayedNATWake).min(),
        ]
        return wakes.compactMap { $0 }.min()
    }

    package var isFinished: Bool {
        isTURNOver && relayedNATRuns.allSatisfy(\.isReported)
            && (isConcluded
                || liveProbes.isEmpty && series.allSatisfy(\.isOver) && fallbacks.isEmpty
                    && natRuns.allSatisfy(\.isReported) && natStreams.allSatisfy(\.isReported)
                    && lifetimeRuns.allSatisfy(\.isReported)
                    // A question that no resolution waits for any longer holds nothing up, nor does its thread.
                    && resolutions.allSatisfy(\.isOver)
                    && paths.values.allSatisfy { !$0.state.isOpening })
    }

    /// Ends the run: what is under way is cut short, what was not begun is not measured; what was measured stays.
    package mutating func conclude(_ reason: NotMeasured.Reason, at now: Instant) {
        guard !isConcluded else { return }
        isConcluded = true
        cleanupEnd = now + (reason == .interrupted ? Self.cleanupLimitAfterSignal : Self.cleanupLimit)
        for index in liveProbes.sorted() { end(index, .failed(index, unfinished(index)), at: now) }
        concludeNATDiscovery(at: now)
        concludeLifetimes(at: now)
        concludeNATStreams(at: now)
        concludeRelayedNAT(at: now)
        concludeTURN(at: now)
        for resolution in resolutions where !resolution.isOver {
            let server = plan.servers[resolution.server].uri.text
            observe(
                .notMeasured(
                    resolution.server,
                    NotMeasured(what: server, reason: reason, detail: resolution.unfinishedStep)), at: now)
        }
        observe(reason == .interrupted ? .interrupted : .deadlineReached, at: now)
    }

    mutating func observe(_ fact: Observation.Fact, at now: Instant) {
        observations.append(Observation(at: now - startedAt, fact: fact))
    }
}
