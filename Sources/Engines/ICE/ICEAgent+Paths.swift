import NetTypes
import STUN

/// A TCP connection between candidates (RFC 6544), framed as RFC 4571 says: two bytes of length before each message.
struct ICEConnection: Sendable {
    /// The place of the local candidate.
    var local: Int
    var remote: Endpoint
    var isOpen: Bool
    /// This side's endpoint, once it is open.
    var localEndpoint: Endpoint?
    var buffer: [UInt8] = []
    var unsent: [[UInt8]] = []

    /// Takes the next whole message out.
    mutating func next() -> [UInt8]? {
        guard buffer.count >= 2 else { return nil }
        let length = Int(buffer[0]) << 8 | Int(buffer[1])
        guard buffer.count >= 2 + length else { return nil }
        defer { buffer.removeFirst(2 + length) }
        return Array(buffer[2..<2 + length])
    }

    static func framed(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count)] + bytes
    }
}

/// What comes and goes, and by which way.
extension ICEAgent {
    /// Accepted connections that are kept at one time: more are closed at once.
    private static var mostConnections: Int { 64 }

    mutating func opened(_ path: PathID, _ local: Endpoint, at now: Instant) {
        switch owners[path] {
        case .base(let base) where !isClosed: baseOpened(base, path, local, at: now)
        case .listener(let base) where !isClosed: listenerOpened(base, local, at: now)
        case .connection: connected(path, local)
        case .lookup: lookupOpened(path)
        default: break
        }
    }

    mutating func arrived(_ datagram: Datagram, at now: Instant) {
        switch owners[datagram.path] {
        case .lookup where !isClosed: lookupArrived(datagram, at: now)
        case .base where !isClosed:
            if let first = datagram.bytes.first, first < 4, datagram.bytes.count >= Message.headerSize,
                let id = TransactionID(bytes: datagram.bytes[8..<20]), takeAnswer(datagram, id, at: now)
            {
                return
            }
            guard let sender = locals.firstIndex(where: { $0.sender == .socket(datagram.path) }) else { return }
            took(datagram.bytes, from: datagram.source.withoutZone, over: ICERoute(sender: sender), at: now)
        default: break
        }
    }

    /// Takes what a peer, or anyone, sent to a candidate of this side (RFC 7983 tells STUN from data).
    mutating func took(_ bytes: [UInt8], from source: Endpoint, over route: ICERoute, at now: Instant) {
        guard let first = bytes.first else { return }
        guard first < 4 else {
            if isValid(source, route) { observe(.received(bytes), at: now) }
            return
        }
        guard let message = try? Message(decoding: bytes), !message.isLegacy,
            message.verifyFingerprint() != .invalid, message.method == .binding
        else {
            return observe(.requestRefused(from: source, .malformed), at: now)
        }
        switch message.messageClass {
        case .request: requested(message, from: source, over: route, at: now)
        case .successResponse, .errorResponse: responded(message, from: source, over: route, at: now)
        case .indication: break
        }
    }

    /// Whether data from there may be the peer's: a check over this way has succeeded, or the peer's has.
    private func isValid(_ source: Endpoint, _ route: ICERoute) -> Bool {
        if let selection, selection.remote == source, selection.route == route { return true }
        return checkList.pairs.indices.contains { place in
            let ends = checkList.ends[place]
            return ends.sender == route.sender && remotes[ends.remote].endpoint == source
                && (checkList.pairs[place].isValid || checkList.isNominatedByPeer(ICEPair.ID(place)))
        }
    }

    mutating func transmit(_ bytes: [UInt8], to remote: Endpoint, over route: ICERoute) {
        switch locals[route.sender].sender {
        case .socket(let path):
            var destination = remote
            if remote.address.isLinkLocal { destination.address.zone = locals[route.sender].base.address.zone }
            outputs.append(.transmit(Transmit(path: path, destination: destination, bytes: bytes)))
        case .relay(let relay): relays[relay].client.send(bytes, to: remote)
        case .connections, .listener:
            guard let path = route.connection, bytes.count <= 0xFFFF else { return }
            if connections[path]?.isOpen == true {
                outputs.append(.write(path, ICEConnection.framed(bytes)))
            } else {
                connections[path]?.unsent.append(bytes)
            }
        case nil: break
        }
    }

