import Engines
import Facts
import NetTypes
import Planning
import STUN

/// A relay of TCP (RFC 6062) put to use, both ways: a second socket connects to the relayed address, and the relay
/// connects to a second socket that listens. Each connection of a peer is bound to a connection of its own between
/// client and server.
struct TCPRelayTrial: Sendable {
    /// Which side asks for the connection.
    enum Direction: Int, Hashable, Sendable, CaseIterable {
        /// A peer connects to the relayed address: ConnectionAttempt.
        case inbound
        /// The client lets the relay connect to a peer: Connect.
        case outbound
    }

    /// What a socket is to the trial.
    enum Role: Hashable, Sendable {
        case listener
        case peer(Direction)
        case data(Direction)
    }

    struct Lane: Sendable {
        var evidence = TURNEvidence.TCPLane()
        var proof: StreamRelayProof
        var peer: PathID?
        var isPeerOpen = false
        var data: PathID?
        var client: TURNDataConnection?
        var giveUpAt: Instant?
        var isOver = false
    }

    var lanes: [Direction: Lane] = [:]
    var listener: PathID?
    /// The address of the second sockets.
    var source: IPAddress?
    let nonce: UInt64

    subscript(direction: Direction) -> Lane? {
        get { lanes[direction] }
        set { lanes[direction] = newValue }
    }

    var isOver: Bool { !lanes.isEmpty && lanes.values.allSatisfy(\.isOver) }
    var paths: [PathID] {
        [listener].compactMap(\.self) + lanes.values.flatMap { [$0.peer, $0.data] }.compactMap(\.self)
    }

    var nextWake: Instant? {
        lanes.values.filter { !$0.isOver }.flatMap { [$0.giveUpAt, $0.proof.nextWake, $0.client?.nextWake] }
            .compactMap(\.self).min()
    }
}

extension Session {
    /// How long a connection may take to be there: three SYNs, which are sent at 0, 1 and 3 s, and a second for the last.
    private static var connectionLimit: Duration { .seconds(4) }
    /// How long a message may be under way.
    private static var answerLimit: Duration { .seconds(4) }

    /// The relay lets the peer through: both directions are tried at once.
    mutating func startTCPTrial(_ run: Int, at now: Instant) {
        guard let trial = turnRuns[run].tcp, trial.lanes.isEmpty, let source = trial.source,
            let relay = turnRuns[run].evidence.relay
        else { return }
        addLane(.inbound, run, at: now)
        let path = open(.connection(to: relay.relayedAddress), from: source)
        paths[path]?.turn = .tcp(run: run, .peer(.inbound))
        turnRuns[run].tcp?[.inbound]?.peer = path
        // From outside a NAT nobody connects to what listens behind it.
        let evidence = turnRuns[run].evidence
        let isInside =
            evidence.allocation?.mappedAddress?.address != evidence.localAddress?.address.withoutZone
            && source.family == evidence.source.family
        guard !isInside else { return }
        addLane(.outbound, run, at: now)
        let listener = open(.listener, from: source)
        paths[listener]?.turn = .tcp(run: run, .listener)
        turnRuns[run].tcp?.listener = listener
    }

    private mutating func addLane(_ direction: TCPRelayTrial.Direction, _ run: Int, at now: Instant) {
        let nonce = (turnRuns[run].tcp?.nonce ?? 0) &+ UInt64(direction.rawValue)
        var lane = TCPRelayTrial.Lane(
            proof: StreamRelayProof(
                count: plan.relay.count, size: plan.relay.size, pace: plan.relay.pace ?? .zero, nonce: nonce))
        lane.giveUpAt = now + Self.connectionLimit
        turnRuns[run].tcp?[direction] = lane
    }

    // MARK: What the server says

    /// The relay has a connection of a peer: a connection to the server is to be bound to it.
    mutating func bindData(
        _ connectionID: UInt32, of direction: TCPRelayTrial.Direction, from peer: Endpoint, _ run: Int, at now: Instant
    ) {
        guard let lane = turnRuns[run].tcp?[direction], lane.client == nil, !lane.isOver else { return }
        if direction == .inbound { turnRuns[run].evidence.relay?.peerAddress = peer }
        turnRuns[run].tcp?[direction]?.evidence.reached = .bind
        let client = turnRuns[run].client.dataConnection(for: connectionID)
        turnRuns[run].tcp?[direction]?.client = client
        turnRuns[run].tcp?[direction]?.giveUpAt = now + Self.connectionLimit
        let path = open(
            .connection(to: turnRuns[run].client.server), from: turnRuns[run].evidence.source,
            security: turnRuns[run].client.security.map { .client($0) })
        paths[path]?.turn = .tcp(run: run, .data(direction))
        turnRuns[run].tcp?[direction]?.data = path
    }

    /// The relay could not connect to the second socket, or was not allowed to.
    mutating func connectFailed(_ failure: TURNFailure, _ run: Int, at now: Instant) {
        if case .errorResponse(let response) = failure {
            turnRuns[run].tcp?[.outbound]?.evidence.code = response.code
        }
        endLane(.outbound, run)
        endTCPTrialIfOver(run, at: now)
    }

    // MARK: Paths

    mutating func tcpPathOpened(_ run: Int, _ role: TCPRelayTrial.Role, _ local: Endpoint, at now: Instant) {
        switch role {
        case .listener: turnRuns[run].client.connect(to: local)
        case .peer(let direction):
            if direction == .inbound { turnRuns[run].evidence.relay?.peerLocalAddress = local }
            turnRuns[run].tcp?[direction]?.isPeerOpen = true
            if turnRuns[run].tcp?[direction]?.evidence.reached == .connect {
                turnRuns[run].tcp?[direction]?.evidence.reached = .announcement
            }
        case .data: break
        }
        advanceTCPTrial(run, at: now)
    }

