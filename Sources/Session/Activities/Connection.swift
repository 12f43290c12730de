import Engines
import Facts
import NetTypes
import Planning
import STUN
import SecureTransport
import Signaling

/// Connects to a peer by ICE: exchanges descriptions over a channel, has the agent find a pair, secures it with DTLS
/// where SDP says so, sends data over it, and takes its leave.
///
/// The channel is the path ``Session/channel``, which the driver was given before.
struct Connection: Activity {
    static var rank: ActivityRank { .relays }

    let configuration: ConnectPlan
    let startedAt: Instant
    let deadline: Instant
    /// Seconds since 1970, when the run began.
    let wallClock: Int64
    var random: RandomSource
    var seen: ConnectEvidence
    var phase: ConnectPhase { seen.phase }
    var outputs = Queue<Output>()
    var facts = Queue<(at: Instant, fact: ConnectEvidence.Moment.Happening)>()
    /// Moments that are told; what a flood brings beyond is only counted.
    private var toldCount = 0
    private var hasToldAll = false
    private var isAbandoned = false

    /// What is gathered from.
    private(set) var ice: ICEConfiguration
    private var hasNames = false
    /// The desk's, for the agent to begin with.
    private var pathNumbers = PathNumbers()
    var agent: ICEAgent<RandomSource>?

    // Connection+Signaling.swift and Connection+Reading.swift
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

    // Connection+Securing.swift
    var ownFingerprint: [UInt8]?
    var dtlsRole: ConnectDTLSRole?
    var channelOfDTLS: SecureChannel?
    var earlyRecords: [[UInt8]] = []
    var securingSince: Instant?

    // Connection+Measuring.swift
    var peerTieBreaker: UInt64?
    var peerCredentials: ICECredentials?
    var meter: EchoMeter?
    var bulk: BulkTransfer?
    /// Datagrams of the peer's that came in, also before this side sends.
    var receivedFromPeer: UInt32 = 0

    // Connection+Leaving.swift
    var goodbye = ConnectGoodbye()

    /// The queries of the agent have numbers above those of the desk.
    private static let firstQuery: UInt32 = 0x4000_0000
    /// Gathering does not wait longer for names than for servers.
    private static let longestLookup = Duration.seconds(3)

    init(_ configuration: ConnectPlan, _ plan: Plan, random: RandomSource, at now: Instant) {
        self.configuration = configuration
        self.random = random
        startedAt = now
        deadline = now + plan.timeout
        wallClock = plan.trust.wallClock
        hasLearned = plan.servers.allSatisfy { $0.excluded != nil }
        seen = ConnectEvidence(usesSDP: configuration.usesSDP)
        seen.checkedAllPairs = configuration.checksAllPairs
        seen.kinds = configuration.kinds
        if configuration.usesSDP { ownFingerprint = configuration.credentials?.fingerprint }
        // In icecheck's line the tie-breakers decide, once both are known.
        ice = ICEConfiguration(
            configuration.form == .sdp(answers: true) ? .controlled : .controlling,
            bases: plan.bases.filter { $0.withheld == nil }.map {
                ICEConfiguration.Base(
                    $0.address.address, interface: plan.interface, localPreference: $0.localPreference)
            })
        ice.kinds = configuration.kinds
        ice.usesTCP = configuration.usesTCP
        ice.checksAllPairs = configuration.checksAllPairs
        ice.refusesPrivate = configuration.refusesPrivate
        ice.followsRedirects = plan.redirects != .never
        ice.followsPrivate = plan.redirects == .anywhere
    }

    mutating func begin(_ desk: inout Desk, at now: Instant) {
        desk.adopt(Session.channel)
        tell(.phase(.resolving), at: now)
        flush(&desk)
    }

