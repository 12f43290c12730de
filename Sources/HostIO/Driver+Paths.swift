import CSystem
import Glibc
import NetTypes

extension Driver.OpenPath {
    var number: Int32 {
        switch self {
        case .datagram(let socket): socket.descriptor.number
        case .connection(let connection): connection.descriptor.number
        case .listener(let listener): listener.descriptor.number
        }
    }
}

/// Opening, writing, closing.
extension Driver {
    func open(_ path: PathID, _ specification: PathSpecification) {
        precondition(paths[path] == nil, "path \(path.number) is opened twice")
        do {
            switch specification.kind {
            case .datagram:
                let socket = try DatagramSocket(path: path, specification)
                try add(.datagram(socket), path, .readable)
                pending.append(.opened(path, local: socket.local))
            case .connection(let remote):
                let connection = try Connection(path: path, to: remote, specification)
                try add(.connection(connection), path, connection.interest)
            case .listener:
                let listener = try Listener(path: path, specification)
                try add(.listener(listener), path, .readable)
                pending.append(.opened(path, local: listener.local))
            }
        } catch {
            var destination: Endpoint?
            if case .connection(let remote) = specification.kind { destination = remote }
            pending.append(
                .pathError(
                    PathError(
                        path: path, kind: PathError.Kind(errno: error.errno), origin: .local, destination: destination,
                        errno: error.errno, isFatal: true)))
        }
    }

    func add(_ open: OpenPath, _ path: PathID, _ interest: Readiness.Interest) throws(SystemError) {
        let token = makeToken(for: .path(path))
        do {
            try readiness.add(open.number, token: token, interest)
        } catch {
            sources[token] = nil
            throw error
        }
        paths[path] = (open, token)
    }

    /// Closes a path and forgets it. What its peer has not taken of the bytes written is given to the system as far
    /// as it takes them at once.
    func close(_ path: PathID) {
        if channels[path] != nil { return closeChannel(path) }
        guard let (open, token) = paths.removeValue(forKey: path) else { return }
        sources[token] = nil
        readiness.remove(open.number)
        guard case .connection(let connection) = open else { return }
        if connection.state != .connecting { _ = connection.flush() }
        if connection.isAccepted { acceptedCount -= 1 }
    }

    func write(_ bytes: [UInt8], to path: PathID) {
        if let channel = channels[path] {
            channel.unsent += bytes
            return flushChannel(path)
        }
        // A path may have failed while the engine was writing: it is told so by the error that waits.
        guard case .connection(let connection) = paths[path]?.path else { return }
        let errno = connection.write(bytes)
        if errno == 0 { updateInterest(of: connection) } else { fail(connection, errno) }
    }

    func updateInterest(of connection: Connection) {
        guard let token = paths[connection.path]?.token else { return }
        readiness.change(connection.descriptor.number, token: token, connection.interest)
    }

    func fail(_ connection: Connection, _ errno: Int32) {
        pending.append(.pathError(connection.failure(errno)))
        close(connection.path)
    }
}
