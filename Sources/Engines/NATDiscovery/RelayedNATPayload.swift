/// What the datagrams of a discovery through relays carry: whose they are, and which.
package struct RelayedNATPayload: Hashable, Sendable {
    private let prefix: [UInt8]

    package init(nonce: UInt64) {
        prefix =
            Array("icecheck nat".utf8)
            + stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: nonce >> UInt64($0)) }
    }

    package func bytes(_ number: Int) -> [UInt8] {
        prefix + [16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    /// Nil where it is not ours, or was changed on the way.
    func number(in bytes: [UInt8]) -> Int? {
        guard bytes.count == prefix.count + 3, bytes.starts(with: prefix) else { return nil }
        return bytes.suffix(3).reduce(0) { $0 << 8 | Int($1) }
    }
}