    /// What is known by now.
    var evidence: ConnectEvidence {
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

    // MARK: What others tell

    /// A server's address is known.
    mutating func add(_ found: Endpoint, of server: Plan.Server, _ transports: [Transport], _ desk: Desk) {
        guard agent == nil else { return }
        guard server.uri.scheme.isTURN else {
            if transports.contains(.udp), !ice.stunServers.contains(found) { ice.stunServers.append(found) }
            return
        }
        for transport in transports where server.turn?.transports.contains(transport) == true {
            var turn = ICEConfiguration.TURNServer(found, transport: transport, credential: server.turn?.credential)
            if case .client(let security)? = desk.plan.security(over: transport, to: server, at: found) {
                turn.security = security
            }
            turn.relayFamilies = desk.plan.relayFamilies(for: found)
            ice.turnServers.append(turn)
        }
    }

    /// All names are looked up.
    mutating func namesKnown(_ desk: inout Desk, at now: Instant) {
        hasNames = true
        wake(&desk, at: now)
    }

    /// The NATs before this side are known as far as they will be.
    mutating func natsKnown(_ nat: [IPAddress.Family: NATTraits], _ desk: inout Desk, at now: Instant) {
        guard !hasLearned else { return }
        learn(nat, at: now)
        flush(&desk)
    }

    private mutating func beginGathering(at now: Instant) {
        guard agent == nil, phase == .resolving, hasNames || now >= startedAt + Self.longestLookup else { return }
        agent = ICEAgent(ice, random: random, paths: pathNumbers, from: now)
        agent?.nextQuery = Self.firstQuery
        // The agent has a copy of the generator: the two do not give the same numbers.
        for _ in 0..<64 { _ = random.next() }
        enter(.signaling, at: now)
        readEarly(at: now)
    }

    // MARK: Activity

    mutating func handle(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {
        guard case .input(let input) = event else { return }
        lend(desk)
        switch input {
        case .stream(let event) where event.path == Session.channel: signaled(event.kind, at: now)
        case .pathError(let error) where error.path == Session.channel: channelFailed(error, at: now)
        default: agent?.handle(input, at: now)
        }
        advance(to: now)
        takeBack(&desk)
    }

    mutating func wake(_ desk: inout Desk, at now: Instant) {
        lend(desk)
        agent?.handle(.timeout, at: now)
        advance(to: now)
        takeBack(&desk)
    }

    mutating func poll(_ desk: inout Desk, at now: Instant) -> Output? {
        lend(desk)
        sendData(at: now)
        let output = agent?.pollOutput(at: now)
        takeFacts(at: now)
        takeBack(&desk)
        if let output { desk.adopt(output) }
        return output ?? desk.outputs.popFirst()
    }

    func nextWake(_ desk: Desk) -> Instant? {
        if phase == .closed { return agent?.nextWake }
        let lookup = phase == .resolving ? startedAt + Self.longestLookup : nil
        let parts = [agent?.nextWake, lookup, descriptionWake, securingWake, measuringWake, leavingWake, end]
        return parts.compactMap(\.self).min()
    }

    var isOver: Bool { isAbandoned || phase == .closed && agent?.isFinished ?? true }

    mutating func abandon(_ desk: inout Desk, at now: Instant) { isAbandoned = true }

    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) {
        lend(desk)
        end(reason, at: now)
        takeBack(&desk)
    }

    private mutating func end(_ reason: NotMeasured.Reason, at now: Instant) {
        // Who measures when time is over was connected: the figures are those of until then.
        if seen.failure == nil, phase != .closed {
            if reason == .interrupted {
                if !isMeasured { seen.failure = .interrupted }
            } else if phase != .measuring, phase != .leaving {
                seen.failure = .deadline(phase)
            }
        }
        finish(at: now)
        takeFacts(at: now)
    }

    /// What the activities of a run share goes into the agent for a step, and comes back from it.
    private mutating func lend(_ desk: Desk) {
        pathNumbers = desk.pathNumbers
        agent?.pathNumbers = desk.pathNumbers
        agent?.pacer = desk.pacer
    }

    private mutating func takeBack(_ desk: inout Desk) {
        if let agent {
            desk.pathNumbers = agent.pathNumbers
            desk.pacer = agent.pacer
        }
        flush(&desk)
    }

    private mutating func flush(_ desk: inout Desk) {
        while let output = outputs.popFirst() { desk.outputs.append(output) }
        while let (at, fact) = facts.popFirst() {
            guard toldCount < ConnectEvidence.mostMoments else {
                seen.omittedMoments += 1
                continue
            }
            toldCount += 1
            desk.observe(.connecting(fact), at: at)
        }
        guard phase == .closed, !hasToldAll else { return }
        hasToldAll = true
        desk.observe(.connectionSeen(evidence), at: startedAt + (seen.times.closed ?? .zero))
        desk.news.append(.connectionClosed)
    }

    // MARK: Progress

    private mutating func advance(to now: Instant) {
        // In each phase what the one before has left behind is there.
        takeFacts(at: now)
        if now >= end, phase != .closed { end(.deadline, at: now) }
        beginGathering(at: now)
        advanceSignaling(at: now)
        advanceSecuring(to: now)
        advanceMeasuring(to: now)
        advanceLeaving(to: now)
        takeFacts(at: now)
    }

    mutating func enter(_ phase: ConnectPhase, at now: Instant) {
        guard seen.phase != phase else { return }
        seen.phase = phase
        if phase == .closed { seen.times.closed = now - startedAt }
        tell(.phase(phase), at: now)
    }

    mutating func tell(_ fact: ConnectEvidence.Moment.Happening, at now: Instant) { facts.append((now, fact)) }

    /// Notes why there is no connection, and begins to leave.
    mutating func fail(_ failure: ConnectFailure, at now: Instant) {
        guard phase != .closed, phase != .leaving else { return }
        if seen.failure == nil { seen.failure = failure }
        leave(at: now)
    }

    // MARK: The agent's facts

    private mutating func takeFacts(at now: Instant) {
        while let event = agent?.pollEvent() { take(event) }
    }

    private mutating func take(_ event: ICEEvent) {
        let time = event.at - startedAt
        if case .received(let bytes) = event.fact { return arrived(bytes, at: event.at) }
        tell(.ice(event.fact), at: event.at)
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
    }

    private mutating func selected(_ pair: ICEPair.ID, at now: Instant) {
        let isFirst = seen.selected == nil
        seen.selected = pair
        guard isFirst, phase == .signaling || phase == .checking else { return }
        seen.consent = .kept
        if dtlsRole != nil { beginSecuring(at: now) } else { beginMeasuring(at: now) }
    }
}
