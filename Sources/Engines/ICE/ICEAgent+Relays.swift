import NetTypes
import STUN

/// A client of a TURN server, as the source of a relayed candidate.
struct ICERelay: Sendable {
    var server: ICEConfiguration.TURNServer
    var client: RelayClient
    /// Why the last handshake with the server failed.
    var insecurity: SecureFailure?
    /// Whether it has given its candidate, or never will.
    var isGathered = false
    /// Why it gives none, until that is told.
    var failure: ICEGatheringFailure.Reason?
    /// The place of its candidate.
    var local: Int?
    var permitted: Set<IPAddress> = []
}

/// Relayed candidates (RFC 8445 s5.1.1.2): one allocation for each server, transport and family of relayed address.
extension ICEAgent {
    mutating func openRelays(at now: Instant) {
        guard offers(.relayed) else { return }
        for server in configuration.turnServers {
            for family in server.relayFamilies {
                var turn = TURNConfiguration(
                    credential: server.credential, isReliable: server.transport.isStream,
                    schedule: server.transport.isStream ? .standard : .persistent)
                turn.families = family == .ipv4 ? .unspecified : .only(family)
                var request = RelayClient.Request(
                    server.endpoint, over: server.transport, from: .unspecified(server.endpoint.family), turn)
                request.security = server.security
                request.followsRedirects = configuration.followsRedirects
                request.followsPrivate = configuration.followsPrivate
                let client = RelayClient(request, at: now, paths: &pathNumbers, visited: &visitedRelays)
                relays.append(ICERelay(server: server, client: client))
                openAndClosePaths(of: relays.count - 1)
            }
        }
    }

    private mutating func openAndClosePaths(of relay: Int) {
        while let output = relays[relay].client.pollPath() {
            switch output {
            case .open(let path, _): owners[path] = .relay(relay)
            case .close(let path): owners[path] = nil
            case .transmit, .write, .query: break
            }
            outputs.append(output)
        }
    }

    /// Hands what concerns a relay's path to its client; false where the input is for another.
    mutating func relayTook(_ input: Input, at now: Instant) -> Bool {
        guard let path = input.path, case .relay(let relay) = owners[path] else { return false }
        handle(input, relay, at: now)
        return true
    }

    mutating func advanceRelays(to now: Instant) {
        for relay in relays.indices where !relays[relay].client.isFinished { handle(.timeout, relay, at: now) }
    }

    private mutating func handle(_ input: Input, _ relay: Int, at now: Instant) {
        relays[relay].client.handle(input, at: now, paths: &pathNumbers, visited: &visitedRelays)
        settleRelay(relay, at: now)
    }

    private mutating func settleRelay(_ relay: Int, at now: Instant) {
        openAndClosePaths(of: relay)
        while let event = relays[relay].client.pollEvent() {
            switch event {
            case .turn(.allocated(let allocated)): addRelayed(relay, allocated, at: now)
            case .turn(.received(let data)):
                guard let local = relays[relay].local, !isClosed else { continue }
                took(data.bytes, from: data.peer, over: ICERoute(sender: local), at: now)
            case .handshake(let handshake): relays[relay].insecurity = handshake.failures.first
            case .failed(let failure): failed(relay, failure, at: now)
            case .turn, .began, .connected, .namelessHandshake, .optionsAnswered: break
            }
        }
        openAndClosePaths(of: relay)
    }

    private mutating func failed(_ relay: Int, _ failure: RelayFailure, at now: Instant) {
        switch failure.cause {
        case .request(.permission(let addresses), let failure):
            for address in addresses { permissionFailed(relay, address, failure, at: now) }
        case .request(.channel, _), .request(.refresh, _), .request(.delete, _): break
        case .request(_, let request): lose(relay, reason(failure, of: relay), request, at: now)
        default: lose(relay, reason(failure, of: relay), nil, at: now)
        }
    }

    private func reason(_ failure: RelayFailure, of relay: Int) -> ICEGatheringFailure.Reason {
        switch failure.cause {
        case .request(_, let failure): .allocation(failure)
        case .redirectRefused(let redirect, _): .allocation(.redirected(redirect))
        case .path(let error): .path(error.kind)
        case .notSecured: relays[relay].insecurity.map { .security($0) } ?? .closed
        case .closed, .expired: .closed
        case .noAnswer(let transmissions?): .noAnswer(transmissions: transmissions)
        case .noAnswer(nil) where failure.stage == .connect: .path(.connectionTimedOut)
        case .noAnswer(nil): .unusableAnswer("the handshake did not come to an end")
        case .foreignProtocol(let name): .unusableAnswer("this is \(name ?? "not TURN")")
        case .notAuthenticated: .unusableAnswer("it is not signed")
        case .foreignAnswer: .unusableAnswer("it answers what was never asked")
        case .truncated: .unusableAnswer("it stops within a message")
        case .malformed: .unusableAnswer("it cannot be decoded")
        }
    }

