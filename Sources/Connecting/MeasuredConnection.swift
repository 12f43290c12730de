import Engines
package import NetTypes
package import Session

/// A connection, and beside it a look at the NATs before this side: what is predicted from that is held against what
/// happens.
///
/// The two share nothing but the driver: the measurement's paths and queries have a bit of their own.
package struct MeasuredConnection<Random: RandomNumberGenerator & Sendable>: Engine {
    package typealias Event = ConnectEvent

    package private(set) var connection: ConnectSession<Random>
    private var measurement: Session?
    private var traits: [IPAddress.Family: NATTraits] = [:]

    private static var mark: UInt32 { 0x2000_0000 }

    /// - Parameter plan: of the measurement; nil where none is wanted.
    package init(_ configuration: ConnectConfiguration, measuring plan: Plan?, random: Random, from start: Instant) {
        var configuration = configuration
        configuration.awaitsNAT = plan != nil
        connection = ConnectSession(configuration, random: random, from: start)
        measurement = plan.map { Session($0, random: random, from: start) }
    }

    package mutating func handle(_ input: Input, at now: Instant) {
        if case .timeout = input {
            if let wake = measurement?.nextWake, wake <= now { measurement?.handle(.timeout, at: now) }
            connection.handle(.timeout, at: now)
        } else if let own = input.moved(by: Self.mark) {
            measurement?.handle(own, at: now)
        } else {
            connection.handle(input, at: now)
        }
        takeObservations(at: now)
    }

    package mutating func pollOutput(at now: Instant) -> Output? {
        if let output = connection.pollOutput(at: now) { return output }
        let output = measurement?.pollOutput(at: now)?.moved(by: Self.mark)
        takeObservations(at: now)
        return output
    }

    package mutating func pollEvent() -> ConnectEvent? { connection.pollEvent() }

    package var nextWake: Instant? { [connection.nextWake, measurement?.nextWake].compactMap(\.self).min() }

    /// What is still to be measured when the connection is over is of no use any more.
    package var isFinished: Bool { connection.isFinished }

    /// The owner's word that the run is over.
    package mutating func conclude(_ failure: ConnectFailure, at now: Instant) {
        connection.conclude(failure, at: now)
    }

    private mutating func takeObservations(at now: Instant) {
        while let observation = measurement?.pollEvent() {
            guard case .natSeen(let evidence) = observation.fact, evidence.transport == .udp, !evidence.servers.isEmpty
            else { continue }
            // Of several addresses of a family, the first that was answered.
            let family = evidence.source.family
            if traits[family]?.passesUDP != true { traits[family] = NATTraits(evidence) }
        }
        if measurement?.isFinished == true {
            measurement = nil
            connection.learn(traits, at: now)
        }
    }
}

extension PathID {
    /// The number without the mark; nil where it has none.
    fileprivate func without(_ mark: UInt32) -> PathID? { number & 0xE000_0000 == mark ? PathID(number ^ mark) : nil }
}

extension Input {
    /// The input for the engine whose paths and queries have the mark; nil where it is for the other.
    fileprivate func moved(by mark: UInt32) -> Input? {
        switch self {
        case .opened(let path, let local): return path.without(mark).map { .opened($0, local: local) }
        case .datagram(var datagram):
            guard let path = datagram.path.without(mark) else { return nil }
            datagram.path = path
            return .datagram(datagram)
        case .transmitted(var transmit, let instant):
            guard let path = transmit.path.without(mark) else { return nil }
            transmit.path = path
            return .transmitted(transmit, at: instant)
        case .pathError(var error):
            guard let path = error.path.without(mark) else { return nil }
            error.path = path
            return .pathError(error)
        case .stream(var event):
            guard let path = event.path.without(mark) else { return nil }
            event.path = path
            return .stream(event)
        case .answer(let query, let answer):
            guard query.number & 0xE000_0000 == mark else { return nil }
            return .answer(QueryID(query.number ^ mark), answer)
        case .secured(let path, let facts, let time): return path.without(mark).map { .secured($0, facts, after: time) }
        case .securingFailed(let path, let refusal, let time):
            return path.without(mark).map { .securingFailed($0, refusal, after: time) }
        case .timeout: return nil
        }
    }
}

extension Output {
    fileprivate func moved(by mark: UInt32) -> Output {
        func marked(_ path: PathID) -> PathID { PathID(path.number | mark) }
        switch self {
        case .open(let path, let specification): return .open(marked(path), specification)
        case .transmit(var transmit):
            transmit.path = marked(transmit.path)
            return .transmit(transmit)
        case .write(let path, let bytes): return .write(marked(path), bytes)
        case .close(let path): return .close(marked(path))
        case .query(let query, let question): return .query(QueryID(query.number | mark), question)
        }
    }
}
