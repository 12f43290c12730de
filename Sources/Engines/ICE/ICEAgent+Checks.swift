import NetTypes
import STUN

/// Connectivity checks as the client of them (RFC 8445 s7.2).
extension ICEAgent {
    /// Begins once there is something to check, and someone to answer.
    mutating func beginChecks(at now: Instant) {
        guard !isClosed, remoteCredentials != nil, !pairs.isEmpty else { return }
        if checksBeganAt == nil { checksBeganAt = now }
        if nextCheckAt == nil { nextCheckAt = now }
        if state == .new || state == .failed { change(to: .checking, at: now) }
        hasFailed = false
    }

    /// RFC 8445 s14.3: `RTO = MAX (500ms, Ta * N * (Num-Waiting + Num-In-Progress))`.
    private var retransmissionTimeout: Duration {
        max(configuration.checkSchedule.initialTimeout, pacing * checkList.busyCount)
    }

    /// Of a pair that has answered: three of its round trips, which is what RFC 6298 s2.2 makes of one.
    private func knownTimeout(of pair: ICEPair.ID) -> Duration {
        let trip = checkList[pair].roundTrip ?? configuration.checkSchedule.initialTimeout
        return min(max(.milliseconds(50), trip * 3), .milliseconds(500))
    }

    // MARK: Sending

    /// Sends what is due next; false where nothing is.
    mutating func sendNextCheck(at now: Instant) -> Bool {
        guard remoteCredentials != nil else { return false }
        if let due = checks.firstIndex(where: {
            $0.client.isDue(at: now) && !$0.isCalledOff && isAllowed($0.pair, at: now)
        }) {
            retransmit(due, at: now)
            return true
        }
        guard let nextCheckAt, nextCheckAt <= now,
            let turn = checkList.next(where: { isAllowed($0, at: now) })
        else { return false }
        begin(turn, at: now)
        self.nextCheckAt = now + pacing
        return true
    }

    /// Whether the destination may get another datagram (product.md, promise 7).
    private func isAllowed(_ pair: ICEPair.ID, at now: Instant) -> Bool {
        earliest(for: pair, from: now) <= now
    }

    private func earliest(for pair: ICEPair.ID, from now: Instant) -> Instant {
        pacer.earliest(to: destination(of: pair).address, from: now)
    }

    private mutating func begin(_ turn: CheckList.Turn, at now: Instant) {
        guard let remoteCredentials else { return }
        let pair = turn.pair
        let local = sender(of: pair)
        let link = links[pair.number]
        if local.sender == .connections, link.connection.map({ connections[$0] == nil }) ?? true { connect(pair) }
        let id = TransactionID(using: &random)
        let bytes = ICEMessage.check(
            id, local: localCredentials, remote: remoteCredentials, role: role, tieBreaker: tieBreaker,
            priority: CandidatePriority.priority(
                .peerReflexive, local.candidate.transport, tcpType: local.candidate.tcpType,
                localPreference: local.localPreference),
            nominates: turn.nominates)
        let isProven = checkList[pair].isValid
        var schedule = isProven ? .persistent : configuration.checkSchedule
        schedule.initialTimeout = isProven ? knownTimeout(of: pair) : retransmissionTimeout
        if local.candidate.transport == .tcp { schedule = .once(waiting: schedule.total) }
        callOff(link.check)
        links[pair.number].check = id
        checkList.began(turn)
        checks.append(
            ICECheckTransaction(
                turn: turn, client: ClientTransaction(id: id, request: bytes, schedule: schedule, from: now),
                role: role))
        retransmit(checks.count - 1, at: now)
    }

    /// A check that another takes the place of is not sent again; its answer still counts (RFC 8445 s7.3.1.4).
    mutating func callOff(_ id: TransactionID?) {
        guard let check = checks.firstIndex(where: { $0.id == id }) else { return }
        checks[check].isCalledOff = true
    }

    private mutating func retransmit(_ index: Int, at now: Instant) {
        checks[index].client.transmitted(at: now)
        let check = checks[index]
        let remote = destination(of: check.pair)
        pacer.book(to: remote.address, at: now)
        checkList.sent(check.pair, at: now)
        transmit(check.client.request, to: remote, over: route(of: check.pair))
        observe(
            .checkSent(
                check.pair,
                ICECheck(
                    attempt: check.client.attempts, nominates: check.turn.nominates,
                    isTriggered: check.turn.isTriggered)),
            at: now)
    }

