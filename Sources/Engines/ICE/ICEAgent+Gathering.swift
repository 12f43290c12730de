import NetTypes
import STUN

/// Gathering of host and server-reflexive candidates (RFC 8445 s5.1).
extension ICEAgent {
    /// How a STUN server is asked: 0, 50, 150, 350, 750 and 1,550 ms; given up after 2 s.
    private static var questionSchedule: RetransmissionSchedule { .eager }

    mutating func beginGathering(at now: Instant) {
        for base in configuration.bases {
            open(.datagram, .base(base), local: Endpoint(base.address, 0), interface: base.interface)
            if configuration.usesTCP {
                open(.listener, .listener(base), local: Endpoint(base.address, 0), interface: base.interface)
            }
        }
        openRelays(at: now)
    }

    @discardableResult
    mutating func open(
        _ kind: PathSpecification.Kind, _ owner: ICEPathOwner, local: Endpoint, interface: String? = nil,
        group: IPAddress? = nil
    ) -> PathID {
        let path = pathNumbers.next()
        owners[path] = owner
        outputs.append(
            .open(
                path,
                PathSpecification(
                    kind, family: local.family, local: local, interface: interface, group: group)))
        return path
    }

    mutating func baseOpened(_ base: ICEConfiguration.Base, _ path: PathID, _ local: Endpoint, at now: Instant) {
        let endpoint = local.withoutZone
        let candidate = Candidate(
            .host, foundation: foundations.foundation(.host, base: endpoint.address),
            priority: CandidatePriority.priority(.host, .udp, localPreference: base.localPreference),
            endpoint: endpoint)
        let place = add(
            ICELocal(
                candidate: candidate, base: local, sender: .socket(path), localPreference: base.localPreference,
                isTold: offers(.host)), at: now)
        guard offers(.serverReflexive) else { return }
        for server in configuration.stunServers where server.family == local.family {
            let id = TransactionID(using: &random)
            questions.append(
                ICEQuestion(
                    local: place, path: path, server: server,
                    client: ClientTransaction(
                        id: id, request: BindingRequest.bytes(id), schedule: Self.questionSchedule, from: now)))
        }
    }

    mutating func listenerOpened(_ base: ICEConfiguration.Base, _ local: Endpoint, at now: Instant) {
        let address = local.address.withoutZone
        let foundation = foundations.foundation(.host, base: address, transport: .tcp)
        for (type, port, sender) in [
            // RFC 6544 s4.5: the port of an active candidate is 9, which stands for none.
            (Candidate.TCPType.active, UInt16(9), ICELocal.Sender.connections), (.passive, local.port, .listener),
        ] {
            let candidate = Candidate(
                .host, transport: .tcp, tcpType: type, foundation: foundation,
                priority: CandidatePriority.priority(
                    .host, .tcp, tcpType: type, localPreference: base.localPreference),
                endpoint: Endpoint(address, port))
            add(
                ICELocal(
                    candidate: candidate, base: Endpoint(local.address, port), sender: sender,
                    localPreference: base.localPreference, isTold: offers(.host)), at: now)
        }
    }

    /// Whether candidates of a kind take part.
    func offers(_ kind: Candidate.Kind) -> Bool {
        configuration.kinds.contains(kind == .peerReflexive ? .serverReflexive : kind)
    }

    /// Adds a local candidate, tells it, and pairs it with what is known of the peer.
    @discardableResult
    mutating func add(_ local: ICELocal, at now: Instant) -> Int {
        locals.append(local)
        if local.isTold { observe(.gathered(local.candidate), at: now) }
        if local.sender != nil {
            for remote in remotes.indices { form(locals.count - 1, remote, at: now) }
            beginChecks(at: now)
        }
        return locals.count - 1
    }

    // MARK: Server-reflexive candidates

