import NetTypes

/// TLS connections.
extension SecurePaths {
    mutating func streamed(_ event: StreamEvent, at now: Instant) {
        if case .accepted(let listener, _, _) = event.kind,
            case .listener(let configuration, let context) = paths[listener]
        {
            accept(event, configuration, context, at: now)
            return
        }
        guard case .stream(let stream) = paths[event.path] else { return base.handle(.stream(event), at: now) }
        switch event.kind {
        case .accepted: return base.handle(.stream(event), at: now)
        case .bytes(let bytes): stream.channel.receive(bytes, at: now)
        case .ended: stream.channel.receiveEnd()
        }
        pump(stream, event.path, at: event.at)
    }

    private mutating func accept(
        _ event: StreamEvent, _ configuration: SecureServerConfiguration, _ context: SecureContext, at now: Instant
    ) {
        guard let channel = try? SecureChannel(server: configuration, context: context) else {
            outputs.append(.close(event.path))
            return
        }
        let stream = SecureStream(channel, limit: configuration.handshakeLimit)
        stream.opened(at: event.at)
        paths[event.path] = .stream(stream)
        base.handle(.stream(event), at: now)
    }

    mutating func write(_ bytes: [UInt8], to path: PathID, at now: Instant) {
        guard case .stream(let stream) = paths[path] else { return }
        let isTaken = stream.channel.write(bytes)
        if stream.openedAt != nil { flush(stream, path) }
        // After the peer's close_notify there is nobody to write to, as after a FIN; the engine knows.
        guard !isTaken, stream.channel.state != .closed else { return }
        paths[path] = nil
        outputs.append(.close(path))
        base.handle(
            .pathError(PathError(path: path, kind: .outOfResources, origin: .local, isFatal: true)), at: now)
    }

    /// Hands on what a connection has become, and what came out of it.
    mutating func pump(_ stream: SecureStream, _ path: PathID, at now: Instant) {
        flush(stream, path)
        let duration = stream.openedAt.map { now - $0 } ?? .zero
        if !stream.isTold, stream.channel.isSecured {
            stream.isTold = true
            base.handle(.secured(path, stream.channel.facts, after: duration), at: now)
        }
        while let bytes = stream.channel.pollPlaintext() {
            base.handle(.stream(StreamEvent(path: path, kind: .bytes(bytes), at: now)), at: now)
        }
        switch stream.channel.state {
        case .closed where !stream.hasEnded:
            stream.hasEnded = true
            base.handle(.stream(StreamEvent(path: path, kind: .ended, at: now)), at: now)
        case .failed(let refusal):
            paths[path] = nil
            outputs.append(.close(path))
            base.handle(.securingFailed(path, refusal, after: duration), at: now)
        default: break
        }
    }

    mutating func flush(_ stream: SecureStream, _ path: PathID) {
        while let bytes = stream.channel.pollCiphertext() { outputs.append(.write(path, bytes)) }
    }
}
