import NetTypes

/// The DTLS handshakes of one attempt. A server sends a lost flight again by its own clock, after one second, then two,
/// then four: with a fifth of all packets lost one handshake in 30 takes more than ten seconds. A new one from another
/// port starts with a clock at zero, so that the first of several to be complete is complete soon.
package struct HandshakeRace: Sendable {
    /// The paths beside the attempt's own.
    private(set) var rivals: [PathID] = []
    /// How many handshakes were begun.
    private(set) var begun = 1
    /// When the next is begun; nil where none is.
    private(set) var nextAt: Instant?

    /// The wait for those that are under way: a server's first two flights have come by then, where they come.
    package static let interval = Duration.seconds(2)
    static let mostRivals = 3

    /// The first of them has begun.
    mutating func begin(at now: Instant) {
        if begun == 1 { nextAt = now + Self.interval }
    }

    /// One of them is complete, or the attempt is over; returns the paths beside the attempt's own.
    mutating func end() -> [PathID] {
        defer {
            rivals = []
            nextAt = nil
        }
        return rivals
    }

    mutating func add(_ rival: PathID, at now: Instant) {
        rivals.append(rival)
        begun += 1
        nextAt = begun <= Self.mostRivals ? now + Self.interval : nil
    }

    mutating func remove(_ path: PathID) { rivals.removeAll { $0 == path } }

    mutating func removeFirst() -> PathID? { rivals.isEmpty ? nil : rivals.removeFirst() }
}
