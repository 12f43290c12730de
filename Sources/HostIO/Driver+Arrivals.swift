import CSystem
import NetTypes

/// What the readiness loop brings.
extension Driver {
    func serve<E: Engine>(
        _ path: PathID, _ flags: Readiness.Interest, _ engine: inout E, _ deadline: Instant?,
        _ onEvent: (E.Event) -> Void
    ) {
        switch paths[path]?.path {
        case .datagram(let socket): serve(socket, &engine, deadline, onEvent)
        case .connection(let connection): serve(connection, flags, &engine, onEvent)
        case .listener(let listener): accept(from: listener, &engine, onEvent)
        case nil: break
        }
    }

    private func serve<E: Engine>(
        _ socket: DatagramSocket, _ engine: inout E, _ deadline: Instant?,
        _ onEvent: (E.Event) -> Void
    ) {
        for input in socket.drainErrors(into: buffer).inputs { feed(input, to: &engine, onEvent) }
        for _ in 0..<Self.mostInARound {
            guard paths[socket.path] != nil, let datagram = socket.receive(into: buffer) else { return }
            feed(.datagram(datagram), to: &engine, onEvent)
            let now = MonotonicClock.now
            if let wake = engine.nextWake, wake <= now { return }
            if let deadline, deadline <= now { return }
        }
    }

    private func serve<E: Engine>(
        _ connection: Connection, _ flags: Readiness.Interest, _ engine: inout E, _ onEvent: (E.Event) -> Void
    ) {
        if connection.state == .connecting {
            if let error = connection.finishConnecting(buffer: buffer) {
                close(connection.path)
                return feed(.pathError(error), to: &engine, onEvent)
            }
            feed(.opened(connection.path, local: connection.local), to: &engine, onEvent)
        }
        if flags.contains(.writable), isOpen(connection) {
            let errno = connection.flush()
            guard errno == 0 else { return fail(connection, errno) }
        }
        read(from: connection, &engine, onEvent)
        guard isOpen(connection) else { return }
        if connection.state == .ended, !flags.isDisjoint(with: [.failed, .hungUp]) {
            // Nothing more can come or go, and the loop cannot be asked to be silent about that.
            let errno = csys_pending_error(connection.descriptor.number)
            if errno != 0 { return fail(connection, errno) }
            readiness.remove(connection.descriptor.number)
            return
        }
        updateInterest(of: connection)
    }

    private func read<E: Engine>(
        from connection: Connection, _ engine: inout E, _ onEvent: (E.Event) -> Void
    ) {
        // A buffer of 64 KiB each: four are as much as 64 datagrams of a usual size.
        for _ in 0..<4 where isOpen(connection) {
            let kind: StreamEvent.Kind
            switch connection.read(into: buffer) {
            case .nothing: return
            case .failed(let errno): return fail(connection, errno)
            case .ended: kind = .ended
            case .bytes(let bytes): kind = .bytes(bytes)
            }
            feed(
                .stream(StreamEvent(path: connection.path, kind: kind, at: MonotonicClock.now)), to: &engine, onEvent)
        }
    }

    /// Whether the path is still this connection's: what the engine does with an arrival may close it.
    private func isOpen(_ connection: Connection) -> Bool {
        guard case .connection(let present) = paths[connection.path]?.path else { return false }
        return present === connection
    }

    private func accept<E: Engine>(
        from listener: Listener, _ engine: inout E, _ onEvent: (E.Event) -> Void
    ) {
        for _ in 0..<Self.mostInARound where paths[listener.path] != nil {
            switch listener.accept() {
            case .nothing: return
            case .outOfDescriptors(let errno):
                turnAway(listener)
                let error = PathError(path: listener.path, kind: .outOfResources, origin: .local, errno: errno)
                return feed(.pathError(error), to: &engine, onEvent)
            case .connection(let number, let remote):
                take(number, from: remote, listener, &engine, onEvent)
            }
        }
    }

    private func take<E: Engine>(
        _ number: Int32, from remote: Endpoint, _ listener: Listener, _ engine: inout E, _ onEvent: (E.Event) -> Void
    ) {
        guard acceptedCount < Self.mostAccepted else { return csys_close(number) }
        let path = makeAcceptedPath()
        guard let connection = try? Connection(path: path, accepted: number, from: remote),
            (try? add(.connection(connection), path, connection.interest)) != nil
        else { return }
        acceptedCount += 1
        let kind = StreamEvent.Kind.accepted(by: listener.path, local: connection.local, remote: remote)
        feed(.stream(StreamEvent(path: path, kind: kind, at: MonotonicClock.now)), to: &engine, onEvent)
    }

    /// Closes the connection that there is no descriptor for: left in the queue it would wake the loop for ever.
    private func turnAway(_ listener: Listener) {
        guard spareDescriptor >= 0 else { return }
        csys_close(spareDescriptor)
        if case .connection(let number, _) = listener.accept() { csys_close(number) }
        spareDescriptor = csys_spare_descriptor()
    }
}
