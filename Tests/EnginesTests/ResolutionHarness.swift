import Engines
import STUN

@testable import NetTypes

/// Plays a resolver to a ``ResolutionEngine`` in virtual time: each question is answered after its delay, or never.
struct ResolutionHarness {
    struct Outcome {
        var at: Instant
        var event: ResolutionEngine.Event
    }

    /// Answers by the lookup's name, as in `A example.org`; what is not here does not exist.
    var answers: [String: SystemAnswer] = [:]
    /// Delay of an answer; nil is silence.
    var delay: (String) -> Duration? = { _ in .milliseconds(20) }
    private(set) var asked: [String] = []
    private(set) var outcomes: [Outcome] = []

    init(_ answers: [String: SystemAnswer]) { self.answers = answers }

    mutating func run(
        _ uri: String, families: Set<IPAddress.Family> = [.ipv4, .ipv6], transports: [Transport] = [.udp],
        seed: UInt64 = 1
    ) throws {
        var now = Instant.zero
        var random = SeededGenerator(seed: seed)
        var engine = ResolutionEngine(
            try ServerURI(parsing: uri), families: families, transports: transports, from: now)
        var pending: [(at: Instant, query: SystemQuery)] = []
        for _ in 0..<10_000 {
            while let query = engine.pollQuery() {
                asked.append(query.step)
                if let delay = delay(query.step) { pending.append((now + delay, query)) }
            }
            while let event = engine.pollEvent() { outcomes.append(Outcome(at: now, event: event)) }
            guard let wake = engine.nextWake else { return }
            pending.sort { $0.at < $1.at }
            if let next = pending.first, next.at <= wake {
                now = max(now, next.at)
                pending.removeFirst()
                let answer = answers[next.query.step] ?? .failed(.noSuchName)
                engine.handle(answer, to: next.query, at: now, using: &random)
            } else {
                now = max(now, wake)
                engine.handleTimeout(at: now)
            }
        }
        throw Livelock()
    }

    struct Livelock: Error {}

    func endpoints(_ family: IPAddress.Family) -> [String] {
        for case .resolved(family, let endpoints, _, _) in outcomes.map(\.event) {
            return endpoints.map { "\($0.transport) \($0.endpoint)" }
        }
        return []
    }

    func faults(_ family: IPAddress.Family) -> [ResolutionFault] {
        for outcome in outcomes {
            switch outcome.event {
            case .resolved(family, _, let faults, _), .failed(family, let faults): return faults
            default: continue
            }
        }
        return []
    }

    /// Milliseconds after which the family ended.
    func end(_ family: IPAddress.Family) -> Double? {
        outcomes.first {
            switch $0.event {
            case .resolved(let ended, _, _, _), .failed(let ended, _): ended == family
            }
        }.map { ($0.at - .zero).milliseconds }
    }
}

struct SeededGenerator: RandomNumberGenerator {
    var seed: UInt64

    mutating func next() -> UInt64 {
        seed &+= 0x9E37_79B9_7F4A_7C15
        var value = seed
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

func addresses(_ texts: String...) -> SystemAnswer { .addresses(texts.compactMap { IPAddress($0) }) }

func service(_ records: (priority: UInt16, weight: UInt16, port: UInt16, target: String)...) -> SystemAnswer {
    .serviceRecords(
        records.map { ServiceRecord(priority: $0.priority, weight: $0.weight, port: $0.port, target: $0.target) })
}

func pointer(
    _ order: UInt16, _ preference: UInt16, _ flags: String, _ service: String, _ replacement: String,
    expression: String = ""
) -> NamingAuthorityPointer {
    NamingAuthorityPointer(
        order: order, preference: preference, flags: flags, service: service, regularExpression: expression,
        replacement: replacement)
}
