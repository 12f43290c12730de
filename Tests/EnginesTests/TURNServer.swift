import NetTypes
import STUN

@testable import Engines

/// A TURN server for tests, with faults to plant. It checks integrity by itself, echoes what is sent to peers that
/// have a permission, and remembers every request.
struct TURNServer {
    enum Integrity { case signed, unsigned, wrong }

    var realm = "example.org"
    var username = "user"
    var password = "pencil"
    /// Sent as PASSWORD-ALGORITHMS; nil sends none.
    var algorithms: [PasswordAlgorithm]?
    var features: NonceCookie.Features?
    /// The key of a token; nil offers no third party.
    var macKey: [UInt8]?
    var isOpen = false
    var refusesCredentials = false
    /// How many requests a nonce is good for.
    var nonceUses = Int.max
    var acceptsNonces = true
    var successIntegrity = Integrity.signed
    var errorIntegrity = Integrity.signed
    /// Errors by method, to signed requests.
    var errors: [Method: Int] = [:]
    var relayed: [Endpoint] = [Endpoint(IPAddress(192, 0, 2, 9), 50000)]
    var lifetime: UInt32? = 600
    /// What is sent in the place of everything else, where it gives something.
    var override: ((Message, TURNServer) -> [[UInt8]]?)?

    /// Whether each answer comes twice.
    var duplicates = false
    /// What becomes of each reply on its way.
    var mutate: (([UInt8]) -> [UInt8])?

    private(set) var requests: [Message] = []
    private(set) var sent: [(peer: Endpoint, bytes: [UInt8], channel: UInt16?)] = []
    private(set) var isAllocated = false
    private(set) var permissions: Set<IPAddress> = []
    private(set) var channels: [UInt16: Endpoint] = [:]
    private(set) var nonceNumber = 1
    private var nonceUsed = 0
    private var answers: [TransactionID: [UInt8]] = [:]

    static let software = Array("scripted".utf8)

    var methods: [Method] { requests.map(\.method) }

    var nonce: [UInt8] {
        (features.map { NonceCookie($0).bytes } ?? []) + Array("nonce-\(nonceNumber)".utf8)
    }

    mutating func receive(_ bytes: [UInt8]) -> [[UInt8]] {
        if let first = bytes.first, first & 0xC0 == 0x40 {
            guard let data = try? ChannelData(decoding: bytes), let peer = channels[data.channel] else { return [] }
            sent.append((peer, data.data, data.channel))
            return [data.encoded(padded: false)]
        }
        guard let message = try? Message(decoding: bytes) else { return [] }
        if message.messageClass == .indication { return relay(message) }
        requests.append(message)
        if let replies = override?(message, self) { return replies }
        // A retransmission is answered as its request was (RFC 8489 s6.3.1).
        let reply = answers[message.transactionID] ?? answer(message)
        answers[message.transactionID] = reply
        return [[UInt8]](repeating: mutate?(reply) ?? reply, count: duplicates ? 2 : 1)
    }

    private mutating func relay(_ message: Message) -> [[UInt8]] {
        guard let peer = (try? message.value(.xorPeerAddress)) ?? nil, let data = message.rawValue(.data) else {
            return []
        }
        sent.append((peer, data, nil))
        guard permissions.contains(peer.address) else { return [] }
        return [Self.dataIndication(peer, data)]
    }

    static func dataIndication(_ peer: Endpoint, _ data: [UInt8]) -> [UInt8] {
        var builder = MessageBuilder(.indication, .data, TransactionID(high: 1, low: 2))
        builder.append(.xorPeerAddress, peer)
        builder.append(.data, data)
        return builder.bytes
    }

    private mutating func answer(_ message: Message) -> [UInt8] {
        if isOpen { return grant(message) }
        guard message.first(.realm) != nil else { return challenge(401, message) }
        guard acceptsNonces, message.rawValue(.nonce) == nonce, nonceUsed < nonceUses else {
            nonceNumber += 1
            nonceUsed = 0
            return challenge(438, message)
        }
        nonceUsed += 1
        guard !refusesCredentials, isSigned(message) else { return challenge(401, message) }
        if let code = errors[message.method] { return error(code, to: message) }
        return grant(message)
    }

    // MARK: Integrity

