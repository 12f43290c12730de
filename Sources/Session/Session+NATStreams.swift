import Engines
import NetTypes
import STUN

/// A discovery over TCP on its connections.
struct NATStreamRun: Sendable {
    var discovery: NATStreamDiscovery
    /// A UDP socket of no other use: its number is a port that the system chose and that nothing else gets. A
    /// connection's own port is told only when it is made.
    var reservation: PathID?
    var connections: [Int: PathID] = [:]
    var framers: [Int: StreamFramer] = [:]
    /// Whether its evidence is among the observations.
    var isReported = false
}

/// What a path is in a discovery over TCP.
struct NATStreamPlace: Sendable {
    var run: Int
    /// The place of the connection; nil for the reservation.
    var connection: Int?
}

extension Session {
    /// Asks a server about the NAT's mapping over TCP, beside what other servers are asked from there.
    mutating func discoverNATOverTCP(with server: Endpoint, from source: IPAddress, at now: Instant) {
        let run = natStreams.firstIndex { $0.discovery.evidence.source == source } ?? natStreams.count
        if run == natStreams.count {
            natStreams.append(NATStreamRun(discovery: NATStreamDiscovery(source: source, at: now)))
        }
        // One that comes when all that was known of had answered is too late.
        guard !natStreams[run].isReported,
            natStreams[run].discovery.evidence.servers.count < Plan.maximumNATServers
        else { return }
        natStreams[run].discovery.add(server: server, at: now)
        if let known = roundTrips[server.address] {
            natStreams[run].discovery.learn(roundTrip: known, to: server.address)
        }
    }

    /// A round trip was measured: it is the measure for connections to the same address.
    mutating func learn(roundTrip: Duration, to server: IPAddress) {
        guard plan.natDiscovery != .never else { return }
        roundTrips[server] = max(roundTrip, roundTrips[server] ?? .zero)
        for run in natStreams.indices where !natStreams[run].isReported {
            natStreams[run].discovery.learn(roundTrip: roundTrip, to: server)
        }
    }

    // MARK: Time

    mutating func advanceNATStreams(to now: Instant) {
        for run in natStreams.indices where !natStreams[run].isReported {
            natStreams[run].discovery.hurry(isNATStreamAwaited)
            while let step = natStreams[run].discovery.nextStep(at: now) { perform(step, of: run, at: now) }
            if natStreams[run].discovery.isOver, !mayHearOfMoreServers(natStreams[run].discovery.evidence) {
                report(stream: run, at: now)
            }
        }
    }

    /// Whether nothing else is under way.
    private var isNATStreamAwaited: Bool {
        liveProbes.isEmpty && natRuns.allSatisfy(\.isReported) && resolutions.allSatisfy(\.isOver)
    }

    func nextNATStreamWake(_ run: Int) -> Instant? {
        natStreams[run].isReported ? nil : natStreams[run].discovery.nextWake
    }

    mutating func concludeNATStreams(at now: Instant) {
        for run in natStreams.indices where !natStreams[run].isReported { report(stream: run, at: now) }
    }

    private mutating func perform(_ step: NATStreamDiscovery.Step, of run: Int, at now: Instant) {
        let source = natStreams[run].discovery.evidence.source
        switch step {
        case .reserve:
            // The one before is held until then, or the system might give it once more.
            let former = natStreams[run].reservation
            let path = open(.datagram, from: source)
            paths[path]?.natStream = NATStreamPlace(run: run, connection: nil)
            natStreams[run].reservation = path
            if let former { close(former) }
        case .open(let connection, let remote, let local):
            let path = open(.connection(to: remote), from: source, port: local.port)
            paths[path]?.natStream = NATStreamPlace(run: run, connection: connection)
            natStreams[run].connections[connection] = path
            natStreams[run].framers[connection] = StreamFramer()
        case .close(let connection): closeNATStream(run, connection)
        case .ask(let connection, let exchange):
            guard let path = natStreams[run].connections[connection] else { return }
            let id = TransactionID(using: &random)
            natStreamTransactions[id] = NATTransaction(run: run, exchange: exchange, path: path)
            outputs.append(.write(path, BindingRequest.bytes(id)))
        }
    }

