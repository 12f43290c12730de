import NetTypes

/// What the systems of the hosts do for their engines, and UDP.
extension SimNet {
    /// The errno values of Linux, for what engines are told with an error.
    enum Errno {
        static let notPermitted: Int32 = 13
        static let noFamily: Int32 = 97
        static let inUse: Int32 = 98
        static let notAvailable: Int32 = 99
        static let networkUnreachable: Int32 = 101
        static let reset: Int32 = 104
        static let timedOut: Int32 = 110
        static let refused: Int32 = 111
        static let hostUnreachable: Int32 = 113
    }

    mutating func open(_ path: PathID, _ specification: PathSpecification, for seat: Int) {
        precondition(seats[seat].paths[path] == nil, "path \(path.number) is opened twice")
        let host = seats[seat].host
        var remote: Endpoint?
        if case .connection(let endpoint) = specification.kind {
            remote = Endpoint(endpoint.address.withoutZone, endpoint.port)
        }
        let family = specification.family
        var local = specification.local ?? Endpoint(.unspecified(family), 0)
        local.address = local.address.withoutZone
        let isUnbound = local.address == .unspecified(family)
        func fail(_ kind: PathError.Kind, _ errno: Int32) {
            tell(
                seat,
                .pathError(
                    PathError(
                        path: path, kind: kind, origin: .local, destination: remote, errno: errno, isFatal: true)))
        }
        if let remote, isUnbound {
            guard let source = hosts[host].source(to: remote.address) else {
                return fail(.networkUnreachable, Errno.networkUnreachable)
            }
            local.address = source
        } else if !isUnbound, !hosts[host].addresses.contains(local.address) {
            return fail(.addressNotAvailable, Errno.notAvailable)
        }
        if local.port == 0 {
            guard let port = hosts[host].ephemeralPort(at: local.address, &random) else {
                return fail(.addressInUse, Errno.inUse)
            }
            local.port = port
        } else if !isFree(local, specification.kind, on: host) {
            return fail(.addressInUse, Errno.inUse)
        }
        let state: Socket.State =
            switch specification.kind {
            case .datagram: .datagram
            case .listener: .listening
            case .connection: .connecting(unsent: [])
            }
        let slot = addSocket(seat, path, local, remote, state)
        seats[seat].paths[path] = slot
        switch specification.kind {
        case .datagram: hosts[host].datagrams[local] = slot
        case .listener: hosts[host].listeners[local] = slot
        case .connection: return connect(slot)
        }
        tell(seat, .opened(path, local: local))
    }

    private func isFree(_ endpoint: Endpoint, _ kind: PathSpecification.Kind, on host: Int) -> Bool {
        switch kind {
        case .datagram: hosts[host].isFree(endpoint, in: hosts[host].datagrams)
        case .listener: hosts[host].isFree(endpoint, in: hosts[host].listeners)
        // A connection may share its port with others: its pair of endpoints tells them apart.
        case .connection(let remote):
            hosts[host].connections[Host.Connection(local: endpoint, remote: remote)] == nil
        }
    }

    mutating func addSocket(
        _ seat: Int, _ path: PathID, _ local: Endpoint, _ remote: Endpoint?, _ state: Socket.State
    ) -> Int {
        socketCount += 1
        let socket = Socket(
            seat: seat, host: seats[seat].host, serial: socketCount, path: path, local: local, remote: remote,
            state: state)
        if let slot = freeSockets.popLast() {
            sockets[slot] = socket
            return slot
        }
        sockets.append(socket)
        return sockets.count - 1
    }

    /// Forgets a socket; what comes to it from now on finds none.
    mutating func removeSocket(_ slot: Int) {
        guard let socket = sockets[slot].take() else { return }
        freeSockets.append(slot)
        switch socket.state {
        case .datagram: hosts[socket.host].datagrams[socket.local] = nil
        case .listening: hosts[socket.host].listeners[socket.local] = nil
        default:
            guard let remote = socket.remote else { break }
            hosts[socket.host].connections[Host.Connection(local: socket.local, remote: remote)] = nil
        }
        if case .halfOpen = socket.state { return }
        seats[socket.seat].paths[socket.path] = nil
    }

