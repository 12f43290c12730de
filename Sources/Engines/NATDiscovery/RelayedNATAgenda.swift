import NetTypes

/// What a discovery through relays has left to do at one moment: a function of what was seen so far.
struct RelayedNATAgenda: Sendable {
    struct Entry: Sendable {
        var at: Duration
        var step: RelayedNATDiscovery.Step
    }

    /// In the order in which they are to be sent.
    private(set) var entries: [Entry] = []
    /// When a wait is over, which may settle something.
    private(set) var waits: [Duration] = []
    /// The sockets that are wanted, in the order in which they came to be.
    private(set) var sockets: [RelayedNATSocket] = [.mapping]
    /// Whom the relays are to admit and do not yet.
    private(set) var permissions: [(relay: Int, address: IPAddress)] = []
    /// The server that a second relay is wanted of.
    private(set) var secondRelay: Endpoint?

    /// Where nothing at all comes through a relay, more has no use; and where it goes, another may have said.
    private static let mostRoundsInVain = 20

    private let evidence: RelayedNATEvidence
    private let time: Duration
    private let addedAt: [Duration]

    /// Where the loss of a few datagrams leaves it undecided, the base is asked again with each third round only.
    private static let roundsPerCheck = 3

    init(_ evidence: RelayedNATEvidence, addedAt: [Duration], at time: Duration) {
        self.evidence = evidence
        self.time = time
        self.addedAt = addedAt
        let answers = evidence.observersDiffer ? 2 : 1
        for observer in evidence.observers { ask(observer, from: .mapping, answers: answers) }
        for relay in evidence.relays.indices { planPermissions(relay) }
        secondRelay = wantedRelay
        planFiltering()
        entries.removeAll { evidence.localEndpoints[$0.step.socket] == nil }
    }

    // MARK: Who sees what

    /// Asks an observer where it sees a socket, until it has said it so many times; gives whether there is still
    /// something to wait for.
    @discardableResult private mutating func ask(
        _ observer: NATObserver, from socket: RelayedNATSocket, answers: Int = 1
    ) -> Bool {
        guard evidence.objection(to: observer) == nil else { return false }
        var start = Duration.zero
        switch observer {
        case .relay(let relay):
            // It may overtake the request for the permission, and is repeated then.
            guard !evidence.relays[relay].isLost, !evidence.relays[relay].asked.isEmpty else { return false }
        case .server(let server): start = addedAt[server]
        }
        let way = RelayedNATExchange.Way(to: observer)
        let made = evidence.exchanges.filter { $0.socket == socket && $0.way == way }
        guard made.count(where: { $0.outcome != nil }) < answers else { return false }
        let roundTrip = evidence.longestRoundTrip(observer)
        if roundTrip == nil {
            guard time < start + NATAgenda.blindEnd else { return false }
            waits.append(start + NATAgenda.blindEnd)
        }
        if roundTrip == nil || made.count < NATAgenda.mostDirectRequests {
            let interval = NATAgenda.interval(after: made.count, roundTrip: roundTrip)
            let next = made.last.map { $0.sentAt + ($0.outcome?.after ?? interval) } ?? start
            add(socket, way, at: next)
            return true
        }
        guard let last = made.last, last.sentAt + evidence.patience(observer) > time else { return false }
        waits.append(last.sentAt + evidence.patience(observer))
        return true
    }

    private mutating func add(_ socket: RelayedNATSocket, _ way: RelayedNATExchange.Way, at next: Duration) {
        if !sockets.contains(socket) { sockets.append(socket) }
        entries.append(Entry(at: next, step: RelayedNATDiscovery.Step(socket: socket, way: way)))
    }

    /// A relay admits by address: every one at which a socket of ours was seen.
    private mutating func planPermissions(_ relay: Int) {
        guard let relayed = evidence.relays[relay].relayedAddress, !evidence.relays[relay].isLost else { return }
        var wanted = [evidence.relays[relay].outside].compactMap(\.self).filter { $0.family == relayed.family }
        for exchange in evidence.exchanges where exchange.way.observer != nil {
            guard let seen = exchange.outcome?.endpoint.address, seen.family == relayed.family, !wanted.contains(seen),
                wanted.count < RelayedNATDiscovery.mostPermissions
            else { continue }
            wanted.append(seen)
        }
        permissions += wanted.filter { !evidence.relays[relay].asked.contains($0) }.map { (relay, $0) }
    }

    // MARK: Who gets in

    private mutating func planFiltering() {
        guard !evidence.trials.contains(where: { $0.isOtherAddress && evidence.hasArrived($0) }) else { return }
        let isPortLetIn = evidence.trials.contains { !$0.isOtherAddress && evidence.hasArrived($0) }
        let port = isPortLetIn ? nil : trial(isOtherAddress: false)
        let address = trial(isOtherAddress: true)
        if let port, evidence.test(port, at: time).isDecided { return }
        // What keeps another port out keeps another address out too. The first round asks for both all the same, since
        // what lets in all lets in both.
        if let port { run(port) }
        if let address { run(address, isFirstRoundOnly: port != nil || !isPortLetIn && mayHearOfRelay) }
    }

    private var mayHearOfRelay: Bool {
        secondRelay != nil
            || evidence.relays.indices.contains { place in
                let relay = evidence.relays[place]
                guard !relay.isLost else { return false }
                // One that is silent to all that it takes to be heard is no help.
                return relay.relayedAddress == nil
                    || evidence.views(of: .mapping)[.relay(place)] == nil && isAsked(.relay(place))
            }
    }

