import NetTypes
import STUN

/// Making an allocation (RFC 8656 s7.2): its sockets are opened one after the other, and then it is answered.
extension TURNService {
    /// How many ports that others have are tried for one socket.
    private static let mostFailures = 8

    mutating func allocate(
        _ message: Message, _ signer: RequestAuthenticator.Signer, for client: TURNClient, at now: Instant
    ) throws(TURNRefusal) -> Reply {
        if let present = allocations[client] {
            // The first of them is about to be answered.
            if present.opening?.message.transactionID == message.transactionID { return .later }
            throw TURNRefusal(437)
        }
        var request = try AllocateRequest(message, signer)
        let isServed = request.families.map { configuration.relay($0.family) != nil }
        guard isServed[0] || request.token != nil else { throw TURNRefusal(440) }
        guard allocations.values.filter({ $0.username == signer.username }).count < configuration.quota else {
            throw TURNRefusal(486)
        }
        let adopted = try request.token.map { (token) throws(TURNRefusal) in try adopt(token, signer.username) }
        let places = request.reservesNext ? 2 : 1
        guard allocations.count + reservations.count + places <= configuration.maximumAllocations else {
            throw TURNRefusal(508)
        }
        let granted = lifetime(request.requestedLifetime)
        var allocation = ServedAllocation(
            client, username: signer.username, expiresAt: now + .seconds(Int64(granted)))
        if let adopted {
            allocation.relayed = [adopted]
            owners[adopted.path] = .allocation(client)
        } else {
            for (wanted, isServed) in zip(request.families, isServed) {
                let code = isServed ? open(wanted, for: client, &request) ? nil : 508 : 440
                guard let code else { continue }
                if wanted.isEssential { throw TURNRefusal(code) }
                request.addressErrors.append(AddressErrorCode(family: wanted.family, error: ErrorCode(code)))
            }
        }
        allocation.opening = request
        allocations[client] = allocation
        wake(at: allocation.expiresAt)
        finishIfOpen(client, at: now)
        return .later
    }

    private mutating func adopt(
        _ token: [UInt8], _ username: String
    ) throws(TURNRefusal) -> ServedAllocation.Relayed {
        guard let reservation = reservations[token], reservation.username == username else { throw TURNRefusal(508) }
        reservations[token] = nil
        return reservation.relayed
    }

    // MARK: Sockets

    /// Asks for a socket; false where no port is left.
    private mutating func open(
        _ wanted: AllocateRequest.Wanted, for client: TURNClient, _ request: inout AllocateRequest
    ) -> Bool {
        guard let port = choosePort(wanted.family, for: request) else { return false }
        var wanted = wanted
        wanted.port = port
        guard let path = open(wanted.family, port, .allocation(client)) else { return false }
        request.wanted[path] = wanted
        if request.reservesNext, let next = open(wanted.family, port + 1, .allocation(client)),
            let relay = configuration.relay(wanted.family)
        {
            request.next = (next, Endpoint(relay.advertised, port + 1), isOpen: false)
        }
        return true
    }

    private mutating func open(_ family: IPAddress.Family, _ port: UInt16, _ owner: Owner) -> PathID? {
        guard let relay = configuration.relay(family) else { return nil }
        let path = makePath()
        owners[path] = owner
        ports[family, default: []].insert(port)
        let specification = PathSpecification(.datagram, family: family, local: Endpoint(relay.bound, port))
        outputs.append(.open(path, specification))
        return path
    }

    /// A free port from a place in the range that nobody can foresee (RFC 8656 s7.2, s21.1.5).
    private mutating func choosePort(_ family: IPAddress.Family, for request: AllocateRequest) -> UInt16? {
        let range = configuration.ports
        let used = request.failedPorts.union(ports[family] ?? [])
        let start = Int(random.next(upperBound: UInt(range.count)))
        for step in 0..<range.count {
            let port = range.lowerBound + UInt16((start + step) % range.count)
            guard !used.contains(port), !request.needsEvenPort || port % 2 == 0 else { continue }
            if !request.reservesNext || port < range.upperBound && !used.contains(port + 1) { return port }
        }
        return nil
    }

    /// A relay socket is open.
    mutating func opened(_ path: PathID, local: Endpoint, at now: Instant) {
        guard case .allocation(let client) = owners[path], var allocation = allocations[client],
            var request = allocation.opening
        else { return outputs.append(.close(path)) }
        if let wanted = request.wanted.removeValue(forKey: path), let relay = configuration.relay(wanted.family) {
            allocation.relayed.append(.init(path: path, address: Endpoint(relay.advertised, local.port)))
        } else if request.next?.path == path {
            request.next?.isOpen = true
        }
        allocation.opening = request
        allocations[client] = allocation
        finishIfOpen(client, at: now)
    }

