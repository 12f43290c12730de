import NetTypes
import STUN
import Session

/// Drives a session on a virtual clock: what it sends is answered by closures, after delays.
struct VirtualNetwork {
    enum Reply {
        case datagram(from: Endpoint, [UInt8])
        case icmp(PathError.Kind, from: IPAddress?)
    }

    /// What comes on a path, whatever was sent to bring it.
    enum Arrival {
        case datagram(from: Endpoint, [UInt8])
        case bytes([UInt8])
        case ended
        /// A listener's new connection.
        case accepted(PathID, from: Endpoint)
    }

    enum Handshake {
        case secured(SecureFacts)
        case refused(SecureRefusal)
    }

    /// What happens on a TCP connection.
    enum StreamReply {
        case refused
        case connected
        case bytes([UInt8])
        case ended
        case reset
    }

    /// What a datagram leads to, each after a delay.
    var respond: (Transmit, Endpoint, Instant) -> [(Duration, Reply)] = { _, _, _ in [] }
    /// What opening a connection to an endpoint leads to.
    var connect: (Endpoint) -> [(Duration, StreamReply)] = { _ in [] }
    /// What bytes written to a connection lead to.
    var write: ([UInt8], Endpoint) -> [(Duration, StreamReply)] = { _, _ in [] }
    /// What a datagram, or bytes on a connection, bring about on any path, each after a delay; nil leaves it to
    /// `respond` and `write`.
    var relay: (PathID, Endpoint, Endpoint, [UInt8], Instant, Bool) -> [(Duration, PathID, Arrival)]? = {
        _, _, _, _, _, _ in nil
    }
    /// What a socket brings about by being there.
    var opening: (PathID, PathSpecification, Endpoint) -> [(Duration, PathID, Arrival)] = { _, _, _ in [] }
    /// How a handshake on a path ends; nil is never.
    var handshake: (PathSpecification) -> (Duration, Handshake)? = { _ in nil }
    /// How long after a handshake has begun the server ends what it had agreed to; nil is never.
    var goodbye: (PathSpecification) -> Duration? = { _ in nil }
    /// How the system answers; nil is never.
    var answer: (SystemQuery) -> (Duration, SystemAnswer)? = { query in
        switch query {
        case .source(let endpoint, _):
            (.zero, .source(endpoint.family == .ipv4 ? VirtualNetwork.host : VirtualNetwork.host6))
        default: (.zero, .failed(.noSuchName))
        }
    }
    /// Why a UDP socket from an address cannot be opened; nil where it can.
    var refusal: (PathSpecification) -> PathError.Kind? = { _ in nil }

    static let host = IPAddress(192, 0, 2, 10)
    static let host6 = IPAddress(v6: 0x2001_0DB8 << 96 | 10)

    private(set) var sent: [(at: Instant, transmit: Transmit, local: Endpoint)] = []
    private(set) var now = Instant.zero
    /// What each path was opened as, in their order.
    private(set) var specifications: [PathSpecification] = []
    private var pending: [(at: Instant, order: Int, input: Input)] = []
    private var order = 0
    private var locals: [PathID: Endpoint] = [:]
    private var remotes: [PathID: Endpoint] = [:]
    private var nextPort: UInt16 = 50000

    init() {}

    /// Runs the session to its end; fails on livelock.
    mutating func run(_ session: inout Session, interruptAt: Instant? = nil) -> [Observation] {
        var observations: [Observation] = []
        var interruptAt = interruptAt
        for _ in 0..<200_000 {
            while let output = session.pollOutput(at: now) { perform(output) }
            while let observation = session.pollEvent() { observations.append(observation) }
            if session.isFinished { return observations }
            let arrival = pending.indices.min {
                (pending[$0].at, pending[$0].order) < (pending[$1].at, pending[$1].order)
            }
            let wakes = [session.nextWake, arrival.map { pending[$0].at }, interruptAt].compactMap { $0 }
            guard let next = wakes.min() else { fatalError("the session waits for nothing") }
            now = max(now, next)
            if let instant = interruptAt, now >= instant {
                interruptAt = nil
                session.conclude(.interrupted, at: now)
            } else if let arrival, pending[arrival].at <= now {
                session.handle(pending.remove(at: arrival).input, at: now)
            } else {
                session.handle(.timeout, at: now)
            }
        }
        fatalError("livelock: 200,000 steps without an end")
    }

    private mutating func schedule(_ input: Input, after delay: Duration) {
        order += 1
        pending.append((now + delay, order, input))
    }

