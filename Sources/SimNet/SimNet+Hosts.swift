import Engines
import NetTypes

/// Drives the engines as the real driver does: each input, then all outputs and events.
extension SimNet {
    mutating func handle(_ input: Input, on host: HostID) {
        guard hosts[host.place].engine != nil else { return }
        hosts[host.place].engine?.handle(input, at: now)
        drain(host)
    }

    mutating func drain(_ host: HostID) {
        var isMoving = true
        while isMoving {
            isMoving = false
            while let output = hosts[host.place].engine?.pollOutput(at: now) {
                perform(output, on: host)
                isMoving = true
            }
            while let event = hosts[host.place].engine?.pollEvent() {
                if hosts[host.place].keepsEvents { hosts[host.place].events.append(event) }
                isMoving = true
            }
        }
        hosts[host.place].wake = hosts[host.place].engine?.nextWake
    }

    private mutating func perform(_ output: Output, on host: HostID) {
        switch output {
        case .open(let path, let specification): open(path, specification, on: host)
        case .transmit(let transmit):
            guard let socket = hosts[host.place].sockets[transmit.path] else { return }
            let source = Endpoint(
                socket.local.address.isUnspecified
                    ? address(of: host, to: transmit.destination) ?? socket.local.address : socket.local.address,
                socket.local.port)
            send(
                Packet(
                    transport: .udp, source: source, destination: transmit.destination,
                    payload: .datagram(transmit.bytes)), from: host)
        case .write(let path, let bytes): sendSegment(.bytes(bytes), over: path, of: host)
        case .close(let path): close(path, on: host)
        case .query(let id, let query):
            let isName = if case .source = query { false } else { true }
            queue.add(.input(.answer(id, answer(query, for: host)), host), at: now + (isName ? lookupDelay : .zero))
        }
    }

    private func address(of host: HostID, to destination: Endpoint) -> IPAddress? {
        hosts[host.place].addresses.first { $0.family == destination.family }
    }

    private func answer(_ query: SystemQuery, for host: HostID) -> SystemAnswer {
        switch query {
        case .source(let endpoint, _):
            return address(of: host, to: endpoint).map { .source($0) } ?? .failed(.noRoute(errno: 101))
        case .addresses(let name, let family):
            guard let addresses = names[name] else { return .failed(.noSuchName) }
            let fitting = addresses.filter { $0.family == family }
            return fitting.isEmpty ? .failed(.noRecords) : .addresses(fitting)
        case .serviceRecords, .namingAuthorityPointers: return .failed(.noRecords)
        }
    }

    // MARK: Sockets

    private mutating func open(_ path: PathID, _ specification: PathSpecification, on host: HostID) {
        let place = host.place
        let wanted = specification.local?.address
        let own = hosts[place].addresses
        let address = wanted ?? own.first { $0.family == specification.family }
        guard let address, own.contains(address) || address.isUnspecified else {
            let kind: PathError.Kind = wanted == nil ? .familyNotSupported : .addressNotAvailable
            let error = PathError(path: path, kind: kind, origin: .local, isFatal: true)
            return queue.add(.input(.pathError(error), host), at: now)
        }
        var port = specification.local?.port ?? 0
        if port == 0 { port = hosts[place].freePort(&random) }
        let local = Endpoint(address, port)
        switch specification.kind {
        case .datagram: bind(path, .datagram, .udp, local, nil, on: host)
        case .listener: bind(path, .listener, .tcp, local, nil, on: host)
        case .connection(let remote):
            bind(path, .connection(remote: remote, isOpen: false), .tcp, local, remote, on: host)
            return sendSegment(.synchronize, over: path, of: host)
        }
        queue.add(.input(.opened(path, local: local), host), at: now)
    }

    private mutating func bind(
        _ path: PathID, _ kind: Host.Socket.Kind, _ transport: Transport, _ local: Endpoint, _ remote: Endpoint?,
        on host: HostID
    ) {
        hosts[host.place].sockets[path] = Host.Socket(kind: kind, local: local)
        hosts[host.place].paths[Host.Binding(transport: transport, local: local, remote: remote)] = path
    }