    var key: [UInt8] {
        if let macKey { return macKey }
        let algorithm: LongTermKey.Algorithm = algorithms?.contains(.sha256) == true ? .sha256 : .md5
        guard let username = try? Username(username), let realm = try? Realm(Array(realm.utf8)),
            let key = try? LongTermKey(username: username, realm: realm, password: password, algorithm: algorithm)
        else { return [] }
        return key.bytes
    }

    private var hides: Bool { features?.contains(.usernameAnonymity) == true }

    private func isSigned(_ message: Message) -> Bool {
        guard message.rawValue(.realm) == Array(realm.utf8) else { return false }
        if hides {
            guard let name = try? Username(username), let realm = try? Realm(Array(realm.utf8)),
                message.rawValue(.userhash) == Userhash(name, realm).bytes, message.first(.username) == nil
            else { return false }
        } else if message.rawValue(.username) != Array(username.utf8) {
            return false
        }
        if macKey != nil, message.rawValue(.accessToken) == nil { return false }
        guard let algorithms else { return message.verifyIntegrity(key: key) == .valid }
        return (try? message.value(.passwordAlgorithms)) == algorithms && message.first(.passwordAlgorithm) != nil
            && message.verifyIntegritySHA256(key: key) == .valid && message.first(.messageIntegrity) == nil
    }

    func signed(_ builder: MessageBuilder, _ integrity: Integrity) -> [UInt8] {
        var builder = builder
        let key = integrity == .wrong ? [1, 2, 3] : key
        guard integrity != .unsigned, !isOpen else { return builder.bytes }
        if algorithms != nil {
            builder.appendMessageIntegritySHA256(key: key)
        } else {
            builder.appendMessageIntegrity(key: key)
        }
        return builder.bytes
    }

    // MARK: Replies

    func challenge(_ code: Int, _ message: Message) -> [UInt8] {
        var builder = MessageBuilder(.errorResponse, message.method, message.transactionID)
        builder.append(.errorCode, ErrorCode(code))
        builder.append(.realm, realm)
        builder.append(.nonce, nonce)
        if let algorithms { builder.append(.passwordAlgorithms, algorithms) }
        if macKey != nil { builder.append(.thirdPartyAuthorization, "auth.example.org") }
        builder.append(.software, Self.software)
        return builder.bytes
    }

    func error(_ code: Int, to message: Message) -> [UInt8] {
        var builder = MessageBuilder(.errorResponse, message.method, message.transactionID)
        builder.append(.errorCode, ErrorCode(code))
        return signed(builder, errorIntegrity)
    }

    /// A success with what a builder adds to it.
    func success(_ message: Message, _ fill: (inout MessageBuilder) -> Void = { _ in }) -> [UInt8] {
        var builder = MessageBuilder(.successResponse, message.method, message.transactionID)
        fill(&builder)
        return signed(builder, successIntegrity)
    }

    private mutating func grant(_ message: Message) -> [UInt8] {
        switch message.method {
        case .allocate: return allocate(message)
        case .refresh: return refresh(message)
        case .createPermission:
            for attribute in message.attributes where attribute.type == .xorPeerAddress {
                if let peer = try? message.value(.xorPeerAddress, of: attribute) { permissions.insert(peer.address) }
            }
            return success(message)
        case .channelBind:
            guard let number = (try? message.value(.channelNumber)) ?? nil,
                let peer = (try? message.value(.xorPeerAddress)) ?? nil
            else { return error(400, to: message) }
            channels[number] = peer
            permissions.insert(peer.address)
            return success(message)
        case .connect: return success(message) { $0.append(.connectionID, 77) }
        default: return success(message)
        }
    }

    private mutating func allocate(_ message: Message) -> [UInt8] {
        isAllocated = true
        let (relayed, lifetime) = (relayed, lifetime)
        return success(message) {
            for address in relayed { $0.append(.xorRelayedAddress, address) }
            $0.append(.xorMappedAddress, Endpoint(IPAddress(198, 51, 100, 7), 40000))
            if let lifetime { $0.append(.lifetime, lifetime) }
            if message.first(.evenPort) != nil { $0.append(.reservationToken, [1, 2, 3, 4, 5, 6, 7, 8]) }
            $0.append(.software, Self.software)
        }
    }

    private mutating func refresh(_ message: Message) -> [UInt8] {
        let asked = (try? message.value(.lifetime)) ?? nil
        guard isAllocated else { return error(437, to: message) }
        if asked == 0 { isAllocated = false }
        let lifetime = asked == 0 ? 0 : lifetime
        return success(message) { if let lifetime { $0.append(.lifetime, lifetime) } }
    }
}
