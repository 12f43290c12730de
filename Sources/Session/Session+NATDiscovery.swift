import Engines
import NetTypes
import STUN

/// A discovery on its sockets.
struct NATRun: Sendable {
    var discovery: NATDiscovery
    var paths: [NATSocket: PathID] = [:]
    /// Whether its evidence is among the observations.
    var isReported = false
}

/// The exchange of a discovery that a transaction belongs to.
struct NATTransaction: Sendable {
    var run: Int
    var exchange: Int
    var path: PathID
}

extension Session {
    /// Asks a server about the NAT between it and `source`, beside what other servers are asked from there.
    mutating func discoverNAT(with server: Endpoint, from source: IPAddress, at now: Instant) {
        guard plan.discoversNAT else { return }
        let run = natRuns.firstIndex { $0.discovery.evidence.source == source } ?? natRuns.count
        if run == natRuns.count { natRuns.append(NATRun(discovery: NATDiscovery(source: source, at: now))) }
        let asked = natRuns[run].discovery.evidence.servers
        // Two names of one endpoint are one server.
        guard !asked.contains(server) else { return }
        guard asked.count < Plan.maximumNATServers else {
            let limit = NotMeasured(
                what: "the NAT by \(server)", family: server.family, reason: .limit,
                detail: "\(Plan.maximumNATServers) servers are asked about it at most")
            return observe(.notMeasured(nil, limit), at: now)
        }
        natRuns[run].discovery.add(server: server, at: now)
        measureLifetime(with: server, from: source, at: now)
        for socket in natRuns[run].discovery.sockets where natRuns[run].paths[socket] == nil {
            let path = open(.datagram, from: source)
            paths[path]?.natSocket = (run, socket)
            natRuns[run].paths[socket] = path
        }
    }

    mutating func natSocketOpened(_ run: Int, _ socket: NATSocket, _ local: Endpoint, at now: Instant) {
        natRuns[run].discovery.opened(socket, local, at: now)
    }

    // MARK: Sending

    mutating func nextNATTransmission(at now: Instant) -> Output? {
        for run in natRuns.indices {
            guard let (at, question) = nextNATQuestion(run, from: now), at <= now,
                let path = natRuns[run].paths[question.socket]
            else { continue }
            pacer.book(to: question.destination.address, at: now)
            let id = TransactionID(using: &random)
            let exchange = natRuns[run].discovery.sent(question, at: now)
            natTransactions[id] = NATTransaction(run: run, exchange: exchange, path: path)
            return .transmit(
                Transmit(
                    path: path, destination: question.destination,
                    bytes: BindingRequest.bytes(id, change: question.change)))
        }
        return nil
    }

    /// The next question of a discovery and when its destination's rate lets it out.
    private func nextNATQuestion(_ run: Int, from now: Instant) -> (at: Instant, question: NATDiscovery.Question)? {
        guard !natRuns[run].isReported, let (due, question) = natRuns[run].discovery.nextQuestion else { return nil }
        return (pacer.earliest(to: question.destination.address, from: max(due, now)), question)
    }

    func nextNATWake(_ run: Int) -> Instant? {
        let due = natRuns[run].discovery.nextQuestion?.at ?? startedAt
        return [nextNATQuestion(run, from: due)?.at, natRuns[run].isReported ? nil : natRuns[run].discovery.nextWait]
            .compactMap { $0 }.min()
    }

    // MARK: Receiving

    /// Takes a datagram that came to a socket of a discovery; what carries no id of ours is nobody's.
    mutating func natDatagramArrived(_ datagram: Datagram, at now: Instant) {
        guard let id = TransactionID(inMessage: datagram.bytes), let transaction = natTransactions[id],
            transaction.path == datagram.path, !natRuns[transaction.run].isReported
        else { return }
        let exchange = transaction.exchange
        switch BindingReply(datagram.bytes, to: id) {
        case .success(let mapping):
            let after = datagram.arrivedAt - natRuns[transaction.run].discovery.sentAt(exchange)
            let answer = NATExchange.Answer(
                after: max(.zero, after), source: source(of: datagram, for: transaction),
                mappedAddress: mapping.mappedAddress,
                rewrittenAddress: mapping.rewrittenAddress, isLegacy: mapping.isLegacy,
                otherAddress: mapping.otherAddress, responseOrigin: mapping.responseOrigin)
            natRuns[transaction.run].discovery.answered(exchange, answer, at: now)
        case .error(let code, _): natRuns[transaction.run].discovery.refused(exchange, errorCode: code, at: now)
        case .ignored, .brokenError, .unknownAttributes, .unusable: break
        }
    }

    /// Who sent it; the endpoint that was asked is itself however the system writes its zone.
    private func source(of datagram: Datagram, for transaction: NATTransaction) -> Endpoint {
        let asked = natRuns[transaction.run].discovery.evidence.exchanges[transaction.exchange].destination
        let source = Endpoint(datagram.source.address.withoutZone, datagram.source.port)
        return source == Endpoint(asked.address.withoutZone, asked.port) ? asked : source
    }

    // MARK: Time

    mutating func advanceNATDiscovery(to now: Instant) {
        for run in natRuns.indices where !natRuns[run].isReported {
            natRuns[run].discovery.handleTimeout(at: now)
            let isOpening = natRuns[run].paths.values.contains { paths[$0]?.state == .opening }
            if natRuns[run].discovery.isOver, !isOpening, resolutions.allSatisfy(\.isOver) {
                report(run, isCutShort: false, at: now)
            }
        }
    }

    mutating func concludeNATDiscovery(at now: Instant) {
        for run in natRuns.indices where !natRuns[run].isReported { report(run, isCutShort: true, at: now) }
    }

    private mutating func report(_ run: Int, isCutShort: Bool, at now: Instant) {
        natRuns[run].discovery.end(at: now, isCutShort: isCutShort)
        natRuns[run].isReported = true
        for path in natRuns[run].paths.values.sorted(by: { $0.number < $1.number }) { close(path) }
        observe(.natSeen(natRuns[run].discovery.evidence), at: now)
    }
}
