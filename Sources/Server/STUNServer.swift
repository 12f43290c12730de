package import NetTypes
import STUN

/// The STUN server behind `icecheck serve`: Binding over UDP and TCP, with NAT behaviour discovery where it has two
/// addresses (RFC 8489, RFC 5780), and answers for clients of RFC 3489.
///
/// It is a poor reflector by design: an answer is never longer than three times its request, goes to the address that
/// the request came from, and each source has a rate. It answers requests only, so that two servers cannot talk to
/// each other. It needs no random numbers: a server's transaction ids are its clients'.
package struct STUNServer: Engine {
    package typealias Event = STUNServerEvent
    typealias Role = ListeningPaths.Role

    /// What came in and what became of it, since the start.
    package struct Counts: Hashable, Sendable {
        package var answered = 0
        package var rateLimited = 0
        package var malformed = 0
        /// Well-formed, and not for a STUN server to answer: indications, responses, other methods.
        package var ignored = 0
    }

    package internal(set) var counts = Counts()

    private let configuration: STUNServerConfiguration
    private let responder: BindingResponder
    /// Nil where TURN is not served.
    var turn: TURNService?
    private var paths = ListeningPaths()
    var limiter: SourceRateLimiter
    var connections: ConnectionTable
    var outputs = Queue<Output>()
    var events = Queue<Event>()
    private var nextRateLimitedEvent = Instant(nanoseconds: .min)
    private var nextMalformedEvent = Instant(nanoseconds: .min)

    package init(configuration: STUNServerConfiguration) {
        self.configuration = configuration
        responder = BindingResponder(software: configuration.software)
        limiter = SourceRateLimiter(configuration.rate)
        connections = ConnectionTable(limits: configuration.connections)
        for (pair, addresses) in configuration.addresses.enumerated() {
            let role = Role(pair: pair, transport: .udp, corner: .primary)
            outputs.append(paths.request(role, at: Endpoint(addresses.primary, configuration.port)))
        }
    }

    /// A server that relays as well (RFC 8656).
    ///
    /// - Parameters:
    ///   - secondsSince1970: the time of day at `start`, for credentials that expire.
    ///   - random: unpredictable where the network is real: nonces, relay ports and tokens are made of it.
    package init(
        configuration: STUNServerConfiguration, turn: TURNServerConfiguration, from start: Instant,
        secondsSince1970: Int64, random: any RandomNumberGenerator & Sendable
    ) {
        self.init(configuration: configuration)
        self.turn = TURNService(
            turn, software: responder.software, from: start, secondsSince1970: secondsSince1970, random: random)
    }

    /// What became of the allocations; nil where TURN is not served.
    package var allocations: TURNServerCounts? { turn?.counts }

    package var nextWake: Instant? {
        [connections.nextDeadline, turn?.nextDeadline].compactMap(\.self).min()
    }
    package var isFinished: Bool { paths.isEmpty && outputs.isEmpty && events.isEmpty }

    package mutating func pollOutput(at now: Instant) -> Output? { outputs.popFirst() }
    package mutating func pollEvent() -> Event? { events.popFirst() }

    package mutating func handle(_ input: Input, at now: Instant) {
        switch input {
        case .opened(let path, _) where TURNService.owns(path): relay(input, at: now)
        case .datagram(let datagram) where TURNService.owns(datagram.path): relay(input, at: now)
        case .pathError(let error) where TURNService.owns(error.path): relay(input, at: now)
        case .opened(let path, let local): opened(path, local: local)
        case .datagram(let datagram): received(datagram, at: now)
        case .pathError(let error): failed(error)
        case .stream(let event): streamed(event, at: now)
        case .timeout:
            turn?.expire(at: now)
            closeOverdueConnections(at: now)
        case .securingFailed(let path, _, _): forget(connection: path)
        case .answer, .transmitted, .secured: break
        }
        passOn()
    }
}

// MARK: - Sockets

extension STUNServer {
    private mutating func opened(_ path: PathID, local: Endpoint) {
        let role = Role(path)
        guard paths.opened(role, local: local) else {
            outputs.append(.close(path))
            return
        }
        events.append(.listening(local, role.transport))
        guard role.transport == .udp else { return }
        if configuration.acceptsConnections {
            outputs.append(paths.request(Role(pair: role.pair, transport: .tcp, corner: role.corner), at: local))
        }
        if role.corner == .primary { openSecured(role.pair) }
        openAlternates(after: role, local: local)
        if paths.hasAllCorners(of: role), let primary = paths.open[role.at(.primary)],
            let other = paths.open[role.at(.opposite)]
        {
            events.append(.discoveryAvailable(primary: primary, other: other))
        }
    }

