package import NetTypes

/// An engine on its machine: it keeps what the engine does, and lets the system tell it what no simulated network
/// does, such as the end of a TLS handshake.
package struct Machine<Base: Engine>: Engine {
    package struct Sent {
        package var at: Instant
        package var transmit: Transmit
        package var local: Endpoint?

        package var destination: Endpoint { transmit.destination }
    }

    package typealias System = (Output, Instant) -> [(after: Duration, input: Input)]

    package var base: Base
    package private(set) var sent: [Sent] = []
    /// What each path was opened as, in their order.
    package private(set) var opened: [PathSpecification] = []
    package private(set) var queries: [SystemQuery] = []
    /// What the engine is told on account of something that it wants, besides what comes of it in the network.
    private let system: System
    /// What does not get out of the machine.
    private let loses: (Output) -> Bool
    private var pending: [(at: Instant, input: Input)] = []
    private var locals: [PathID: Endpoint] = [:]

    package init(
        _ base: Base, loses: @escaping (Output) -> Bool = { _ in false }, system: @escaping System = { _, _ in [] }
    ) {
        self.base = base
        self.loses = loses
        self.system = system
    }

    package var isFinished: Bool { base.isFinished }
    package var nextWake: Instant? { ([base.nextWake] + pending.map(\.at)).compactMap(\.self).min() }
    package mutating func pollEvent() -> Base.Event? { base.pollEvent() }

    package mutating func handle(_ input: Input, at now: Instant) {
        if case .opened(let path, let local) = input { locals[path] = local }
        guard case .timeout = input else { return base.handle(input, at: now) }
        // One at a time: the engine's outputs are taken in between.
        if let due = pending.indices.filter({ pending[$0].at <= now }).min(by: { pending[$0].at < pending[$1].at }) {
            return base.handle(pending.remove(at: due).input, at: now)
        }
        if let wake = base.nextWake, wake <= now { base.handle(.timeout, at: now) }
    }

    package mutating func pollOutput(at now: Instant) -> Output? {
        while let output = base.pollOutput(at: now) {
            note(output, at: now)
            if !loses(output) { return output }
        }
        return nil
    }

    private mutating func note(_ output: Output, at now: Instant) {
        switch output {
        case .open(_, let specification): opened.append(specification)
        case .transmit(let transmit): sent.append(Sent(at: now, transmit: transmit, local: locals[transmit.path]))
        case .query(_, let query): queries.append(query)
        case .write, .close: break
        }
        pending += system(output, now).map { (now + $0.after, $0.input) }
    }
}

/// How a handshake ends, or what was agreed to in one.
package enum HandshakeEnd: Sendable {
    case secured(SecureFacts)
    case refused(SecureRefusal)
}

/// A system that ends the handshakes of paths as it is told to.
package func handshakes(
    _ ends: @escaping (PathSpecification) -> [(after: Duration, end: HandshakeEnd)]
) -> (Output, Instant) -> [(after: Duration, input: Input)] {
    { output, _ in
        guard case .open(let path, let specification) = output, specification.security != nil else { return [] }
        return ends(specification).map { after, end in
            switch end {
            case .secured(let facts): (after, .secured(path, facts, after: after))
            case .refused(let refusal): (after, .securingFailed(path, refusal, after: after))
            }
        }
    }
}

extension Input {
    /// An ICMP error about a datagram.
    package static func icmp(_ kind: PathError.Kind, from router: IPAddress, about transmit: Transmit) -> Input {
        .pathError(
            PathError(
                path: transmit.path, kind: kind, origin: .icmp(from: router), destination: transmit.destination,
                quoted: transmit.bytes))
    }

    /// The peer's RST on a connection.
    package static func reset(_ path: PathID) -> Input {
        .pathError(PathError(path: path, kind: .connectionReset, origin: .peer, isFatal: true))
    }
}
