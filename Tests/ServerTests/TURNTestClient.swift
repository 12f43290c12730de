import NetTypes
import STUN
import Server
import Testing

/// A client of TURN that writes each request by itself, well or not, and reads the server's answers.
final class TURNTestClient {
    static let realm = "example.org"
    static let sixth = IPAddress(v6: 0x2001_0DB8 << 96 | 1)
    static let peer = Endpoint(IPAddress(192, 168, 7, 5), 4000)

    let harness: ServerHarness
    let source: Endpoint
    let path: PathID
    let isConnection: Bool
    var username = "user"
    var password = "pencil"
    var algorithm = LongTermKey.Algorithm.md5
    /// Whether the algorithms are named and MESSAGE-INTEGRITY-SHA256 is used.
    var namesAlgorithms = false
    var usesUserhash = false
    var nonce: [UInt8] = []
    var offered: [PasswordAlgorithm] = [.sha256, .md5]
    private var requests: UInt64 = 0

    init(_ harness: ServerHarness, from source: Endpoint = ServerHarness.client, overTCP: Bool = false) throws {
        self.harness = harness
        self.source = source
        isConnection = overTCP
        let server = Endpoint(source.family == .ipv4 ? ServerHarness.primary : Self.sixth, 3478)
        path =
            overTCP ? try harness.connect(from: source, to: server) : try #require(harness.path(.datagram, at: server))
    }

    /// A server for users, on an IPv4 and an IPv6 address.
    static func server(
        secret: String? = nil, adjust: (inout TURNServerConfiguration) -> Void = { _ in },
        adjustSTUN: (inout STUNServerConfiguration) -> Void = { _ in }
    ) throws -> ServerHarness {
        let relays = [ServerHarness.primary, sixth].map { TURNServerConfiguration.Relay(bound: $0) }
        var turn = try TURNServerConfiguration(realm: realm, relays: relays)
        try turn.addAccount(username: "user", password: "pencil")
        try turn.addAccount(username: "other", password: "pen")
        turn.secret = secret.map { TURNServerConfiguration.SharedSecret($0) }
        adjust(&turn)
        var configuration = STUNServerConfiguration(
            addresses: [.init(primary: ServerHarness.primary), .init(primary: sixth)])
        adjustSTUN(&configuration)
        return ServerHarness(configuration, turn: turn)
    }

    /// A server and a client that has an allocation.
    static func allocated(
        overTCP: Bool = false, adjust: (inout TURNServerConfiguration) -> Void = { _ in }
    ) throws -> TURNTestClient {
        let client = try TURNTestClient(try server(adjust: adjust), overTCP: overTCP)
        let answer = try client.allocate()
        try #require(answer.messageClass == .successResponse)
        return client
    }

    // MARK: Sending

    /// Gives what the server sends to this client for it.
    func send(_ bytes: [UInt8]) -> [[UInt8]] {
        let sent = harness.sent.count
        let written = harness.written[path]?.count ?? 0
        if isConnection {
            harness.send(bytes, on: path)
        } else {
            harness.handle(.datagram(Datagram(path: path, source: source, bytes: bytes, arrivedAt: harness.now)))
        }
        return received(after: sent, written)
    }

    private func received(after sent: Int, _ written: Int) -> [[UInt8]] {
        guard isConnection else {
            return harness.sent[sent...].filter { $0.path == path && $0.destination == source }.map(\.bytes)
        }
        var framer = StreamFramer()
        framer.append((harness.written[path] ?? []).dropFirst(written))
        var frames: [[UInt8]] = []
        while let frame = try? framer.next() {
            switch frame {
            case .message(let bytes): frames.append(bytes)
            case .channelData(let data): frames.append(data.encoded(padded: true))
            }
        }
        return frames
    }

    var key: [UInt8] {
        guard let name = try? Username(username), let realm = try? Realm(Array(Self.realm.utf8)),
            let key = try? LongTermKey(username: name, realm: realm, password: password, algorithm: algorithm)
        else { return [] }
        return key.bytes
    }

    func unsigned(_ method: Method, _ fill: (inout MessageBuilder) -> Void = { _ in }) -> MessageBuilder {
        requests += 1
        var builder = MessageBuilder(.request, method, TransactionID(high: UInt32(source.port), low: requests))
        fill(&builder)
        return builder
    }

