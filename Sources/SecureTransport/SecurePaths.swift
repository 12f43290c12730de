package import NetTypes

/// Makes an engine speak TLS and DTLS on the paths that it asks for with ``PathSpecification/security``: it goes between
/// the engine and its driver, and carries everything else through as it is.
///
/// The engine writes plaintext and is given plaintext. ``Input/opened(_:local:)`` comes when the path itself is open;
/// then ``Input/secured(_:_:after:)`` or ``Input/securingFailed(_:_:after:)``. What the engine sends before waits for
/// the verification, and never leaves without it. A DTLS server's engine sees its clients as sources of datagrams, and
/// hears of none that failed.
package struct SecurePaths<Base: Engine>: Engine {
    package typealias Event = Base.Event

    package var base: Base
    var paths: [PathID: SecuredPath] = [:]
    var outputs: [Output] = []
    private var contexts: [PathSecurity: SecureContext] = [:]
    private var securityWake: Instant?

    package init(_ base: Base) { self.base = base }

    package var nextWake: Instant? {
        guard let securityWake else { return base.nextWake }
        return base.nextWake.map { min($0, securityWake) } ?? securityWake
    }

    package var isFinished: Bool { outputs.isEmpty && base.isFinished }

    package mutating func pollEvent() -> Base.Event? { base.pollEvent() }

    package mutating func handle(_ input: Input, at now: Instant) {
        guard !paths.isEmpty else { return base.handle(input, at: now) }
        switch input {
        case .opened(let path, _):
            base.handle(input, at: now)
            opened(path, at: now)
        case .stream(let event): streamed(event, at: now)
        case .datagram(let datagram): received(datagram, at: now)
        case .transmitted(let transmit, let instant):
            if let original = original(of: transmit) { base.handle(.transmitted(original, at: instant), at: now) }
        case .pathError(let error): failed(error, at: now)
        case .timeout:
            wake(at: now)
            if let due = base.nextWake, due <= now { base.handle(.timeout, at: now) }
        case .answer, .secured, .securingFailed: return base.handle(input, at: now)
        }
        schedule()
    }

    package mutating func pollOutput(at now: Instant) -> Output? {
        while outputs.isEmpty {
            guard let output = base.pollOutput(at: now) else { return nil }
            guard concernsSecurity(output) else { return output }
            perform(output, at: now)
            schedule()
        }
        return outputs.removeFirst()
    }

    private func concernsSecurity(_ output: Output) -> Bool {
        switch output {
        case .open(_, let specification): specification.security != nil
        case .transmit(let transmit): !paths.isEmpty && paths[transmit.path] != nil
        case .write(let path, _), .close(let path): !paths.isEmpty && paths[path] != nil
        case .query: false
        }
    }

    private mutating func perform(_ output: Output, at now: Instant) {
        switch output {
        case .open(let path, let specification): open(path, specification, at: now)
        case .transmit(let transmit): self.transmit(transmit, at: now)
        case .write(let path, let bytes): write(bytes, to: path, at: now)
        case .close(let path): close(path)
        case .query: break
        }
    }

    private mutating func schedule() {
        securityWake = paths.values.compactMap(\.nextWake).min()
    }
}

// MARK: - Opening and closing

extension SecurePaths {
    private mutating func open(_ path: PathID, _ specification: PathSpecification, at now: Instant) {
        guard let security = specification.security else { return }
        do throws(SecureFailure) {
            paths[path] = try secure(security, specification.kind, at: now)
        } catch {
            let refusal = SecureRefusal(failures: [error])
            return base.handle(.securingFailed(path, refusal, after: .zero), at: now)
        }
        var plain = specification
        plain.security = nil
        outputs.append(.open(path, plain))
    }

    private mutating func secure(
        _ security: PathSecurity, _ kind: PathSpecification.Kind, at now: Instant
    ) throws(SecureFailure) -> SecuredPath {
        let context = try context(security)
        switch (security, kind) {
        case (.client(let configuration), .connection):
            let channel = try SecureChannel(client: configuration, context: context, at: now)
            return .stream(SecureStream(channel, limit: configuration.handshakeLimit))
        case (.client(let configuration), .datagram):
            guard let peer = configuration.peer else {
                throw SecureFailure(.unusableConfiguration, "a DTLS client is told whom to talk to")
            }
            let channel = try SecureChannel(client: configuration, context: context, at: now)
            return .association(SecureAssociation(channel, peer: peer, limit: configuration.handshakeLimit))
        case (.server(let configuration), .listener): return .listener(configuration, context)
        case (.server(let configuration), .datagram):
            return .associations(try SecureAssociations(configuration, context))
        case (.client, .listener), (.server, .connection):
            throw SecureFailure(.unusableConfiguration, "a client connects, and a server listens")
        }
    }

    private mutating func context(_ security: PathSecurity) throws(SecureFailure) -> SecureContext {
        let key = security.sharedPart
        if let context = contexts[key] { return context }
        let context: SecureContext
        switch security {
        case .client(let configuration): context = try SecureContext(client: configuration)
        case .server(let configuration): context = try SecureContext(server: configuration)
        }
        contexts[key] = context
        return context
    }

    private mutating func opened(_ path: PathID, at now: Instant) {
        switch paths[path] {
        case .stream(let stream):
            stream.opened(at: now)
            pump(stream, path, at: now)
        case .association(let association):
            association.opened(at: now)
            pump(association, path, nil, at: now)
        case .associations, .listener, nil: break
        }
    }

    private mutating func close(_ path: PathID) {
        guard let secured = paths.removeValue(forKey: path) else { return }
        switch secured {
        case .stream(let stream):
            stream.channel.close()
            if stream.openedAt != nil { flush(stream, path) }
        case .association(let association):
            association.channel.close()
            if association.openedAt != nil { flush(association.channel, path, association.peer) }
        case .associations(let associations):
            for (peer, association) in associations.peers {
                association.channel.close()
                flush(association.channel, path, peer)
            }
        case .listener: break
        }
        outputs.append(.close(path))
    }

    private mutating func failed(_ error: PathError, at now: Instant) {
        var error = error
        if let secured = paths[error.path] {
            error.quoted = secured.original(ofQuoted: error.quoted)
            if error.isFatal { paths[error.path] = nil }
        }
        base.handle(.pathError(error), at: now)
    }

    private func original(of transmit: Transmit) -> Transmit? {
        guard let secured = paths[transmit.path] else { return transmit }
        return secured.original(of: transmit)
    }

    private mutating func wake(at now: Instant) {
        for (path, secured) in paths {
            switch secured {
            case .stream(let stream):
                guard let wake = stream.nextWake, wake <= now else { continue }
                stream.channel.giveUp()
                pump(stream, path, at: now)
            case .association(let association):
                guard let wake = association.nextWake, wake <= now else { continue }
                association.wake(at: now)
                pump(association, path, nil, at: now)
            case .associations(let associations):
                guard let wake = associations.nextWake, wake <= now else { continue }
                for (peer, association) in associations.wake(at: now) {
                    pump(association, associations, path, peer, nil, at: now)
                }
            case .listener: break
            }
        }
    }
}

extension PathSecurity {
    /// What two paths have in common that can share a context.
    fileprivate var sharedPart: PathSecurity {
        guard case .client(var configuration) = self else { return self }
        configuration.identity = .name("")
        configuration.serverName = nil
        configuration.peer = nil
        configuration.wallClock = 0
        return .client(configuration)
    }
}
