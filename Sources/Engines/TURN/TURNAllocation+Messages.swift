package import NetTypes
package import STUN

extension TURNAllocation {
    /// Takes a datagram from the server's address.
    package mutating func handle(datagram bytes: [UInt8], at now: Instant) {
        guard phase != .over else { return }
        // RFC 8656 s12: the first two bits tell ChannelData (0b01) from STUN (0b00).
        guard let first = bytes.first, first & 0xC0 == 0x40 else { return handle(message: bytes, at: now) }
        do {
            handle(try ChannelData(decoding: bytes), at: now)
        } catch {
            discard(.malformedChannelData)
        }
    }

    /// Takes a frame of the stream to the server.
    package mutating func handle(_ frame: StreamFramer.Frame, at now: Instant) {
        guard phase != .over else { return }
        switch frame {
        case .message(let bytes): handle(message: bytes, at: now)
        case .channelData(let data): handle(data, at: now)
        }
    }

    private mutating func handle(_ data: ChannelData, at now: Instant) {
        guard phase == .allocated else { return discard(.withoutAllocation) }
        // Bound or not yet: the confirmation may be lost or late, and the number was given to no other peer.
        guard let peer = channels[data.channel]?.peer else { return discard(.unknownChannel) }
        events.append(.received(TURNReceived(peer: peer, bytes: data.data, channel: data.channel)))
    }

    private mutating func handle(message bytes: [UInt8], at now: Instant) {
        guard let message = try? Message(decoding: bytes), !message.isLegacy else {
            return discard(.malformed)
        }
        guard message.verifyFingerprint() != .invalid else { return discard(.badFingerprint) }
        switch message.messageClass {
        case .request: discard(.noResponse)
        case .indication: handleIndication(message)
        case .successResponse, .errorResponse: handleResponse(message, at: now)
        }
    }

    mutating func discard(_ reason: TURNDiscard) {
        discards[reason, default: 0] += 1
        if discards[reason] == 1 { events.append(.discarded(reason)) }
    }

    // MARK: Indications

    private mutating func handleIndication(_ message: Message) {
        guard phase == .allocated else { return discard(.withoutAllocation) }
        switch message.method {
        case .data: handleData(message)
        case .connectionAttempt: handleConnectionAttempt(message)
        default: discard(.noResponse)
        }
    }

    private mutating func handleData(_ message: Message) {
        guard let peer = (try? message.value(.xorPeerAddress)) ?? nil, message.unknownComprehensionRequired.isEmpty
        else { return discard(.malformedIndication) }
        guard permissions[peer.address] != nil else { return discard(.peerWithoutPermission) }
        if let icmp = (try? message.value(.icmp)) ?? nil {
            events.append(.relayedICMP(icmp, peer: peer))
            return
        }
        guard let data = message.rawValue(.data) else { return discard(.malformedIndication) }
        events.append(.received(TURNReceived(peer: peer, bytes: data, channel: nil)))
    }

    private mutating func handleConnectionAttempt(_ message: Message) {
        guard let peer = (try? message.value(.xorPeerAddress)) ?? nil,
            let id = (try? message.value(.connectionID)) ?? nil
        else { return discard(.malformedIndication) }
        guard permissions[peer.address] != nil else { return discard(.peerWithoutPermission) }
        events.append(.connectionAttempted(peer, connectionID: id))
    }

    // MARK: Responses

    private mutating func handleResponse(_ message: Message, at now: Instant) {
        guard let index = transactions.firstIndex(where: { $0.client.id == message.transactionID }) else {
            return discard(.noTransaction)
        }
        switch transactions[index].judge(message, at: now) {
        case .discarded(let reason): discard(reason)
        case .held: break
        case .challenged(let code):
            let transaction = transactions.remove(at: index)
            measure(transaction, at: now)
            retry(transaction, challengedBy: message, code: code, at: now)
        case .succeeded:
            let transaction = transactions.remove(at: index)
            measure(transaction, at: now)
            succeed(transaction, message, at: now)
        case .failed(let failure):
            let transaction = transactions.remove(at: index)
            end(transaction, failure, at: now)
        }
    }

    private mutating func measure(_ transaction: TURNTransaction, at now: Instant) {
        guard let measured = transaction.client.roundTrip(arrivingAt: now), !measured.isAmbiguous else { return }
        shortestRoundTrip = min(measured.duration, shortestRoundTrip ?? measured.duration)
    }

    private mutating func retry(
        _ transaction: TURNTransaction, challengedBy message: Message, code: Int, at now: Instant
    ) {
        var history = transaction.history
        switch authenticator.challenged(by: message, code: code, used: transaction.signature, &history) {
        case .stop(let failure): end(transaction, failure, at: now)
        case .retry:
            if phase == .allocating { roundTrips += 1 }
            let isRenewal = renewals.remove(transaction.client.id) != nil
            // Before anything else that waits: what was asked for first goes out first.
            outbox.insert(
                .request(
                    transaction.request, history, attempt: transaction.attempt + 1,
                    startedAt: transaction.startedAt, isRenewal: isRenewal), at: 0)
            guard let signature = authenticator.signature else { return }
            events.append(
                .challenged(
                    TURNChallenged(
                        code: code, method: transaction.request.method, realm: signature.realm.bytes,
                        software: message.rawValue(.software),
                        algorithms: ((try? message.value(.passwordAlgorithms)) ?? nil)?.map(\.number),
                        thirdParty: message.rawValue(.thirdPartyAuthorization),
                        authentication: TURNAuthentication(signature),
                        roundTrip: TURNRoundTrip(transaction.client, at: now))))
        }
    }

