import Engines
import Facts
import NetTypes
import Planning
import STUN

/// A discovery of the NAT before one address of this machine, over UDP, on its sockets.
struct NATCheck: Activity {
    static var rank: ActivityRank { .mappings }

    private(set) var discovery: NATDiscovery
    private var sockets: [NATSocket: PathID] = [:]
    private var socketOf: [PathID: NATSocket] = [:]
    private var exchanges = BindingExchanges<Int>()
    /// Whether another server may still be asked from there.
    private var mayHearOfMore = true
    private(set) var isOver = false

    init(from source: IPAddress, asksHairpin: Bool, at now: Instant) {
        discovery = NATDiscovery(source: source, asksHairpin: asksHairpin, at: now)
    }

    var source: IPAddress { discovery.evidence.source }
    var servers: [Endpoint] { discovery.evidence.servers }
    /// Whether it has not shown both mapping and filtering.
    var isInconclusive: Bool {
        let verdict = NATVerdict(discovery.evidence)
        return verdict.mapping.value == nil || verdict.filtering.value == nil
    }

    // MARK: What others tell

    mutating func add(_ server: Endpoint, _ desk: inout Desk, at now: Instant) {
        discovery.add(server: server, at: now)
        for socket in discovery.sockets where sockets[socket] == nil {
            let path = desk.open(.datagram, from: source)
            sockets[socket] = path
            socketOf[path] = socket
        }
    }

    mutating func giveUp(_ server: Endpoint, risk: Double, at now: Instant) {
        discovery.giveUp(server, risk: risk, at: now)
    }

    mutating func expectMore(_ expectsMore: Bool, _ desk: inout Desk, at now: Instant) {
        mayHearOfMore = expectsMore && servers.count < Plan.maximumNATServers
        tellIfOver(&desk, at: now)
    }

    // MARK: Sending

    mutating func poll(_ desk: inout Desk, at now: Instant) -> Output? {
        guard let (at, question) = nextQuestion(desk, from: now), at <= now, let path = sockets[question.socket] else {
            return nil
        }
        desk.pacer.book(to: question.destination.address, at: now)
        let bytes = exchanges.request(
            discovery.sent(question, at: now), on: path, to: question.destination, change: question.change,
            using: &desk.random, at: now)
        return .transmit(Transmit(path: path, destination: question.destination, bytes: bytes))
    }

    /// The next question and when its destination's rate lets it out.
    private func nextQuestion(_ desk: Desk, from now: Instant) -> (at: Instant, question: NATDiscovery.Question)? {
        guard !isOver, let (due, question) = discovery.nextQuestion else { return nil }
        return (desk.pacer.earliest(to: question.destination.address, from: max(due, now)), question)
    }

    func nextWake(_ desk: Desk) -> Instant? {
        let due = discovery.nextQuestion?.at ?? desk.startedAt
        return [nextQuestion(desk, from: due)?.at, discovery.nextWait].compactMap(\.self).min()
    }

    // MARK: Events

    mutating func handle(_ event: PathEvent, _ desk: inout Desk, at now: Instant) {
        switch event {
        case .opened(let path, let local):
            if let socket = socketOf[path] { discovery.opened(socket, local, at: now) }
        case .datagram(let datagram): arrived(datagram, &desk, at: now)
        case .transmitted(let transmit, let instant): exchanges.left(transmit, at: instant)
        default: break
        }
        discovery.handleTimeout(at: now)
        tellIfOver(&desk, at: now)
    }

    /// Takes a datagram; what carries no ID of ours is nobody's.
    private mutating func arrived(_ datagram: Datagram, _ desk: inout Desk, at now: Instant) {
        guard
            let arrival = exchanges.arrival(datagram.bytes, on: datagram.path, at: datagram.arrivedAt)
        else { return }
        guard arrival.isOnOwnPath else {
            guard let socket = socketOf[datagram.path] else { return }
            return discovery.hairpinned(
                arrival.tag, at: socket, from: datagram.source, after: arrival.after, at: now)
        }
        switch arrival.reply {
        case .success(let mapping):
            // The endpoint that was asked is itself however the system writes its zone.
            let isAsked = datagram.source.isSame(as: arrival.destination)
            let source =
                isAsked
                ? arrival.destination : Endpoint(datagram.source.address.withoutZone, datagram.source.port)
            let answer = NATExchange.Answer(after: arrival.after, source: source, mapping)
            discovery.answered(arrival.tag, answer, at: now)
            let server = discovery.evidence.exchanges[arrival.tag].server
            desk.learn(roundTrip: arrival.after, to: source.address)
            desk.news.append(
                .natAnswered(
                    servers[server], source: self.source, after: arrival.after,
                    patience: discovery.evidence.patience(server: server)))
        case .error(let code, _): discovery.refused(arrival.tag, errorCode: code, at: now)
        case .ignored, .brokenError, .unknownAttributes, .unusable: break
        }
    }

    // MARK: Time

    mutating func wake(_ desk: inout Desk, at now: Instant) {
        discovery.handleTimeout(at: now)
        tellIfOver(&desk, at: now)
    }

    private mutating func tellIfOver(_ desk: inout Desk, at now: Instant) {
        let isOpening = sockets.values.contains { desk.paths[$0]?.state.isOpening == true }
        if discovery.isOver, !isOpening, !mayHearOfMore { conclude(.deadline, &desk, at: now) }
    }

    mutating func conclude(_ reason: NotMeasured.Reason, _ desk: inout Desk, at now: Instant) {
        guard !isOver else { return }
        isOver = true
        discovery.end(at: now)
        for path in sockets.values.sorted(by: { $0.number < $1.number }) { desk.close(path) }
        desk.observe(.natSeen(discovery.evidence), at: now)
        desk.news.append(.natSeen)
    }
}

extension NATExchange.Answer {
    init(after: Duration, source: Endpoint, _ mapping: BindingReply.Mapping) {
        self.init(
            after: after, source: source, mappedAddress: mapping.mappedAddress, plainAddress: mapping.plainAddress,
            isLegacy: mapping.isLegacy, otherAddress: mapping.otherAddress, responseOrigin: mapping.responseOrigin)
    }
}