    /// TLS and DTLS come after TCP: where the system chooses their ports, it does not give them TCP's.
    private mutating func openSecured(_ pair: Int) {
        guard let credentials = configuration.credentials else { return }
        let place = Endpoint(configuration.addresses[pair].primary, configuration.securePort)
        for (transport, kind) in [(Transport.tls, SecureProtocol.tls), (.dtls, .dtls)] {
            var security = SecureServerConfiguration(kind, credentials)
            security.applicationProtocols = ["stun.turn", "stun.nat-discovery"]
            let role = Role(pair: pair, transport: transport, corner: .primary)
            outputs.append(paths.request(role, at: place, security: .server(security)))
        }
    }

    /// Opens what needs the port that has just become known.
    private mutating func openAlternates(after role: Role, local: Endpoint) {
        let addresses = configuration.addresses[role.pair]
        guard let alternate = addresses.alternate else { return }
        guard addresses.permitDiscovery else {
            if role.corner == .primary {
                events.append(.discoveryUnavailable(primary: addresses.primary, .alternateNotDistinct))
            }
            return
        }
        switch role.corner {
        case .primary:
            let neighbour = Endpoint(addresses.primary, configuration.alternatePort)
            outputs.append(paths.request(role.at(.alternatePort), at: neighbour))
            outputs.append(paths.request(role.at(.alternateAddress), at: Endpoint(alternate, local.port)))
        case .alternatePort:
            outputs.append(paths.request(role.at(.opposite), at: Endpoint(alternate, local.port)))
        default:
            break
        }
    }

    private mutating func failed(_ error: PathError) {
        if connections.contains(error.path) {
            if error.isFatal { forget(connection: error.path) }
            return
        }
        // What is not fatal is an ICMP message about some answer: the client has gone, and the socket is as it was.
        guard error.isFatal else { return }
        let role = Role(error.path)
        guard let endpoint = paths.forget(role) else { return }
        events.append(.openFailed(endpoint, role.transport, error))
        guard role.transport == .udp else { return }
        if role.corner == .primary {
            close(role.pair, corners: ListeningPaths.Corner.all)
        } else {
            close(role.pair, corners: [.alternatePort, .alternateAddress, .opposite])
            let primary = configuration.addresses[role.pair].primary
            events.append(.discoveryUnavailable(primary: primary, .notOpened(endpoint, error)))
        }
    }

    /// Closes what is open; what is still opening is forgotten, and closed when it comes.
    private mutating func close(_ pair: Int, corners: [ListeningPaths.Corner]) {
        for transport in Transport.allCases {
            for corner in corners {
                let role = Role(pair: pair, transport: transport, corner: corner)
                let isOpen = paths.open[role] != nil
                if paths.forget(role) != nil, isOpen { outputs.append(.close(role.path)) }
            }
        }
    }
}

// MARK: - Datagrams

extension STUNServer {
    private mutating func received(_ datagram: Datagram, at now: Instant) {
        let role = Role(datagram.path)
        guard let local = paths.open[role] else { return }
        let source = datagram.source
        guard source.port != 0, !paths.isOwn(source), source.address.isUnicast else {
            counts.ignored += 1
            return
        }
        if isForTURN(datagram.bytes) {
            let client = TURNClient(path: datagram.path, remote: source, isConnection: false)
            if datagram.bytes[0] & 0xC0 != 0 {
                relay(channelData: datagram.bytes, from: client, at: now)
            } else if let answer = answerTURN(datagram.bytes, from: client, at: now) {
                outputs.append(client.output(answer))
            }
            return
        }
        let arrival = BindingResponder.Arrival(
            source: source, local: local, other: other(than: role), isConnection: false)
        guard let answer = respond(to: datagram.bytes, arrival, over: role.transport, at: now) else { return }
        let from = role.at(role.corner.changing(address: answer.changesAddress, port: answer.changesPort))
        let destination = Endpoint(source.address, answer.port ?? source.port)
        outputs.append(.transmit(Transmit(path: from.path, destination: destination, bytes: answer.bytes)))
    }

