import Facts
import NetTypes

/// Sends small datagrams at a pace, has them back, and counts.
struct EchoMeter: Sendable {
    private(set) var data: ConnectData
    private let interval: Duration
    private var count: Int
    private var startedAt: Instant
    private(set) var nextAt: Instant
    /// When each left; nil once it is back.
    private var sentAt: [Instant?] = []
    private var trips: [Int: Duration] = [:]
    private var lastSentAt: Instant
    // RFC 3550 s6.4.1, in nanoseconds.
    private var lastTransit: Int64?
    private var jitter = 0.0
    private var peerNumbers: Set<UInt32> = []
    /// The peer may not have a pair yet: until something comes back, what is sent counts for nothing.
    private var isWarm: Bool
    private var warmUps: UInt32 = 0
    /// What was sent when the last came back.
    private var sentAtLastReturn = 0

    /// What a number begins with that counts for nothing.
    static let warmUpMark: UInt32 = 0x8000_0000
    private static let longestWarmUp = Duration.seconds(1)
    static let echoInterval = Duration.milliseconds(20)
    /// Binding requests share the pace of checks, and every peer bears them.
    static let bindingInterval = Duration.milliseconds(100)
    private static let mostPeerNumbers = 100_000

    init(_ method: ConnectData.Method, duration: Duration, at now: Instant) {
        data = ConnectData(method)
        isWarm = method == .binding
        interval = method == .echo ? Self.echoInterval : Self.bindingInterval
        count = max(1, Int(clamping: duration.nanoseconds / interval.nanoseconds))
        startedAt = now
        nextAt = now
        lastSentAt = now
    }

    var isSending: Bool { data.sent < count }

    /// Whether nothing is to come any more: all are back, or the last has had its time.
    func isOver(at now: Instant) -> Bool { !isSending && (data.returned >= data.sent || now >= overAt) }

    var nextWake: Instant? { isSending ? nextAt : data.returned >= data.sent ? nil : overAt }

    /// Four of the longest round trips after the last; a second where none is known.
    private var overAt: Instant {
        let longest = trips.values.max()
        return lastSentAt + (longest.map { min(max($0 * 4, .milliseconds(100)), .seconds(2)) } ?? .seconds(1))
    }

    /// The number of the datagram to send now; nil while it is not time.
    mutating func next(at now: Instant) -> UInt32? {
        guard isSending, nextAt <= now else { return nil }
        if !isWarm, now < startedAt + Self.longestWarmUp {
            warmUps += 1
            nextAt = now + interval
            return Self.warmUpMark | warmUps
        }
        warm(at: now)
        let number = data.sent
        data.sent += 1
        sentAt.append(now)
        lastSentAt = now
        data.span = now - startedAt
        nextAt = max(nextAt + interval, now)
        return UInt32(truncatingIfNeeded: number)
    }

    private mutating func warm(at now: Instant) {
        guard !isWarm else { return }
        isWarm = true
        startedAt = now
        nextAt = now
    }

    mutating func returned(_ number: Int, arrivedThere: Int, at now: Instant) {
        guard number < Self.warmUpMark else { return warm(at: now) }
        if arrivedThere <= data.sent { data.arrivedThere = max(data.arrivedThere ?? 0, arrivedThere) }
        guard sentAt.indices.contains(number), let left = sentAt[number] else { return }
        sentAt[number] = nil
        take(now - left, number)
    }

    /// A Binding response: the agent measured it.
    mutating func answered(after trip: Duration) {
        guard data.returned < data.sent else { return }
        take(trip, data.returned)
    }

    private mutating func take(_ trip: Duration, _ number: Int) {
        data.returned += 1
        sentAtLastReturn = data.sent
        trips[number] = trip
    }

    /// The peer has left, and answers no more: what it has not had time to answer counts for nothing.
    mutating func end() {
        guard data.method == .binding else { return }
        data.sent = sentAtLastReturn
        count = data.sent
    }

    /// A datagram of the peer's.
    mutating func received(_ number: UInt32, sentAt peerTime: Int64, at now: Instant) {
        guard number < Self.warmUpMark, peerNumbers.count < Self.mostPeerNumbers, peerNumbers.insert(number).inserted
        else { return }
        data.received += 1
        let transit = now.nanoseconds &- peerTime
        if let lastTransit {
            let difference = Double(transit &- lastTransit).magnitude
            jitter += (difference - jitter) / 16
            data.jitter = .nanoseconds(Int64(min(jitter, 1e15)))
        }
        lastTransit = transit
    }

    /// The figures, with the round trips in the order of sending.
    var figures: ConnectData {
        var figures = data
        figures.roundTrips = trips.sorted { $0.key < $1.key }.map(\.value)
        return figures
    }
}
