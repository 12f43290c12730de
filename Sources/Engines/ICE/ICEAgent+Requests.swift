import NetTypes
import STUN

/// Connectivity checks as the server of them (RFC 8445 s7.3).
extension ICEAgent {
    /// Checks that are kept for the time when the peer's credentials are known.
    private static var mostEarlyRequests: Int { 32 }

    /// Peer-reflexive candidates of one address that are paired with one of this side's: three are the most that a NAT
    /// makes before two sides meet.
    private static var mostLearned: Int { 8 }

    mutating func requested(_ message: Message, from source: Endpoint, over route: ICERoute, at now: Instant) {
        // With relayed candidates alone, the sockets of the machine itself are no candidates.
        guard locals[route.sender].isTold || offers(.serverReflexive) || offers(.host) else { return }
        let id = message.transactionID
        func refuse(_ code: Int, _ why: ICERequestFault, password: String? = nil, unknown: [AttributeType] = []) {
            transmit(ICEMessage.error(code, id, unknown: unknown, password: password), to: source, over: route)
            observe(.requestRefused(from: source, why), at: now)
        }
        guard let username = message.rawValue(.username), message.first(.messageIntegrity) != nil else {
            return refuse(400, .noIntegrity)
        }
        if let selection, selection.credentials.local != localCredentials,
            isAddressed(username, to: selection.credentials.local)
        {
            return answerConsent(message, selection, from: source, over: route)
        }
        guard isAddressed(username, to: localCredentials) else { return refuse(401, .wrongUsername) }
        guard message.verifyIntegrity(key: Array(localCredentials.password.utf8)) == .valid else {
            return refuse(401, .wrongIntegrity)
        }
        let unknown = message.unknownComprehensionRequired
        guard unknown.isEmpty else {
            return refuse(420, .unknownAttributes, password: localCredentials.password, unknown: unknown)
        }
        guard let priority = (try? message.value(.priority)) ?? nil else {
            return refuse(400, .malformed, password: localCredentials.password)
        }
        if let conflict = conflict(in: message), !yields(to: conflict, at: now) {
            return refuse(487, .roleConflict, password: localCredentials.password)
        }
        let nominates = message.first(.useCandidate) != nil
        let answer = ICEMessage.success(id, to: source, password: localCredentials.password)
        let request = ICEEarlyRequest(source: source, route: route, priority: priority, nominates: nominates)
        guard remoteCredentials != nil else {
            guard earlyRequests.count < Self.mostEarlyRequests else { return }
            transmit(answer, to: source, over: route)
            if !earlyRequests.contains(where: { $0.source == source && $0.route == route && !nominates }) {
                earlyRequests.append(request)
            }
            return observe(.checkReceived(from: source, nil, nominates: nominates), at: now)
        }
        transmit(answer, to: source, over: route)
        take(request, at: now)
    }

    private func isAddressed(_ username: [UInt8], to credentials: ICECredentials) -> Bool {
        username.starts(with: Array(credentials.usernameFragment.utf8) + [UInt8(ascii: ":")])
    }

    /// The old pair's consent goes on while a restart has no new one.
    private mutating func answerConsent(
        _ message: Message, _ selection: ICESelection, from source: Endpoint, over route: ICERoute
    ) {
        let password = selection.credentials.local.password
        guard message.verifyIntegrity(key: Array(password.utf8)) == .valid else { return }
        transmit(ICEMessage.success(message.transactionID, to: source, password: password), to: source, over: route)
    }

    // MARK: Role conflicts

    /// The peer's tie-breaker, where it claims the role of this side (RFC 8445 s7.3.1.1).
    private func conflict(in message: Message) -> UInt64? {
        guard !isRemoteLite else { return nil }
        let claim = role == .controlling ? message.integer(.iceControlling) : message.integer(.iceControlled)
        return claim
    }

    /// Whether this side takes the other role; if not, the peer is told to.
    private mutating func yields(to theirs: UInt64, at now: Instant) -> Bool {
        let isLarger = tieBreaker >= theirs
        guard role == .controlling ? !isLarger : isLarger else { return false }
        return changeRole(to: role.opposite, at: now)
    }

    // MARK: What a check brings

    mutating func take(_ request: ICEEarlyRequest, at now: Instant) {
        let local = locals[request.route.sender]
        let transport = local.candidate.transport
        let found = remotes.firstIndex { $0.endpoint == request.source && $0.candidate.transport == transport }
        guard let remote = found ?? learn(request, transport, at: now) else {
            return observe(.requestRefused(from: request.source, .tooMany), at: now)
        }
        let ends = CheckList.Ends(sender: request.route.sender, remote: remote, connection: request.route.connection)
        let known =
            checkList.pair(of: ends)
            ?? links.indices.first { links[$0].connection != nil && links[$0].connection == ends.connection }
            .map { ICEPair.ID($0) }
        let pair: ICEPair.ID
        if let known {
            pair = known
        } else {
            guard pairs.count < 2 * ICEConfiguration.mostPairs else {
                return observe(.requestRefused(from: request.source, .tooMany), at: now)
            }
            pair = add(ends, at: now)
        }
        observe(.checkReceived(from: request.source, pair, nominates: request.nominates), at: now)
        if request.nominates, role == .controlled {
            checkList.peerNominated(pair)
            if checkList[pair].isValid { nominate(pair, at: now) }
        }
        if checkList[pair].state != .succeeded { trigger(pair, at: now) }
    }

    /// A peer-reflexive candidate of the peer's (RFC 8445 s7.3.1.3).
    private mutating func learn(
        _ request: ICEEarlyRequest, _ transport: Candidate.Transport, at now: Instant
    ) -> Int? {
        // Two NATs of which each gives every destination another port would make one of the other for ever.
        let learned = checkList.pairs { pair, ends in
            ends.sender == request.route.sender && pair.remote.kind == .peerReflexive
                && remotes[ends.remote].endpoint.address == request.source.address
        }
        guard remotes.count < ICEConfiguration.mostRemoteCandidates, learned.count < Self.mostLearned
        else { return nil }
        let candidate = Candidate(
            .peerReflexive, transport: transport, tcpType: transport == .tcp ? .active : nil,
            // RFC 8445 s7.3.1.3: one that no other candidate has.
            foundation: "prflx\(remotes.count)", priority: max(1, request.priority), endpoint: request.source)
        observe(.peerReflexiveRemote(candidate), at: now)
        return pairUp(candidate, request.source, at: now)
    }
}

extension Message {
    func integer(_ key: AttributeKey<UInt64>) -> UInt64? { (try? value(key)) ?? nil }
}
