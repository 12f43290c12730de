package import NetTypes

/// Shows that bytes go both ways through a connection that a relay makes (RFC 6062): the second socket sends a message,
/// the client sends back what comes, and the next goes out once the whole of the last is back.
///
/// TCP neither loses nor repeats: a byte that is not the one that was sent is altered data, and ends it.
package struct StreamRelayProof: Sendable {
    package let count: Int
    /// Bytes of each message.
    package let size: Int
    /// Between two messages at least.
    package let pace: Duration
    private let nonce: UInt64

    package private(set) var sent = 0
    package private(set) var roundTrips: [Duration] = []
    package private(set) var isAltered = false
    private var startsAt: Instant?
    private var sentAt: Instant?
    /// Bytes that came to the client, and that came back.
    private var out = 0
    private var back = 0

    package init(count: Int, size: Int, pace: Duration, nonce: UInt64) {
        self.count = max(1, count)
        self.size = max(1, size)
        self.pace = pace
        self.nonce = nonce
    }

    /// Messages that came to the client, whole.
    package var arrived: Int { out / size }
    package var isOver: Bool { isAltered || roundTrips.count == count }

    /// The connection is there from end to end.
    package mutating func begin(at now: Instant) {
        if startsAt == nil { startsAt = now }
    }

    /// When the next message may go out; nil where none may.
    package var nextWake: Instant? {
        guard let startsAt, !isOver, sent == roundTrips.count else { return nil }
        return sentAt.map { $0 + pace } ?? startsAt
    }

    /// What the second socket sends at `now`; nil for nothing.
    package mutating func next(at now: Instant) -> [UInt8]? {
        guard let nextWake, nextWake <= now else { return nil }
        sent += 1
        sentAt = now
        return (0..<size).map { byte((sent - 1) * size + $0) }
    }

    /// Bytes that came to the client: they go back as they are.
    package mutating func arrived(_ bytes: [UInt8]) -> [UInt8] {
        check(bytes, from: out)
        out += bytes.count
        return bytes
    }

    /// Bytes that came back to the second socket.
    package mutating func returned(_ bytes: [UInt8], at now: Instant) {
        check(bytes, from: back)
        back += bytes.count
        guard !isAltered, let sentAt, sent > roundTrips.count, back >= sent * size else { return }
        roundTrips.append(now - sentAt)
    }

    private mutating func check(_ bytes: [UInt8], from start: Int) {
        guard start + bytes.count <= sent * size else {
            isAltered = true
            return
        }
        for (index, value) in bytes.enumerated() where value != byte(start + index) { isAltered = true }
    }

    /// The byte at a place of the stream: neither constant nor of a short period, and another one in each run.
    private func byte(_ place: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: ((nonce &+ UInt64(place)) &* 0x9E37_79B9_7F4A_7C15) >> 40)
    }
}
