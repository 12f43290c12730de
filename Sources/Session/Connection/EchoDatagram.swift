/// A datagram between two icechecks over the pair that they found.
///
/// Its first byte is none of those of RFC 7983, so that it is taken for neither STUN, DTLS nor media. Layout: that byte,
/// `ice`, the kind in one byte, the sender's tie-breaker as nonce (of an echo: the nonce of who asked) in 8, the number
/// in 4, the sender's time in nanoseconds in 8, how many came in from the other side in 4; then filling.
package struct EchoDatagram: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        case request = 1
        case reply
        case bulk
        case confirmation
        case goodbye
    }

    package var kind: Kind
    package var nonce: UInt64
    package var number: UInt32
    /// Nanoseconds of the clock of who asked.
    package var time: Int64
    package var received: UInt32 = 0

    package static let size = 29
    private static let start: [UInt8] = [0xF1, 0x69, 0x63, 0x65]

    package init(_ kind: Kind, nonce: UInt64, number: UInt32 = 0, time: Int64 = 0, received: UInt32 = 0) {
        self.kind = kind
        self.nonce = nonce
        self.number = number
        self.time = time
        self.received = received
    }

    /// Nil where the bytes are something else.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.size, bytes.starts(with: Self.start), let kind = Kind(rawValue: bytes[4]) else {
            return nil
        }
        func number(_ from: Int, _ count: Int) -> UInt64 {
            bytes[from..<from + count].reduce(0) { $0 << 8 | UInt64($1) }
        }
        self.kind = kind
        nonce = number(5, 8)
        self.number = UInt32(truncatingIfNeeded: number(13, 4))
        time = Int64(bitPattern: number(17, 8))
        received = UInt32(truncatingIfNeeded: number(25, 4))
    }

    /// Filled up to `size` bytes.
    package func bytes(size: Int = EchoDatagram.size) -> [UInt8] {
        var bytes = Self.start + [kind.rawValue]
        func append(_ value: UInt64, _ count: Int) {
            for index in (0..<count).reversed() {
                bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))))
            }
        }
        append(nonce, 8)
        append(UInt64(number), 4)
        append(UInt64(bitPattern: time), 8)
        append(UInt64(received), 4)
        if bytes.count < size { bytes += [UInt8](repeating: 0, count: size - bytes.count) }
        return bytes
    }
}
