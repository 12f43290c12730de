package import NetTypes
import STUN
package import Server

/// The server of `icecheck serve` behind something that answers in its place, keeps requests from it, and drops or
/// changes what it relays.
package struct FaultyRelay: Engine {
    package typealias Event = Never

    /// What becomes of a request.
    package enum Fate: Sendable {
        case served
        case dropped
        /// Answered with an error in the server's place.
        case refused(Int)
        /// 300.
        case redirected(to: Endpoint, domain: String? = nil)
        /// It reaches the server so much later.
        case delayed(Duration)
        /// The connection on which it came is closed.
        case closed
    }

    /// A datagram that is relayed.
    package struct Relayed: Sendable {
        package enum Way: Sendable {
            /// From a peer to a relayed address, or from there to a peer.
            case toRelay, fromRelay
            /// As ChannelData, between the client and the server.
            case onChannel
        }

        package var at: Instant
        package var way: Way
        package var source: Endpoint
        package var destination: Endpoint
        package var bytes: [UInt8]
    }

    package struct Faults: Sendable {
        package var judge: @Sendable (RelayLog.Request, RelayLog) -> Fate = { _, _ in .served }
        /// What a relayed datagram becomes; nil where it is dropped.
        package var carry: @Sendable (Relayed, RelayLog) -> [UInt8]? = { relayed, _ in relayed.bytes }
        /// What becomes of what is written to a connection.
        package var write: @Sendable ([UInt8]) -> [[UInt8]] = { [$0] }
        /// Whether errors are signed where their requests are.
        package var signsErrors = true
        /// Nil where tokens are not taken.
        package var token: TokenService?

        package init(_ plant: (inout Faults) -> Void = { _ in }) { plant(&self) }
    }

    private var base: STUNServer
    private let place: Endpoint
    private let faults: Faults
    private var token: TokenService?
    private let log: RelayLog
    private let account: RelayAccount
    private var relayedAddresses: [PathID: Endpoint] = [:]
    private var clients: [PathID: Endpoint] = [:]
    private var own: [Output] = []
    private var late: [(at: Instant, input: Input)] = []

    /// - Parameters:
    ///   - place: where the server listens.
    ///   - account: the server's user, as whom errors are signed.
    package init(
        _ base: STUNServer, at place: Endpoint, _ faults: Faults, account: RelayAccount = RelayAccount(),
        log: RelayLog = RelayLog()
    ) {
        self.base = base
        self.place = place
        self.faults = faults
        token = faults.token
        self.account = account
        self.log = log
    }

    package var isFinished: Bool { false }
    package var nextWake: Instant? { ([base.nextWake] + late.map(\.at)).compactMap(\.self).min() }

    package mutating func pollEvent() -> Never? {
        while base.pollEvent() != nil {}
        return nil
    }
}

// MARK: - Input

extension FaultyRelay {
    package mutating func handle(_ input: Input, at now: Instant) {
        let due = late.filter { $0.at <= now }
        late.removeAll { $0.at <= now }
        for (_, input) in due { base.handle(input, at: now) }
        if let input = passed(input, at: now) { base.handle(input, at: now) }
        log.hold(base.allocations?.left ?? 0, by: place)
    }

    /// What the server is given of an input now.
    private mutating func passed(_ input: Input, at now: Instant) -> Input? {
        switch input {
        case .opened(let path, let local):
            if relayedAddresses[path] != nil { relayedAddresses[path] = local }
        case .datagram(let datagram):
            if let relayed = relayedAddresses[datagram.path] {
                return carried(datagram, .toRelay, from: datagram.source, to: relayed, at: now)
            }
            if Self.isChannelData(datagram.bytes) {
                return carried(datagram, .onChannel, from: datagram.source, to: place, at: now)
            }
            let reply = Output.transmit(Transmit(path: datagram.path, destination: datagram.source, bytes: []))
            if isTaken(datagram.bytes, from: datagram.source, reply, input, at: now) { return nil }
            var translated = datagram
            translated.bytes = self.translated(datagram.bytes)
            return .datagram(translated)
        case .stream(let event):
            switch event.kind {
            case .accepted(_, _, let remote): clients[event.path] = remote
            case .bytes(let bytes):
                guard let client = clients[event.path] else { return input }
                if isTaken(bytes, from: client, .write(event.path, []), input, at: now) { return nil }
                return .stream(StreamEvent(path: event.path, kind: .bytes(translated(bytes)), at: event.at))
            case .ended: break
            }
        default: break
        }
        return input
    }