    // MARK: Answers

    mutating func responded(_ message: Message, from source: Endpoint, over route: ICERoute, at now: Instant) {
        if selection?.isWaiting(for: message.transactionID) == true {
            return consentAnswered(message, from: source, over: route, at: now)
        }
        guard let check = checks.first(where: { $0.id == message.transactionID }), let remoteCredentials else { return }
        let pair = check.pair
        let isAuthentic = message.verifyIntegrity(key: Array(remoteCredentials.password.utf8)) == .valid
        if message.messageClass == .errorResponse {
            return refused(message, check, isAuthentic: isAuthentic, at: now)
        }
        guard isAuthentic else { return }
        checks.removeAll { $0.id == check.id }
        guard source == destination(of: pair), route.sender == self.route(of: pair).sender else {
            return fail(pair, .notSymmetric(source: source), at: now)
        }
        let unknown = message.unknownComprehensionRequired
        guard unknown.isEmpty else {
            return fail(pair, .unusableAnswer(unknown.map(\.description).joined(separator: ", ")), at: now)
        }
        guard let mapped = (try? message.value(.xorMappedAddress)) ?? nil else {
            return fail(pair, .unusableAnswer("no XOR-MAPPED-ADDRESS"), at: now)
        }
        succeed(check, mapped.withoutZone, at: now)
    }

    private mutating func succeed(_ check: ICECheckTransaction, _ mapped: Endpoint, at now: Instant) {
        let pair = check.pair
        let trip = check.client.roundTrip(arrivingAt: now)
        let valid = validLocal(of: pair, mapped, at: now)
        guard offers(valid.kind) || valid.kind == .relayed else {
            return fail(pair, .otherKind(valid.kind), at: now)
        }
        checkList.succeeded(pair, as: valid, after: trip.map { ($0.duration, $0.isAmbiguous) }, at: now)
        observe(
            .checkSucceeded(
                pair,
                ICECheckSuccess(
                    roundTrip: trip?.duration ?? .zero, isAmbiguous: trip?.isAmbiguous ?? true, mappedAddress: mapped)),
            at: now)
        if check.turn.nominates, check.role == .controlling { nominate(pair, at: now) }
        if checkList.isNominatedByPeer(pair), role == .controlled { nominate(pair, at: now) }
        settle(at: now)
    }

    /// The local candidate of a valid pair (RFC 8445 s7.2.5.3.1, s7.2.5.3.2): the one whose address the peer saw.
    private mutating func validLocal(of pair: ICEPair.ID, _ mapped: Endpoint, at now: Instant) -> Candidate {
        let local = sender(of: pair)
        if let connection = links[pair.number].connection, connections[connection]?.localEndpoint == mapped {
            // An active candidate has no port before it connects.
            var candidate = local.candidate
            candidate.port = mapped.port
            return candidate
        }
        if let known = locals.first(where: {
            $0.candidate.endpoint == mapped && $0.base == local.base
                && $0.candidate.transport == local.candidate.transport
        }) {
            return known.candidate
        }
        var candidate = local.candidate
        candidate.kind = .peerReflexive
        candidate.address = .address(mapped.address)
        candidate.port = mapped.port
        candidate.relatedAddress = .address(local.base.address.withoutZone)
        candidate.relatedPort = local.base.port
        candidate.priority = CandidatePriority.priority(
            .peerReflexive, candidate.transport, tcpType: candidate.tcpType, localPreference: local.localPreference)
        locals.append(
            ICELocal(
                candidate: candidate, base: local.base, sender: nil, localPreference: local.localPreference,
                isTold: false, isLearned: true))
        observe(.peerReflexiveLocal(candidate), at: now)
        return candidate
    }

    private mutating func refused(
        _ message: Message, _ check: ICECheckTransaction, isAuthentic: Bool, at now: Instant
    ) {
        let pair = check.pair
        guard let error = (try? message.value(.errorCode)) ?? nil else { return }
        guard isAuthentic else {
            // Anyone can send it: it is told if nothing better comes.
            links[pair.number].unsignedError = (error.code, error.reason)
            return
        }
        checks.removeAll { $0.id == check.id }
        guard error.code == ErrorCode.roleConflict.code else {
            return fail(pair, .errorResponse(code: error.code, reason: error.reason), at: now)
        }
        // RFC 8445 s7.2.5.1: only the role that the check was sent in is changed.
        if role == check.role, !changeRole(to: check.role.opposite, at: now) {
            return fail(pair, .roleConflict, at: now)
        }
        trigger(pair, at: now)
    }

