package import NetTypes
import STUN

/// An ICE agent (RFC 8445) for one data stream of one component: it gathers candidates, checks pairs with the peer's,
/// agrees with it on one, and keeps its consent (RFC 7675).
///
/// Candidates trickle both ways (RFC 8838). It sends nothing to the peer before it has the peer's credentials, and
/// creates no state for a request that is not signed with its own. Every check is told as an event.
package struct ICEAgent<Random: RandomNumberGenerator & Sendable>: Engine, Sendable {
    package typealias Event = ICEEvent

    package let configuration: ICEConfiguration
    package internal(set) var state = ICEState.new
    package let tieBreaker: UInt64
    package internal(set) var localCredentials: ICECredentials
    package internal(set) var isGatheringFinished = false
    var random: Random

    var outputs = Queue<Output>()
    var events = Queue<ICEEvent>()
    var isClosed = false
    var hasClosedPaths = false

    // Gathering: see ICEAgent+Gathering.swift and ICEAgent+Relays.swift.
    let startedAt: Instant
    var locals: [ICELocal] = []
    var foundations = FoundationAssigner()
    var questions: [ICEQuestion] = []
    var relays: [ICERelay] = []
    var visitedRelays = VisitedRelays()
    /// When the deletion of allocations is given up; nil before the end.
    var closingEnd: Instant?
    package var pacer = DestinationPacer()

    // Paths: see ICEAgent+Paths.swift.
    var owners: [PathID: ICEPathOwner] = [:]
    var connections: [PathID: ICEConnection] = [:]
    package var pathNumbers: PathNumbers

    // The peer.
    var remoteCredentials: ICECredentials?
    /// Those before a restart: the peer's answer to it brings others (RFC 8839 s4.4.1.1).
    var staleCredentials: ICECredentials?
    var isRemoteLite = false
    var remotes: [ICERemote] = []
    var hasRemoteEnded = false
    var lookups: [ICELookup] = []
    var namedCandidates: [Candidate] = []
    package var nextQuery: UInt32 = 0
    /// Checks of the peer's that came before its credentials.
    var earlyRequests: [ICEEarlyRequest] = []

    // Checks: see ICEAgent+Pairs.swift and ICEAgent+Checks.swift.
    var checkList: CheckList
    /// What goes with the pair of the same place.
    var links: [ICELink] = []
    /// In the order of their beginning.
    var checks: [ICECheckTransaction] = []
    var pacing: Duration = ICEConfiguration.usualPacing
    var nextCheckAt: Instant?
    var checksBeganAt: Instant?
    var hasFailed = false

    // Nomination and consent: see ICEAgent+Nomination.swift and ICEAgent+Consent.swift.
    var reconsiderAt: Instant?
    var selection: ICESelection?

    /// Makes the agent and begins to gather.
    ///
    /// - Parameter paths: what its owner's other paths leave free.
    package init(
        _ configuration: ICEConfiguration, random: Random, paths: PathNumbers = PathNumbers(), from start: Instant
    ) {
        pathNumbers = paths
        self.configuration = configuration
        self.random = random
        startedAt = start
        checkList = CheckList(role: configuration.role)
        localCredentials = ICECredentials(using: &self.random)
        tieBreaker = self.random.next()
        beginGathering(at: start)
    }

    package var role: ICERole { checkList.role }
    /// Every pair of this session; the number of each is its place.
    package var pairs: [ICEPair] { checkList.pairs }
    /// What was gathered so far and is told to the peer, in the order of coming.
    package var localCandidates: [Candidate] { locals.filter(\.isTold).map(\.candidate) }
    package var remoteCandidates: [Candidate] { remotes.map(\.candidate) }
    /// The pair that data goes over.
    package var selectedPair: ICEPair? { selection?.pair }

    // MARK: Signaling

    /// Settles the role, before checks begin: as signaling says who decides.
    package mutating func setRole(_ role: ICERole) {
        if checksBeganAt == nil { checkList.setRole(role) }
    }

    /// Takes the peer's credentials: with them checks begin. Others than before are the peer's restart.
    ///
    /// - Parameter pacing: the peer's `a=ice-pacing`.
    package mutating func setRemote(
        _ credentials: ICECredentials, isLite: Bool = false, pacing: Duration? = nil, at now: Instant
    ) {
        guard !isClosed, credentials != remoteCredentials, credentials != staleCredentials else { return }
        if remoteCredentials != nil { restart(at: now) }
        remoteCredentials = credentials
        isRemoteLite = isLite
        self.pacing = max(configuration.pacing, pacing ?? ICEConfiguration.usualPacing)
        checkList.setRole(isLite ? .controlling : role)
        let early = earlyRequests
        earlyRequests = []
        for request in early { take(request, at: now) }
        beginChecks(at: now)
    }

    /// Takes a candidate of the peer's, at any time.
    package mutating func addRemote(_ candidate: Candidate, at now: Instant) {
        guard !isClosed else { return }
        take(candidate, at: now)
        beginChecks(at: now)
    }

    /// Takes the peer's word that no more candidates come.
    package mutating func endRemoteCandidates(at now: Instant) {
        hasRemoteEnded = true
        settle(at: now)
    }

    /// ICE restart (RFC 8445 s9): new credentials, a new check list, the same sockets and candidates. Data goes on over the selected
    /// pair until the new session has one.
    package mutating func restart(at now: Instant) {
        guard !isClosed else { return }
        localCredentials = ICECredentials(using: &random)
        staleCredentials = remoteCredentials
        remoteCredentials = nil
        remotes = []
        hasRemoteEnded = false
        for lookup in lookups { for question in lookup.questions { closePath(question.path) } }
        lookups = []
        namedCandidates = []
        earlyRequests = []
        checkList = CheckList(role: role)
        links = []
        checks = []
        nextCheckAt = nil
        checksBeganAt = nil
        hasFailed = false
        reconsiderAt = nil
        observe(.restarted, at: now)
    }

    // MARK: Data

    /// Sends data over the selected pair; false where there is none, or consent is gone.
    package mutating func send(_ bytes: [UInt8], at now: Instant) -> Bool {
        guard !isClosed, let selection, selection.hasConsent else { return false }
        transmit(bytes, to: selection.remote, over: selection.route)
        return true
    }

    /// Ends the session: deletes allocations, as long as that may take, and closes everything.
    package mutating func close(at now: Instant, within limit: Duration = .milliseconds(1500)) {
        guard !isClosed else { return }
        isClosed = true
        closingEnd = now + limit
        selection = nil
        checks = []
        questions = []
        endGatheringRelays(at: now)
        for relay in relays.indices { release(relay, at: now) }
        change(to: .closed, at: now)
        closePathsWhenDone()
    }

    // MARK: Engine

    package mutating func handle(_ input: Input, at now: Instant) {
        guard !relayTook(input, at: now) else { return advance(to: now) }
        switch input {
        case .opened(let path, let local): opened(path, local, at: now)
        case .datagram(let datagram): arrived(datagram, at: now)
        case .stream(let event): streamed(event, at: now)
        case .pathError(let error): failed(error, at: now)
        case .answer(let query, let answer): answered(query, answer, at: now)
        case .transmitted(let transmit, let instant): left(transmit, at: instant)
        case .secured, .securingFailed, .timeout: break
        }
        advance(to: now)
    }

    /// Lets everything that waits for a time look at the clock.
    private mutating func advance(to now: Instant) {
        advanceRelays(to: now)
        if let closingEnd, closingEnd <= now { giveUpRelays(at: now) }
        guard !isClosed else { return closePathsWhenDone() }
        advanceGathering(to: now)
        advanceLookups(to: now)
        advanceChecks(to: now)
        settle(at: now)
        advanceConsent(to: now)
    }

    package mutating func pollOutput(at now: Instant) -> Output? {
        if let output = outputs.popFirst() { return output }
        if let output = nextRelayOutput(at: now) { return output }
        guard !isClosed else { return nil }
        if let output = nextQuestion(at: now) ?? nextLookup(at: now) { return output }
        // A check over a relay or a connection is written by its machine: what that makes of it comes out next.
        while sendNextCheck(at: now) || sendConsentCheck(at: now) {
            if let output = outputs.popFirst() ?? nextRelayOutput(at: now) { return output }
        }
        return nil
    }

    package mutating func pollEvent() -> ICEEvent? { events.popFirst() }

    package var nextWake: Instant? {
        let relays = relays.compactMap { $0.client.nextWake(pacer) }.min()
        guard !isClosed else { return isFinished ? nil : [relays, closingEnd].compactMap(\.self).min() }
        return [relays, gatheringWake, lookupWake, checkWake, reconsiderAt, failureWake, selection?.nextWake]
            .compactMap(\.self)
            .min()
    }

    /// After ``close(at:)``, once nothing is left to do.
    package var isFinished: Bool { isClosed && relays.allSatisfy(\.client.isFinished) }

    mutating func observe(_ fact: ICEEvent.Fact, at now: Instant) { events.append(ICEEvent(at: now, fact: fact)) }

    mutating func change(to state: ICEState, at now: Instant) {
        guard self.state != state else { return }
        self.state = state
        observe(.stateChanged(state), at: now)
    }
}
