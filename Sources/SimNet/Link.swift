import NetTypes

/// The line between a host or router and the realm it stands in. Both directions have the same properties.
package struct Link: Hashable, Sendable {
    /// One way.
    package var delay: Duration
    /// At most this is added to the delay, uniformly. It alone never changes the order of packets.
    package var jitter: Duration
    /// The chance, each way, that a packet is lost. A TCP segment is sent again instead, after its timeout.
    package var loss: Double
    /// The chance, each way, that a datagram arrives twice.
    package var duplication: Double
    /// The chance, each way, that a packet is held back by another delay and jitter (1 ms at least), so that later
    /// ones overtake it.
    package var reordering: Double

    package init(
        delay: Duration = .zero, jitter: Duration = .zero, loss: Double = 0, duplication: Double = 0,
        reordering: Double = 0
    ) {
        self.delay = delay
        self.jitter = jitter
        self.loss = loss
        self.duplication = duplication
        self.reordering = reordering
    }
}

/// One direction of a link, at work.
struct Wire {
    private let delay: Int64
    private let jitter: Int64
    private let loss: Double
    private let duplication: Double
    private let reordering: Double
    private var lastArrival = Int64.min

    /// The first retransmission timeouts of TCP, in nanoseconds (RFC 6298 s2.1; Linux's least for what has a
    /// measured round trip). They double.
    private static let handshakeTimeout: Int64 = 1_000_000_000
    private static let segmentTimeout: Int64 = 200_000_000
    /// Linux's tcp_retries2.
    private static let mostRetransmissions = 15

    init(_ link: Link) {
        delay = max(0, link.delay.nanoseconds)
        jitter = max(0, link.jitter.nanoseconds)
        loss = link.loss
        duplication = link.duplication
        reordering = link.reordering
    }

    /// When a packet comes out, in nanoseconds.
    struct Crossing {
        /// Nil where it is lost.
        var arrival: Int64?
        /// When it comes out a second time, where it does.
        var copy: Int64?
    }

    mutating func cross(_ content: Packet.Content, at now: Int64, _ random: inout SeededGenerator) -> Crossing {
        var crossing = Crossing(arrival: arrival(of: content, at: now, &random), copy: nil)
        // What is lost is not doubled: then the loss would not be the loss.
        if duplication > 0, crossing.arrival != nil, case .datagram = content, random.happens(duplication) {
            crossing.copy = undisturbedArrival(at: now, &random)
        }
        return crossing
    }

    private mutating func arrival(
        of content: Packet.Content, at now: Int64, _ random: inout SeededGenerator
    ) -> Int64? {
        if random.happens(loss) {
            guard case .segment(let segment) = content, let late = retransmissionDelay(of: segment, &random) else {
                return nil
            }
            return now + delay + late
        }
        if random.happens(reordering) { return now + delay + max(1_000_000, delay + jitter) }
        return undisturbedArrival(at: now, &random)
    }

    /// After the delay and some of the jitter, and not before what entered earlier.
    private mutating func undisturbedArrival(at now: Int64, _ random: inout SeededGenerator) -> Int64 {
        var arrival = now + delay
        if jitter > 0 { arrival += Int64(random.number(below: Int(jitter) + 1)) }
        lastArrival = max(lastArrival, arrival)
        return lastArrival
    }

    /// How late a segment is that was lost once already; nil where TCP gives it up.
    private func retransmissionDelay(of segment: Packet.Segment, _ random: inout SeededGenerator) -> Int64? {
        var timeout = segment.isOfHandshake ? Self.handshakeTimeout : Self.segmentTimeout
        var total = timeout
        for _ in 0..<Self.mostRetransmissions {
            if !random.happens(loss) { return total }
            timeout = min(timeout * 2, 120_000_000_000)
            total += timeout
        }
        return nil
    }
}
