import Engines
import Facts
import NetTypes
import Planning
import STUN

/// What relays use of the desk, until they are activities.
extension Session {
    var paths: [PathID: Path] {
        get { desk.paths }
        _modify { yield &desk.paths }
    }
    var random: RandomSource {
        get { desk.random }
        _modify { yield &desk.random }
    }
    var pacer: DestinationPacer {
        get { desk.pacer }
        _modify { yield &desk.pacer }
    }
    var outputs: Queue<Output> {
        get { desk.outputs }
        _modify { yield &desk.outputs }
    }
    var startedAt: Instant { desk.startedAt }

    mutating func observe(_ fact: Observation.Fact, at now: Instant) { desk.observe(fact, at: now) }

    mutating func open(
        _ kind: PathSpecification.Kind, from source: IPAddress, port: UInt16 = 0, security: PathSecurity? = nil
    ) -> PathID { desk.open(kind, from: source, port: port, security: security) }

    mutating func close(_ path: PathID) { desk.close(path) }

    /// Takes what concerns a path of an attempt at a relay; false where it concerns none.
    mutating func relaysTook(_ input: Input, at now: Instant) -> Bool {
        if relayClientTook(input, at: now) { return true }
        switch input {
        case .datagram(let datagram):
            if let place = paths[datagram.path]?.turn {
                turnDatagramArrived(place, datagram, at: now)
            } else if let (run, socket) = paths[datagram.path]?.relayedNATSocket {
                if !isConcluded { relayedNATDatagramArrived(datagram, run, at: socket, now) }
            } else {
                return false
            }
        case .stream(let event):
            if case .accepted(let listener, _, _) = event.kind, let place = paths[listener]?.turn {
                turnStreamChanged(place, event, at: now)
            } else if let place = paths[event.path]?.turn {
                turnStreamChanged(place, event, at: now)
            } else {
                return false
            }
        case .pathError(let error):
            guard let place = paths[error.path]?.turn else { return paths[error.path]?.relayedNATSocket != nil }
            turnPathFailed(place, error, PathTrouble(error), at: now)
        case .opened(let id, let local):
            if let (run, socket) = paths[id]?.relayedNATSocket {
                paths[id]?.state = .open(local: local)
                relayedNATRuns[run].discovery.opened(socket, local, at: now)
                return true
            }
            guard let path = paths[id], let place = path.turn else { return false }
            guard !isConcluded, path.state == .opening else { return true }
            paths[id]?.state = path.isSecure ? .securing(local: local) : .open(local: local)
            if !path.isSecure { turnPathOpened(place, local, at: now) }
        case .secured(let id, _, _):
            guard let path = paths[id], let place = path.turn else { return false }
            guard !isConcluded, case .securing(let local) = path.state else { return true }
            paths[id]?.state = .open(local: local)
            turnPathOpened(place, local, at: now)
        case .securingFailed(let id, _, _):
            guard let place = paths[id]?.turn else { return false }
            if !isConcluded { turnPathNotSecured(place, at: now) }
            close(id)
        case .transmitted(let transmit, let instant):
            guard let place = paths[transmit.path]?.turn else { return false }
            turnTransmitted(place, transmit, at: instant)
        case .answer(let query, let answer):
            guard let run = peerQuestions.removeValue(forKey: query) else { return false }
            if !isConcluded { peerSourceKnown(answer, run: run, at: now) }
        case .timeout: return false
        }
        return true
    }

    mutating func askForPeerSource(of run: Int, to relayed: Endpoint) {
        let id = QueryID(0x8000_0000 | UInt32(truncatingIfNeeded: peerQuestions.count + run << 8))
        peerQuestions[id] = run
        desk.outputs.append(.query(id, .source(to: relayed, interface: plan.interface)))
    }
}
