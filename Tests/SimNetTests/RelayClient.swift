import Engines
import NetTypes
import STUN
import SimNet

/// A TURN client with a socket: it makes an allocation, sends each of its pings over a channel until the echo comes,
/// and deletes the allocation.
struct RelayClient: Engine {
    private(set) var allocation: TURNAllocation
    private(set) var echoes: Set<[UInt8]> = []
    private let server: Endpoint
    private let peer: Endpoint
    private let pings: [[UInt8]]
    /// How long it stays before it deletes.
    private let stay: Duration
    private var random: SeededGenerator
    private var framer = StreamFramer()
    private var outputs: [Output]
    private var nextPing: Instant?
    private var end: Instant?
    private var isOpen = false
    private let path = PathID(1)

    init(
        _ configuration: TURNConfiguration, server: Endpoint, peer: Endpoint, pings: Int, stay: Duration = .zero,
        seed: UInt64
    ) {
        allocation = TURNAllocation(configuration)
        self.server = server
        self.peer = peer
        self.stay = stay
        // Sizes that need padding over a stream, and such that do not.
        self.pings = (0..<pings).map { Array("ping \($0) ".utf8) + [UInt8](repeating: 7, count: $0) }
        random = SeededGenerator(seed: seed)
        let kind = configuration.isReliable ? PathSpecification.Kind.connection(to: server) : .datagram
        outputs = [.open(path, PathSpecification(kind, family: server.family))]
        allocation.bindChannel(to: peer)
    }

    var isFinished: Bool { allocation.isFinished }
    var nextWake: Instant? { [allocation.nextWake, nextPing, end].compactMap(\.self).min() }

    mutating func handle(_ input: Input, at now: Instant) {
        switch input {
        case .opened: isOpen = true
        case .datagram(let datagram) where datagram.source == server:
            allocation.handle(datagram: datagram.bytes, at: now)
        case .stream(let event):
            guard case .bytes(let bytes) = event.kind else { return allocation.abandon() }
            framer.append(bytes)
            while let frame = try? framer.next() { allocation.handle(frame, at: now) }
        case .pathError(let error): if error.isFatal { allocation.abandon() }
        default: break
        }
        allocation.handleTimeout(at: now)
        if let due = nextPing, due <= now { ping(at: now) }
        if let end, end <= now, !allocation.isFinished {
            self.end = nil
            allocation.delete(at: now)
        }
    }

    private mutating func ping(at now: Instant) {
        let missing = pings.filter { !echoes.contains($0) }
        for ping in missing { allocation.send(ping, to: peer) }
        nextPing = missing.isEmpty ? nil : now + .milliseconds(300)
        if missing.isEmpty { end = now + stay }
    }

    mutating func pollOutput(at now: Instant) -> Output? {
        if !outputs.isEmpty { return outputs.removeFirst() }
        guard isOpen, let bytes = allocation.pollOutput(at: now, using: &random) else { return nil }
        return allocation.configuration.isReliable
            ? .write(path, bytes) : .transmit(Transmit(path: path, destination: server, bytes: bytes))
    }

    mutating func pollEvent() -> TURNEvent? {
        guard let event = allocation.pollEvent() else { return nil }
        switch event {
        case .channelBound(_, _, _, let isRenewal): if !isRenewal { nextPing = .zero }
        case .received(let data): if data.peer == peer, pings.contains(data.bytes) { echoes.insert(data.bytes) }
        default: break
        }
        return event
    }
}
