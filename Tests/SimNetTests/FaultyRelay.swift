import NetTypes
import STUN
import Server

/// The server of `icecheck serve` behind something that answers in its place, keeps requests from it, or relayed data.
struct FaultyRelay: Engine {
    enum Fault: Sendable {
        /// Unsigned Allocates are sent elsewhere (300).
        case redirects(to: Endpoint)
        case refuses(Method, code: Int)
        /// Refuses the first signed Allocate of the first client's port.
        case refusesFirstPort(code: Int)
        case dropsRequests(Method)
        case dropsRelayedData
        /// Requests reach the server so much later.
        case delays(Duration)
    }

    typealias Event = Never

    private var base: STUNServer
    private let fault: Fault
    private var relays: Set<PathID> = []
    private var own: [Output] = []
    private var late: [(at: Instant, input: Input)] = []
    private var refused: Endpoint?

    init(_ base: STUNServer, _ fault: Fault) {
        self.base = base
        self.fault = fault
    }

    var isFinished: Bool { false }
    var nextWake: Instant? { ([base.nextWake] + late.map(\.at)).compactMap(\.self).min() }

    mutating func pollEvent() -> Never? {
        while base.pollEvent() != nil {}
        return nil
    }

    mutating func pollOutput(at now: Instant) -> Output? {
        if !own.isEmpty { return own.removeFirst() }
        let output = base.pollOutput(at: now)
        if case .open(let path, let specification)? = output, specification.kind == .datagram,
            specification.local?.port != 3478
        {
            relays.insert(path)
        }
        return output
    }

    mutating func handle(_ input: Input, at now: Instant) {
        let due = late.filter { $0.at <= now }
        late.removeAll { $0.at <= now }
        for (_, input) in due { base.handle(input, at: now) }
        switch input {
        case .datagram(let datagram) where relays.contains(datagram.path):
            if case .dropsRelayedData = fault { return }
        case .datagram(let datagram):
            let reply = Output.transmit(Transmit(path: datagram.path, destination: datagram.source, bytes: []))
            if takes(datagram.bytes, from: datagram.source, reply) { return }
            if case .delays(let delay) = fault { return late.append((now + delay, input)) }
        case .stream(let event):
            guard case .bytes(let bytes) = event.kind else { break }
            if takes(bytes, from: nil, .write(event.path, [])) { return }
            if case .delays(let delay) = fault { return late.append((now + delay, input)) }
        default: break
        }
        base.handle(input, at: now)
    }

    /// Whether a request goes no further; what it is answered with goes the way of `reply`.
    private mutating func takes(_ bytes: [UInt8], from source: Endpoint?, _ reply: Output) -> Bool {
        guard let request = try? Message(decoding: bytes), request.messageClass == .request else { return false }
        let isSigned = request.first(.messageIntegrity) != nil || request.first(.messageIntegritySHA256) != nil
        switch fault {
        case .redirects(let target):
            guard request.method == .allocate, !isSigned else { return false }
            var builder = MessageBuilder(.errorResponse, .allocate, request.transactionID)
            builder.append(.errorCode, ErrorCode(300))
            builder.append(.alternateServer, target)
            answer(builder.bytes, reply)
        case .refuses(let method, let code):
            guard request.method == method, isSigned else { return false }
            refuse(request, code, reply)
        case .refusesFirstPort(let code):
            guard request.method == .allocate, isSigned, refused == nil || refused == source else { return false }
            refused = source
            refuse(request, code, reply)
        case .dropsRequests(let method): return request.method == method
        case .dropsRelayedData, .delays: return false
        }
        return true
    }

    private mutating func refuse(_ request: Message, _ code: Int, _ reply: Output) {
        var builder = MessageBuilder(.errorResponse, request.method, request.transactionID)
        builder.append(.errorCode, ErrorCode(code))
        answer(builder.bytes, reply)
    }

    private mutating func answer(_ bytes: [UInt8], _ reply: Output) {
        switch reply {
        case .transmit(let transmit):
            own.append(.transmit(Transmit(path: transmit.path, destination: transmit.destination, bytes: bytes)))
        case .write(let path, _): own.append(.write(path, bytes))
        default: break
        }
    }
}
