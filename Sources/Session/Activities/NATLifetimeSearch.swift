import Engines
import Facts
import NetTypes
import Planning
import STUN

/// A search for the lifetime of mappings before one address of this machine, on its sockets.
struct NATLifetimeSearch: Activity {
    static var rank: ActivityRank { .lifetimes }

    private var search: NATLifetime
    private var sockets: [NATLifetimeSocket: PathID] = [:]
    private var socketOf: [PathID: NATLifetimeSocket] = [:]
    private var exchanges = BindingExchanges<NATLifetime.ExchangeID>()
    private(set) var isOver = false

    init(from source: IPAddress, idleTimes: [Duration], at now: Instant) {
        search = NATLifetime(source: source, idleTimes: idleTimes, at: now)
    }

    var source: IPAddress { search.evidence.source }

    // MARK: What others tell

    mutating func add(_ server: Endpoint, _ desk: inout Desk, at now: Instant) {
        open(search.add(server: server, at: now), &desk)
    }

    mutating func allServersAdded(_ desk: inout Desk, at now: Instant) {
        search.allServersAdded(at: now)
        proceed(&desk, at: now)
    }

    private mutating func open(_ wanted: [NATLifetimeSocket], _ desk: inout Desk) {
        for socket in wanted {
            let path = desk.open(.datagram, from: source)
            sockets[socket] = path
            socketOf[path] = socket
        }
    }

    // MARK: Sending

    mutating func poll(_ desk: inout Desk, at now: Instant) -> Output? {
        guard let (at, question) = nextQuestion(desk, from: now), at <= now, let path = sockets[question.socket] else {
            return nil
        }
        desk.pacer.book(to: question.destination.address, at: now)
        let bytes = exchanges.request(
            search.sent(question, at: now), on: path, to: question.destination, responsePort: question.responsePort,
            using: &desk.random, at: now)
        return .transmit(Transmit(path: path, destination: question.destination, bytes: bytes))
    }

    /// The next question and when its destination's rate lets it out.
    private func nextQuestion(_ desk: Desk, from now: Instant) -> (at: Instant, question: NATLifetime.Question)? {
        guard !isOver, let (due, question) = search.nextQuestion else { return nil }
        return (desk.pacer.earliest(to: question.destination.address, from: max(due, now)), question)
    }

    func nextWake(_ desk: Desk) -> Instant? {
        let due = search.nextQuestion?.at ?? desk.startedAt
        return [nextQuestion(desk, from: due)?.at, search.nextWait].compactMap(\.self).min()
    }

    // MARK: Events

    mutating func handle(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {
        switch event {
        case .opened(let path, let local):
            if let socket = socketOf[path] { search.opened(socket, local, at: now) }
        case .failed(let error) where error.isFatal:
            if let socket = socketOf[error.path] { search.failed(socket, at: now) }
        case .datagram(let datagram): arrived(datagram, at: now)
        case .transmitted(let transmit, let instant): exchanges.left(transmit, at: instant)
        default: break
        }
        wake(&desk, at: now)
    }

    /// Takes a datagram: it has an ID of ours and comes from whom it was sent to, or it is nobody's. The server may have
    /// been told to answer to another socket.
    private mutating func arrived(_ datagram: Datagram, at now: Instant) {
        guard let socket = socketOf[datagram.path],
            let arrival = exchanges.arrival(datagram.bytes, on: datagram.path, at: datagram.arrivedAt),
            datagram.source.isSame(as: arrival.destination)
        else { return }
        switch arrival.reply {
        case .success(let mapping):
            search.answered(
                arrival.tag, on: socket, mappedAddress: mapping.mappedAddress, isLegacy: mapping.isLegacy,
                arrivedAt: datagram.arrivedAt, at: now)
        case .error(let code, _):
            search.refused(arrival.tag, on: socket, errorCode: code, arrivedAt: datagram.arrivedAt, at: now)
        case .ignored, .brokenError, .unknownAttributes, .unusable: break
        }
    }

    // MARK: Time

    mutating func wake(_ desk: inout Desk, at now: Instant) {
        search.handleTimeout(at: now)
        proceed(&desk, at: now)
    }

    private mutating func proceed(_ desk: inout Desk, at now: Instant) {
        open(search.takeSocketsToOpen(), &desk)
        for socket in search.takeSocketsToClose() {
            guard let path = sockets.removeValue(forKey: socket) else { continue }
            socketOf[path] = nil
            desk.close(path)
        }
        for (idle, outcome) in search.takeNews() {
            desk.observe(.natLifetimeSampled(source.family, idle: idle, outcome), at: now)
        }
        if search.isOver { tell(isCutShort: false, &desk, at: now) }
    }

    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) {
        tell(isCutShort: true, &desk, at: now)
    }

    private mutating func tell(isCutShort: Bool, _ desk: inout Desk, at now: Instant) {
        guard !isOver else { return }
        isOver = true
        search.end(at: now, isCutShort: isCutShort)
        for path in sockets.values.sorted(by: { $0.number < $1.number }) { desk.close(path) }
        desk.observe(.natLifetimeSeen(search.evidence), at: now)
    }
}
