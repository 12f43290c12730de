import Facts
import NetTypes

/// A bulk transfer that shares its path with others: a window that grows by a datagram for each one confirmed until
/// the first loss, is halved at each loss, and then grows by one in a round trip (RFC 5681). It ends with its time.
struct BulkTransfer: Sendable {
    private(set) var figures = ConnectThroughput()
    private(set) var isSending = false
    private var endsAt: Instant
    private var startedAt: Instant
    private var window = 10.0
    private var threshold = Double.infinity
    private var unconfirmed: [UInt32: Instant] = [:]
    private var nextNumber: UInt32 = 0
    private var highestConfirmed: UInt32 = 0
    /// What was sent before the last halving says nothing new.
    private var recoversUntil: UInt32 = 0
    private var roundTrip: Duration = .milliseconds(200)
    private var firstReceivedAt: Instant?

    /// Bytes of a datagram: with headers it is below what any path of IPv6 carries.
    static let datagramSize = 1200
    private static let mostWindow = 256.0
    /// Confirmations that overtake one of an earlier datagram before it counts as lost.
    private static let reordering: UInt32 = 3

    init(at now: Instant) {
        startedAt = now
        endsAt = now
    }

    /// Begins to send, whatever has come from the peer before.
    mutating func begin(for duration: Duration, at now: Instant) {
        isSending = true
        startedAt = now
        endsAt = now + duration
    }

    func isOver(at now: Instant) -> Bool { now >= endsAt && (unconfirmed.isEmpty || now >= endsAt + roundTrip * 2) }

    var nextWake: Instant? {
        unconfirmed.values.min().map { min($0 + timeout, endsAt + roundTrip * 2) } ?? endsAt
    }

    private var timeout: Duration { max(roundTrip * 4, .milliseconds(200)) }

    /// The number of the datagram to send now; nil while the window is full or time is over.
    mutating func next(at now: Instant) -> UInt32? {
        expire(at: now)
        guard now < endsAt, Double(unconfirmed.count) < window else { return nil }
        let number = nextNumber
        nextNumber &+= 1
        unconfirmed[number] = now
        figures.sent += 1
        return number
    }

    mutating func confirmed(_ number: UInt32, at now: Instant) {
        guard let left = unconfirmed.removeValue(forKey: number) else { return }
        roundTrip = (roundTrip * 7 + (now - left)) / 8
        figures.sentBytes += Self.datagramSize
        figures.sentOver = now - startedAt
        window = min(Self.mostWindow, window + (window < threshold ? 1 : 1 / window))
        highestConfirmed = max(highestConfirmed, number)
        guard highestConfirmed > Self.reordering else { return }
        let overtaken = unconfirmed.keys.filter { $0 < highestConfirmed - Self.reordering }
        for number in overtaken { lose(number) }
    }

    private mutating func expire(at now: Instant) {
        let late = unconfirmed.filter { now - $0.value >= timeout }
        for number in late.keys.sorted() { lose(number) }
    }

    private mutating func lose(_ number: UInt32) {
        unconfirmed[number] = nil
        figures.lost += 1
        guard number >= recoversUntil else { return }
        threshold = max(2, window / 2)
        window = threshold
        recoversUntil = nextNumber
    }

    mutating func received(_ count: Int, at now: Instant) {
        let first = firstReceivedAt ?? now
        firstReceivedAt = first
        figures.receivedBytes += count
        figures.receivedOver = now - first
    }
}
