import Engines
import NetTypes
import STUN

/// A search for a mapping's lifetime on its sockets.
struct NATLifetimeRun: Sendable {
    var search: NATLifetime
    var paths: [NATLifetimeSocket: PathID] = [:]
    /// Whether its evidence is among the observations.
    var isReported = false
}

/// The exchange of a search that a transaction belongs to.
struct NATLifetimeTransaction: Sendable {
    var run: Int
    var exchange: NATLifetime.ExchangeID
}

extension Session {
    /// Offers a server to the search from `source`, beside what it is asked about the NAT.
    mutating func measureLifetime(with server: Endpoint, from source: IPAddress, at now: Instant) {
        guard !plan.idleTimes.isEmpty else { return }
        let run = lifetimeRuns.firstIndex { $0.search.evidence.source == source } ?? lifetimeRuns.count
        if run == lifetimeRuns.count {
            let search = NATLifetime(source: source, idleTimes: plan.idleTimes, at: now)
            lifetimeRuns.append(NATLifetimeRun(search: search))
        }
        openLifetimeSockets(lifetimeRuns[run].search.add(server: server, at: now), run)
    }

    private mutating func openLifetimeSockets(_ sockets: [NATLifetimeSocket], _ run: Int) {
        for socket in sockets {
            let path = open(.datagram, from: lifetimeRuns[run].search.evidence.source)
            paths[path]?.lifetimeSocket = (run, socket)
            lifetimeRuns[run].paths[socket] = path
        }
    }

    mutating func lifetimeSocketOpened(_ run: Int, _ socket: NATLifetimeSocket, _ local: Endpoint, at now: Instant) {
        lifetimeRuns[run].search.opened(socket, local, at: now)
    }

    mutating func lifetimeSocketFailed(_ run: Int, _ socket: NATLifetimeSocket, at now: Instant) {
        lifetimeRuns[run].search.failed(socket, at: now)
    }

    // MARK: Sending

    mutating func nextLifetimeTransmission(at now: Instant) -> Output? {
        for run in lifetimeRuns.indices where !lifetimeRuns[run].isReported {
            guard let (at, question) = nextLifetimeQuestion(run, from: now), at <= now,
                let path = lifetimeRuns[run].paths[question.socket]
            else { continue }
            pacer.book(to: question.destination.address, at: now)
            let id = TransactionID(using: &random)
            let exchange = lifetimeRuns[run].search.sent(question, at: now)
            lifetimeTransactions[id] = NATLifetimeTransaction(run: run, exchange: exchange)
            return .transmit(
                Transmit(
                    path: path, destination: question.destination,
                    bytes: BindingRequest.bytes(id, responsePort: question.responsePort)))
        }
        return nil
    }

    /// The next question of a search and when its destination's rate lets it out.
    private func nextLifetimeQuestion(_ run: Int, from now: Instant) -> (at: Instant, question: NATLifetime.Question)? {
        guard let (due, question) = lifetimeRuns[run].search.nextQuestion else { return nil }
        return (pacer.earliest(to: question.destination.address, from: max(due, now)), question)
    }

    func nextLifetimeWake(_ run: Int) -> Instant? {
        guard !lifetimeRuns[run].isReported else { return nil }
        let search = lifetimeRuns[run].search
        let due = search.nextQuestion?.at ?? startedAt
        return [nextLifetimeQuestion(run, from: due)?.at, search.nextWait].compactMap { $0 }.min()
    }

    // MARK: Receiving

    /// Takes a datagram that came to a socket of a search: it has an id of ours and comes from whom it was sent to, or
    /// it is nobody's.
    mutating func lifetimeDatagramArrived(
        _ datagram: Datagram, _ run: Int, on socket: NATLifetimeSocket, at now: Instant
    ) {
        guard let id = TransactionID(inMessage: datagram.bytes), let transaction = lifetimeTransactions[id],
            transaction.run == run, !lifetimeRuns[run].isReported
        else { return }
        let exchange = transaction.exchange
        guard datagram.source.port == exchange.destination.port,
            datagram.source.address.withoutZone == exchange.destination.address.withoutZone
        else { return }
        switch BindingReply(datagram.bytes, to: id) {
        case .success(let mapping):
            lifetimeRuns[run].search.answered(
                exchange, on: socket, mappedAddress: mapping.mappedAddress, isLegacy: mapping.isLegacy,
                arrivedAt: datagram.arrivedAt, at: now)
        case .error(let code, _):
            lifetimeRuns[run].search.refused(
                exchange, on: socket, errorCode: code, arrivedAt: datagram.arrivedAt, at: now)
        case .ignored, .brokenError, .unknownAttributes, .unusable: break
        }
    }

    // MARK: Time

    mutating func advanceLifetimes(to now: Instant) {
        for run in lifetimeRuns.indices where !lifetimeRuns[run].isReported {
            lifetimeRuns[run].search.handleTimeout(at: now)
            if resolutions.allSatisfy(\.isOver) { lifetimeRuns[run].search.allServersAdded(at: now) }
            openLifetimeSockets(lifetimeRuns[run].search.takeSocketsToOpen(), run)
            for socket in lifetimeRuns[run].search.takeSocketsToClose() {
                if let path = lifetimeRuns[run].paths.removeValue(forKey: socket) { close(path) }
            }
            let family = lifetimeRuns[run].search.evidence.source.family
            for (idle, outcome) in lifetimeRuns[run].search.takeNews() {
                observe(.natLifetimeSampled(family, idle: idle, outcome), at: now)
            }
            if lifetimeRuns[run].search.isOver { reportLifetime(run, isCutShort: false, at: now) }
        }
    }

    mutating func concludeLifetimes(at now: Instant) {
        for run in lifetimeRuns.indices where !lifetimeRuns[run].isReported {
            reportLifetime(run, isCutShort: true, at: now)
        }
    }

    private mutating func reportLifetime(_ run: Int, isCutShort: Bool, at now: Instant) {
        lifetimeRuns[run].search.end(at: now, isCutShort: isCutShort)
        lifetimeRuns[run].isReported = true
        for path in lifetimeRuns[run].paths.values.sorted(by: { $0.number < $1.number }) { close(path) }
        lifetimeRuns[run].paths = [:]
        observe(.natLifetimeSeen(lifetimeRuns[run].search.evidence), at: now)
    }
}
