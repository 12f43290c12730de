import NetTypes
import STUN

/// A STUN server with four endpoints that tells the truth but for one thing.
struct LyingServer: Engine, Sendable {
    enum Lie: Hashable, Sendable {
        case ignoresChangeRequest
        case dropsChangeRequest
        case refusesChangeRequest
        case otherAddress(Endpoint)
        case answersChangesFromOtherPort
        case answersAllFromOtherPort
        case responseOrigin(Endpoint)
        /// Answers so many requests and then none.
        case stopsAfter(Int)
        case mappedAddressOnly
        case legacy
        /// A balancer before it gives each flow another port.
        case rewritesPorts
        case mappedAddress(IPAddress)
        /// Another port in each answer.
        case changesItsMind
        /// Answers CHANGE-REQUEST so much later.
        case answersChangesLate(Duration)
        /// Sends each answer once more, so much later.
        case repeatsAnswers(after: Duration)
        case ignoresResponsePort
        case refusesResponsePort
        case dropsResponsePort
    }

    typealias Event = Never

    let addresses: [IPAddress]
    let ports: [UInt16] = [3478, 3479]
    let lie: Lie?
    private var locals: [PathID: Endpoint] = [:]
    private var outputs: [Output] = []
    private var delayed: [(at: Instant, output: Output)] = []
    private var answered = 0
    private var accepted: [PathID: (listener: PathID, remote: Endpoint, framer: StreamFramer)] = [:]

    /// - Parameter listens: whether it lies over TCP as well; else TCP is refused.
    init(_ addresses: [IPAddress], _ lie: Lie?, listens: Bool = false) {
        self.addresses = addresses
        self.lie = lie
        for (row, address) in addresses.enumerated() {
            for (column, port) in ports.enumerated() {
                let local = Endpoint(address, port)
                let path = PathID(UInt32(row * 2 + column))
                locals[path] = local
                outputs.append(.open(path, PathSpecification(.datagram, family: address.family, local: local)))
                guard listens else { continue }
                outputs.append(
                    .open(PathID(path.number + 4), PathSpecification(.listener, family: address.family, local: local)))
            }
        }
    }

    var isFinished: Bool { false }
    var nextWake: Instant? { delayed.map(\.at).min() }
    mutating func pollEvent() -> Never? { nil }
    mutating func pollOutput(at now: Instant) -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }

    mutating func handle(_ input: Input, at now: Instant) {
        outputs += delayed.filter { $0.at <= now }.map(\.output)
        delayed.removeAll { $0.at <= now }
        if case .stream(let event) = input { return streamed(event, at: now) }
        guard case .datagram(let datagram) = input, let request = try? Message(decoding: datagram.bytes),
            request.messageClass == .request
        else { return }
        answer(request, datagram, at: now)
    }

    private mutating func streamed(_ event: StreamEvent, at now: Instant) {
        switch event.kind {
        case .accepted(let listener, _, let remote): accepted[event.path] = (listener, remote, StreamFramer())
        case .ended: accepted[event.path] = nil
        case .bytes(let bytes):
            accepted[event.path]?.framer.append(bytes)
            while case .message(let message)? = try? accepted[event.path]?.framer.next() {
                guard let request = try? Message(decoding: message), let peer = accepted[event.path],
                    let asked = locals[PathID(peer.listener.number - 4)],
                    let other = locals[PathID((peer.listener.number - 4) ^ 3)]
                else { continue }
                if case .stopsAfter(let limit) = lie, answered >= limit { return }
                answered += 1
                outputs.append(
                    .write(event.path, success(request, peer.remote, asked: asked, origin: asked, other: other)))
            }
        }
    }

    private mutating func answer(_ request: Message, _ datagram: Datagram, at now: Instant) {
        if case .stopsAfter(let limit) = lie, answered >= limit { return }
        answered += 1
        var change = (try? request.value(.changeRequest)) ?? ChangeRequest(address: false, port: false)
        let isChange = change.changesAddress || change.changesPort
        if isChange, lie == .dropsChangeRequest { return }
        if lie == .ignoresChangeRequest { change = ChangeRequest(address: false, port: false) }
        if isChange, lie == .answersChangesFromOtherPort { change = ChangeRequest(address: false, port: true) }
        if lie == .answersAllFromOtherPort { change = ChangeRequest(address: change.changesAddress, port: true) }
        var path = datagram.path.number
        if change.changesAddress { path ^= 2 }
        if change.changesPort { path ^= 1 }
        guard let asked = locals[datagram.path], let origin = locals[PathID(path)] else { return }
        let other = locals[PathID(datagram.path.number ^ 3)] ?? asked
        var destination = datagram.source
        let bytes: [UInt8]
        if let port = (try? request.value(.responsePort)) ?? nil {
            switch lie {
            case .dropsResponsePort: return
            case .ignoresResponsePort, .refusesResponsePort: break
            default: destination.port = port
            }
        }
        if lie == .refusesResponsePort, request.first(.responsePort) != nil {
            var builder = MessageBuilder(.errorResponse, .binding, request.transactionID)
            builder.append(.errorCode, ErrorCode(420))
            bytes = builder.bytes
        } else if isChange, lie == .refusesChangeRequest {
            path = datagram.path.number
            var builder = MessageBuilder(.errorResponse, .binding, request.transactionID)
            builder.append(.errorCode, ErrorCode(420))
            bytes = builder.bytes
        } else {
            bytes = success(request, datagram.source, asked: asked, origin: origin, other: other)
        }
        let output = Output.transmit(Transmit(path: PathID(path), destination: destination, bytes: bytes))
        switch lie {
        case .answersChangesLate(let delay) where isChange: delayed.append((now + delay, output))
        case .repeatsAnswers(let delay):
            outputs.append(output)
            delayed.append((now + delay, output))
        default: outputs.append(output)
        }
    }

    private func success(
        _ request: Message, _ source: Endpoint, asked: Endpoint, origin: Endpoint, other: Endpoint
    ) -> [UInt8] {
        var builder = MessageBuilder(.successResponse, .binding, request.transactionID)
        var mapped = source
        if lie == .rewritesPorts {
            mapped.port = 1024 + (source.port &* 7 &+ asked.port &* 31 &+ UInt16(asked.address.value & 0xFF)) % 60_000
        }
        if case .mappedAddress(let address) = lie { mapped.address = address }
        if lie == .changesItsMind { mapped.port = 1024 + (mapped.port &+ UInt16(answered)) % 60_000 }
        switch lie {
        case .legacy:
            builder.append(.mappedAddress, mapped)
            builder.append(.sourceAddress, origin)
            builder.append(.changedAddress, other)
            return builder.bytes
        case .mappedAddressOnly: builder.append(.mappedAddress, mapped)
        default: builder.append(.xorMappedAddress, mapped)
        }
        if case .otherAddress(let lied) = lie {
            builder.append(.otherAddress, lied)
        } else {
            builder.append(.otherAddress, other)
        }
        if case .responseOrigin(let lied) = lie {
            builder.append(.responseOrigin, lied)
        } else {
            builder.append(.responseOrigin, origin)
        }
        return builder.bytes
    }
}