    private mutating func perform(_ output: Output) {
        switch output {
        case .open(let path, let specification): open(path, specification)
        case .transmit(let transmit):
            let local = locals[transmit.path] ?? Endpoint(Self.host, 0)
            sent.append((now, transmit, local))
            if deliverRelayed(transmit.path, local, transmit.destination, transmit.bytes, isStream: false) { return }
            for (delay, reply) in respond(transmit, local, now) { deliver(reply, to: transmit, after: delay) }
        case .write(let path, let bytes):
            guard let remote = remotes[path] else { return }
            let local = locals[path] ?? Endpoint(Self.host, 0)
            if deliverRelayed(path, local, remote, bytes, isStream: true) { return }
            for (delay, reply) in write(bytes, remote) { deliver(reply, on: path, after: delay) }
        case .close(let path): remotes[path] = nil
        case .query(let id, let query):
            if let (delay, answer) = answer(query) { schedule(.answer(id, answer), after: delay) }
        }
    }

    private mutating func deliverRelayed(
        _ path: PathID, _ local: Endpoint, _ remote: Endpoint, _ bytes: [UInt8], isStream: Bool
    ) -> Bool {
        guard let arrivals = relay(path, local, remote, bytes, now, isStream) else { return false }
        arrive(arrivals)
        return true
    }

    private mutating func arrive(_ arrivals: [(Duration, PathID, Arrival)]) {
        for (delay, path, arrival) in arrivals {
            let at = now + delay
            switch arrival {
            case .datagram(let source, let bytes):
                schedule(.datagram(Datagram(path: path, source: source, bytes: bytes, arrivedAt: at)), after: delay)
            case .bytes(let bytes):
                schedule(.stream(StreamEvent(path: path, kind: .bytes(bytes), at: at)), after: delay)
            case .ended: schedule(.stream(StreamEvent(path: path, kind: .ended, at: at)), after: delay)
            case .accepted(let new, let remote):
                let local = locals[path] ?? Endpoint(Self.host, 0)
                (remotes[new], locals[new]) = (remote, local)
                schedule(
                    .stream(StreamEvent(path: new, kind: .accepted(by: path, local: local, remote: remote), at: at)),
                    after: delay)
            }
        }
    }

    private mutating func open(_ path: PathID, _ specification: PathSpecification) {
        nextPort += 1
        specifications.append(specification)
        locals[path] = Endpoint(specification.local?.address ?? Self.host, nextPort)
        if let kind = refusal(specification) {
            schedule(.pathError(PathError(path: path, kind: kind, origin: .local, isFatal: true)), after: .zero)
            return
        }
        if specification.security != nil, let (delay, result) = handshake(specification) {
            switch result {
            case .secured(let facts): schedule(.secured(path, facts, after: delay), after: delay)
            case .refused(let refusal): schedule(.securingFailed(path, refusal, after: delay), after: delay)
            }
        }
        if specification.security != nil, let delay = goodbye(specification) {
            let end = SecureRefusal(failures: [SecureFailure(.alert, "close notify", alert: 0)])
            schedule(.securingFailed(path, end, after: delay), after: delay)
        }
        defer { arrive(opening(path, specification, locals[path] ?? Endpoint(Self.host, 0))) }
        guard case .connection(let remote) = specification.kind else {
            schedule(.opened(path, local: Endpoint(specification.local?.address ?? Self.host, nextPort)), after: .zero)
            return
        }
        remotes[path] = remote
        for (delay, reply) in connect(remote) { deliver(reply, on: path, after: delay) }
    }

    private mutating func deliver(_ reply: Reply, to transmit: Transmit, after delay: Duration) {
        switch reply {
        case .datagram(let source, let bytes):
            schedule(
                .datagram(Datagram(path: transmit.path, source: source, bytes: bytes, arrivedAt: now + delay)),
                after: delay)
        case .icmp(let kind, let from):
            schedule(
                .pathError(
                    PathError(
                        path: transmit.path, kind: kind, origin: .icmp(from: from), destination: transmit.destination,
                        quoted: transmit.bytes)), after: delay)
        }
    }

    private mutating func deliver(_ reply: StreamReply, on path: PathID, after delay: Duration) {
        switch reply {
        case .refused:
            schedule(
                .pathError(PathError(path: path, kind: .connectionRefused, origin: .peer, isFatal: true)), after: delay)
        case .reset:
            schedule(
                .pathError(PathError(path: path, kind: .connectionReset, origin: .peer, isFatal: true)), after: delay)
        case .connected: schedule(.opened(path, local: locals[path] ?? Endpoint(Self.host, 1)), after: delay)
        case .bytes(let bytes):
            schedule(.stream(StreamEvent(path: path, kind: .bytes(bytes), at: now + delay)), after: delay)
        case .ended: schedule(.stream(StreamEvent(path: path, kind: .ended, at: now + delay)), after: delay)
        }
    }
}