    private mutating func succeed(_ transaction: TURNTransaction, _ message: Message, at now: Instant) {
        let isRenewal = renewals.remove(transaction.client.id) != nil
        let roundTrip = TURNRoundTrip(transaction.client, at: now)
        switch transaction.request {
        case .allocate: allocate(transaction, message, roundTrip, at: now)
        case .refresh: refreshed(message, at: now)
        case .delete: finish(.confirmed)
        case .permission(let addresses):
            for address in addresses { permissionInstalled(address, at: now) }
            events.append(.permitted(addresses, roundTrip, isRenewal: isRenewal))
        case .channel(let number, let peer):
            channels[number]?.isBound = true
            channels[number]?.refreshAt = configuration.refreshing.channels.map { now + $0 }
            // A ChannelBind installs the permission as well, for no longer than any (RFC 8656 s12.2). One that is there
            // keeps its time, so that those of all peers go on being renewed in one request.
            if permissions[peer.address]?.refreshAt == nil { permissionInstalled(peer.address, at: now) }
            events.append(.channelBound(number, peer, roundTrip, isRenewal: isRenewal))
        case .connect(let peer):
            guard let id = (try? message.value(.connectionID)) ?? nil else {
                events.append(.failed(.connect(peer), .malformed("the response has no CONNECTION-ID")))
                return
            }
            events.append(.connected(peer, connectionID: id))
        case .connectionBind: break
        }
    }

    private mutating func permissionInstalled(_ address: IPAddress, at now: Instant) {
        permissions[address] = Permission(
            isInstalled: true, refreshAt: configuration.refreshing.permissions.map { now + $0 })
    }

    // MARK: Allocation

    private mutating func allocate(
        _ transaction: TURNTransaction, _ message: Message, _ roundTrip: TURNRoundTrip, at now: Instant
    ) {
        roundTrips += 1
        mayExist = true
        var made = TURNAllocated(
            relayedAddresses: [], unusableAddresses: [], mappedAddress: (try? message.value(.xorMappedAddress)) ?? nil,
            lifetime: TURNLifetime(granted: (try? message.value(.lifetime)) ?? nil),
            reservationToken: (try? message.value(.reservationToken)) ?? nil,
            addressErrors: [], software: message.rawValue(.software),
            authentication: transaction.signature.map(TURNAuthentication.init), roundTrips: roundTrips,
            elapsed: now - transaction.startedAt, roundTrip: roundTrip)
        made.addressErrors = message.meaningful.filter { $0.type == .addressErrorCode }.compactMap {
            try? message.value(.addressErrorCode, of: $0)
        }
        takeRelayedAddresses(from: message, into: &made)
        allocated = made
        grant(made.lifetime, at: now)
        guard !made.relayedAddresses.isEmpty else {
            let failure = TURNFailure.unusableRelayedAddress(made.unusableAddresses)
            return end(transaction, failure, at: now)
        }
        phase = .allocated
        events.append(.allocated(made))
        release()
    }

    /// At most one address of each family counts, and two only where two were asked for.
    private func takeRelayedAddresses(from message: Message, into made: inout TURNAllocated) {
        let limit = configuration.families == .dual ? 2 : 1
        let attributes = message.meaningful.filter { $0.type == .xorRelayedAddress }.prefix(limit)
        for attribute in attributes {
            guard let address = try? message.value(.xorRelayedAddress, of: attribute) else {
                made.unusableAddresses.append(TURNUnusableAddress(address: nil, reason: .malformed))
                continue
            }
            if let reason = objection(to: address, besides: made.relayedAddresses) {
                made.unusableAddresses.append(TURNUnusableAddress(address: address, reason: reason))
            } else {
                made.relayedAddresses.append(address)
            }
        }
        if attributes.isEmpty { made.unusableAddresses.append(TURNUnusableAddress(address: nil, reason: .missing)) }
    }

    private func objection(to address: Endpoint, besides others: [Endpoint]) -> TURNUnusableAddress.Reason? {
        if let reason = TURNUnusableAddress.objection(to: address, from: configuration.server) { return reason }
        if case .only(let family) = configuration.families, family != address.family { return .wrongFamily }
        return others.contains { $0.family == address.family } ? .wrongFamily : nil
    }

    private mutating func grant(_ lifetime: TURNLifetime, at now: Instant) {
        self.lifetime = lifetime
        grantedAt = now
        expiresAt = now + lifetime.used
        refreshAt = configuration.refreshing.refreshesAllocation ? now + lifetime.refreshAfter : nil
    }

    private mutating func refreshed(_ message: Message, at now: Instant) {
        let lifetime = TURNLifetime(granted: (try? message.value(.lifetime)) ?? nil)
        grant(lifetime, at: now)
        events.append(.refreshed(lifetime))
    }
}

extension TURNAuthentication {
    init(_ signature: LongTermAuthenticator.Signature) {
        self.init(
            realm: signature.realm.bytes, algorithm: signature.algorithm, usesUserhash: signature.userhash != nil,
            usesToken: signature.usesToken, truncatesKey: signature.truncatesKey,
            exceedsCharacterLimit: signature.realm.isLongerThanAllowed || signature.nonce.isLongerThanAllowed)
    }
}

extension TURNRoundTrip {
    init(_ client: ClientTransaction, at now: Instant) {
        let measured = client.roundTrip(arrivingAt: now)
        self.init(
            duration: measured?.duration ?? .zero, transmissions: client.attempts,
            isAmbiguous: measured?.isAmbiguous ?? true)
    }
}