    /// A relay socket could not be opened, or is no more.
    mutating func failed(_ error: PathError, at now: Instant) {
        guard error.isFatal else { return }
        switch owners.removeValue(forKey: error.path) {
        case .none: break
        case .reservation(let token):
            if let reservation = reservations.removeValue(forKey: token) {
                let address = reservation.relayed.address
                ports[address.family]?.remove(address.port)
            }
        case .allocation(let client):
            if allocations[client]?.opening != nil {
                openAnother(than: error, for: client, at: now)
            } else {
                disconnected(client)
            }
        }
    }

    private mutating func openAnother(than error: PathError, for client: TURNClient, at now: Instant) {
        guard var allocation = allocations[client], var request = allocation.opening else { return }
        let isNext = request.next?.path == error.path
        guard let wanted = request.wanted.removeValue(forKey: error.path) ?? (isNext ? request.families[0] : nil)
        else { return }
        let failedPort = isNext ? request.next?.address.port ?? 0 : wanted.port
        ports[wanted.family]?.remove(failedPort)
        request.failedPorts.insert(failedPort)
        if request.reservesNext {
            // Two ports side by side are wanted: one of them is of no use alone.
            abandon(request)
            request.wanted = [:]
            request.next = nil
            for first in allocation.relayed { close(first.path, first.address) }
            allocation.relayed = []
        }
        let isWorthIt = error.kind == .addressInUse || error.kind == .notPermitted
        if !isWorthIt || request.failedPorts.count > Self.mostFailures || !open(wanted, for: client, &request) {
            allocation.opening = request
            allocations[client] = allocation
            return give(up: wanted, for: client, at: now)
        }
        allocation.opening = request
        allocations[client] = allocation
    }

    private mutating func give(up wanted: AllocateRequest.Wanted, for client: TURNClient, at now: Instant) {
        guard let request = allocations[client]?.opening else { return }
        if wanted.isEssential {
            _ = remove(client)
            outputs.append(client.output(refuse(request.message, TURNRefusal(508), request.signer, client)))
        } else {
            let error = AddressErrorCode(family: wanted.family, error: ErrorCode(508))
            allocations[client]?.opening?.addressErrors.append(error)
            finishIfOpen(client, at: now)
        }
    }

    /// Closes what was being opened.
    mutating func abandon(_ request: AllocateRequest) {
        for (path, wanted) in request.wanted {
            close(path, Endpoint(.unspecified(wanted.family), wanted.port))
        }
        if let next = request.next { close(next.path, next.address) }
    }

    // MARK: The answer

    private mutating func finishIfOpen(_ client: TURNClient, at now: Instant) {
        guard var allocation = allocations[client], let request = allocation.opening, !request.waits else { return }
        let granted = lifetime(request.requestedLifetime)
        allocation.opening = nil
        allocation.expiresAt = now + .seconds(Int64(granted))
        allocation.relayed.sort { $0.address.family == .ipv4 && $1.address.family == .ipv6 }
        allocations[client] = allocation
        wake(at: allocation.expiresAt)
        let token = request.next.map { reserve($0.path, $0.address, for: allocation.username, at: now) }
        let mapped = Endpoint(client.remote.address.withoutZone, client.remote.port)
        let answer = success(request.message, request.signer) {
            for relayed in allocation.relayed { $0.append(.xorRelayedAddress, relayed.address) }
            $0.append(.lifetime, granted)
            if let token { $0.append(.reservationToken, token) }
            $0.append(.xorMappedAddress, mapped)
            for error in request.addressErrors { $0.append(.addressErrorCode, error) }
        }
        if !client.isConnection { answers.remember(answer, to: request.message.bytes, from: client, at: now) }
        counts.made += 1
        events.append(.made(allocation.description, lifetime: granted))
        outputs.append(client.output(answer))
    }

    private mutating func reserve(
        _ path: PathID, _ address: Endpoint, for username: String, at now: Instant
    ) -> [UInt8] {
        let token = random.bytes(8)
        let expiresAt = now + Reservation.lifetime
        reservations[token] = Reservation(
            relayed: .init(path: path, address: address), username: username, expiresAt: expiresAt)
        owners[path] = .reservation(token)
        wake(at: expiresAt)
        return token
    }
}