    /// A request of a token's holder as one of the server's user.
    private mutating func translated(_ request: [UInt8]) -> [UInt8] {
        guard var service = token else { return request }
        defer { token = service }
        return service.translated(request: request, account)
    }

    private func carried(
        _ datagram: Datagram, _ way: Relayed.Way, from source: Endpoint, to destination: Endpoint, at now: Instant
    ) -> Input? {
        let relayed = Relayed(at: now, way: way, source: source, destination: destination, bytes: datagram.bytes)
        guard let bytes = faults.carry(relayed, log) else { return nil }
        var datagram = datagram
        datagram.bytes = bytes
        return .datagram(datagram)
    }

    private static func isChannelData(_ bytes: [UInt8]) -> Bool { bytes.first.map { $0 & 0xC0 == 0x40 } ?? false }

    /// Whether a request goes no further by itself; what it is answered with goes the way of `reply`.
    private mutating func isTaken(
        _ bytes: [UInt8], from client: Endpoint, _ reply: Output, _ input: Input, at now: Instant
    ) -> Bool {
        guard let message = try? Message(decoding: bytes), message.messageClass == .request else { return false }
        let request = RelayLog.Request(message, from: client, to: place, at: now)
        log.requests.append(request)
        switch faults.judge(request, log) {
        case .served: return false
        case .dropped: break
        case .refused(let code): answer(message, code, isSigned: request.isSigned, reply)
        case .redirected(let other, let domain):
            answer(message, 300, isSigned: request.isSigned, reply) {
                $0.append(.alternateServer, other)
                if let domain { $0.append(.alternateDomain, domain) }
            }
        case .delayed(let delay): late.append((now + delay, input))
        case .closed:
            guard let path = input.path else { break }
            base.handle(.stream(StreamEvent(path: path, kind: .ended, at: now)), at: now)
        }
        return true
    }

    private mutating func answer(
        _ request: Message, _ code: Int, isSigned: Bool, _ reply: Output,
        _ fill: (inout MessageBuilder) -> Void = { _ in }
    ) {
        var builder = MessageBuilder(.errorResponse, request.method, request.transactionID)
        builder.append(.errorCode, ErrorCode(code))
        fill(&builder)
        if isSigned, faults.signsErrors { account.sign(&builder, as: request) }
        switch reply {
        case .transmit(var transmit):
            transmit.bytes = builder.bytes
            own.append(.transmit(transmit))
        case .write(let path, _): own.append(.write(path, builder.bytes))
        default: break
        }
    }
}

// MARK: - Output

extension FaultyRelay {
    package mutating func pollOutput(at now: Instant) -> Output? {
        while own.isEmpty {
            guard let output = base.pollOutput(at: now) else { return nil }
            own = passed(output, at: now)
        }
        return own.removeFirst()
    }

    /// What becomes of something that the server wants.
    private mutating func passed(_ output: Output, at now: Instant) -> [Output] {
        switch output {
        case .open(let path, let specification):
            if let local = specification.local, specification.kind == .datagram, local.port != place.port {
                relayedAddresses[path] = local
            }
        case .transmit(var transmit):
            let way: Relayed.Way
            let source: Endpoint
            if let relayed = relayedAddresses[transmit.path] {
                (way, source) = (.fromRelay, relayed)
            } else if Self.isChannelData(transmit.bytes) {
                (way, source) = (.onChannel, place)
            } else {
                transmit.bytes = token?.translated(answer: transmit.bytes) ?? transmit.bytes
                return [.transmit(transmit)]
            }
            let relayed = Relayed(
                at: now, way: way, source: source, destination: transmit.destination, bytes: transmit.bytes)
            guard let bytes = faults.carry(relayed, log) else { return [] }
            transmit.bytes = bytes
            return [.transmit(transmit)]
        case .write(let path, let bytes):
            return faults.write(token?.translated(answer: bytes) ?? bytes).map { .write(path, $0) }
        case .close, .query: break
        }
        return [output]
    }
}
