import NetTypes
import STUN

/// An allocation at a TURN server, as the source of a relayed candidate.
struct ICERelay: Sendable {
    var server: ICEConfiguration.TURNServer
    var path: PathID
    var allocation: TURNAllocation
    var framer = StreamFramer()
    /// Whether requests can be sent.
    var isOpen = false
    /// Whether it has given its candidate, or never will.
    var isGathered = false
    /// The place of its candidate.
    var local: Int?
    var permitted: Set<IPAddress> = []
}

/// Relayed candidates (RFC 8445 s5.1.1.2): one allocation for each server, transport and family of relayed address.
extension ICEAgent {
    mutating func openRelays() {
        guard offers(.relayed) else { return }
        for server in configuration.turnServers {
            for family in server.relayFamilies {
                var turn = TURNConfiguration(
                    credential: server.credential, isReliable: server.transport.isStream, schedule: .persistent)
                turn.server = server.endpoint.address
                turn.families = family == .ipv4 ? .unspecified : .only(family)
                var security = server.security
                security?.peer = server.transport == .dtls ? server.endpoint : nil
                let path = open(
                    server.transport.isStream ? .connection(to: server.endpoint) : .datagram, .relay(relays.count),
                    local: Endpoint(.unspecified(server.endpoint.family), 0), security: security.map { .client($0) })
                relays.append(ICERelay(server: server, path: path, allocation: TURNAllocation(turn)))
            }
        }
    }

    mutating func relayOpened(_ relay: Int) { relays[relay].isOpen = true }

    mutating func relayArrived(_ relay: Int, _ datagram: Datagram, at now: Instant) {
        guard datagram.source == relays[relay].server.endpoint else { return }
        relays[relay].allocation.handle(datagram: datagram.bytes, at: now)
        takeRelayEvents(relay, at: now)
    }

    mutating func relayStreamed(_ relay: Int, _ event: StreamEvent, at now: Instant) {
        guard case .bytes(let bytes) = event.kind else { return lose(relay, .closed, at: now) }
        relays[relay].framer.append(bytes)
        do {
            while let frame = try relays[relay].framer.next() {
                relays[relay].allocation.handle(frame, at: now)
                takeRelayEvents(relay, at: now)
            }
        } catch {
            lose(relay, .unusableAnswer(error.description), at: now)
        }
    }

    /// The path to the server is gone, and the relay with it.
    mutating func lose(_ relay: Int, _ reason: ICEGatheringFailure.Reason, at now: Instant) {
        guard !relays[relay].allocation.isFinished else { return }
        relays[relay].allocation.abandon()
        fail(relay, reason, nil, at: now)
    }

    private mutating func fail(
        _ relay: Int, _ reason: ICEGatheringFailure.Reason, _ failure: TURNFailure?, at now: Instant
    ) {
        if !relays[relay].isGathered {
            relays[relay].isGathered = true
            let server = relays[relay].server
            observe(.notGathered(ICEGatheringFailure(.turnServer(server.endpoint, server.transport), reason)), at: now)
        }
        guard let local = relays[relay].local else { return }
        for index in links.indices where links[index].sender == local {
            fail(ICEPair.ID(index), .relay(failure), at: now)
        }
        if selection?.route.sender == local { loseConsent(.path(.connectionReset), at: now) }
    }

    mutating func advanceRelays(to now: Instant) {
        for relay in relays.indices where relays[relay].isOpen {
            relays[relay].allocation.handleTimeout(at: now)
            takeRelayEvents(relay, at: now)
        }
    }

    private mutating func takeRelayEvents(_ relay: Int, at now: Instant) {
        while let event = relays[relay].allocation.pollEvent() {
            switch event {
            case .allocated(let allocated): addRelayed(relay, allocated, at: now)
            case .received(let data):
                guard let local = relays[relay].local, !isClosed else { continue }
                took(data.bytes, from: data.peer, over: ICERoute(sender: local), at: now)
            case .failed(.allocate, let failure): fail(relay, .allocation(failure), failure, at: now)
            case .failed(.permission(let addresses), let failure):
                for address in addresses { permissionFailed(relay, address, failure, at: now) }
            case .failed(.channel, _), .failed(.refresh, _): break
            case .expired: fail(relay, .closed, nil, at: now)
            default: break
            }
        }
    }

    private mutating func addRelayed(_ relay: Int, _ allocated: TURNAllocated, at now: Instant) {
        relays[relay].isGathered = true
        guard let relayed = allocated.relayedAddresses.first, !isClosed else { return }
        let server = relays[relay].server
        let mapped = allocated.mappedAddress
        // One rank for each relay: those that were named first are preferred.
        let preference = UInt16(65535 - min(relay, 1000))
        let candidate = Candidate(
            .relayed,
            foundation: foundations.foundation(
                .relayed, base: relayed.address, server: server.endpoint.address,
                transport: server.transport.isStream ? .tcp : .udp),
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
        relays[relay].allocation.createPermission(for: [peer])
    }

    private mutating func permissionFailed(
        _ relay: Int, _ address: IPAddress, _ failure: TURNFailure, at now: Instant
    ) {
        guard let local = relays[relay].local else { return }
        for index in links.indices
        where links[index].sender == local && remotes[links[index].remote].endpoint.address == address {
            fail(ICEPair.ID(index), .relay(failure), at: now)
        }
    }

    mutating func nextRelayOutput(at now: Instant) -> Output? {
        for relay in relays.indices where relays[relay].isOpen {
            let path = relays[relay].path
            let server = relays[relay].server.endpoint
            if relays[relay].server.transport.isStream {
                if let bytes = relays[relay].allocation.pollOutput(at: now, using: &random) {
                    return .write(path, bytes)
                }
            } else if let bytes = relays[relay].allocation.pollOutput(at: now, using: &random) {
                return .transmit(Transmit(path: path, destination: server, bytes: bytes))
            }
        }
        return nil
    }

    mutating func release(_ relay: Int, at now: Instant) {
        if relays[relay].isOpen {
            relays[relay].allocation.delete(at: now)
        } else {
            relays[relay].allocation.abandon()
        }
    }
}
