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
        let run = natRuns.firstIndex { $0.discovery.evidence.source == source } ?? natRuns.count
        if run == natRuns.count {
            natRuns.append(NATRun(discovery: NATDiscovery(source: source, asksHairpin: plan.asksHairpin, at: now)))
        }
        let asked = natRuns[run].discovery.evidence.servers
        // Two names of one endpoint are one server.
        guard !asked.contains(server) else { return }
        guard asked.count < Plan.maximumNATServers else {
            // Of those that answer, the first suffice; only a server that was named for this is missed.
            guard plan.natDiscovery == .atOnce else { return }
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

    /// Asks a server about the NAT once it has answered: what is silent, or on this machine, tells nothing of it.
    mutating func discoverNAT(after probe: Probe, at now: Instant) {
        guard plan.natDiscovery == .onceAnswered, probe.role != .reflexive, probe.sequence == 0,
            !probe.serverAddress.address.isLoopback
        else { return }
        if probe.transport == .udp { discoverNAT(with: probe.serverAddress, from: probe.source, at: now) }
        let isAskedOverTCP = probe.transport == .tcp || plan.servers[probe.server].fallsBackToTCP
        if isAskedOverTCP { discoverNATOverTCP(with: probe.serverAddress, from: probe.source, at: now) }
    }

    /// UDP to a server is not answered where TCP is: nothing more is asked of it over UDP.
    mutating func natServerIsSilent(_ probe: Probe, risk: Double, at now: Instant) {
        for run in natRuns.indices where natRuns[run].discovery.evidence.source == probe.source {
            natRuns[run].discovery.giveUp(probe.serverAddress, risk: risk, at: now)
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
            !natRuns[transaction.run].isReported
        else { return }
        let exchange = transaction.exchange
        if transaction.path != datagram.path {
            guard let (run, socket) = paths[datagram.path]?.natSocket, run == transaction.run else { return }
            let after = datagram.arrivedAt - natRuns[run].discovery.sentAt(exchange)
            return natRuns[run].discovery.hairpinned(
                exchange, at: socket, from: datagram.source, after: max(.zero, after), at: now)
        }
        switch BindingReply(datagram.bytes, to: id) {
        case .success(let mapping):
            let after = datagram.arrivedAt - natRuns[transaction.run].discovery.sentAt(exchange)
            let answer = NATExchange.Answer(
                after: max(.zero, after), source: source(of: datagram, for: transaction), mapping)
            natRuns[transaction.run].discovery.answered(exchange, answer, at: now)
            hastenProbe(beside: transaction, at: now)
            learn(roundTrip: answer.after, to: answer.source.address)
        case .error(let code, _): natRuns[transaction.run].discovery.refused(exchange, errorCode: code, at: now)
        case .ignored, .brokenError, .unknownAttributes, .unusable: break
        }
    }

    /// A probe of the same server waits no longer than its path takes, now that it is known.
    private mutating func hastenProbe(beside transaction: NATTransaction, at now: Instant) {
        let evidence = natRuns[transaction.run].discovery.evidence
        let place = evidence.exchanges[transaction.exchange].server
        let index = liveProbes.first {
            let probe = probes[$0].description
            return probe.serverAddress == evidence.servers[place] && probe.source == evidence.source
                && probe.transport == .udp
        }
        guard let index, let last = probes[index].transaction.transmissions.last else { return }
        probes[index].transaction.hasten(to: max(now, last + evidence.patience(server: place)))
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
            let isOpening = natRuns[run].paths.values.contains { paths[$0]?.state.isOpening == true }
            if natRuns[run].discovery.isOver, !isOpening,
                !mayHearOfMoreServers(natRuns[run].discovery.evidence)
            {
                report(run, at: now)
            }
        }
    }

    mutating func concludeNATDiscovery(at now: Instant) {
        for run in natRuns.indices where !natRuns[run].isReported { report(run, at: now) }
    }

    /// Whether another server may still be asked from there.
    func mayHearOfMoreServers(_ evidence: NATEvidence) -> Bool {
        guard evidence.servers.count < Plan.maximumNATServers else { return false }
        let isAwaited = liveProbes.contains {
            let probe = probes[$0].description
            return probe.role == .primary && probe.transport == .udp && probe.source == evidence.source
        }
        return !resolutions.allSatisfy(\.isOver) || (plan.natDiscovery == .onceAnswered && isAwaited)
    }

    private mutating func report(_ run: Int, at now: Instant) {
        natRuns[run].discovery.end(at: now)
        natRuns[run].isReported = true
        for path in natRuns[run].paths.values.sorted(by: { $0.number < $1.number }) { close(path) }
        observe(.natSeen(natRuns[run].discovery.evidence), at: now)
    }
}