    private mutating func closeNATStream(_ run: Int, _ connection: Int) {
        natStreams[run].framers[connection] = nil
        guard let path = natStreams[run].connections.removeValue(forKey: connection) else { return }
        close(path)
    }

    private mutating func report(stream run: Int, at now: Instant) {
        natStreams[run].discovery.end(at: now)
        natStreams[run].isReported = true
        for connection in natStreams[run].connections.keys.sorted() { closeNATStream(run, connection) }
        if let reservation = natStreams[run].reservation { close(reservation) }
        observe(.natSeen(natStreams[run].discovery.evidence), at: now)
    }

    // MARK: What comes

    mutating func natStreamOpened(_ place: NATStreamPlace, _ local: Endpoint, at now: Instant) {
        if let connection = place.connection {
            natStreams[place.run].discovery.opened(connection, at: now)
        } else {
            natStreams[place.run].discovery.reserved(local, at: now)
        }
    }

    mutating func natStreamFailed(_ place: NATStreamPlace, _ kind: PathError.Kind, at now: Instant) {
        if let connection = place.connection {
            natStreams[place.run].discovery.failed(connection, kind, at: now)
            closeNATStream(place.run, connection)
        } else {
            natStreams[place.run].discovery.notReserved()
        }
    }

    mutating func natStreamChanged(_ place: NATStreamPlace, _ event: StreamEvent) {
        guard let connection = place.connection else { return }
        switch event.kind {
        case .accepted: break
        case .ended: endNATStream(place.run, connection, isForeign: false, at: event.at)
        case .bytes(let bytes):
            natStreams[place.run].framers[connection]?.append(bytes)
            do {
                while let frame = try natStreams[place.run].framers[connection]?.next() {
                    if case .message(let message) = frame { natStreamMessage(message, on: event.path, at: event.at) }
                }
            } catch {
                endNATStream(place.run, connection, isForeign: true, at: event.at)
            }
        }
    }

    private mutating func endNATStream(_ run: Int, _ connection: Int, isForeign: Bool, at now: Instant) {
        natStreams[run].discovery.ended(connection, isForeign: isForeign, at: now)
        closeNATStream(run, connection)
    }

    /// Takes a message; what carries no id of ours is nobody's.
    private mutating func natStreamMessage(_ message: [UInt8], on path: PathID, at now: Instant) {
        guard let id = TransactionID(inMessage: message), let transaction = natStreamTransactions[id],
            transaction.path == path
        else { return }
        let exchange = transaction.exchange
        let discovery = natStreams[transaction.run].discovery
        switch BindingReply(message, to: id) {
        case .success(let mapping):
            // What comes over a connection comes from its peer.
            let answer = NATExchange.Answer(
                after: max(.zero, now - discovery.sentAt(exchange)),
                source: discovery.evidence.exchanges[exchange].destination, mapping)
            natStreams[transaction.run].discovery.answered(exchange, answer)
            hastenFallbacks(to: answer.source.address, from: discovery.evidence.source, at: now)
        case .error(let code, _): natStreams[transaction.run].discovery.refused(exchange, errorCode: code)
        case .ignored, .brokenError, .unknownAttributes, .unusable: break
        }
    }
}

extension NATExchange.Answer {
    init(after: Duration, source: Endpoint, _ mapping: BindingReply.Mapping) {
        self.init(
            after: after, source: source, mappedAddress: mapping.mappedAddress, plainAddress: mapping.plainAddress,
            isLegacy: mapping.isLegacy, otherAddress: mapping.otherAddress, responseOrigin: mapping.responseOrigin)
    }
}