    /// - Parameter trouble: nil where it is the handshake that failed.
    mutating func tcpPathFailed(_ run: Int, _ role: TCPRelayTrial.Role, _ trouble: PathTrouble?, at now: Instant) {
        switch role {
        case .listener: endLane(.outbound, run)
        case .peer(let direction), .data(let direction):
            turnRuns[run].tcp?[direction]?.evidence.pathTrouble = trouble
            endLane(direction, run)
        }
        endTCPTrialIfOver(run, at: now)
    }

    mutating func tcpStreamChanged(_ run: Int, _ role: TCPRelayTrial.Role, _ event: StreamEvent, at now: Instant) {
        switch (event.kind, role) {
        case (.accepted, .listener): accept(event.path, run, at: now)
        case (.bytes(let bytes), .peer(let direction)):
            turnRuns[run].tcp?[direction]?.proof.returned(bytes, at: event.at)
        case (.bytes(let bytes), .data(let direction)):
            turnRuns[run].tcp?[direction]?.client?.handle(bytes, at: event.at)
        case (.ended, .peer(let direction)), (.ended, .data(let direction)): endLane(direction, run)
        default: break
        }
        advanceTCPTrial(run, at: now)
    }

    /// The relay's connection to the second socket. Another's is turned away: what it sends would prove nothing.
    private mutating func accept(_ path: PathID, _ run: Int, at now: Instant) {
        guard let lane = turnRuns[run].tcp?[.outbound], lane.peer == nil, !lane.isOver else {
            outputs.append(.close(path))
            return
        }
        paths[path] = Path(
            user: .one(Desk.nobody), isSecure: false, state: .open(local: Endpoint(.unspecified(.ipv4), 0)))
        paths[path]?.turn = .tcp(run: run, .peer(.outbound))
        turnRuns[run].tcp?[.outbound]?.peer = path
        turnRuns[run].tcp?[.outbound]?.isPeerOpen = true
    }

    // MARK: Time

    /// Goes on with each direction as far as it goes, and ends those whose time is over.
    mutating func advanceTCPTrial(_ run: Int, at now: Instant) {
        guard turnRuns[run].evidence.took == .zero else { return }
        for direction in TCPRelayTrial.Direction.allCases { advanceLane(direction, run, at: now) }
        endTCPTrialIfOver(run, at: now)
    }

    private mutating func advanceLane(_ direction: TCPRelayTrial.Direction, _ run: Int, at now: Instant) {
        guard var lane = turnRuns[run].tcp?[direction], !lane.isOver else { return }
        if let data = lane.data, paths[data]?.state.isOpen == true {
            lane.client?.handleTimeout(at: now)
            takeEvents(of: &lane, at: now)
            while let bytes = lane.client?.pollOutput(at: now, using: &desk.random) {
                outputs.append(.write(data, bytes))
            }
            if lane.client?.isBound == true, lane.isPeerOpen { send(on: &lane, at: now) }
        }
        lane.evidence.tally = TURNEvidence.Relay.Tally(
            sent: lane.proof.sent, arrived: lane.proof.arrived, roundTrips: lane.proof.roundTrips)
        let isOver =
            lane.proof.isOver || lane.client?.isFinished == true || lane.giveUpAt.map { $0 <= now } == true
        turnRuns[run].tcp?[direction] = lane
        if isOver { endLane(direction, run) }
    }

    private mutating func send(on lane: inout TCPRelayTrial.Lane, at now: Instant) {
        if lane.evidence.reached != .data { lane.giveUpAt = now + Self.answerLimit }
        lane.evidence.reached = .data
        lane.proof.begin(at: now)
        if let next = lane.proof.nextWake { lane.giveUpAt = max(now, next) + Self.answerLimit }
        if let peer = lane.peer, let bytes = lane.proof.next(at: now) { outputs.append(.write(peer, bytes)) }
    }

    private func takeEvents(of lane: inout TCPRelayTrial.Lane, at now: Instant) {
        while let event = lane.client?.pollEvent() {
            switch event {
            case .bound(let trip): lane.evidence.boundAfter = trip.duration
            case .received(let bytes): lane.client?.send(lane.proof.arrived(bytes))
            case .failed(.errorResponse(let response)): lane.evidence.code = response.code
            case .failed(.credentialsRefused): lane.evidence.code = 401
            case .failed: break
            }
        }
    }

    private mutating func endLane(_ direction: TCPRelayTrial.Direction, _ run: Int) {
        turnRuns[run].tcp?[direction]?.isOver = true
    }

    private mutating func endTCPTrialIfOver(_ run: Int, at now: Instant) {
        if turnRuns[run].tcp?.isOver == true { stopData(run, at: now) }
    }

    // MARK: The end

    /// Keeps what was measured, and closes what was opened for it.
    mutating func closeTCPTrial(_ run: Int) {
        guard let trial = turnRuns[run].tcp else { return }
        if !trial.lanes.isEmpty {
            turnRuns[run].evidence.relay?.tcp = TURNEvidence.TCPRelay(
                inbound: trial[.inbound]?.evidence ?? .init(), outbound: trial[.outbound]?.evidence)
            turnRuns[run].evidence.relay?.altered = trial.lanes.values.count { $0.proof.isAltered }
        }
        for path in trial.paths where paths[path] != nil { close(path) }
    }
}
