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

    func role(of path: PathID) -> Role? {
        if path == listener { return .listener }
        for (direction, lane) in lanes {
            if path == lane.peer { return .peer(direction) }
            if path == lane.data { return .data(direction) }
        }
        return nil
    }

    var nextWake: Instant? {
        lanes.values.filter { !$0.isOver }.flatMap { [$0.giveUpAt, $0.proof.nextWake, $0.client?.nextWake] }
            .compactMap(\.self).min()
    }
}

extension RelayCheck {
    /// How long a connection may take to be there: three SYNs, which are sent at 0, 1 and 3 s, and a second for the last.
    private static var connectionLimit: Duration { .seconds(4) }
    /// How long a message may be under way.
    private static var answerLimit: Duration { .seconds(4) }

    /// The relay lets the peer through: both directions are tried at once.
    mutating func startTCPTrial(_ desk: inout Desk, at now: Instant) {
        guard let trial = tcp, trial.lanes.isEmpty, let source = trial.source, let seen = evidence.relay else { return }
        addLane(.inbound, desk.plan, at: now)
        let peer = desk.open(.connection(to: seen.relayedAddress), from: source)
        tcp?[.inbound]?.peer = peer
        // From outside a NAT nobody connects to what listens behind it.
        guard !(evidence.isBehindNAT && source.family == evidence.source.family) else { return }
        addLane(.outbound, desk.plan, at: now)
        tcp?.listener = desk.open(.listener, from: source)
    }

    private mutating func addLane(_ direction: TCPRelayTrial.Direction, _ plan: Plan, at now: Instant) {
        let nonce = (tcp?.nonce ?? 0) &+ UInt64(direction.rawValue)
        var lane = TCPRelayTrial.Lane(
            proof: StreamRelayProof(
                count: plan.relay.count, size: plan.relay.size, pace: plan.relay.pace ?? .zero, nonce: nonce))
        lane.giveUpAt = now + Self.connectionLimit
        tcp?[direction] = lane
    }

    // MARK: What the server says

    /// The relay has a connection of a peer: a connection to the server is to be bound to it.
    mutating func bindData(
        _ connectionID: UInt32, of direction: TCPRelayTrial.Direction, from peer: Endpoint, _ desk: inout Desk,
        at now: Instant
    ) {
        guard let lane = tcp?[direction], lane.client == nil, !lane.isOver else { return }
        if direction == .inbound { relay.evidence.relay?.peerAddress = peer }
        tcp?[direction]?.evidence.reached = .bind
        tcp?[direction]?.client = relay.client.dataConnection(for: connectionID)
        tcp?[direction]?.giveUpAt = now + Self.connectionLimit
        let path = desk.open(
            .connection(to: relay.client.server), from: relay.request.source,
            security: relay.client.security.map { .client($0) })
        tcp?[direction]?.data = path
    }

    /// The relay could not connect to the second socket, or was not allowed to.
    mutating func connectFailed(_ failure: TURNFailure, _ desk: inout Desk, at now: Instant) {
        if case .errorResponse(let response) = failure { tcp?[.outbound]?.evidence.code = response.code }
        tcp?[.outbound]?.isOver = true
        stopIfDone(&desk, at: now)
    }

    // MARK: Paths

