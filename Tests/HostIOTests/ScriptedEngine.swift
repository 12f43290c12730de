import NetTypes

/// An engine whose behaviour is a closure: it keeps every input, and does what the closure says.
struct ScriptedEngine: Engine {
    typealias Event = String

    var inputs: [(input: Input, at: Instant)] = []
    var outputs: [Output]
    var sentAt: [Instant] = []
    var nextWake: Instant?
    var isFinished = false
    var onInput: (inout ScriptedEngine, Input) -> Void

    init(_ outputs: [Output] = [], onInput: @escaping (inout ScriptedEngine, Input) -> Void = { _, _ in }) {
        self.outputs = outputs
        self.onInput = onInput
    }

    mutating func handle(_ input: Input, at now: Instant) {
        inputs.append((input, now))
        onInput(&self, input)
    }

    mutating func pollOutput(at now: Instant) -> Output? {
        guard !outputs.isEmpty else { return nil }
        if case .transmit = outputs[0] { sentAt.append(now) }
        return outputs.removeFirst()
    }

    mutating func pollEvent() -> String? { nil }

    var pathErrors: [PathError] {
        inputs.compactMap { if case .pathError(let error) = $0.input { error } else { nil } }
    }

    var datagrams: [Datagram] {
        inputs.compactMap { if case .datagram(let datagram) = $0.input { datagram } else { nil } }
    }

    var answers: [(query: QueryID, answer: SystemAnswer, at: Instant)] {
        inputs.compactMap { if case .answer(let query, let answer) = $0.input { (query, answer, $0.at) } else { nil } }
    }

    func local(of path: PathID) -> Endpoint? {
        for case (.opened(path, let local), _) in inputs { return local }
        return nil
    }

    /// The bytes that came on a connection, in order.
    func bytes(on path: PathID) -> [UInt8] {
        inputs.flatMap { entry -> [UInt8] in
            guard case .stream(let event) = entry.input, event.path == path, case .bytes(let bytes) = event.kind
            else { return [] }
            return bytes
        }
    }
}

extension IPAddress {
    static let loopback = IPAddress(127, 0, 0, 1)
    static let loopbackIPv6 = IPAddress(v6: 1)

    static func loopback(_ family: Family) -> IPAddress { family == .ipv4 ? loopback : loopbackIPv6 }
}

extension Output {
    /// A UDP socket on loopback.
    static func openUDP(_ path: PathID, at local: Endpoint = Endpoint(.loopback, 0)) -> Output {
        .open(path, PathSpecification(.datagram, family: local.family, local: local))
    }
}
