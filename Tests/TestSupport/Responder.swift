package import NetTypes

/// A server whose answers a test makes up, over UDP and, where it listens, over TCP.
package struct Responder: Engine {
    package typealias Event = Never
    package typealias Answer = (Request) -> [(after: Duration, reply: Reply)]

    /// What came: a datagram, or bytes on a connection.
    package struct Request {
        package var at: Instant
        /// From 1, in the order in which those over the same transport came.
        package var number: Int
        package var local: Endpoint
        package var source: Endpoint
        package var bytes: [UInt8]
        package var isStream: Bool
    }

    package enum Reply: Sendable {
        /// - Parameter from: another place of the responder; nil is where the request came to.
        case bytes([UInt8], from: Endpoint? = nil)
        /// The end of the connection.
        case ended
    }

    private let answer: Answer
    private var paths: [Endpoint: PathID] = [:]
    private var locals: [PathID: Endpoint] = [:]
    private var remotes: [PathID: Endpoint] = [:]
    private var outputs: [Output] = []
    private var late: [(at: Instant, output: Output)] = []
    private var counts = [false: 0, true: 0]

    package init(at places: [Endpoint], listens: Bool = false, answer: @escaping Answer) {
        self.answer = answer
        for (place, local) in places.enumerated() {
            let path = PathID(UInt32(place * 2))
            paths[local] = path
            locals[path] = local
            outputs.append(.open(path, PathSpecification(.datagram, family: local.family, local: local)))
            guard listens else { continue }
            let listener = PathID(path.number + 1)
            outputs.append(.open(listener, PathSpecification(.listener, family: local.family, local: local)))
        }
    }

    package var isFinished: Bool { false }
    package var nextWake: Instant? { late.map(\.at).min() }
    package mutating func pollEvent() -> Never? { nil }
    package mutating func pollOutput(at now: Instant) -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }

    package mutating func handle(_ input: Input, at now: Instant) {
        switch input {
        case .datagram(let datagram):
            take(datagram.bytes, on: datagram.path, from: datagram.source, isStream: false, at: now)
        case .stream(let event):
            switch event.kind {
            case .accepted(_, let local, let remote): (locals[event.path], remotes[event.path]) = (local, remote)
            case .bytes(let bytes):
                guard let remote = remotes[event.path] else { return }
                take(bytes, on: event.path, from: remote, isStream: true, at: now)
            case .ended: break
            }
        default: break
        }
        let due = late.enumerated().filter { $0.element.at <= now }
            .sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
        late.removeAll { $0.at <= now }
        outputs += due.map(\.element.output)
    }

    private mutating func take(
        _ bytes: [UInt8], on path: PathID, from source: Endpoint, isStream: Bool, at now: Instant
    ) {
        guard let local = locals[path] else { return }
        counts[isStream, default: 0] += 1
        let request = Request(
            at: now, number: counts[isStream] ?? 0, local: local, source: source, bytes: bytes, isStream: isStream)
        for (delay, reply) in answer(request) {
            switch reply {
            case .bytes(let bytes, _) where isStream: late.append((now + delay, .write(path, bytes)))
            case .bytes(let bytes, let origin):
                let from = origin.flatMap { paths[$0] } ?? path
                late.append((now + delay, .transmit(Transmit(path: from, destination: source, bytes: bytes))))
            case .ended: late.append((now + delay, .close(path)))
            }
        }
    }
}