    /// Takes what a STUN server answered; false where it is no answer to a question of this agent.
    mutating func takeAnswer(_ datagram: Datagram, _ id: TransactionID, at now: Instant) -> Bool {
        guard let index = questions.firstIndex(where: { $0.client.id == id && !$0.isOver }) else { return false }
        let question = questions[index]
        guard question.path == datagram.path, question.server == datagram.source else { return true }
        let source = ICEGatheringFailure.Source.stunServer(
            question.server, base: locals[question.local].candidate.endpoint?.address ?? question.server.address)
        func fail(_ reason: ICEGatheringFailure.Reason) {
            questions[index].isOver = true
            observe(.notGathered(ICEGatheringFailure(source: source, reason: reason)), at: now)
        }
        switch BindingReply(datagram.bytes, to: id) {
        case .ignored: return true
        case .success(let mapping):
            questions[index].isOver = true
            addReflexive(mapping.mappedAddress, question, at: now)
        case .error(let code, _): fail(.errorResponse(code: code))
        case .brokenError(let why), .unusable(let why): fail(.unusableAnswer(why))
        case .unknownAttributes(let types):
            fail(.unusableAnswer(types.map(\.description).joined(separator: ", ")))
        }
        return true
    }

    private mutating func addReflexive(_ mapped: Endpoint, _ question: ICEQuestion, at now: Instant) {
        let host = locals[question.local]
        // RFC 8445 s5.1.3: redundant is what another candidate with the same base says already.
        guard !locals.contains(where: { $0.base == host.base && $0.candidate.endpoint == mapped && !$0.isLearned })
        else { return }
        let candidate = Candidate(
            .serverReflexive,
            foundation: foundations.foundation(
                .serverReflexive, base: host.base.address.withoutZone, server: question.server.address),
            priority: CandidatePriority.priority(.serverReflexive, .udp, localPreference: host.localPreference),
            endpoint: mapped, related: host.base.withoutZone)
        add(
            ICELocal(
                candidate: candidate, base: host.base, sender: nil, localPreference: host.localPreference,
                isTold: true), at: now)
    }

    mutating func nextQuestion(at now: Instant) -> Output? {
        for index in questions.indices where !questions[index].isOver && questions[index].client.isDue(at: now) {
            let question = questions[index]
            guard pacer.earliest(to: question.server.address, from: now) <= now else { continue }
            pacer.book(to: question.server.address, at: now)
            questions[index].client.transmitted(at: now)
            return .transmit(
                Transmit(path: question.path, destination: question.server, bytes: question.client.request))
        }
        return nil
    }

    // MARK: The end

    mutating func advanceGathering(to now: Instant) {
        guard !isGatheringFinished else { return }
        let isLate = now >= startedAt + configuration.gatheringLimit
        for index in questions.indices where !questions[index].isOver {
            guard questions[index].client.handleTimeout(at: now) || isLate else { continue }
            questions[index].isOver = true
            let question = questions[index]
            observe(
                .notGathered(
                    ICEGatheringFailure(
                        source: .stunServer(question.server, base: locals[question.local].base.address.withoutZone),
                        reason: .noAnswer(transmissions: question.client.attempts))), at: now)
        }
        let isWhole =
            questions.allSatisfy(\.isOver) && relays.allSatisfy(\.isGathered)
            && !owners.contains { isOpening($0.key, $0.value) }
        guard isWhole || isLate else { return }
        isGatheringFinished = true
        observe(.gatheringFinished, at: now)
    }

    private func isOpening(_ path: PathID, _ owner: ICEPathOwner) -> Bool {
        switch owner {
        case .base: !locals.contains { $0.sender == .socket(path) }
        case .listener(let base):
            !locals.contains { $0.sender == .listener && $0.base.address == base.address }
        case .relay, .connection, .lookup: false
        }
    }

    var gatheringWake: Instant? {
        guard !isGatheringFinished else { return nil }
        let questions = questions.compactMap { question in
            question.isOver
                ? nil
                : question.client.nextWake.map { pacer.earliest(to: question.server.address, from: $0) }
        }
        return (questions + [startedAt + configuration.gatheringLimit]).min()
    }
}
