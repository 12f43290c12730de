import Engines
import Facts
import NetTypes
import STUN

/// The paths of attempts at relays: those of the clients, and the second sockets'.
extension Session {
    // MARK: The clients'

    /// Hands what concerns a client's path to the client; false where the input is for another.
    mutating func relayClientTook(_ input: Input, at now: Instant) -> Bool {
        guard let path = input.path, case .client(let run) = paths[path]?.turn else { return false }
        if case .transmitted(let transmit, let instant) = input { pairDatagramLeft(run, transmit.bytes, at: instant) }
        turnRuns[run].client.handle(input, at: now, paths: &desk.pathNumbers, visited: &desk.visitedRelays)
        settle(run, at: now)
        return true
    }

    mutating func openAndClosePaths(of run: Int) {
        while let output = turnRuns[run].client.pollPath() {
            switch output {
            case .open(let path, let specification):
                paths[path] = Path(user: .one(Desk.nobody), isSecure: specification.security != nil)
                paths[path]?.turn = .client(run: run)
            case .close(let path): paths[path] = nil
            case .transmit, .write, .query: break
            }
            outputs.append(output)
        }
    }

    mutating func nextTURNTransmission(at now: Instant) -> Output? {
        for run in turnRuns.indices where !turnRuns[run].isReported {
            if let output = turnRuns[run].client.pollOutput(at: now, pacer: &desk.pacer, using: &desk.random)
                ?? nextTrialOutput(run, at: now)
            {
                return output
            }
        }
        for pair in relayPairs.indices where relayPairs[pair].isUnderWay {
            if let output = nextPairOutput(pair, at: now) { return output }
        }
        return nil
    }

    func nextTURNWake(_ run: Int) -> Instant? {
        guard !turnRuns[run].isReported else { return nil }
        let wakes = [
            turnRuns[run].client.nextWake(pacer), nextTrialWake(of: run), turnRuns[run].quotaRetryAt,
            nextCut(of: run),
        ]
        return wakes.compactMap { $0 }.min()
    }

    // MARK: The second sockets'

    mutating func turnPathOpened(_ place: TURNPlace, _ local: Endpoint, at now: Instant) {
        switch place {
        case .client: break
        case .peer(let run): peerOpened(run, local, at: now)
        case .tcp(let run, let role): tcpPathOpened(run, role, local, at: now)
        }
    }

    mutating func turnPathNotSecured(_ place: TURNPlace, at now: Instant) {
        if case .tcp(let run, let role) = place { tcpPathFailed(run, role, nil, at: now) }
    }

    mutating func turnPathFailed(_ place: TURNPlace, _ error: PathError, _ trouble: PathTrouble, at now: Instant) {
        switch place {
        case .client: break
        case .peer(let run): peerFailed(run, trouble, isFatal: error.isFatal, at: now)
        case .tcp(let run, let role): if error.isFatal { tcpPathFailed(run, role, trouble, at: now) }
        }
    }

    mutating func turnTransmitted(_ place: TURNPlace, _ transmit: Transmit, at instant: Instant) {
        guard case .peer(let run) = place else { return }
        turnRuns[run].trial?.proof.left(transmit.bytes, at: instant)
        turnRuns[run].trial?.soak?.soak.left(transmit.bytes, at: instant)
    }

    mutating func turnDatagramArrived(_ place: TURNPlace, _ datagram: Datagram, at now: Instant) {
        if case .peer(let run) = place { peerDatagramArrived(run, datagram, at: now) }
    }

    mutating func turnStreamChanged(_ place: TURNPlace, _ event: StreamEvent, at now: Instant) {
        if case .tcp(let run, let role) = place { tcpStreamChanged(run, role, event, at: now) }
    }
}
