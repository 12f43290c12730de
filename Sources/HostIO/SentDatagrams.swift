import CSystem
import NetTypes

/// What a socket sent last, so that the kernel's stamps find their datagrams: it numbers them from 0.
struct SentDatagrams {
    /// Stamps come within a round trip of the loop; more than this many are never under way.
    private static let kept = 256

    private var ring: [(transmit: Transmit, at: Instant)] = []
    private var count: UInt32 = 0

    /// Books a datagram, just before the system call.
    mutating func append(_ transmit: Transmit) {
        let entry = (transmit, MonotonicClock.now)
        if ring.count < Self.kept { ring.append(entry) } else { ring[Int(count) % Self.kept] = entry }
        count &+= 1
    }

    /// When datagram `sequence` left, as an engine is told; nil where the stamp cannot be its own.
    func transmitted(_ sequence: UInt32, stamp: Int64) -> Input? {
        let age = count &- sequence
        guard age >= 1, age <= ring.count, let instant = MonotonicClock.instant(ofRealtime: stamp) else { return nil }
        let (transmit, at) = ring[Int(sequence) % Self.kept]
        // A refused send may leave the kernel's count and ours apart: then the stamp is another's.
        guard instant >= at.advanced(by: .microseconds(-100)), instant - at < .seconds(1) else { return nil }
        return .transmitted(transmit, at: max(instant, at))
    }
}
