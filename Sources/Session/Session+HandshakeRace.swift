import NetTypes

/// The DTLS handshakes of one attempt. A server sends a lost flight again by its own clock, after one second, then two,
/// then four: with a fifth of all packets lost one handshake in 30 takes more than ten seconds. A new one from another
/// port starts with a clock at zero, so that the first of several to be complete is complete soon.
struct HandshakeRace: Sendable {
    /// The paths beside the attempt's own.
    private(set) var rivals: [PathID] = []
    /// How many handshakes were begun.
    private(set) var begun = 1
    /// When the next is begun; nil where none is.
    private(set) var nextAt: Instant?

    /// The wait for those that are under way: a server's first two flights have come by then, where they come.
    static let interval = Duration.seconds(2)
    static let mostRivals = 3

    mutating func begin(at now: Instant) { nextAt = now + Self.interval }

    mutating func end() { self = HandshakeRace() }

    mutating func add(_ rival: PathID, at now: Instant) {
        rivals.append(rival)
        begun += 1
        nextAt = begun <= Self.mostRivals ? now + Self.interval : nil
    }

    mutating func remove(_ path: PathID) { rivals.removeAll { $0 == path } }

    mutating func removeFirst() -> PathID? { rivals.isEmpty ? nil : rivals.removeFirst() }
}

extension Session {
    mutating func advanceRace(of run: Int, to now: Instant) {
        guard !isConcluded, let due = turnRuns[run].race.nextAt, due <= now else { return }
        let evidence = turnRuns[run].evidence
        let rival = openClient(
            of: run, for: evidence.server, to: evidence.serverAddress, over: evidence.transport, from: evidence.source,
            name: turnRuns[run].alternateDomain)
        turnRuns[run].race.add(rival, at: now)
    }

    /// One path of the attempt is secured, or the attempt is over: the others are not needed.
    mutating func settleRace(of run: Int, wonBy winner: PathID) {
        for path in [turnRuns[run].path] + turnRuns[run].race.rivals where path != winner && paths[path] != nil {
            close(path)
        }
        turnRuns[run].path = winner
        turnRuns[run].race.end()
    }

    /// Whether a handshake that has failed was one of several, and failed for want of packets: the others go on. What a
    /// server says counts for all.
    mutating func leavesRace(_ path: PathID, _ refusal: SecureRefusal) -> Bool {
        guard case .client(let run) = paths[path]?.turn,
            refusal.failures.allSatisfy({ $0.kind == .stalled || $0.kind == .flightLost })
        else { return false }
        guard turnRuns[run].path == path else {
            turnRuns[run].race.remove(path)
            return true
        }
        guard let next = turnRuns[run].race.removeFirst() else { return false }
        turnRuns[run].path = next
        return true
    }

    /// A rival's socket has met an error: the attempt's own path hears of it itself, where it concerns the server.
    mutating func leavesRace(_ error: PathError) -> Bool {
        guard case .client(let run) = paths[error.path]?.turn, turnRuns[run].path != error.path else { return false }
        guard error.isFatal else { return true }
        turnRuns[run].race.remove(error.path)
        close(error.path)
        return true
    }
}
