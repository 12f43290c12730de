import NetTypes

/// TCP, simplified: reliable streams in order whose segments take the delays of the links. A lost segment is sent
/// again by the link's own count (see ``Wire``); one that a router drops is gone, and the stream with it.
extension SimNet {
    /// How long the system tries to connect: Linux, with its six retransmissions of SYN.
    private static let connectTimeout: Int64 = 127_000_000_000

    mutating func connect(_ slot: Int) {
        guard let socket = sockets[slot], let remote = socket.remote else { return }
        hosts[socket.host].connections[Host.Connection(local: socket.local, remote: remote)] = slot
        schedule.add(
            .connectingTimedOut(slot: slot, serial: socket.serial), at: clock + Self.connectTimeout, isTimeout: true)
        sendSegment(.synchronize, from: slot)
    }

    mutating func connectingTimedOut(_ slot: Int, _ serial: Int) {
        guard let socket = sockets[slot], socket.serial == serial, case .connecting = socket.state else { return }
        fail(slot, .connectionTimedOut, .local, Errno.timedOut)
    }

    mutating func write(_ bytes: [UInt8], to path: PathID, of seat: Int) {
        guard let slot = seats[seat].paths[path], !bytes.isEmpty else { return }
        switch sockets[slot]?.state {
        case .connecting(let unsent): sockets[slot]?.state = .connecting(unsent: unsent + bytes)
        case .established: sendSegment(.data, bytes, from: slot)
        default: break
        }
    }

    mutating func sendSegment(_ kind: Packet.Segment.Kind, _ bytes: [UInt8] = [], from slot: Int) {
        guard let socket = sockets[slot], let remote = socket.remote else { return }
        var segment = Packet.Segment(kind: kind, sequence: 0)
        if !segment.isOfHandshake {
            segment.sequence = socket.sending
            sockets[slot]?.sending += 1
        }
        send(
            Packet(
                content: .segment(segment), source: socket.local, destination: remote, bytes: bytes, sentAt: clock),
            from: socket.host)
    }

    mutating func deliver(_ segment: Packet.Segment, _ packet: Packet, to host: Int) {
        let name = Host.Connection(local: packet.destination, remote: packet.source)
        guard let slot = hosts[host].connections[name], let socket = sockets[slot] else {
            return deliverWithoutConnection(segment, packet, to: host)
        }
        note(packet, .delivered(HostID(index: host)))
        switch (socket.state, segment.kind) {
        case (.connecting, .reset): fail(slot, .connectionRefused, .peer, Errno.refused)
        case (.halfOpen, .reset): removeSocket(slot)
        case (_, .reset): fail(slot, .connectionReset, .peer, Errno.reset)
        case (.connecting(let unsent), .synchronizeAcknowledge):
            sockets[slot]?.state = .established
            sendSegment(.acknowledge, from: slot)
            tell(socket.seat, .opened(socket.path, local: socket.local))
            if !unsent.isEmpty { sendSegment(.data, unsent, from: slot) }
        // Its answer was lost, or the other end has begun anew from the same port.
        case (.halfOpen, .synchronize): sendSegment(.synchronizeAcknowledge, from: slot)
        case (.connecting, _), (_, .synchronize), (_, .synchronizeAcknowledge): break
        default:
            sockets[slot]?.early.append((segment, packet.bytes))
            takeInOrder(slot)
        }
    }

    private mutating func deliverWithoutConnection(_ segment: Packet.Segment, _ packet: Packet, to host: Int) {
        switch segment.kind {
        case .reset, .finish: note(packet, .unwanted(HostID(index: host)))
        case .synchronize:
            guard let listener = hosts[host].socket(hosts[host].listeners, for: packet.destination),
                let socket = sockets[listener]
            else {
                note(packet, .noListener(HostID(index: host)))
                return send(packet.reset(at: clock), from: host)
            }
            note(packet, .delivered(HostID(index: host)))
            let slot = addSocket(
                socket.seat, PathID(0), packet.destination, packet.source, .halfOpen(listener: socket.path))
            let name = Host.Connection(local: packet.destination, remote: packet.source)
            hosts[host].connections[name] = slot
            sendSegment(.synchronizeAcknowledge, from: slot)
        default:
            note(packet, .noListener(HostID(index: host)))
            send(packet.reset(at: clock), from: host)
        }
    }

    /// Hands over what has come as far as nothing before it is missing.
    private mutating func takeInOrder(_ slot: Int) {
        while let socket = sockets[slot],
            let place = socket.early.firstIndex(where: { $0.segment.sequence == socket.expected })
        {
            let (segment, bytes) = socket.early[place]
            sockets[slot]?.early.remove(at: place)
            sockets[slot]?.expected += 1
            if case .halfOpen(let listener) = socket.state, !accept(slot, by: listener) { return }
            guard let path = sockets[slot]?.path else { return }
            switch segment.kind {
            case .data: tell(socket.seat, .stream(StreamEvent(path: path, kind: .bytes(bytes), at: now)))
            case .finish: tell(socket.seat, .stream(StreamEvent(path: path, kind: .ended, at: now)))
            default: break
            }
        }
    }

    /// The handshake is over: the listener's engine is told of its connection. False where the listener is gone.
    private mutating func accept(_ slot: Int, by listener: PathID) -> Bool {
        guard let socket = sockets[slot], let remote = socket.remote else { return false }
        guard seats[socket.seat].paths[listener] != nil else {
            sendSegment(.reset, from: slot)
            removeSocket(slot)
            return false
        }
        // The top bit keeps it apart from the numbers that engines choose.
        seats[socket.seat].acceptedCount += 1
        let path = PathID(0x8000_0000 | seats[socket.seat].acceptedCount)
        sockets[slot]?.path = path
        sockets[slot]?.state = .established
        seats[socket.seat].paths[path] = slot
        tell(
            socket.seat,
            .stream(
                StreamEvent(
                    path: path, kind: .accepted(by: listener, local: socket.local, remote: remote), at: now)))
        return true
    }

    /// Ends a connection with an error.
    private mutating func fail(_ slot: Int, _ kind: PathError.Kind, _ origin: PathError.Origin, _ errno: Int32) {
        guard let socket = sockets[slot] else { return }
        removeSocket(slot)
        let error = PathError(
            path: socket.path, kind: kind, origin: origin, destination: socket.remote, errno: errno, isFatal: true)
        tell(socket.seat, .pathError(error))
    }
}
