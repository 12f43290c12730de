import NetTypes
import STUN

/// What is asked of a TURN server, and its answers (RFC 8656 s5, s7 to s12).
extension TURNService {
    /// What may stand in a request or indication and must be understood. DONT-FRAGMENT is not among it: the sockets of
    /// this server cannot promise it (RFC 8656 s7.2).
    private static let understood: Set<AttributeType> = [
        .username, .userhash, .realm, .nonce, .messageIntegrity, .messageIntegritySHA256, .passwordAlgorithm,
        .channelNumber, .lifetime, .xorPeerAddress, .data, .requestedAddressFamily, .evenPort, .requestedTransport,
        .reservationToken,
    ]
    private static let methods: Set<Method> = [.allocate, .refresh, .createPermission, .channelBind]

    static func unknown(in message: Message) -> [AttributeType] {
        message.meaningful.map(\.type).filter { $0.isComprehensionRequired && !understood.contains($0) }
    }

    /// Takes a STUN message that is no Binding request.
    mutating func respond(to bytes: [UInt8], from client: TURNClient, at now: Instant) -> Reply {
        expire(at: now)
        let message: Message
        do {
            message = try Message(decoding: bytes)
        } catch {
            return .malformed(error.description)
        }
        guard message.verifyFingerprint() != .invalid else { return .malformed("its FINGERPRINT is wrong") }
        // A relay that is the client of another could be made to send to itself for ever.
        guard !message.isLegacy, !isRelay(client.remote) else { return .ignored }
        if message.messageClass == .indication, message.method == .send {
            relay(message, from: client, at: now)
            return .ignored
        }
        guard message.messageClass == .request, Self.methods.contains(message.method) else { return .ignored }
        if let answer = answers.answer(to: bytes, from: client, at: now) { return .authenticated(answer) }
        return authenticate(message, from: client, at: now)
    }

    private mutating func authenticate(_ message: Message, from client: TURNClient, at now: Instant) -> Reply {
        let holder = allocations[client]?.username
        switch authenticator.judge(
            message, from: client.remote.address, holder: holder, secondsSince1970: secondsSince1970(at: now), at: now)
        {
        case .accepted(let signer): return serve(message, signer, from: client, at: now)
        case .badRequest:
            let refused = TURNServerEvent.refused(client.remote, message.method, code: 400)
            return unauthenticated(answer(message, 400), message, client, refused)
        case .unauthenticated(let isFirst):
            let refused = TURNServerEvent.refused(client.remote, message.method, code: 401)
            return challenge(message, client, isFirst ? nil : refused, at: now)
        case .staleNonce(let signer):
            // Signed well, and perhaps long ago by somebody else: without a good nonce the source may be forged.
            let refused = TURNServerEvent.refused(client.remote, message.method, code: 438)
            let stale = answer(message, 438, signer) {
                authenticator.writeChallenge(to: &$0, for: client.remote.address, isSlim: false, at: now)
            }
            return unauthenticated(stale, message, client, refused)
        }
    }

    private mutating func serve(
        _ message: Message, _ signer: RequestAuthenticator.Signer, from client: TURNClient, at now: Instant
    ) -> Reply {
        do {
            return try judge(message, signer, from: client, at: now)
        } catch {
            return .authenticated(refuse(message, error, signer, client))
        }
    }

    private mutating func judge(
        _ message: Message, _ signer: RequestAuthenticator.Signer, from client: TURNClient, at now: Instant
    ) throws(TURNRefusal) -> Reply {
        let unknown = Self.unknown(in: message)
        guard unknown.isEmpty else { throw TURNRefusal(420, unknown: unknown) }
        if message.method == .allocate { return try allocate(message, signer, for: client, at: now) }
        guard let allocation = allocations[client], allocation.opening == nil else { throw TURNRefusal(437) }
        guard allocation.username == signer.username else { throw TURNRefusal(441) }
        switch message.method {
        case .refresh: return try refresh(message, signer, allocation, at: now)
        case .createPermission: try createPermission(message, allocation, at: now)
        default: try bindChannel(message, allocation, at: now)
        }
        return .authenticated(success(message, signer))
    }

    // MARK: Refresh, CreatePermission, ChannelBind

    private mutating func refresh(
        _ message: Message, _ signer: RequestAuthenticator.Signer, _ allocation: ServedAllocation, at now: Instant
    ) throws(TURNRefusal) -> Reply {
        let client = allocation.client
        let requested = try message.checked(.lifetime)
        let family = try message.family(.requestedAddressFamily)
        // RFC 8656 s8.2.
        if let family, allocation.relay(family) == nil { throw TURNRefusal(443) }
        let granted = requested == 0 ? 0 : lifetime(requested)
        let answer = success(message, signer) { $0.append(.lifetime, granted) }
        if granted > 0 {
            allocations[client]?.expiresAt = now + .seconds(Int64(granted))
            wake(at: now + .seconds(Int64(granted)))
            events.append(.refreshed(allocation.description, lifetime: granted))
        } else if let family, allocation.relayed.count > 1, let relayed = allocation.relay(family) {
            // Of a dual allocation one half is given up (RFC 8656 s8.2).
            close(relayed.path, relayed.address)
            allocations[client]?.relayed.removeAll { $0.path == relayed.path }
        } else if let ended = remove(client) {
            counts.deleted += 1
            events.append(.deleted(ended))
        }
        if !client.isConnection, granted == 0 {
            answers.remember(answer, to: message.bytes, from: client, at: now)
        }
        return .authenticated(answer)
    }

