package import NetTypes
import STUN

/// What happens on the paths of a client, and what it makes of that.
extension RelayClient {
    /// When what waits for an answer is sent again after an ICMP error, to see whether it comes a second time.
    private static var secondOpinion: Duration { BindingClient.secondOpinion }

    /// Takes what concerns one of its paths, or a wake-up.
    package mutating func handle(
        _ input: Input, at now: Instant, paths: inout PathNumbers, visited: inout VisitedRelays
    ) {
        guard !isFinished else { return }
        switch input {
        case .opened(let path, let local): opened(path, local, at: now)
        case .secured(let path, let facts, let time): secured(path, facts, after: time)
        case .securingFailed(let path, let refusal, let time):
            notSecured(path, refusal, after: time, &paths)
        case .pathError(let error): failed(error, at: now)
        case .datagram(let datagram): arrived(datagram)
        case .stream(let event): streamed(event)
        case .transmitted(let transmit, let instant): attempt.allocation.left(transmit.bytes, at: instant)
        case .timeout: advance(to: now, &paths)
        case .answer: break
        }
        takeEvents(&visited)
        if attempt.allocation.isFinished, let next {
            self.next = nil
            visited.insert(next.server, over: request.transport, relaying: request.relayFamily)
            begin(at: next.server, isRedirected: next.isRedirected, at: now, paths: &paths)
        }
    }

    private mutating func advance(to now: Instant, _ paths: inout PathNumbers) {
        if let suspicion = attempt.suspicion, suspicion.giveUpAt <= now { return confirm(suspicion.error, at: now) }
        if !isEnding, let due = attempt.race.nextAt, due <= now {
            let rival = paths.next()
            open(rival, attempt.security)
            attempt.race.add(rival, at: now)
        }
        attempt.allocation.handleTimeout(at: now)
    }

    // MARK: Opening

    private mutating func opened(_ path: PathID, _ local: Endpoint, at now: Instant) {
        guard attempt.paths[path] != nil else { return }
        attempt.paths.updateValue(local, forKey: path)
        guard path == attempt.path, attempt.state == .opening else { return }
        attempt.state = attempt.security == nil ? .open : .securing
        connected(local, after: request.transport.isStream ? now - attempt.startedAt : nil)
        if request.transport == .dtls { attempt.race.begin(at: now) }
    }

    private mutating func connected(_ local: Endpoint, after time: Duration?) {
        guard attempt.local != local else { return }
        attempt.local = local
        events.append(.connected(local: local, after: time))
    }

    private mutating func secured(_ path: PathID, _ facts: SecureFacts, after time: Duration) {
        if path == attempt.nameless { return namelessHandshakeEnded([]) }
        guard let local = attempt.paths[path], attempt.state == .securing else { return }
        events.append(.handshake(RelayHandshake(facts: facts, duration: time, begun: attempt.race.begun)))
        for other in [attempt.path] + attempt.race.end() where other != path { close(other) }
        attempt.path = path
        attempt.state = .open
        if let local { connected(local, after: nil) }
    }

    /// A handshake has failed, or the server has ended the path after it. Over DTLS one that lost its end of the
    /// handshake does (seen of coturn under loss, about once in 400): another port gets another.
    private mutating func notSecured(
        _ path: PathID, _ refusal: SecureRefusal, after time: Duration, _ numbers: inout PathNumbers
    ) {
        if path == attempt.nameless { return namelessHandshakeEnded(refusal.failures) }
        guard attempt.paths[path] != nil else { return }
        if path == attempt.path, attempt.state == .open {
            guard request.transport == .dtls, !attempt.isAllocated, !hasChangedPort, !isEnding else {
                return lose(.closed)
            }
            hasChangedPort = true
            next = (server, false)
            return attempt.allocation.abandon()
        }
        attempt.hasRefusal = !refusal.failures.isEmpty
        events.append(
            .handshake(
                RelayHandshake(
                    facts: refusal.facts, failures: refusal.failures, firstBytes: refusal.firstBytes, duration: time,
                    begun: attempt.race.begun)))
        close(path)
        if leavesRace(path, refusal) { return }
        attempt.state = .unsecured
        for rival in attempt.race.end() { close(rival) }
        events.append(.failed(RelayFailure(stage: .tls, cause: .notSecured)))
        if !comparesNames(after: refusal, &numbers) { attempt.allocation.abandon() }
    }