    private mutating func close(_ path: PathID, on host: HostID) {
        guard let socket = hosts[host.place].sockets[path] else { return }
        switch socket.kind {
        case .datagram: forget(path, socket, .udp, nil, on: host)
        case .listener: forget(path, socket, .tcp, nil, on: host)
        case .connection(let remote, _):
            sendSegment(.finish, over: path, of: host)
            forget(path, socket, .tcp, remote, on: host)
        }
    }

    private mutating func forget(
        _ path: PathID, _ socket: Host.Socket, _ transport: Transport, _ remote: Endpoint?, on host: HostID
    ) {
        hosts[host.place].sockets[path] = nil
        hosts[host.place].paths[Host.Binding(transport: transport, local: socket.local, remote: remote)] = nil
    }

    private mutating func sendSegment(_ payload: Packet.Payload, over path: PathID, of host: HostID) {
        guard let socket = hosts[host.place].sockets[path], case .connection(let remote, _) = socket.kind else {
            return
        }
        send(Packet(transport: .tcp, source: socket.local, destination: remote, payload: payload), from: host)
    }

    // MARK: Arrivals

    mutating func arrive(_ packet: Packet, at host: HostID) {
        switch packet.payload {
        case .datagram(let bytes):
            guard let path = hosts[host.place].path(.udp, packet.destination) else {
                note(packet, .refused)
                return report(
                    .portUnreachable, about: packet, from: packet.destination.address, in: realm(of: host))
            }
            note(packet, .delivered)
            handle(
                .datagram(
                    Datagram(
                        path: path, source: packet.source, destination: packet.destination.address, bytes: bytes,
                        arrivedAt: now)), on: host)
        case .icmp(let kind, let reporter, let destination, let bytes):
            guard let path = hosts[host.place].path(.udp, packet.destination) else { return }
            note(packet, .delivered)
            handle(
                .pathError(
                    PathError(
                        path: path, kind: kind, origin: .icmp(from: reporter), destination: destination,
                        quoted: bytes)), on: host)
        case .synchronize: accept(packet, at: host)
        case .accept, .reset, .bytes, .finish: segmentArrived(packet, at: host)
        }
    }

    private mutating func accept(_ packet: Packet, at host: HostID) {
        guard let listener = hosts[host.place].path(.tcp, packet.destination),
            hosts[host.place].path(.tcp, packet.destination, remote: packet.source) == nil
        else {
            note(packet, .refused)
            return report(.connectionRefused, about: packet, from: packet.destination.address, in: realm(of: host))
        }
        note(packet, .delivered)
        let path = hosts[host.place].acceptedPath()
        bind(
            path, .connection(remote: packet.source, isOpen: true), .tcp, packet.destination, packet.source, on: host)
        sendSegment(.accept, over: path, of: host)
        let kind = StreamEvent.Kind.accepted(by: listener, local: packet.destination, remote: packet.source)
        handle(.stream(StreamEvent(path: path, kind: kind, at: now)), on: host)
    }

    private mutating func segmentArrived(_ packet: Packet, at host: HostID) {
        guard let path = hosts[host.place].path(.tcp, packet.destination, remote: packet.source),
            let socket = hosts[host.place].sockets[path], case .connection(let remote, let isOpen) = socket.kind
        else { return }
        note(packet, .delivered)
        switch packet.payload {
        case .accept:
            hosts[host.place].sockets[path]?.kind = .connection(remote: remote, isOpen: true)
            handle(.opened(path, local: socket.local), on: host)
        case .bytes(let bytes):
            handle(.stream(StreamEvent(path: path, kind: .bytes(bytes), at: now)), on: host)
        case .finish: handle(.stream(StreamEvent(path: path, kind: .ended, at: now)), on: host)
        case .reset:
            let kind: PathError.Kind = isOpen ? .connectionReset : .connectionRefused
            forget(path, socket, .tcp, remote, on: host)
            handle(.pathError(PathError(path: path, kind: kind, origin: .peer, isFatal: true)), on: host)
        case .datagram, .icmp, .synchronize: break
        }
    }
}

extension IPAddress {
    fileprivate var isUnspecified: Bool { realm == .unspecified }
}