    /// A signed request.
    func signed(_ method: Method, _ fill: (inout MessageBuilder) -> Void = { _ in }) -> [UInt8] {
        var builder = unsigned(method, fill)
        if usesUserhash, let name = try? Username(username), let realm = try? Realm(Array(Self.realm.utf8)) {
            builder.append(.userhash, Userhash(name, realm).bytes)
        } else {
            builder.append(.username, username)
        }
        builder.append(.realm, Self.realm)
        builder.append(.nonce, nonce)
        if namesAlgorithms {
            builder.append(.passwordAlgorithms, offered)
            builder.append(.passwordAlgorithm, [PasswordAlgorithm(number: algorithm.rawValue)])
            builder.appendMessageIntegritySHA256(key: key)
        } else {
            builder.appendMessageIntegrity(key: key)
        }
        return builder.bytes
    }

    /// The one answer to bytes.
    func answer(_ bytes: [UInt8]) throws -> Message {
        let answers = send(bytes)
        try #require(answers.count == 1, "\(answers.count) answers")
        return try Message(decoding: answers[0])
    }

    /// The answer to a signed request; its integrity is as the request's, except where the nonce or the user is not
    /// known.
    func ask(_ method: Method, _ fill: (inout MessageBuilder) -> Void = { _ in }) throws -> Message {
        if nonce.isEmpty { try learnNonce() }
        let message = try answer(signed(method, fill))
        if message.code != 401, message.code != 400 || message.first(.messageIntegrity) != nil {
            #expect(isSigned(message))
        }
        return message
    }

    func isSigned(_ message: Message) -> Bool {
        namesAlgorithms
            ? message.verifyIntegritySHA256(key: key) == .valid && message.first(.messageIntegrity) == nil
            : message.verifyIntegrity(key: key) == .valid && message.first(.messageIntegritySHA256) == nil
    }

    func learnNonce() throws {
        let challenge = try answer(unsigned(.allocate) { $0.append(.requestedTransport, 17) }.bytes)
        #expect(challenge.code == 401)
        nonce = try #require(challenge.rawValue(.nonce))
    }

    func allocate(_ fill: (inout MessageBuilder) -> Void = { _ in }) throws -> Message {
        try ask(.allocate) {
            $0.append(.requestedTransport, 17)
            fill(&$0)
        }
    }

    func permit(_ peers: Endpoint...) throws -> Message {
        try ask(.createPermission) { for peer in peers { $0.append(.xorPeerAddress, peer) } }
    }

    func bind(_ channel: UInt16, to peer: Endpoint) throws -> Message {
        try ask(.channelBind) {
            $0.append(.channelNumber, channel)
            $0.append(.xorPeerAddress, peer)
        }
    }

    func refresh(_ lifetime: UInt32?) throws -> Message {
        try ask(.refresh) { if let lifetime { $0.append(.lifetime, lifetime) } }
    }

    // MARK: Relaying

    /// What the relays send for it.
    func relayed(_ bytes: [UInt8]) -> [Transmit] {
        let sent = harness.sent.count
        _ = send(bytes)
        return harness.sent[sent...].filter { $0.path.number >= 0x4000_0000 }
    }

    static func indication(_ data: [UInt8], to peer: Endpoint) -> [UInt8] {
        var builder = MessageBuilder(.indication, .send, TransactionID(high: 9, low: 9))
        builder.append(.xorPeerAddress, peer)
        builder.append(.data, data)
        return builder.bytes
    }

    /// Sends from a peer to a relayed address, and gives what the client gets for it.
    func fromPeer(_ data: [UInt8], _ peer: Endpoint = TURNTestClient.peer, to relayed: Endpoint) throws -> [[UInt8]] {
        let relay = try #require(harness.path(.datagram, at: relayed))
        let sent = harness.sent.count
        let written = harness.written[path]?.count ?? 0
        harness.handle(.datagram(Datagram(path: relay, source: peer, bytes: data, arrivedAt: harness.now)))
        return received(after: sent, written)
    }
}

extension Message {
    var code: Int? { (try? value(.errorCode))?.code }
    var lifetime: UInt32? { (try? value(.lifetime)) ?? nil }
    var relayed: [Endpoint] {
        attributes.filter { $0.type == .xorRelayedAddress }.compactMap { try? value(.xorRelayedAddress, of: $0) }
    }
}