    /// What a client gets that asks for so much (RFC 8656 s7.2): never less than the default.
    func lifetime(_ requested: UInt32?) -> UInt32 {
        let most = max(configuration.defaultLifetime, configuration.maximumLifetime)
        return min(max(requested ?? 0, configuration.defaultLifetime), most)
    }

    private mutating func createPermission(
        _ message: Message, _ allocation: ServedAllocation, at now: Instant
    ) throws(TURNRefusal) {
        let peers = try message.peers()
        if peers.isEmpty { throw TURNRefusal(400) }
        for peer in peers { try check(peer.address, allocation) }
        let limit = configuration.permissionsPerAllocation
        guard allocations[allocation.client]?.permit(Set(peers.map(\.address)), limit: limit, at: now) == true else {
            throw TURNRefusal(508)
        }
    }

    private mutating func bindChannel(
        _ message: Message, _ allocation: ServedAllocation, at now: Instant
    ) throws(TURNRefusal) {
        guard let channel = try message.checked(.channelNumber), ChannelData.channels.contains(channel),
            let peer = try message.checked(.xorPeerAddress), peer.port != 0
        else { throw TURNRefusal(400) }
        try check(peer.address, allocation)
        var changed = allocation
        switch changed.bind(channel, to: peer, limit: configuration.channelsPerAllocation, at: now) {
        case .bound: break
        case .conflicting: throw TURNRefusal(400)
        case .tooMany: throw TURNRefusal(508)
        }
        guard changed.permit([peer.address], limit: configuration.permissionsPerAllocation, at: now) else {
            throw TURNRefusal(508)
        }
        allocations[allocation.client] = changed
    }

    /// RFC 8656 s9.2, s12.2.
    private func check(_ peer: IPAddress, _ allocation: ServedAllocation) throws(TURNRefusal) {
        guard allocation.relay(peer.family) != nil else { throw TURNRefusal(443) }
        guard configuration.permits(peer) || configuration.isRelayAddress(peer) else { throw TURNRefusal(403) }
    }

    // MARK: Answers

    func success(
        _ request: Message, _ signer: RequestAuthenticator.Signer, _ fill: (inout MessageBuilder) -> Void = { _ in }
    ) -> [UInt8] {
        finished(request, signer, MessageBuilder(.successResponse, request.method, request.transactionID), fill)
    }

    mutating func refuse(
        _ request: Message, _ refusal: TURNRefusal, _ signer: RequestAuthenticator.Signer, _ client: TURNClient
    ) -> [UInt8] {
        events.append(.refused(client.remote, request.method, code: refusal.code))
        return answer(request, refusal.code, signer) {
            if !refusal.unknown.isEmpty { $0.append(.unknownAttributes, refusal.unknown) }
        }
    }

    private func answer(
        _ request: Message, _ code: Int, _ signer: RequestAuthenticator.Signer? = nil, hasReason: Bool = true,
        _ fill: (inout MessageBuilder) -> Void = { _ in }
    ) -> [UInt8] {
        finished(request, signer, MessageBuilder(.errorResponse, request.method, request.transactionID)) {
            $0.append(.errorCode, hasReason ? ErrorCode(code) : ErrorCode(code: code, reason: []))
            fill(&$0)
        }
    }

    /// SOFTWARE goes to users alone: for others it would only make the answer long.
    private func finished(
        _ request: Message, _ signer: RequestAuthenticator.Signer?, _ builder: MessageBuilder,
        _ fill: (inout MessageBuilder) -> Void
    ) -> [UInt8] {
        var builder = builder
        fill(&builder)
        if let signer {
            if let software { builder.append(.software, software) }
            signer.sign(&builder)
        }
        if request.first(.fingerprint) != nil { builder.appendFingerprint() }
        return builder.bytes
    }

    /// 401, in the longest form that is no more than three times the request; over a connection the source is proven.
    private func challenge(
        _ request: Message, _ client: TURNClient, _ refused: TURNServerEvent?, at now: Instant
    ) -> Reply {
        let address = client.remote.address
        func challenge(isSlim: Bool, hasReason: Bool) -> [UInt8] {
            answer(request, 401, hasReason: hasReason) {
                authenticator.writeChallenge(to: &$0, for: address, isSlim: isSlim, at: now)
            }
        }
        let whole = challenge(isSlim: false, hasReason: true)
        if fits(whole, request, client) { return .unauthenticated(whole, refused) }
        let short = challenge(isSlim: false, hasReason: false)
        if fits(short, request, client) { return .unauthenticated(short, refused) }
        return unauthenticated(challenge(isSlim: true, hasReason: false), request, client, refused)
    }

    private func unauthenticated(
        _ answer: [UInt8], _ request: Message, _ client: TURNClient, _ refused: TURNServerEvent?
    ) -> Reply {
        fits(answer, request, client) ? .unauthenticated(answer, refused) : .ignored
    }

    private func fits(_ answer: [UInt8], _ request: Message, _ client: TURNClient) -> Bool {
        client.isConnection || answer.count <= BindingResponder.amplification * request.bytes.count
    }
}