    private func isAsked(_ observer: NATObserver) -> Bool {
        entries.contains { $0.step.socket == .mapping && $0.step.way == .init(to: observer) }
    }

    /// Who is to send to a socket that has sent to whom. A server is the better base, since its answers come to the
    /// socket itself.
    private func trial(isOtherAddress: Bool) -> RelayedNATTrial? {
        let views = evidence.views(of: .mapping)
        let bases = evidence.observers.filter { views[$0] != nil }
        let senders = evidence.relays.indices.filter(evidence.sends)
        let trials = senders.flatMap { sender in
            bases.compactMap { evidence.trial($0, sender) }.filter { $0.isOtherAddress == isOtherAddress }
        }
        // One that was begun is gone on with.
        return trials.first { !evidence.probes(of: $0).isEmpty } ?? trials.first
    }

    private mutating func run(_ trial: RelayedNATTrial, isFirstRoundOnly: Bool = false) {
        if !sockets.contains(trial.socket) { sockets.append(trial.socket) }
        let sender = evidence.relays[trial.sender]
        guard let mapped = evidence.views(of: trial.socket)[trial.base] else {
            ask(trial.base, from: trial.socket)
            return
        }
        guard let open = evidence.views(of: .mapping)[.relay(trial.sender)],
            sender.permitted.isSuperset(of: [mapped.address, open.address])
        else { return }
        let test = evidence.test(trial, at: time)
        let probes = evidence.probes(of: trial)
        guard !test.isDecided, !isFirstRoundOnly || probes.isEmpty else { return }
        let isEnough = evidence.test(trial, at: time, anticipating: true).isDecided
        let limit = test.answeredControls > 0 ? NATAgenda.mostRounds : Self.mostRoundsInVain
        if isEnough || probes.count >= limit {
            // Those whose time is not over; the last of them settles it, an earlier one may ask for another round.
            let patience = evidence.patience(.relay(trial.sender))
            waits += (probes + evidence.controls(of: trial)).map { $0.sentAt + patience }.filter { $0 > time }
            let basePatience = evidence.patience(trial.base)
            waits += evidence.baseChecks(of: trial).map { $0.sentAt + basePatience }.filter { $0 > time }
            guard isRoundOpen(trial, probes) else { return }
        }
        round(trial, to: mapped, open, probes)
    }

    /// Whether a probe was sent, and not yet what vouches for it.
    private func isRoundOpen(_ trial: RelayedNATTrial, _ probes: [RelayedNATExchange]) -> Bool {
        guard let last = probes.last else { return false }
        return !evidence.controls(of: trial).contains { $0.sentAt >= last.sentAt }
    }

    /// A probe, and then what vouches for it: from the same relay to the mapping socket, and by the base.
    private mutating func round(
        _ trial: RelayedNATTrial, to mapped: Endpoint, _ open: Endpoint, _ probes: [RelayedNATExchange]
    ) {
        let through = { RelayedNATExchange.Way.relayed(trial.sender, to: $0) }
        let checks = evidence.baseChecks(of: trial)
        var next = Duration.zero
        if let last = probes.last {
            let isChecked = checks.contains { $0.sentAt >= last.sentAt }
            let isDue = probes.count % Self.roundsPerCheck == 1 && !isChecked
            if isDue { check(trial, to: mapped, at: last.sentAt) }
            guard !isRoundOpen(trial, probes) else { return add(.mapping, through(open), at: last.sentAt) }
            let trip = evidence.longestRoundTrip(.relay(trial.sender)) ?? .zero
            next = last.sentAt + SequentialTest.pace(roundTrip: trip)
        }
        add(trial.socket, through(mapped), at: next)
    }

    private mutating func check(_ trial: RelayedNATTrial, to mapped: Endpoint, at next: Duration) {
        switch trial.base {
        case .server(let server): add(trial.socket, .asked(server: server), at: next)
        case .relay(let relay):
            guard evidence.relays[relay].permitted.contains(mapped.address) else { return }
            add(trial.socket, .relayed(relay, to: mapped), at: next)
        }
    }

    // MARK: Another relay

    /// One relay is enough where a server answers at the relay's own address: they are two ports of one address. Else it
    /// takes a second one there. What is not needed is not asked for: a user may have a quota of one.
    private var wantedRelay: Endpoint? {
        for (place, relay) in evidence.relays.enumerated() where !relay.isLost {
            guard let relayed = relay.relayedAddress, evidence.relays.count(where: { $0.server == relay.server }) < 2
            else { continue }
            let isCompared = evidence.observers.contains { observer in
                guard observer != .relay(place), let other = evidence.endpoint(of: observer), other != relayed
                else { return false }
                return other.address == relayed.address && mayStillTell(observer)
            }
            if !isCompared { return relay.server }
        }
        return nil
    }

    private func mayStillTell(_ observer: NATObserver) -> Bool {
        guard evidence.objection(to: observer) == nil else { return false }
        if !evidence.sightings(of: .mapping, by: observer).isEmpty { return true }
        guard case .server(let server) = observer else { return true }
        return time < addedAt[server] + NATAgenda.blindEnd
    }

    /// Whether nothing is left that could come of itself.
    var isOver: Bool {
        entries.isEmpty && waits.isEmpty && permissions.isEmpty
            && !evidence.relays.contains {
                !$0.isLost && ($0.relayedAddress == nil || !$0.permitted.isSuperset(of: $0.asked))
            }
    }
}
