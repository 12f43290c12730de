import Engines
import Facts
import NetTypes
import Planning
import STUN

/// A discovery of the NAT's mapping over TCP, before one address of this machine, on its connections.
struct NATStreamCheck: Activity {
    static var rank: ActivityRank { .connections }

    private var discovery: NATStreamDiscovery
    /// A UDP socket of no other use: its number is a port that the system chose and that nothing else gets. A
    /// connection's own port is told only when it is made.
    private var reservation: PathID?
    private var connections: [Int: PathID] = [:]
    private var connectionOf: [PathID: Int] = [:]
    private var framers: [Int: StreamFramer] = [:]
    private var exchanges = BindingExchanges<Int>()
    /// Whether another server may still be asked from there.
    private var mayHearOfMore = true
    private(set) var isOver = false

    init(from source: IPAddress, at now: Instant) { discovery = NATStreamDiscovery(source: source, at: now) }

    var source: IPAddress { discovery.evidence.source }
    var servers: [Endpoint] { discovery.evidence.servers }

    // MARK: What others tell

    /// One that comes when all that was known of had answered is too late.
    mutating func add(_ server: Endpoint, _ desk: inout Desk, at now: Instant) {
        guard !isOver, servers.count < Plan.maximumNATServers else { return }
        discovery.add(server: server, at: now)
        if let known = desk.roundTrips[server.address] { learn(roundTrip: known, to: server.address) }
    }

    /// A round trip was measured: it is the measure for connections to the same address.
    mutating func learn(roundTrip: Duration, to server: IPAddress) {
        discovery.learn(roundTrip: roundTrip, to: server)
    }

    /// - Parameter isHurried: whether nothing else is under way.
    mutating func expectMore(_ expectsMore: Bool, isHurried: Bool, _ desk: inout Desk, at now: Instant) {
        mayHearOfMore = expectsMore && servers.count < Plan.maximumNATServers
        discovery.hurry(isHurried)
        wake(&desk, at: now)
    }

    // MARK: Time

    func nextWake(_ desk: Desk) -> Instant? { discovery.nextWake }

    mutating func wake(_ desk: inout Desk, at now: Instant) {
        while let step = discovery.nextStep(at: now) { perform(step, &desk, at: now) }
        if discovery.isOver, !mayHearOfMore { conclude(.deadline, &desk, at: now) }
    }

    private mutating func perform(_ step: NATStreamDiscovery.Step, _ desk: inout Desk, at now: Instant) {
        switch step {
        case .reserve:
            // The one before is held until then, or the system might give it once more.
            let former = reservation
            reservation = desk.open(.datagram, from: source)
            if let former { desk.close(former) }
        case .open(let connection, let remote, let local):
            let path = desk.open(.connection(to: remote), from: source, port: local.port)
            connections[connection] = path
            connectionOf[path] = connection
            framers[connection] = StreamFramer()
        case .close(let connection): close(connection, &desk)
        case .ask(let connection, let exchange):
            guard let path = connections[connection] else { return }
            let destination = discovery.evidence.exchanges[exchange].destination
            let bytes = exchanges.request(exchange, on: path, to: destination, using: &desk.random, at: now)
            desk.outputs.append(.write(path, bytes))
        }
    }

    private mutating func close(_ connection: Int, _ desk: inout Desk) {
        framers[connection] = nil
        guard let path = connections.removeValue(forKey: connection) else { return }
        connectionOf[path] = nil
        desk.close(path)
    }

    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) {
        guard !isOver else { return }
        isOver = true
        discovery.end(at: now)
        for connection in connections.keys.sorted() { close(connection, &desk) }
        if let reservation { desk.close(reservation) }
        desk.observe(.natSeen(discovery.evidence), at: now)
        desk.news.append(.natSeen)
    }

    // MARK: Events

    mutating func handle(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {
        switch event {
        case .opened(let path, let local):
            if path == reservation {
                discovery.reserved(local, at: now)
            } else if let connection = connectionOf[path] {
                discovery.opened(connection, at: now)
            }
        case .failed(let error) where error.isFatal:
            if error.path == reservation {
                discovery.notReserved()
            } else if let connection = connectionOf[error.path] {
                discovery.failed(connection, error.kind, at: now)
                close(connection, &desk)
            }
        case .stream(let event): changed(event, &desk, at: now)
        default: break
        }
        wake(&desk, at: now)
    }

    private mutating func changed(_ event: StreamEvent, _ desk: inout Desk, at now: Instant) {
        guard let connection = connectionOf[event.path] else { return }
        switch event.kind {
        case .accepted: break
        case .ended: end(connection, isForeign: false, &desk, at: event.at)
        case .bytes(let bytes):
            framers[connection]?.append(bytes)
            do {
                while let frame = try framers[connection]?.next() {
                    guard case .message(let message) = frame else { continue }
                    arrived(message, on: event.path, &desk, at: event.at)
                }
            } catch {
                end(connection, isForeign: true, &desk, at: event.at)
            }
        }
    }

    private mutating func end(_ connection: Int, isForeign: Bool, _ desk: inout Desk, at now: Instant) {
        discovery.ended(connection, isForeign: isForeign, at: now)
        close(connection, &desk)
    }

    /// Takes a message; what carries no ID of ours is nobody's.
    private mutating func arrived(_ message: [UInt8], on path: PathID, _ desk: inout Desk, at now: Instant) {
        guard let arrival = exchanges.arrival(message, on: path, at: now), arrival.isOnOwnPath else { return }
        switch arrival.reply {
        case .success(let mapping):
            // What comes over a connection comes from its peer.
            let answer = NATExchange.Answer(after: arrival.after, source: arrival.destination, mapping)
            discovery.answered(arrival.tag, answer)
            desk.news.append(.natAnsweredOverTCP(arrival.destination.address, source: source))
        case .error(let code, _): discovery.refused(arrival.tag, errorCode: code)
        case .ignored, .brokenError, .unknownAttributes, .unusable: break
        }
    }
}