    /// Whether a handshake that has failed was one of several, and failed for want of packets: the others go on. What a
    /// server says counts for all.
    private mutating func leavesRace(_ path: PathID, _ refusal: SecureRefusal) -> Bool {
        guard refusal.failures.allSatisfy({ $0.kind == .stalled || $0.kind == .flightLost }) else { return false }
        guard path == attempt.path else {
            attempt.race.remove(path)
            return true
        }
        guard let next = attempt.race.removeFirst() else { return false }
        attempt.path = next
        return true
    }

    /// A server that many names lead to picks its certificate by the one that the client gives (SNI, RFC 6066 s3), and
    /// sends another where none is given. Where the certificate is for other names, or the name is refused, a handshake
    /// without SNI shows whether that choice is what is wrong.
    private mutating func comparesNames(after refusal: SecureRefusal, _ numbers: inout PathNumbers) -> Bool {
        guard request.comparesNames, !isEnding, !attempt.hasComparedNames, var security = attempt.security,
            security.serverName != nil, refusal.failures.contains(where: \.isOfName)
        else { return false }
        security.serverName = nil
        let path = numbers.next()
        attempt.nameless = path
        attempt.hasComparedNames = true
        open(path, security)
        return true
    }

    private mutating func namelessHandshakeEnded(_ failures: [SecureFailure]?) {
        events.append(.namelessHandshake(failures))
        attempt.allocation.abandon()
    }

    // MARK: Errors

    private mutating func failed(_ error: PathError, at now: Instant) {
        guard attempt.paths[error.path] != nil else { return }
        if error.path == attempt.nameless {
            if error.isFatal { namelessHandshakeEnded(nil) }
            return
        }
        guard error.path == attempt.path else {
            // The attempt's own path hears itself of what concerns the server.
            guard error.isFatal else { return }
            attempt.race.remove(error.path)
            return close(error.path)
        }
        if error.isFatal || error.origin == .local && error.kind != .outOfResources { return lose(.path(error)) }
        // One ICMP message may be forged, or belong to a moment: it ends nothing unless it comes twice, or nothing else
        // comes within one retransmission timeout.
        guard error.origin != .local, error.destination == server else { return }
        if attempt.suspicion != nil { return confirm(error, at: now) }
        attempt.suspicion = (error, now + request.suspicionTime)
        attempt.allocation.hasten(to: now + Self.secondOpinion)
    }

    /// What ICMP says twice ends the attempt. Where the server holds an allocation it is asked to delete it all the
    /// same, as long as that may take: the path may be back.
    private mutating func confirm(_ error: PathError, at now: Instant) {
        attempt.suspicion = nil
        guard attempt.isAllocated else { return lose(.path(error)) }
        guard !isEnding else { return }
        events.append(.failed(RelayFailure(stage: attempt.stage, cause: .path(error))))
        delete(at: now)
    }

    /// The path is gone, and with it all that could still be said to the server.
    private mutating func lose(_ cause: RelayFailure.Cause) {
        events.append(.failed(RelayFailure(stage: attempt.stage, cause: cause)))
        attempt.allocation.abandon()
    }

    // MARK: Receiving

    private mutating func arrived(_ datagram: Datagram) {
        guard datagram.source.port == server.port, datagram.source.address.withoutZone == server.address.withoutZone
        else { return }
        attempt.suspicion = nil
        attempt.arrivedAt = datagram.arrivedAt
        attempt.allocation.handle(datagram: datagram.bytes, at: datagram.arrivedAt)
    }

