import Engines
import NetTypes
import STUN
import SimNet

/// An agent with one socket, and a peer that is played by hand: every packet and every instant is the test's.
struct ICEScript {
    var agent: ICEAgent<SeededGenerator>
    var now = Instant.zero
    var sent: [Transmit] = []
    var events: [ICEEvent.Fact] = []

    static let local = Endpoint(IPAddress(192, 0, 2, 1), 5000)
    static let remote = Endpoint(IPAddress(198, 51, 100, 2), 6000)
    let path = PathID(0)
    let peer: ICECredentials

    init(_ role: ICERole = .controlling, _ change: (inout ICEConfiguration) -> Void = { _ in }) {
        var configuration = ICEConfiguration(role, bases: [.init(Self.local.address)])
        change(&configuration)
        agent = ICEAgent(configuration, random: SeededGenerator(seed: 0), from: .zero)
        var random = SeededGenerator(seed: 1 << 40)
        peer = ICECredentials(using: &random)
        give(.opened(path, local: Self.local))
    }

    mutating func give(_ input: Input) {
        agent.handle(input, at: now)
        drain()
    }

    mutating func drain() {
        var isMoving = true
        while isMoving {
            isMoving = false
            while let output = agent.pollOutput(at: now) {
                if case .transmit(let transmit) = output { sent.append(transmit) }
                isMoving = true
            }
            while let event = agent.pollEvent() {
                events.append(event.fact)
                isMoving = true
            }
        }
    }

    mutating func command(_ body: (inout ICEAgent<SeededGenerator>, Instant) -> Void) {
        body(&agent, now)
        drain()
    }

    /// Lets time pass, a wake-up at a time.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let wake = agent.nextWake, wake <= end {
            now = max(now, wake)
            give(.timeout)
        }
        now = end
    }

    mutating func signal(_ candidates: [Candidate] = [ICEScript.candidate(remote)]) {
        let peer = peer
        command { agent, now in
            agent.setRemote(peer, pacing: .milliseconds(10), at: now)
            for candidate in candidates { agent.addRemote(candidate, at: now) }
            agent.endRemoteCandidates(at: now)
        }
    }

    static func candidate(_ endpoint: Endpoint, priority: UInt32 = 2_130_706_431) -> Candidate {
        Candidate(.host, foundation: "1", priority: priority, endpoint: endpoint)
    }

    mutating func receive(_ bytes: [UInt8], from source: Endpoint = ICEScript.remote) {
        give(.datagram(Datagram(path: path, source: source, bytes: bytes, arrivedAt: now)))
    }

    /// The request that was sent last.
    var lastRequest: Message? {
        sent.reversed().lazy.compactMap { try? Message(decoding: $0.bytes) }.first { $0.messageClass == .request }
    }

    // MARK: The peer's messages

    /// A check as the peer sends it.
    func check(
        _ id: UInt64, nominates: Bool = false, role: ICERole = .controlled, tieBreaker: UInt64 = 1,
        username: String? = nil, password: String? = nil, _ change: (inout MessageBuilder) -> Void = { _ in }
    ) -> [UInt8] {
        var builder = MessageBuilder(.request, .binding, TransactionID(high: 9, low: id))
        builder.append(
            .username, username ?? "\(agent.localCredentials.usernameFragment):\(peer.usernameFragment)")
        builder.append(.priority, 1_845_501_695)
        if role == .controlling {
            builder.append(.iceControlling, tieBreaker)
        } else {
            builder.append(.iceControlled, tieBreaker)
        }
        if nominates { builder.append(.useCandidate, true) }
        change(&builder)
        builder.appendMessageIntegrity(key: Array((password ?? agent.localCredentials.password).utf8))
        builder.appendFingerprint()
        return builder.bytes
    }

    func success(to request: Message, mapped: Endpoint = ICEScript.local, password: String? = nil) -> [UInt8] {
        var builder = MessageBuilder(.successResponse, .binding, request.transactionID)
        builder.append(.xorMappedAddress, mapped)
        builder.appendMessageIntegrity(key: Array((password ?? peer.password).utf8))
        builder.appendFingerprint()
        return builder.bytes
    }

    func error(_ code: Int, to request: Message, isSigned: Bool = true) -> [UInt8] {
        var builder = MessageBuilder(.errorResponse, .binding, request.transactionID)
        builder.append(.errorCode, ErrorCode(code))
        if isSigned { builder.appendMessageIntegrity(key: Array(peer.password.utf8)) }
        builder.appendFingerprint()
        return builder.bytes
    }

    /// The answers that were sent, as their classes and error codes.
    var answers: [String] {
        sent.compactMap { try? Message(decoding: $0.bytes) }.compactMap { message in
            switch message.messageClass {
            case .successResponse: "success"
            case .errorResponse: ((try? message.value(.errorCode)) ?? nil).map { "\($0.code)" }
            default: nil
            }
        }
    }
}
