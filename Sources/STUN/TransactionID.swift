/// The 96 bits that tie a response to its request (RFC 8489 s5).
package struct TransactionID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt32
    package let low: UInt64

    package init(high: UInt32, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// From 12 bytes in network order; nil for another number of them.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 12 else { return nil }
        high = bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        low = bytes.dropFirst(4).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A new id. A client must not be guessed: hand in a generator that is cryptographically secure.
    package init(using random: inout some RandomNumberGenerator) {
        self.init(
            high: UInt32(truncatingIfNeeded: random.next() as UInt64), low: random.next())
    }

    package var bytes: [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: high >> (24 - 8 * $0)) }
            + (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * $0)) }
    }

    package var description: String { Hex.text(bytes) }
}

extension TransactionID {
    /// The transaction ID at its place in a message, or in the start of one that an ICMP error quotes.
    package init?(inMessage bytes: [UInt8]) {
        guard bytes.count >= 20 else { return nil }
        self.init(bytes: bytes[8..<20])
    }
}
