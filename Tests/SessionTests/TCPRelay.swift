import Facts
import NetTypes
import Planning
import STUN
import TestSupport

/// A TURN server over TCP that relays TCP (RFC 6062), for clients that sign: the server of `icecheck serve` does not.
struct TCPRelay: Engine {
    typealias Event = Never

    private enum Use {
        /// Of a client: requests, whole or in parts.
        case control(StreamFramer)
        /// At a relayed address, of the allocation on `control`.
        case relayed(control: PathID)
        /// From a relayed address to a peer, at the wish of a Connect.
        case toPeer(control: PathID, Message)
        /// A peer's connection that waits for its data connection, with the bytes that have come on it.
        case waiting([UInt8])
        case joined(to: PathID)
    }

    private let place: Endpoint
    private let account: RelayAccount
    private let faults: FaultyRelay.Faults
    private let log: RelayLog
    /// Whether a peer's connection is announced to the client.
    private let announces: Bool
    /// What becomes of the bytes of a peer.
    private let alter: ([UInt8]) -> [UInt8]
    private var outputs: [Output]
    private var uses: [PathID: Use] = [:]
    private var clients: [PathID: Endpoint] = [:]
    /// The relayed addresses, by the connections of their clients.
    private var allocations: [PathID: (relayed: Endpoint, listener: PathID)] = [:]
    private var pathNumbers = PathNumbers(from: 1)
    private var nextPort: UInt16 = 50_000

    init(
        at place: Endpoint, _ faults: FaultyRelay.Faults, account: RelayAccount, log: RelayLog, announces: Bool,
        alter: @escaping ([UInt8]) -> [UInt8]
    ) {
        (self.place, self.account, self.faults, self.log) = (place, account, faults, log)
        (self.announces, self.alter) = (announces, alter)
        outputs = [.open(PathID(0), PathSpecification(.listener, family: place.family, local: place))]
    }

    var isFinished: Bool { false }
    var nextWake: Instant? { nil }
    mutating func pollEvent() -> Never? { nil }
    mutating func pollOutput(at now: Instant) -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }

    mutating func handle(_ input: Input, at now: Instant) {
        switch input {
        case .opened(let path, _):
            guard case .toPeer(let control, let request) = uses[path] else { break }
            uses[path] = .waiting([])
            reply(success(request) { $0.append(.connectionID, path.number) }, on: control)
        case .pathError(let error):
            if case .toPeer(let control, let request) = uses[error.path] { refuse(request, 447, on: control) }
        case .stream(let event):
            switch event.kind {
            case .accepted(let listener, _, let remote): accepted(event.path, by: listener, from: remote)
            case .bytes(let bytes): take(bytes, on: event.path, at: now)
            case .ended: release(event.path)
            }
        default: break
        }
        log.hold(allocations.count, by: place)
    }

    private mutating func accepted(_ path: PathID, by listener: PathID, from remote: Endpoint) {
        guard case .relayed(let control) = uses[listener] else {
            clients[path] = remote
            uses[path] = .control(StreamFramer())
            return
        }
        uses[path] = .waiting([])
        guard announces else { return }
        var builder = MessageBuilder(.indication, .connectionAttempt, TransactionID(high: 1, low: UInt64(path.number)))
        builder.append(.xorPeerAddress, remote)
        builder.append(.connectionID, path.number)
        outputs.append(.write(control, builder.bytes))
    }

    private mutating func take(_ bytes: [UInt8], on path: PathID, at now: Instant) {
        switch uses[path] {
        case .control(var framer):
            framer.append(bytes)
            uses[path] = .control(framer)
            while case .control(var framer) = uses[path], case .message(let frame)? = try? framer.next() {
                uses[path] = .control(framer)
                if let request = try? Message(decoding: frame), request.messageClass == .request {
                    judge(request, on: path, at: now)
                }
            }
        case .waiting(let earlier): uses[path] = .waiting(earlier + bytes)
        case .joined(let other): outputs.append(.write(other, alter(bytes)))
        default: break
        }
    }

    private mutating func release(_ path: PathID) {
        uses[path] = nil
        guard let (_, listener) = allocations.removeValue(forKey: path) else { return }
        outputs.append(.close(listener))
    }

    // MARK: Requests

    private mutating func judge(_ message: Message, on path: PathID, at now: Instant) {
        guard let client = clients[path] else { return }
        let request = RelayLog.Request(message, from: client, to: place, at: now)
        log.requests.append(request)
        switch faults.judge(request, log) {
        case .served where request.isSigned && message.verifyIntegrity(key: account.key(.md5)) == .valid:
            serve(message, request, on: path)
        case .served:
            var builder = MessageBuilder(.errorResponse, message.method, message.transactionID)
            builder.append(.errorCode, ErrorCode(401))
            builder.append(.realm, RelayAccount.realm)
            builder.append(.nonce, "nonce")
            reply(builder.bytes, on: path)
        case .refused(let code): refuse(message, code, on: path)
        default: break
        }
    }

    private mutating func serve(_ message: Message, _ request: RelayLog.Request, on path: PathID) {
        switch message.method {
        case .allocate:
            nextPort += 1
            let relayed = Endpoint(place.address, nextPort)
            let listener = pathNumbers.next()
            allocations[path] = (relayed, listener)
            uses[listener] = .relayed(control: path)
            outputs.append(.open(listener, PathSpecification(.listener, family: relayed.family, local: relayed)))
            reply(
                success(message) {
                    $0.append(.xorRelayedAddress, relayed)
                    $0.append(.xorMappedAddress, request.client)
                    $0.append(.lifetime, 120)
                }, on: path)
        case .refresh:
            reply(success(message) { $0.append(.lifetime, request.lifetime ?? 600) }, on: path)
            if request.lifetime == 0, let (_, listener) = allocations.removeValue(forKey: path) {
                outputs.append(.close(listener))
            }
        case .connect:
            guard let peer = (try? message.value(.xorPeerAddress)) ?? nil, let relayed = allocations[path]?.relayed
            else { return refuse(message, 400, on: path) }
            let connection = pathNumbers.next()
            uses[connection] = .toPeer(control: path, message)
            outputs.append(
                .open(connection, PathSpecification(.connection(to: peer), family: peer.family, local: relayed)))
        case .connectionBind:
            guard let number = (try? message.value(.connectionID)) ?? nil,
                case .waiting(let bytes) = uses[PathID(number)]
            else { return refuse(message, 400, on: path) }
            reply(success(message), on: path)
            uses[path] = .joined(to: PathID(number))
            uses[PathID(number)] = .joined(to: path)
            if !bytes.isEmpty { outputs.append(.write(path, alter(bytes))) }
        default: reply(success(message), on: path)
        }
    }

    private func success(_ request: Message, _ fill: (inout MessageBuilder) -> Void = { _ in }) -> [UInt8] {
        var builder = MessageBuilder(.successResponse, request.method, request.transactionID)
        fill(&builder)
        builder.appendMessageIntegrity(key: account.key(.md5))
        return builder.bytes
    }

    private mutating func refuse(_ request: Message, _ code: Int, on path: PathID) {
        var builder = MessageBuilder(.errorResponse, request.method, request.transactionID)
        builder.append(.errorCode, ErrorCode(code))
        builder.appendMessageIntegrity(key: account.key(.md5))
        reply(builder.bytes, on: path)
    }

    private mutating func reply(_ bytes: [UInt8], on path: PathID) { outputs.append(.write(path, bytes)) }
}
