package import NetTypes

/// Finds out through TURN relays how the NAT between one local address and the servers behaves, where no server speaks
/// RFC 5780 or beside one that does.
///
/// It says what to send next: from which socket to whom, or through which relay to which mapped address. Its owner
/// sends it, each as one datagram with a ``RelayedNATPayload`` or a Binding request of its own, keeps the relays, and
/// hands back what comes.
///
/// Mapping: a socket of its own sends to every server and relayed address, each of which says where it sees it. Two
/// ports of one address and two addresses tell it, whoever they belong to: so one relay suffices beside the port that
/// its server answers Binding requests at, and a STUN server elsewhere serves for the second address.
///
/// Filtering: another socket has sent to one of them alone, and a relay sends to the mapped address that this one saw,
/// from another port of the same address or from another address. What gets in proves it. Silence is believed once what
/// the same relay sends at the same time to the mapping socket, where it must get in, shows what the path loses
/// (``SequentialTest``). Nothing has to be sent to the relay in between, as with RFC 5780.
package struct RelayedNATDiscovery: Sendable {
    /// Something to send.
    package struct Step: Hashable, Sendable {
        package var socket: RelayedNATSocket
        package var way: RelayedNATExchange.Way
    }

    package private(set) var evidence: RelayedNATEvidence
    package let payload: RelayedNATPayload
    private let startedAt: Instant
    private var addedAt: [Duration] = []
    /// What is left to do, as of the last input.
    private var agenda: RelayedNATAgenda

    /// The most relays of a discovery: two each of two servers.
    package static let mostRelays = 4
    /// The most addresses of this machine's outside that a relay is asked to admit.
    package static let mostPermissions = 8

    /// The most datagrams to one server's address, whatever is lost: those that ask directly, from the mapping socket and
    /// two others, its own port and two relayed ones; a trial of another port and one of another address; and what two
    /// allocations take.
    package static let mostRequests = 7 * NATAgenda.mostDirectRequests + 5 * NATAgenda.mostRounds + 60

    /// - Parameter nonce: what nobody can guess who does not see the datagrams.
    package init(source: IPAddress, nonce: UInt64, at start: Instant) {
        evidence = RelayedNATEvidence(source: source)
        payload = RelayedNATPayload(nonce: nonce)
        agenda = RelayedNATAgenda(evidence, addedAt: [], at: .zero)
        startedAt = start
    }

    // MARK: Who takes part

    /// Adds a server to be asked for a Binding; one that is there already is not asked twice.
    package mutating func add(server: Endpoint, at now: Instant) {
        guard !evidence.servers.contains(server) else { return }
        evidence.servers.append(server)
        addedAt.append(now - startedAt)
        refresh(at: now)
    }

    /// Adds a relay that is on its way; gives its place.
    package mutating func addRelay(of server: Endpoint, at now: Instant) -> Int {
        evidence.relays.append(RelayedNATEvidence.Relay(server: server))
        refresh(at: now)
        return evidence.relays.count - 1
    }

    /// The relay is there.
    ///
    /// - Parameters:
    ///   - server: that gave it, which a redirect may have led to.
    ///   - outside: this machine's, as the server says; over TCP it may be another than UDP's.
    package mutating func allocated(
        _ relay: Int, at address: Endpoint, of server: Endpoint, outside: IPAddress?, roundTrip: Duration,
        at now: Instant
    ) {
        evidence.relays[relay].server = server
        evidence.relays[relay].relayedAddress = address
        evidence.relays[relay].outside = outside
        evidence.relays[relay].roundTrip = roundTrip
        refresh(at: now)
    }

    package mutating func permitted(_ relay: Int, _ addresses: [IPAddress], at now: Instant) {
        evidence.relays[relay].permitted.formUnion(addresses)
        refresh(at: now)
    }

    /// There is no relay, or no more.
    package mutating func lost(_ relay: Int, at now: Instant) {
        evidence.relays[relay].isLost = true
        refresh(at: now)
    }

    package mutating func opened(_ socket: RelayedNATSocket, _ local: Endpoint, at now: Instant) {
        evidence.localEndpoints[socket] = local
        refresh(at: now)
    }

    // MARK: What its owner does

    /// The sockets that the questions so far need, in the order in which they came to be needed.
    package var sockets: [RelayedNATSocket] { evidence.relays.isEmpty ? [] : agenda.sockets }

    /// Whom a relay is to admit; given once.
    package mutating func nextPermission(at now: Instant) -> (relay: Int, address: IPAddress)? {
        guard let next = agenda.permissions.first else { return nil }
        evidence.relays[next.relay].asked.insert(next.address)
        refresh(at: now)
        return next
    }

    /// The server of which another relay would tell more; nil where none would, or there are enough.
    package var wantedRelay: Endpoint? { evidence.relays.count < Self.mostRelays ? agenda.secondRelay : nil }

    /// What is next to be sent and when it is due; nil where nothing is left.
    package var nextStep: (at: Instant, step: Step)? {
        agenda.entries.min { $0.at < $1.at }.map { (startedAt + $0.at, $0.step) }
    }

    /// Books a step that is being taken; gives the place of the exchange in ``RelayedNATEvidence/exchanges``.
    package mutating func sent(_ step: Step, at now: Instant) -> Int {
        evidence.exchanges.append(
            RelayedNATExchange(socket: step.socket, way: step.way, sentAt: now - startedAt))
        refresh(at: now)
        return evidence.exchanges.count - 1
    }

    // MARK: What comes back

    /// A server has answered.
    package mutating func answered(_ exchange: Int, _ answer: NATExchange.Answer, at now: Instant) {
        guard case .asked(let server) = evidence.exchanges[exchange].way,
            evidence.exchanges[exchange].outcome == nil
        else { return }
        if answer.source != evidence.servers[server] {
            evidence.exchanges[exchange].objection =
                "its answer came from \(answer.source), not from where it was asked"
        } else if answer.isLegacy {
            evidence.exchanges[exchange].objection =
                "it sends MAPPED-ADDRESS only (RFC 3489), which a NAT may rewrite"
        } else {
            evidence.exchanges[exchange].outcome = .init(after: answer.after, endpoint: answer.mappedAddress)
        }
        evidence.settle(exchange)
        refresh(at: now)
    }

    /// A server has answered with an error.
    package mutating func refused(_ exchange: Int, errorCode: Int, at now: Instant) {
        evidence.exchanges[exchange].objection = "it answers with error \(errorCode)"
        evidence.settle(exchange)
        refresh(at: now)
    }

    /// Data of a peer came through a relay.
    package mutating func received(
        _ bytes: [UInt8], from peer: Endpoint, through relay: Int, arrivedAt: Instant, at now: Instant
    ) {
        guard let exchange = exchange(of: bytes), evidence.exchanges[exchange].way == .contacted(relay: relay)
        else { return }
        settle(exchange, peer, arrivedAt: arrivedAt, at: now)
    }

    /// A datagram came to a socket.
    package mutating func arrived(
        _ bytes: [UInt8], at socket: RelayedNATSocket, from source: Endpoint, arrivedAt: Instant, at now: Instant
    ) {
        guard let exchange = exchange(of: bytes), evidence.exchanges[exchange].way.sender != nil,
            evidence.exchanges[exchange].socket == socket
        else { return }
        settle(exchange, Endpoint(source.address.withoutZone, source.port), arrivedAt: arrivedAt, at: now)
    }

    private func exchange(of bytes: [UInt8]) -> Int? {
        payload.number(in: bytes).flatMap { evidence.exchanges.indices.contains($0) ? $0 : nil }
    }

    /// What comes twice changes nothing.
    private mutating func settle(_ exchange: Int, _ endpoint: Endpoint, arrivedAt: Instant, at now: Instant) {
        guard evidence.exchanges[exchange].outcome == nil else { return }
        let sentAt = startedAt + evidence.exchanges[exchange].sentAt
        evidence.exchanges[exchange].outcome = .init(after: max(.zero, arrivedAt - sentAt), endpoint: endpoint)
        evidence.settle(exchange)
        refresh(at: now)
    }

    // MARK: Time

    package mutating func handleTimeout(at now: Instant) {
        guard let end = nextWait, end <= now else { return }
        refresh(at: now)
    }

    /// When a wait is over, which may settle something.
    package var nextWait: Instant? { agenda.waits.min().map { startedAt + $0 } }
    package var isOver: Bool { agenda.isOver && wantedRelay == nil }

    /// Ends it: what was seen is judged as it is.
    package mutating func end(at now: Instant) {
        guard !isOver else { return }
        evidence.endedAt = now - startedAt
        evidence.isCutShort = true
    }

    private mutating func refresh(at now: Instant) {
        agenda = RelayedNATAgenda(evidence, addedAt: addedAt, at: now - startedAt)
        evidence.endedAt = now - startedAt
    }
}
