/// What a datagram through a relay holds: what it is, the nonce of the attempt, its kind and number, and filling. Whoever
/// finds it knows whether it is of this attempt, which one it is, and whether it was altered.
struct RelayPayload: Hashable, Sendable {
    private let nonce: [UInt8]
    private let size: Int

    private static let magic = Array("icecheck relay".utf8)
    static let leastSize = magic.count + 8 + 4

    /// - Parameter size: in bytes; not less than ``leastSize``.
    init(nonce: UInt64, size: Int) {
        self.nonce = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: nonce >> UInt64($0)) }
        self.size = max(size, Self.leastSize)
    }

    func bytes(_ kind: UInt8, _ number: Int) -> [UInt8] {
        var bytes = Self.magic
        bytes.reserveCapacity(size)
        bytes += nonce
        bytes.append(kind)
        for shift in [16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
        for index in bytes.count..<size { bytes.append(UInt8(truncatingIfNeeded: index)) }
        return bytes
    }

    /// Kind and number; nil where it is not ours or has been altered.
    func read(_ bytes: [UInt8]) -> (kind: UInt8, number: Int)? {
        let place = Self.magic.count + nonce.count
        guard bytes.count >= Self.leastSize, bytes.starts(with: Self.magic),
            bytes[Self.magic.count..<place].elementsEqual(nonce)
        else { return nil }
        let number = Int(bytes[place + 1]) << 16 | Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
        return bytes == self.bytes(bytes[place], number) ? (bytes[place], number) : nil
    }
}
