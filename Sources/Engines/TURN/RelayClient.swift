package import NetTypes
import STUN

/// One allocation with its path to a server (RFC 8656): opens the path, secures it, frames what goes over a stream,
/// and starts again where the server sends it elsewhere (300) or another port may help.
///
/// It asks its owner for paths with ``pollPath()`` and sends with ``pollOutput(at:pacer:using:)``. The owner hands in
/// all that concerns these paths, and drains both and ``pollEvent()`` after each input and command. What the clients of
/// one run share, it passes in: the numbers of paths, the servers that were asked, and the pace of each destination.
package struct RelayClient: Sendable {
    /// What is asked for, and how.
    package struct Request: Sendable {
        package var server: Endpoint
        package var transport: Transport
        /// Where its paths are bound.
        package var source: IPAddress
        package var interface: String?
        /// What the allocation is to be; its server is that of each attempt.
        package var allocation: TURNConfiguration
        /// What is asked of it beyond the usual, and given up where the server refuses it.
        package var options: Set<AllocationOption> = []
        /// TLS and DTLS: how the server is to name itself; its address is that of each attempt.
        package var security: SecureClientConfiguration?
        package var followsRedirects = true
        /// Whether a public server may send to an address that is not.
        package var followsPrivate = false
        /// How long an ICMP error waits for an answer that outweighs it.
        package var suspicionTime = RetransmissionSchedule.standard.initialTimeout
        /// Whether a certificate for other names is compared with the one that the server shows without SNI.
        package var comparesNames = false

        package init(
            _ server: Endpoint, over transport: Transport, from source: IPAddress, _ allocation: TURNConfiguration
        ) {
            self.server = server
            self.transport = transport
            self.source = source
            self.allocation = allocation
        }

        /// The family of relayed address that is asked for.
        var relayFamily: IPAddress.Family {
            if case .only(let family) = allocation.families { family } else { .ipv4 }
        }
    }

    package let request: Request
    var attempt: RelayAttempt
    var redirects: RedirectPolicy
    /// ALTERNATE-DOMAIN of the last redirect: whom the other server's certificate must name.
    package internal(set) var alternateDomain: String?
    var hasChangedPort = false
    /// Those that the server has not refused.
    package internal(set) var options: Set<AllocationOption>
    /// Where to try again once this attempt is done with.
    var next: (server: Endpoint, isRedirected: Bool)?
    /// Whether nothing is begun any more.
    var isEnding = false
    var pathOutputs = Queue<Output>()
    var events = Queue<RelayClientEvent>()

    package init(
        _ request: Request, at now: Instant, paths: inout PathNumbers, visited: inout VisitedRelays
    ) {
        self.request = request
        redirects = RedirectPolicy(
            from: request.server, isEnabled: request.followsRedirects, followsPrivate: request.followsPrivate)
        options = request.options
        attempt = Self.attempt(request, options, at: request.server, name: nil, paths.next(), at: now)
        visited.insert(request.server, over: request.transport, relaying: request.relayFamily)
        open(attempt.path, attempt.security)
    }

    // MARK: What is known

    /// The server of the present attempt.
    package var server: Endpoint { attempt.server }
    /// How another connection to the server is secured.
    package var security: SecureClientConfiguration? { attempt.security }
    /// Whether a path is its own.
    package func uses(_ path: PathID) -> Bool { attempt.paths.keys.contains(path) }
    /// When the last that came had arrived.
    package var arrivedAt: Instant? { attempt.arrivedAt }
    package var discards: [TURNDiscard: Int] { attempt.allocation.discards }
    /// Of its answered requests, the shortest that is sure.
    package var roundTrip: Duration? { attempt.allocation.shortestRoundTrip }
    /// Whether the server may hold an allocation.
    package var mayHoldAllocation: Bool { !attempt.allocation.isFinished && attempt.allocation.mayExist }
    package var isFinished: Bool { attempt.allocation.isFinished && next == nil }
    /// What it waited for in vain by `now`; nil where it had not waited long, or had no question open.
    package func unfinished(at now: Instant) -> RelayFailure? { attempt.unfinished(at: now) }

    /// What it waits for, in vain.
    package var silence: RelayFailure {
        RelayFailure(stage: attempt.stage, cause: .noAnswer(transmissions: attempt.allocation.transmissions))
    }

    // MARK: Commands

    package mutating func createPermission(for addresses: [IPAddress]) {
        attempt.allocation.createPermission(for: addresses)
    }

    @discardableResult
    package mutating func bindChannel(to peer: Endpoint) -> UInt16? { attempt.allocation.bindChannel(to: peer) }

    package mutating func send(_ bytes: [UInt8], to peer: Endpoint, usesChannel: Bool = true) {
        attempt.allocation.send(bytes, to: peer, usesChannel: usesChannel)
    }

    package mutating func connect(to peer: Endpoint) { attempt.allocation.connect(to: peer) }
    package mutating func refresh() { attempt.allocation.refresh() }

    package func dataConnection(for connectionID: UInt32) -> TURNDataConnection {
        attempt.allocation.dataConnection(for: connectionID)
    }

    /// The host of a server that has not answered yet over UDP answers otherwise within `roundTrip`: its silence is soon
    /// more than loss.
    package mutating func hurry(roundTrip: Duration) {
        guard request.transport == .udp, !attempt.isChallenged, !attempt.isAllocated else { return }
        attempt.allocation.follow(.hurried(roundTrip: roundTrip))
    }

    /// Asks the same server once more, after it has refused: its quota may have room now.
    package mutating func again(at now: Instant, paths: inout PathNumbers) {
        guard isFinished, !isEnding else { return }
        begin(at: attempt.server, isRedirected: false, at: now, paths: &paths)
    }

    /// Ends it, with a deletion where the server may hold an allocation.
    package mutating func delete(at now: Instant) {
        isEnding = true
        attempt.allocation.delete(at: now)
        if attempt.state != .open { attempt.allocation.abandon() }
        takeEvents()
    }

    /// Ends what the time for the deletion did not suffice to end.
    package mutating func giveUp(at now: Instant) {
        isEnding = true
        attempt.allocation.giveUp(at: now)
        takeEvents()
    }

    // MARK: Polling

    /// The next path to open or to close.
    package mutating func pollPath() -> Output? { pathOutputs.popFirst() }

    package mutating func pollEvent() -> RelayClientEvent? { events.popFirst() }

    package mutating func pollOutput(
        at now: Instant, pacer: inout DestinationPacer, using random: inout some RandomNumberGenerator
    ) -> Output? {
        guard attempt.state == .open else { return nil }
        let path = attempt.path
        if request.transport.isStream {
            return attempt.allocation.pollOutput(at: now, using: &random).map { .write(path, $0) }
        }
        // Data goes at once: its owner paces it, or it answers what has come.
        if let data = attempt.allocation.pollData(using: &random) {
            return .transmit(Transmit(path: path, destination: server, bytes: data))
        }
        guard pacer.earliest(to: server.address, from: now) <= now,
            let bytes = attempt.allocation.pollOutput(at: now, using: &random)
        else { return nil }
        pacer.book(to: server.address, at: now)
        return .transmit(Transmit(path: path, destination: server, bytes: bytes))
    }

    package func nextWake(_ pacer: DestinationPacer) -> Instant? {
        guard !isFinished else { return nil }
        var allocation = attempt.allocation.nextWake
        if !request.transport.isStream, attempt.state == .open {
            // What the pacer held back is not on the allocation's own clock.
            if attempt.allocation.isOutputWaiting { allocation = attempt.startedAt }
            allocation = allocation.map { pacer.earliest(to: server.address, from: $0) }
        }
        return [allocation, attempt.suspicion?.giveUpAt, attempt.race.nextAt].compactMap(\.self).min()
    }

    // MARK: Attempts

    private static func attempt(
        _ request: Request, _ options: Set<AllocationOption>, at server: Endpoint, name: String?, _ path: PathID,
        at now: Instant
    ) -> RelayAttempt {
        var security = request.security
        security?.peer = server
        if let name {
            security?.identity = .name(name)
            security?.serverName = name
        }
        var configuration = request.allocation
        configuration.server = server.address
        configuration.ask(for: options)
        return RelayAttempt(
            server: server, security: security, startedAt: now, allocation: TURNAllocation(configuration),
            path: path, paths: [:])
    }

    mutating func begin(at server: Endpoint, isRedirected: Bool, at now: Instant, paths: inout PathNumbers) {
        closePaths()
        attempt = Self.attempt(request, options, at: server, name: alternateDomain, paths.next(), at: now)
        open(attempt.path, attempt.security)
        events.append(.began(at: server, isRedirected: isRedirected))
    }

    mutating func open(_ path: PathID, _ security: SecureClientConfiguration?) {
        attempt.paths.updateValue(nil, forKey: path)
        pathOutputs.append(
            .open(
                path,
                PathSpecification(
                    request.transport.isStream ? .connection(to: server) : .datagram, family: request.source.family,
                    local: Endpoint(request.source, 0), interface: request.interface,
                    security: security.map { .client($0) })))
    }

    mutating func close(_ path: PathID) {
        if attempt.paths.removeValue(forKey: path) != nil { pathOutputs.append(.close(path)) }
    }

    mutating func closePaths() {
        for path in attempt.paths.keys.sorted(by: { $0.number < $1.number }) { close(path) }
    }
}
