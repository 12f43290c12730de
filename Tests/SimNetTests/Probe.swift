import NetTypes
import SimNet

/// A tiny engine: it opens what it is told to, sends what it is told to at set times, and keeps what comes.
struct Probe: Engine {
    struct Arrival: Hashable, Sendable {
        var path: PathID
        var source: Endpoint
        var bytes: [UInt8]
        var at: Instant
    }

    enum Event: Sendable {
        case opened(PathID, Endpoint)
        case arrived(Arrival)
        case failed(PathError, at: Instant)
        case stream(StreamEvent)
        case answered(QueryID, SystemAnswer, at: Instant)
    }

    private(set) var arrivals: [Arrival] = []
    private(set) var errors: [PathError] = []
    private(set) var streams: [StreamEvent] = []
    private(set) var locals: [PathID: Endpoint] = [:]
    /// Whether each datagram is sent back to where it came from, and each stream's bytes back on the stream.
    var echoes = false
    /// When it has nothing left to do; nil is never.
    var end: Instant?
    private var script: [(at: Instant, output: Output)]
    private var now = Instant.zero
    private var outputs: [Output] = []
    private var events: [Event] = []

    init(_ script: [(at: Instant, output: Output)] = [], echoes: Bool = false, until end: Instant? = nil) {
        self.script = script.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map(\.element)
        self.echoes = echoes
        self.end = end
        take()
    }

    var isFinished: Bool { end.map { now >= $0 } ?? false }
    var nextWake: Instant? { [script.first?.at, end.flatMap { now < $0 ? $0 : nil }].compactMap { $0 }.min() }

    mutating func handle(_ input: Input, at now: Instant) {
        self.now = now
        switch input {
        case .opened(let path, let local):
            locals[path] = local
            events.append(.opened(path, local))
        case .datagram(let datagram):
            let arrival = Arrival(path: datagram.path, source: datagram.source, bytes: datagram.bytes, at: now)
            arrivals.append(arrival)
            events.append(.arrived(arrival))
            if echoes {
                outputs.append(
                    .transmit(Transmit(path: datagram.path, destination: datagram.source, bytes: datagram.bytes)))
            }
        case .pathError(let error):
            errors.append(error)
            events.append(.failed(error, at: now))
        case .stream(let event):
            streams.append(event)
            events.append(.stream(event))
            if echoes, case .bytes(let bytes) = event.kind { outputs.append(.write(event.path, bytes)) }
        case .answer(let query, let answer): events.append(.answered(query, answer, at: now))
        case .timeout, .transmitted, .secured, .securingFailed: break
        }
        take()
    }

    private mutating func take() {
        while let first = script.first, first.at <= now { outputs.append(script.removeFirst().output) }
    }

    mutating func pollOutput(at now: Instant) -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }
    mutating func pollEvent() -> Event? { events.isEmpty ? nil : events.removeFirst() }
}

extension Instant {
    static func ms(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }
}

extension Output {
    static func socket(_ path: UInt32, at local: Endpoint) -> Output {
        .open(PathID(path), PathSpecification(.datagram, family: local.family, local: local))
    }
    static func send(_ path: UInt32, to destination: Endpoint, _ bytes: [UInt8] = [1]) -> Output {
        .transmit(Transmit(path: PathID(path), destination: destination, bytes: bytes))
    }
    static func listen(_ path: UInt32, at local: Endpoint) -> Output {
        .open(PathID(path), PathSpecification(.listener, family: local.family, local: local))
    }
    static func connect(_ path: UInt32, to remote: Endpoint) -> Output {
        .open(PathID(path), PathSpecification(.connection(to: remote), family: remote.family))
    }
}