    /// There is no candidate of a relay, or it is gone.
    private mutating func lose(
        _ relay: Int, _ reason: ICEGatheringFailure.Reason, _ failure: TURNFailure?, at now: Instant
    ) {
        if !relays[relay].isGathered {
            relays[relay].isGathered = true
            relays[relay].failure = reason
            tellFailures(of: relays[relay].server, at: now)
        }
        guard let local = relays[relay].local else { return }
        for pair in checkList.pairs(where: { $1.sender == local }) { fail(pair, .relay(failure), at: now) }
        if selection?.route.sender == local { loseConsent(.path(.connectionReset), at: now) }
    }

    /// Tells why a server gives no candidate, once none of its allocations is waited for. One that gives a relay of one
    /// family is not blamed for the other.
    ///
    /// - Parameter isOver: whether none is waited for any longer.
    private mutating func tellFailures(of server: ICEConfiguration.TURNServer, isOver: Bool = false, at now: Instant) {
        let alike = relays.indices.filter {
            relays[$0].server.endpoint == server.endpoint && relays[$0].server.transport == server.transport
        }
        guard isOver || alike.allSatisfy({ relays[$0].isGathered }) else { return }
        var told: [ICEGatheringFailure.Reason] = []
        for relay in alike {
            guard let reason = relays[relay].failure else { continue }
            relays[relay].failure = nil
            guard alike.allSatisfy({ relays[$0].local == nil }), !told.contains(reason) else { continue }
            told.append(reason)
            let source = ICEGatheringFailure.Source.turnServer(server.endpoint, server.transport)
            observe(.notGathered(ICEGatheringFailure(source: source, reason: reason)), at: now)
        }
    }

    /// Ends the wait for all that gave no candidate yet.
    mutating func endGatheringRelays(at now: Instant) {
        for relay in relays.indices where !relays[relay].isGathered {
            guard let failure = relays[relay].client.unfinished(at: now) else { continue }
            relays[relay].failure = self.reason(failure, of: relay)
        }
        for relay in relays { tellFailures(of: relay.server, isOver: true, at: now) }
    }

    private mutating func addRelayed(_ relay: Int, _ allocated: TURNAllocated, at now: Instant) {
        relays[relay].isGathered = true
        guard let relayed = allocated.relayedAddresses.first, !isClosed else { return }
        let transport = relays[relay].server.transport
        let mapped = allocated.mappedAddress
        // One rank for each relay: those that were named first are preferred.
        let preference = UInt16(65535 - min(relay, 1000))
        let candidate = Candidate(
            .relayed,
            foundation: foundations.foundation(
                .relayed, base: relayed.address, server: relays[relay].client.server.address,
                transport: transport.isStream ? .tcp : .udp),
            priority: CandidatePriority.priority(.relayed, .udp, localPreference: preference),
            endpoint: relayed, related: mapped)
        relays[relay].local = locals.count
        add(
            ICELocal(
                candidate: candidate, base: relayed, sender: .relay(relay), localPreference: preference,
                isTold: true), at: now)
    }

    /// Asks for what a pair's peer needs to get through.
    mutating func permit(_ relay: Int, _ peer: IPAddress) {
        guard relays[relay].permitted.insert(peer).inserted else { return }
        relays[relay].client.createPermission(for: [peer])
    }

    private mutating func permissionFailed(
        _ relay: Int, _ address: IPAddress, _ failure: TURNFailure, at now: Instant
    ) {
        guard let local = relays[relay].local else { return }
        let pairs = checkList.pairs { $1.sender == local && remotes[$1.remote].endpoint.address == address }
        for pair in pairs { fail(pair, .relay(failure), at: now) }
    }

    mutating func nextRelayOutput(at now: Instant) -> Output? {
        for relay in relays.indices {
            if let output = relays[relay].client.pollOutput(at: now, pacer: &pacer, using: &random) { return output }
        }
        return nil
    }

    /// How long the deletion of the allocations takes, of which one datagram may be lost; zero where a server is too slow
    /// to be waited for.
    package var deletionTime: Duration {
        relays.compactMap { $0.client.mayHoldAllocation ? $0.client.roundTrip.map { $0 * 2 + .milliseconds(20) } : nil }
            .filter { $0 <= .milliseconds(1400) }.max() ?? .zero
    }

    mutating func release(_ relay: Int, at now: Instant) {
        relays[relay].client.delete(at: now)
        settleRelay(relay, at: now)
    }

    /// Ends the deletion of allocations that the time did not suffice for.
    mutating func giveUpRelays(at now: Instant) {
        for relay in relays.indices {
            relays[relay].client.giveUp(at: now)
            settleRelay(relay, at: now)
        }
    }
}