    /// Corrects the time of a transmission to the kernel's.
    mutating func left(_ transmit: Transmit, at instant: Instant) {
        guard transmit.bytes.count >= Message.headerSize, let first = transmit.bytes.first, first < 4,
            let id = TransactionID(bytes: transmit.bytes[8..<20])
        else { return }
        if let check = checks.firstIndex(where: { $0.id == id }) {
            checks[check].client.lastTransmissionLeft(at: instant)
        }
        selection?.left(id, at: instant)
    }

    // MARK: Connections

    /// Opens the connection of a pair whose local side is active.
    mutating func connect(_ pair: ICEPair.ID) {
        let remote = destination(of: pair)
        let base = sender(of: pair).base
        let path = open(.connection(to: remote), .connection, local: Endpoint(base.address, 0))
        connections[path] = ICEConnection(local: route(of: pair).sender, remote: remote, isOpen: false)
        links[pair.number].connection = path
    }

    private mutating func connected(_ path: PathID, _ local: Endpoint) {
        guard let connection = connections[path] else { return }
        connections[path]?.isOpen = true
        connections[path]?.localEndpoint = local.withoutZone
        connections[path]?.unsent = []
        for bytes in connection.unsent { outputs.append(.write(path, ICEConnection.framed(bytes))) }
    }

    mutating func streamed(_ event: StreamEvent, at now: Instant) {
        if case .accepted(let listener, let local, let remote) = event.kind {
            guard case .listener(let base) = owners[listener], !isClosed, connections.count < Self.mostConnections,
                let place = locals.firstIndex(where: {
                    $0.sender == .listener && $0.base.address == base.address
                })
            else { return outputs.append(.close(event.path)) }
            owners[event.path] = .connection
            connections[event.path] = ICEConnection(
                local: place, remote: remote.withoutZone, isOpen: true, localEndpoint: local.withoutZone)
            return
        }
        switch owners[event.path] {
        case .connection:
            guard case .bytes(let bytes) = event.kind, !isClosed else {
                return connectionLost(event.path, .connectionReset, at: now)
            }
            connections[event.path]?.buffer += bytes
            while let connection = connections[event.path], let message = connections[event.path]?.next() {
                took(
                    message, from: connection.remote,
                    over: ICERoute(sender: connection.local, connection: event.path), at: now)
            }
        default: break
        }
    }

    private mutating func connectionLost(_ path: PathID, _ kind: PathError.Kind, at now: Instant) {
        guard connections.removeValue(forKey: path) != nil else { return }
        outputs.append(.close(path))
        for index in links.indices where links[index].connection == path {
            fail(ICEPair.ID(index), .path(kind, from: nil), at: now)
        }
        if selection?.route.connection == path { loseConsent(.path(kind), at: now) }
    }

    // MARK: Errors

    mutating func failed(_ error: PathError, at now: Instant) {
        switch owners[error.path] {
        case .connection: if error.isFatal { connectionLost(error.path, error.kind, at: now) }
        case .base(let base):
            guard error.isFatal else { return checkFailed(error, at: now) }
            owners[error.path] = nil
            let failure = ICEGatheringFailure(source: .base(base.address), reason: .path(error.kind))
            observe(.notGathered(failure), at: now)
        case .listener:
            // A machine that cannot listen has candidates all the same.
            if error.isFatal { owners[error.path] = nil }
        case .lookup: lookupFailed(error.path, at: now)
        case .relay, nil: break
        }
    }

    mutating func closePath(_ path: PathID) {
        if owners.removeValue(forKey: path) != nil { outputs.append(.close(path)) }
    }

    mutating func closePathsWhenDone() {
        guard isFinished, !hasClosedPaths else { return }
        hasClosedPaths = true
        for path in owners.keys.sorted(by: { $0.number < $1.number }) { outputs.append(.close(path)) }
    }
}