    mutating func handleTCP(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {
        switch event {
        case .opened(let path, let local), .secured(let path, let local, _, _):
            if let role = tcp?.role(of: path) { opened(role, local) }
        case .notSecured(let path, _, _, _):
            if let role = tcp?.role(of: path) { failed(role, nil) }
            desk.close(path)
        case .failed(let error) where error.isFatal:
            if let role = tcp?.role(of: error.path) { failed(role, PathTrouble(error)) }
        case .stream(let event): changed(event, &desk)
        default: break
        }
        advanceTCPTrial(&desk, at: now)
    }

    private mutating func opened(_ role: TCPRelayTrial.Role, _ local: Endpoint) {
        switch role {
        case .listener: relay.client.connect(to: local)
        case .peer(let direction):
            if direction == .inbound { relay.evidence.relay?.peerLocalAddress = local }
            tcp?[direction]?.isPeerOpen = true
            guard tcp?[direction]?.evidence.reached == .connect else { return }
            tcp?[direction]?.evidence.reached = .announcement
        case .data: break
        }
    }

    /// - Parameter trouble: nil where it is the handshake that failed.
    private mutating func failed(_ role: TCPRelayTrial.Role, _ trouble: PathTrouble?) {
        switch role {
        case .listener: tcp?[.outbound]?.isOver = true
        case .peer(let direction), .data(let direction):
            tcp?[direction]?.evidence.pathTrouble = trouble
            tcp?[direction]?.isOver = true
        }
    }

    private mutating func changed(_ event: StreamEvent, _ desk: inout Desk) {
        if case .accepted = event.kind { return accept(event.path, &desk) }
        switch (event.kind, tcp?.role(of: event.path)) {
        case (.bytes(let bytes), .peer(let direction)): tcp?[direction]?.proof.returned(bytes, at: event.at)
        case (.bytes(let bytes), .data(let direction)): tcp?[direction]?.client?.handle(bytes, at: event.at)
        case (.ended, .peer(let direction)), (.ended, .data(let direction)): tcp?[direction]?.isOver = true
        default: break
        }
    }

    /// The relay's connection to the second socket. Another's is turned away: what it sends would prove nothing.
    private mutating func accept(_ path: PathID, _ desk: inout Desk) {
        desk.accept(path)
        guard let lane = tcp?[.outbound], lane.peer == nil, !lane.isOver else { return desk.close(path) }
        tcp?[.outbound]?.peer = path
        tcp?[.outbound]?.isPeerOpen = true
    }

    // MARK: Time

    /// Goes on with each direction as far as it goes, and ends those whose time is over.
    mutating func advanceTCPTrial(_ desk: inout Desk, at now: Instant) {
        guard !relay.isStopped else { return }
        for direction in TCPRelayTrial.Direction.allCases { advanceLane(direction, &desk, at: now) }
        stopIfDone(&desk, at: now)
    }

    private mutating func advanceLane(_ direction: TCPRelayTrial.Direction, _ desk: inout Desk, at now: Instant) {
        guard var lane = tcp?[direction], !lane.isOver else { return }
        if let data = lane.data, desk.local(of: data) != nil {
            lane.client?.handleTimeout(at: now)
            takeEvents(of: &lane)
            while let bytes = lane.client?.pollOutput(at: now, using: &desk.random) {
                desk.outputs.append(.write(data, bytes))
            }
            if lane.client?.isBound == true, lane.isPeerOpen { send(on: &lane, &desk, at: now) }
        }
        lane.evidence.tally = TURNEvidence.Relay.Tally(
            sent: lane.proof.sent, arrived: lane.proof.arrived, roundTrips: lane.proof.roundTrips)
        lane.isOver =
            lane.proof.isOver || lane.client?.isFinished == true || lane.giveUpAt.map { $0 <= now } == true
        tcp?[direction] = lane
    }

    private func send(on lane: inout TCPRelayTrial.Lane, _ desk: inout Desk, at now: Instant) {
        if lane.evidence.reached != .data { lane.giveUpAt = now + Self.answerLimit }
        lane.evidence.reached = .data
        lane.proof.begin(at: now)
        if let next = lane.proof.nextWake { lane.giveUpAt = max(now, next) + Self.answerLimit }
        if let peer = lane.peer, let bytes = lane.proof.next(at: now) { desk.outputs.append(.write(peer, bytes)) }
    }

    private func takeEvents(of lane: inout TCPRelayTrial.Lane) {
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

    // MARK: The end

    /// Keeps what was measured, and closes what was opened for it.
    mutating func closeTCPTrial(_ desk: inout Desk) {
        guard let trial = tcp else { return }
        if !trial.lanes.isEmpty {
            relay.evidence.relay?.tcp = TURNEvidence.TCPRelay(
                inbound: trial[.inbound]?.evidence ?? .init(), outbound: trial[.outbound]?.evidence)
            relay.evidence.relay?.altered = trial.lanes.values.count { $0.proof.isAltered }
        }
        for path in trial.paths { desk.close(path) }
    }
}
