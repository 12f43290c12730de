/// Cuts what comes over TCP or TLS into STUN messages and ChannelData (RFC 8489 s6.2.2, RFC 8656 s12.4).
///
/// Both carry their length, so a frame ends where it says; bytes that can begin neither end the stream. What is
/// buffered is one frame at the most, and what one read brought after it.
package struct StreamFramer: Sendable {
    package enum Frame: Hashable, Sendable {
        case message([UInt8])
        case channelData(ChannelData)
    }

    private var buffer: [UInt8] = []
    private var start = 0

    package init() {}

    package mutating func append(_ bytes: some Sequence<UInt8>) {
        if start > 0, start == buffer.count || start > 65_536 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole frame, nil until one is there.
    ///
    /// - Throws: ``FramingError`` at the first bytes that begin no frame; nothing after them can be framed.
    package mutating func next() throws(FramingError) -> Frame? {
        guard let needed = try needed(), buffer.count - start >= needed.whole else { return nil }
        let frame = buffer[start..<start + needed.length]
        defer { start += needed.whole }
        guard needed.isChannelData else { return .message(Array(frame)) }
        let header = Array(frame.prefix(ChannelData.headerSize))
        return .channelData(
            ChannelData(channel: header.uint16(at: 0), data: Array(frame.dropFirst(ChannelData.headerSize))))
    }

    /// How much of an unfinished frame is there, and how much it says that it has; nil while its header is not whole.
    package var pending: (have: Int, need: Int?) {
        (buffer.count - start, (try? needed())?.whole)
    }

    private func needed() throws(FramingError) -> (length: Int, whole: Int, isChannelData: Bool)? {
        guard start < buffer.count else { return nil }
        let first = buffer[start]
        guard first & 0xC0 == 0 || first & 0xF0 == 0x40 else {
            throw FramingError(firstByte: first, why: .neitherFrame)
        }
        guard buffer.count - start >= 4 else { return nil }
        let length = Int(buffer.uint16(at: start + 2))
        if first & 0xF0 == 0x40 {
            return (ChannelData.headerSize + length, ChannelData.headerSize + length.paddedToFour, true)
        }
        guard length % 4 == 0 else { throw FramingError(firstByte: first, why: .lengthNotMultipleOfFour(length)) }
        // What only looks like STUN by its first bits, such as TLS, is told by the first byte that is not the cookie's.
        for index in 4..<max(4, min(8, buffer.count - start)) {
            guard buffer[start + index] == UInt8(truncatingIfNeeded: Message.magicCookie >> (56 - 8 * UInt32(index)))
            else { throw FramingError(firstByte: first, why: .magicCookieMissing) }
        }
        return (Message.headerSize + length, Message.headerSize + length, false)
    }
}

/// Why bytes of a stream begin no frame.
package struct FramingError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable {
        case neitherFrame
        case lengthNotMultipleOfFour(Int)
        case magicCookieMissing
    }

    package let firstByte: UInt8
    package let why: Reason

    package var description: String {
        switch why {
        case .neitherFrame: "a frame cannot begin with 0x\(Hex.text([firstByte])): it is no STUN and no ChannelData"
        case .lengthNotMultipleOfFour(let length): "a message length of \(length) is not a multiple of 4"
        case .magicCookieMissing: "the magic cookie 0x2112a442 is missing"
        }
    }
}
