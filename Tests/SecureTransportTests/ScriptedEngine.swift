import NetTypes

/// An engine that keeps what it is told, and asks for what a test puts into it.
struct ScriptedEngine: Engine {
    typealias Event = Never

    var inputs: [Input] = []
    var outputs: [Output] = []
    var nextWake: Instant?
    var isFinished = false
    /// Whether datagrams and bytes go back to where they came from.
    var isEcho = false
    /// Sent when a path is secured.
    var greeting: [UInt8] = []
    var peer: Endpoint?
    var finishesOnEcho = false

    mutating func handle(_ input: Input, at now: Instant) {
        inputs.append(input)
        switch input {
        case .stream(let event):
            guard case .bytes(let bytes) = event.kind else { return }
            if isEcho { outputs.append(.write(event.path, bytes)) }
            if finishesOnEcho { isFinished = true }
        case .datagram(let datagram):
            if isEcho {
                outputs.append(
                    .transmit(Transmit(path: datagram.path, destination: datagram.source, bytes: datagram.bytes)))
            }
            if finishesOnEcho { isFinished = true }
        case .secured(let path, _, _) where !greeting.isEmpty:
            if let peer {
                outputs.append(.transmit(Transmit(path: path, destination: peer, bytes: greeting)))
            } else {
                outputs.append(.write(path, greeting))
            }
        case .securingFailed: if finishesOnEcho { isFinished = true }
        case .pathError(let error): if finishesOnEcho, error.isFatal { isFinished = true }
        default: break
        }
    }

    mutating func pollOutput(at now: Instant) -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }
    mutating func pollEvent() -> Never? { nil }

    /// The kinds of what it was told, in words.
    var story: [String] {
        inputs.map { input in
            switch input {
            case .opened: "opened"
            case .datagram(let datagram): "datagram \(String(decoding: datagram.bytes, as: UTF8.self))"
            case .transmitted(let transmit, _): "transmitted \(String(decoding: transmit.bytes, as: UTF8.self))"
            case .pathError(let error): "error \(error.kind) quoting \(String(decoding: error.quoted, as: UTF8.self))"
            case .stream(let event):
                switch event.kind {
                case .accepted: "accepted"
                case .bytes(let bytes): "bytes \(String(decoding: bytes, as: UTF8.self))"
                case .ended: "ended"
                }
            case .answer: "answer"
            case .timeout: "timeout"
            case .secured(_, let facts, let duration): "secured \(facts.version) \(duration.milliseconds)"
            case .securingFailed(_, let refusal, _): "failed \(refusal.failures.first?.kind.rawValue ?? "")"
            }
        }
    }
}