    mutating func close(_ path: PathID, of seat: Int) {
        guard let slot = seats[seat].paths[path] else { return }
        if case .established = sockets[slot]?.state { sendSegment(.finish, from: slot) }
        removeSocket(slot)
    }

    /// Closes what an engine has open, in the order of its numbers: each is a packet perhaps.
    mutating func closeAll(of seat: Int) {
        for path in seats[seat].paths.keys.sorted(by: { $0.number < $1.number }) { close(path, of: seat) }
        seats[seat].inbox = []
    }

    mutating func send(_ transmit: Transmit, for seat: Int) {
        guard let slot = seats[seat].paths[transmit.path], let socket = sockets[slot] else { return }
        var destination = transmit.destination
        destination.address = destination.address.withoutZone
        var source = socket.local
        if source.address == .unspecified(source.family), source.family == destination.family {
            guard let chosen = hosts[socket.host].source(to: destination.address) else {
                let error = PathError(
                    path: transmit.path, kind: .networkUnreachable, origin: .local, destination: transmit.destination,
                    quoted: transmit.bytes, errno: Errno.networkUnreachable)
                return tell(seat, .pathError(error))
            }
            source.address = chosen
        }
        guard source.family == destination.family else {
            let error = PathError(
                path: transmit.path, kind: .familyNotSupported, origin: .local, destination: transmit.destination,
                quoted: transmit.bytes, errno: Errno.noFamily)
            return tell(seat, .pathError(error))
        }
        send(
            Packet(
                content: .datagram, source: source, destination: destination, bytes: transmit.bytes, sentAt: clock),
            from: socket.host)
    }

    /// What a host does with a packet that has reached it.
    mutating func deliver(_ packet: Packet, to host: Int) {
        switch packet.content {
        case .segment(let segment): deliver(segment, packet, to: host)
        case .icmp(let kind, let isStream, let quoted): deliver(error: kind, isStream, quoted, packet, to: host)
        case .datagram:
            guard let slot = hosts[host].socket(hosts[host].datagrams, for: packet.destination),
                let socket = sockets[slot]
            else {
                note(packet, .noListener(HostID(index: host)))
                if let refusal = packet.refusal(.portUnreachable, from: packet.destination.address, at: clock) {
                    send(refusal, from: host)
                }
                return
            }
            note(packet, .delivered(HostID(index: host)))
            let datagram = Datagram(
                path: socket.path, source: packet.source, destination: packet.destination.address,
                bytes: packet.bytes, arrivedAt: now, timeToLive: packet.timeToLive)
            tell(socket.seat, .datagram(datagram))
        }
    }

    private mutating func deliver(
        error kind: PathError.Kind, _ isStream: Bool, _ quoted: Endpoint, _ packet: Packet, to host: Int
    ) {
        let slot: Int?
        if isStream {
            slot = hosts[host].connections[Host.Connection(local: packet.destination, remote: quoted)]
        } else {
            slot = hosts[host].socket(hosts[host].datagrams, for: packet.destination)
        }
        guard let slot, let socket = sockets[slot] else { return note(packet, .unwanted(HostID(index: host))) }
        if isStream {
            // An established connection outlives an ICMP message (RFC 1122 s4.2.3.9).
            guard case .connecting = socket.state else { return note(packet, .unwanted(HostID(index: host))) }
        }
        note(packet, .delivered(HostID(index: host)))
        let error = PathError(
            path: socket.path, kind: kind, origin: .icmp(from: packet.source.address), destination: quoted,
            quoted: packet.bytes, errno: Self.errno(of: kind, packet.source.family), isFatal: isStream)
        if isStream { removeSocket(slot) }
        tell(socket.seat, .pathError(error))
    }

    /// What Linux makes of an ICMP error.
    private static func errno(of kind: PathError.Kind, _ family: IPAddress.Family) -> Int32 {
        switch kind {
        case .portUnreachable: Errno.refused
        case .networkUnreachable: Errno.networkUnreachable
        case .administrativelyProhibited: family == .ipv4 ? Errno.hostUnreachable : Errno.notPermitted
        default: Errno.hostUnreachable
        }
    }
}