    /// Changes the role; false where it stays.
    mutating func changeRole(to role: ICERole, at now: Instant) -> Bool {
        guard checkList.changeRole(to: role) else { return false }
        observe(.roleChanged(role), at: now)
        return true
    }

    mutating func trigger(_ pair: ICEPair.ID, at now: Instant) {
        checkList.trigger(pair)
        callOff(links[pair.number].check)
        beginChecks(at: now)
    }

    // MARK: Failure

    mutating func fail(_ pair: ICEPair.ID, _ why: ICECheckFailure, at now: Instant) {
        if checkList.fail(pair, why) { ended(pair, why, at: now) }
    }

    /// Ends the check of a pair that has failed.
    mutating func ended(_ pair: ICEPair.ID, _ why: ICECheckFailure, at now: Instant) {
        checks.removeAll { $0.id == links[pair.number].check }
        observe(.checkFailed(pair, why), at: now)
    }

    /// What ICMP or the system says of a check. The peer may open its way later, so that one message ends nothing.
    mutating func checkFailed(_ error: PathError, at now: Instant) {
        let check: TransactionID? =
            error.quoted.count >= Message.headerSize ? TransactionID(bytes: error.quoted[8..<20]) : nil
        let place =
            checks.first { $0.id == check }?.pair
            ?? error.destination.flatMap { destination in
                checkList.pairs { pair, ends in
                    pair.state == .inProgress && remotes[ends.remote].endpoint == destination.withoutZone
                        && locals[ends.sender].sender == .socket(error.path)
                }.first
            }
        guard let pair = place, checkList[pair].state == .inProgress else { return }
        var reporter: IPAddress?
        if case .icmp(let from) = error.origin { reporter = from }
        links[pair.number].trouble = (error.kind, reporter)
        links[pair.number].troubles += 1
        let isOurs = error.origin == .local && error.kind != .outOfResources
        if isOurs || links[pair.number].troubles >= 3 { fail(pair, .path(error.kind, from: reporter), at: now) }
    }

    mutating func advanceChecks(to now: Instant) {
        for id in checks.map(\.id) {
            guard let index = checks.firstIndex(where: { $0.id == id }) else { continue }
            let isOver = checks[index].client.handleTimeout(at: now)
            let check = checks[index]
            guard isOver || check.isCalledOff && isOld(check, now) else { continue }
            checks.remove(at: index)
            let pair = check.pair
            guard links[pair.number].check == id else { continue }
            // A pair that works and whose nomination nobody answers is no pair to nominate.
            if checkList[pair].state == .inProgress || checkList.nominating == pair {
                fail(pair, silence(of: check), at: now)
            }
        }
    }

    /// Whether the answer to a check that was called off is not waited for any more.
    private func isOld(_ check: ICECheckTransaction, _ now: Instant) -> Bool {
        guard let last = check.client.transmissions.last else { return true }
        return now - last > configuration.checkSchedule.total
    }

    private func silence(of check: ICECheckTransaction) -> ICECheckFailure {
        let link = links[check.pair.number]
        if let error = link.unsignedError { return .errorResponse(code: error.code, reason: error.reason) }
        if let trouble = link.trouble { return .path(trouble.kind, from: trouble.from) }
        return .noAnswer(transmissions: checkList[check.pair].transmissions)
    }

    var checkWake: Instant? {
        guard remoteCredentials != nil else { return nil }
        let waits = checks.compactMap { check in
            check.isCalledOff ? nil : check.client.nextWake.map { earliest(for: check.pair, from: $0) }
        }
        return (waits + [nextTurn].compactMap(\.self)).min()
    }

    /// When the next check may begin, where there is one.
    private var nextTurn: Instant? {
        guard let nextCheckAt else { return nil }
        return checkList.upcoming.map { earliest(for: $0, from: nextCheckAt) }.min()
    }
}

extension ErrorCode {
    static var roleConflict: ErrorCode { ErrorCode(487) }
}