    private mutating func streamed(_ event: StreamEvent) {
        switch event.kind {
        case .accepted: break
        case .ended: lose(.closed)
        case .bytes(let bytes):
            if attempt.firstBytes.count < 64 { attempt.firstBytes += bytes.prefix(64) }
            attempt.framer.append(bytes)
            attempt.arrivedAt = event.at
            // HTTP's first bytes would be those of ChannelData.
            if !attempt.isChallenged, !attempt.isAllocated,
                let name = ForeignProtocol.identify(attempt.firstBytes)?.name
            {
                return lose(.foreignProtocol(name: name))
            }
            do {
                while let frame = try attempt.framer.next() { attempt.allocation.handle(frame, at: event.at) }
            } catch {
                lose(.foreignProtocol(name: nil))
            }
        }
    }

    // MARK: The allocation

    mutating func takeEvents() {
        var none = VisitedRelays()
        takeEvents(&none)
    }

    private mutating func takeEvents(_ visited: inout VisitedRelays) {
        while let event = attempt.allocation.pollEvent() {
            switch event {
            case .challenged: attempt.isChallenged = true
            case .permitted: attempt.isPermitted = true
            case .allocated(let allocated) where !options.isEmpty:
                events.append(.optionsAnswered(allocated.answers(to: options)))
            case .failed(let stage, let failure):
                if let failure = unlessItStartsAgain(after: failure, of: stage, visited) {
                    events.append(.failed(failure))
                }
                continue
            case .expired:
                events.append(.failed(RelayFailure(stage: .relay, cause: .expired)))
                continue
            default: break
            }
            events.append(.turn(event))
        }
        if attempt.allocation.isFinished, next == nil { closePaths() }
    }

    /// What to tell of a request that has failed; nil where another server, or another port once, is to be tried.
    private mutating func unlessItStartsAgain(
        after failure: TURNFailure, of stage: TURNStage, _ visited: VisitedRelays
    ) -> RelayFailure? {
        switch failure {
        case .redirected(let redirect) where !attempt.isAllocated:
            let asked = visited.servers(over: request.transport, relaying: request.relayFamily)
            switch redirects.decide(redirect, visited: asked) {
            case .follow(let server):
                next = (server, true)
                alternateDomain =
                    redirect.domain.flatMap { String(validating: $0, as: UTF8.self) } ?? alternateDomain
                return nil
            case .refuse(let refusal):
                return RelayFailure(stage: .allocate, cause: .redirectRefused(redirect, refusal))
            }
        case .errorResponse(let response) where stage == .allocate && refuses(response):
            next = (server, false)
            return nil
        case .errorResponse(let response) where response.suggestsNewFiveTuple && !hasChangedPort && !isEnding:
            hasChangedPort = true
            next = (server, false)
            return nil
        default: return RelayFailure(stage: RelayStage(stage), cause: .request(stage, failure))
        }
    }
}

extension RelayClient {
    /// Whether an error response is about options, which are given up then.
    private mutating func refuses(_ response: TURNErrorResponse) -> Bool {
        let refused = AllocationOption.refused(by: response, of: options)
        guard !refused.isEmpty, !isEnding else { return false }
        options.subtract(refused)
        events.append(
            .optionsAnswered(
                AllocationOption.allCases.filter(refused.contains).map {
                    AllocationOptionAnswer($0, .refused, code: response.code)
                }))
        return true
    }
}

extension RelayStage {
    init(_ stage: TURNStage) {
        self =
            switch stage {
            case .allocate: .allocate
            case .permission: .permission
            case .channel: .channel
            case .refresh, .connect, .connectionBind, .delete: .relay
            }
    }
}

extension SecureFailure {
    /// unrecognized_name and handshake_failure, which servers send who know no such name (RFC 8446 s6.2).
    private static let nameAlerts: [UInt8] = [112, 40]

    /// Whether it may be for the name that was given.
    fileprivate var isOfName: Bool {
        kind == .wrongName || kind == .alert && alert.map(Self.nameAlerts.contains) == true
    }
}
