import Engines
package import NetTypes
import STUN
import SecureTransport
package import Session
import Signaling

/// Connects to a peer by ICE: exchanges descriptions over a channel, has the agent find a pair, secures it with DTLS
/// where SDP says so, sends data over it, and takes its leave.
///
/// The channel is the path ``ConnectSession/channel``, which the driver was given before. It tells what happens as
/// events, and all of it as ``evidence``.
package struct ConnectSession<Random: RandomNumberGenerator & Sendable>: Engine {
    package typealias Event = ConnectEvent

    let configuration: ConnectConfiguration
    let startedAt: Instant
    let deadline: Instant
    var random: Random
    var seen: ConnectEvidence
    var phase: ConnectPhase { seen.phase }
    var outputs = Queue<Output>()
    var events = Queue<ConnectEvent>()

    // ConnectSession+Resolving.swift
    var resolutions: [ConnectResolution] = []
    var queries: [QueryID: ConnectQuery] = [:]
    var nextQuery = ConnectSession.firstQuery
    var stunServers: [Endpoint] = []
    var turnServers: [ICEConfiguration.TURNServer] = []
    var agent: ICEAgent<Random>?

    // ConnectSession+Signaling.swift and ConnectSession+Reading.swift
    var reader = LineReader()
    /// What came before there was an agent to give it to.
    var early: [LineReader.Piece] = []
    var hasChannelEnded = false
    /// Lines of SDP that was not closed by an empty one, or the first part of a line that was wrapped.
    var unfinished: [String] = []
    var ownDescription: SessionDescription?
    var peerOffer: SessionDescription?
    var peerDescription: SessionDescription?
    var hasDescribed = false
    var hasPeer = false
    /// Whether the NATs before this side are known, as far as they will be.
    var hasLearned: Bool
    var trickles = false

    // ConnectSession+Securing.swift
    var ownFingerprint: [UInt8]?
    var dtlsRole: ConnectDTLSRole?
    var channelOfDTLS: SecureChannel?
    var earlyRecords: [[UInt8]] = []
    var securingSince: Instant?

    // ConnectSession+Measuring.swift
    var peerTieBreaker: UInt64?
    var peerCredentials: ICECredentials?
    var meter: EchoMeter?
    var bulk: BulkTransfer?
    /// Datagrams of the peer's that came in, also before this side sends.
    var receivedFromPeer: UInt32 = 0

    // ConnectSession+Leaving.swift
    var goodbye = ConnectGoodbye()

    /// The channel of signaling.
    package static var channel: PathID { PathID(0x4000_0000) }
    /// Above those of the agent.
    static var firstQuery: UInt32 { 0x4000_0000 }

    package init(_ configuration: ConnectConfiguration, random: Random, from start: Instant) {
        self.configuration = configuration
        self.random = random
        hasLearned = !configuration.awaitsNAT
        startedAt = start
        deadline = start + configuration.timeout
        seen = ConnectEvidence(usesSDP: configuration.usesSDP)
        seen.checkedAllPairs = configuration.checksAllPairs
        seen.kinds = configuration.kinds
        if configuration.usesSDP { ownFingerprint = configuration.credentials?.fingerprint }
        tell(.phase(.resolving), at: start)
        seen.note(.phase(.resolving), at: .zero)
        beginResolving(at: start)
    }

    /// What is known by now.
    package var evidence: ConnectEvidence {
        var evidence = seen
        if let agent {
            evidence.localCandidates = agent.localCandidates
            evidence.remoteCandidates = agent.remoteCandidates
            evidence.pairs = agent.pairs
            evidence.role = agent.role
        }
        if let meter { evidence.data = meter.figures }
        if let bulk { evidence.throughput = bulk.figures }
        return evidence
    }

    // MARK: Engine

    package mutating func handle(_ input: Input, at now: Instant) {
        switch input {
        case .stream(let event) where event.path == Self.channel: signaled(event.kind, at: now)
        case .pathError(let error) where error.path == Self.channel: channelFailed(error, at: now)
        case .answer(let query, let answer) where query.number >= Self.firstQuery: answered(query, answer, at: now)
        default: agent?.handle(input, at: now)
        }
        advance(to: now)
    }

    package mutating func pollOutput(at now: Instant) -> Output? {
        if let output = outputs.popFirst() { return output }
        sendData(at: now)
        let output = agent?.pollOutput(at: now)
        takeFacts(at: now)
        return output ?? outputs.popFirst()
    }

    package mutating func pollEvent() -> ConnectEvent? { events.popFirst() }

    package var nextWake: Instant? {
        if phase == .closed { return agent?.nextWake }
        let parts = [
            agent?.nextWake, resolutionWake, descriptionWake, securingWake, measuringWake, leavingWake, end,
        ]
        return parts.compactMap(\.self).min()
    }

    package var isFinished: Bool { phase == .closed && agent?.isFinished ?? true }

    // MARK: Progress

    private mutating func advance(to now: Instant) {
        // In each phase what the one before has left behind is there.
        takeFacts(at: now)
        if now >= end, phase != .closed { return timeIsOver(at: now) }
        advanceResolving(to: now)
        advanceSignaling(at: now)
        advanceSecuring(to: now)
        advanceMeasuring(to: now)
        advanceLeaving(to: now)
        takeFacts(at: now)
    }

    mutating func enter(_ phase: ConnectPhase, at now: Instant) {
        guard seen.phase != phase else { return }
        seen.phase = phase
        seen.note(.phase(phase), at: now - startedAt)
        tell(.phase(phase), at: now)
    }

    mutating func tell(_ fact: ConnectEvent.Fact, at now: Instant) { events.append(ConnectEvent(at: now, fact: fact)) }

    /// Notes why there is no connection, and begins to leave.
    mutating func fail(_ failure: ConnectFailure, at now: Instant) {
        guard phase != .closed, phase != .leaving else { return }
        if seen.failure == nil { seen.failure = failure }
        leave(at: now)
    }

    /// The owner's word that the run is over.
    package mutating func conclude(_ failure: ConnectFailure, at now: Instant) {
        if seen.failure == nil, !isMeasured { seen.failure = failure }
        finish(at: now)
        takeFacts(at: now)
    }

    private mutating func timeIsOver(at now: Instant) {
        // Who measures when time is over was connected: the figures are those of until then.
        if seen.failure == nil, phase != .measuring, phase != .leaving { seen.failure = .deadline(phase) }
        finish(at: now)
        takeFacts(at: now)
    }

    // MARK: The agent's facts

    private mutating func takeFacts(at now: Instant) {
        while let event = agent?.pollEvent() { take(event) }
    }

    private mutating func take(_ event: ICEEvent) {
        let time = event.at - startedAt
        if case .received(let bytes) = event.fact { return arrived(bytes, at: event.at) }
        seen.note(.ice(event.fact), at: time)
        switch event.fact {
        case .gathered(let candidate): trickle(candidate, at: event.at)
        case .gatheringFinished:
            seen.times.gathered = time
            finishTrickling(at: event.at)
        case .notGathered(let failure): seen.notGathered.append(failure)
        case .remoteRefused(let candidate, let reason): seen.refused.append(.init(candidate, reason))
        case .checkSucceeded: seen.times.firstSuccess = seen.times.firstSuccess ?? time
        case .nominated: seen.times.nominated = seen.times.nominated ?? time
        case .selected(let pair): selected(pair, at: event.at)
        case .consentRefreshed(_, let trip): consentRefreshed(after: trip)
        case .consentLost(_, let loss):
            seen.consent = .lost(loss)
            fail(.consentLost, at: event.at)
        case .stateChanged(.failed):
            fail(agent?.localCandidates.isEmpty == true ? .noCandidates : .noPath, at: event.at)
        default: break
        }
        tell(.ice(event.fact), at: event.at)
    }

    private mutating func selected(_ pair: ICEPair.ID, at now: Instant) {
        let isFirst = seen.selected == nil
        seen.selected = pair
        guard isFirst, phase == .signaling || phase == .checking else { return }
        seen.consent = .kept
        if dtlsRole != nil { beginSecuring(at: now) } else { beginMeasuring(at: now) }
    }
}