    /// Where an answer to CHANGE-REQUEST with both flags would come from, if it would.
    private func other(than role: Role) -> Endpoint? {
        guard paths.hasAllCorners(of: role) else { return nil }
        return paths.open[role.at(role.corner.changing(address: true, port: true))]
    }

    /// The answer to one message, counted; nil where there is none.
    private mutating func respond(
        to bytes: [UInt8], _ arrival: BindingResponder.Arrival, over transport: Transport, at now: Instant
    ) -> BindingResponder.Answer? {
        switch responder.respond(to: bytes, arrival) {
        case .ignored:
            counts.ignored += 1
        case .malformed(let reason):
            noteMalformed(arrival.source, reason: reason, at: now)
        case .answer(let answer):
            guard limiter.admits(arrival.source.address, at: now) else {
                noteRateLimited(arrival.source, at: now)
                return nil
            }
            counts.answered += 1
            events.append(.answered(arrival.source, transport))
            return answer
        }
        return nil
    }

    mutating func noteRateLimited(_ source: Endpoint, at now: Instant) {
        counts.rateLimited += 1
        guard now >= nextRateLimitedEvent else { return }
        nextRateLimitedEvent = now + .seconds(1)
        events.append(.rateLimited(source, total: counts.rateLimited))
    }

    mutating func noteMalformed(_ source: Endpoint, reason: String, at now: Instant) {
        counts.malformed += 1
        guard now >= nextMalformedEvent else { return }
        nextMalformedEvent = now + .seconds(1)
        events.append(.malformed(source, reason: reason, total: counts.malformed))
    }
}

// MARK: - Connections

extension STUNServer {
    private mutating func streamed(_ event: StreamEvent, at now: Instant) {
        switch event.kind {
        case .accepted(let listener, let local, let remote):
            let role = Role(listener)
            let isWelcome =
                paths.open[role] != nil
                && connections.add(event.path, role: role, local: local, remote: remote, at: now)
            if !isWelcome {
                outputs.append(.close(event.path))
                noteRateLimited(remote, at: now)
            }
        case .bytes(let bytes):
            read(bytes, from: event.path, at: now)
        case .ended:
            // What it asked is answered already, so there is nothing left to say.
            close(connection: event.path)
        }
    }

    private mutating func read(_ bytes: [UInt8], from path: PathID, at now: Instant) {
        guard let connection = connections[path] else { return }
        let client = TURNClient(path: path, remote: connection.remote, isConnection: true)
        let isRelayed = turn?.hasAllocation(client) ?? false
        let (frames, fault) = connections.append(bytes, to: path, permitsChannels: isRelayed, at: now)
        let arrival = BindingResponder.Arrival(
            source: connection.remote, local: connection.local, other: other(than: connection.role), isConnection: true)
        var answers: [UInt8] = []
        for frame in frames {
            switch frame {
            case .channelData(let data): turn?.relay(data, from: client, at: now)
            case .message(let message) where isForTURN(message):
                answers += answerTURN(message, from: client, at: now) ?? []
            case .message(let message):
                guard let answer = respond(to: message, arrival, over: connection.role.transport, at: now) else {
                    continue
                }
                answers += answer.bytes
                connections.countAnswer(on: path)
            }
        }
        if !answers.isEmpty { outputs.append(.write(path, answers)) }
        if let fault {
            noteMalformed(connection.remote, reason: fault, at: now)
            close(connection: path)
        } else if connections.isUsedUp(path) {
            close(connection: path)
        }
    }

    private mutating func close(connection path: PathID) {
        guard connections.contains(path) else { return }
        // What was still to be said comes first.
        passOn()
        forget(connection: path)
        outputs.append(.close(path))
    }

    /// A connection that is gone takes its allocation with it.
    private mutating func forget(connection path: PathID) {
        guard let remote = connections[path]?.remote else { return }
        connections.remove(path)
        turn?.disconnected(TURNClient(path: path, remote: remote, isConnection: true))
    }

    /// A connection with an allocation may be silent for as long as that lives.
    private mutating func closeOverdueConnections(at now: Instant) {
        for path in connections.overdue(at: now) {
            guard let connection = connections[path] else { continue }
            let client = TURNClient(path: path, remote: connection.remote, isConnection: true)
            if !connection.isAmidMessage, turn?.hasAllocation(client) == true {
                connections.extend(path, at: now)
            } else {
                close(connection: path)
            }
        }
    }
}
