import Engines
import NetTypes

/// A socket or connection of the session.
struct Path: Sendable {
    enum State: Hashable, Sendable {
        case opening
        /// TLS or DTLS: the path is there, its handshake is not complete.
        case securing(local: Endpoint)
        case open(local: Endpoint)
        case failed(PathTrouble)
        /// The handshake has failed.
        case unsecured

        var isOpening: Bool {
            switch self {
            case .opening, .securing: true
            case .open, .failed, .unsecured: false
            }
        }

        var isOpen: Bool { if case .open = self { true } else { false } }
    }

    let isSecure: Bool

    var state: State = .opening
    /// The place of the host candidate whose socket it is.
    var base: Int?
    /// TCP: what has come in and is not a whole frame yet.
    var stream: StreamState?
    /// The discovery and the question that a socket is for.
    var natSocket: (run: Int, socket: NATSocket)?
    /// The search for a lifetime and what a socket is to it.
    var lifetimeSocket: (run: Int, socket: NATLifetimeSocket)?
    /// The same over TCP.
    var natStream: NATStreamPlace?
    /// The discovery through relays and the question that a socket is for.
    var relayedNATSocket: (run: Int, socket: RelayedNATSocket)?
    /// What it is to an attempt at a relay.
    var turn: TURNPlace?
}

extension Session {
    /// Binds a socket for each host candidate that a browser would offer: without a port there is no candidate.
    mutating func openBases() {
        guard plan.gathersReflexive else { return }
        for (index, base) in plan.bases.enumerated() where base.withheld == nil {
            let path = open(.datagram, from: base.address.address)
            paths[path]?.base = index
            datagramPathBySource[base.address.address.withoutZone] = path
        }
    }

    /// The UDP socket that sends from `source`, opened when it is first needed.
    mutating func datagramPath(from source: IPAddress) -> PathID {
        if let path = datagramPathBySource[source.withoutZone] { return path }
        let path = open(.datagram, from: source)
        datagramPathBySource[source.withoutZone] = path
        return path
    }

    /// - Parameter port: one that connections to several peers share; 0 leaves the choice to the system.
    mutating func open(
        _ kind: PathSpecification.Kind, from source: IPAddress, port: UInt16 = 0, security: PathSecurity? = nil
    ) -> PathID {
        let path = pathNumbers.next()
        paths[path] = Path(isSecure: security != nil)
        outputs.append(
            .open(
                path,
                PathSpecification(
                    kind, family: source.family, local: Endpoint(source, port), interface: plan.interface,
                    sharesPort: port != 0, security: security)))
        return path
    }

    mutating func close(_ path: PathID) {
        outputs.append(.close(path))
        paths[path] = nil
    }

    mutating func pathOpened(_ id: PathID, _ local: Endpoint, at now: Instant) {
        guard let path = paths[id], path.state == .opening else { return }
        guard path.isSecure else { return pathUsable(id, local, at: now) }
        paths[id]?.state = .securing(local: local)
    }

    /// The path takes what its user sends.
    mutating func pathUsable(_ id: PathID, _ local: Endpoint, at now: Instant) {
        paths[id]?.state = .open(local: local)
        if let base = paths[id]?.base { observe(.baseOpened(base: base, local: local), at: now) }
        if paths[id]?.stream != nil { connected(id, local, at: now) }
        if let (run, socket) = paths[id]?.natSocket { natSocketOpened(run, socket, local, at: now) }
        if let (run, socket) = paths[id]?.lifetimeSocket { lifetimeSocketOpened(run, socket, local, at: now) }
        if let place = paths[id]?.natStream { natStreamOpened(place, local, at: now) }
        if let (run, socket) = paths[id]?.relayedNATSocket {
            relayedNATRuns[run].discovery.opened(socket, local, at: now)
        }
        if let place = paths[id]?.turn { turnPathOpened(place, local, at: now) }
    }

    mutating func pathFailed(_ error: PathError, at now: Instant) {
        let trouble = PathTrouble(kind: error.kind, origin: error.origin, errno: error.errno)
        if let place = paths[error.path]?.turn { return turnPathFailed(place, error, trouble, at: now) }
        guard error.isFatal else { return datagramFailed(error, trouble, at: now) }
        guard let path = paths[error.path] else { return }
        if path.state == .opening, let base = path.base {
            observe(.baseFailed(base: base, .path(trouble)), at: now)
        }
        paths[error.path]?.state = .failed(trouble)
        if let (run, socket) = path.lifetimeSocket { lifetimeSocketFailed(run, socket, at: now) }
        if let place = path.natStream { return natStreamFailed(place, error.kind, at: now) }
        for index in liveProbes.sorted() where probes[index].path == error.path {
            end(index, .failed(index, .path(trouble)), at: now)
        }
    }
}
