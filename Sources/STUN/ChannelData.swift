/// Data of a TURN channel (RFC 8656 s12.4): a channel number and a length, 2 bytes each, then the data.
package struct ChannelData: Hashable, Sendable {
    package static let headerSize = 4
    /// The numbers that a channel may have.
    package static let channels: ClosedRange<UInt16> = 0x4000...0x4FFF

    package var channel: UInt16
    package var data: [UInt8]

    package init(channel: UInt16, data: [UInt8]) {
        self.channel = channel
        self.data = data
    }

    /// Reads a datagram; bytes after the data are padding and ignored.
    ///
    /// - Throws: ``ChannelDataError`` where it is none.
    package init(decoding bytes: [UInt8]) throws(ChannelDataError) {
        guard bytes.count >= Self.headerSize else { throw ChannelDataError.shorterThanHeader(bytes.count) }
        let channel = bytes.uint16(at: 0)
        guard Self.channels.contains(channel) else { throw ChannelDataError.channelOutOfRange(channel) }
        let length = Int(bytes.uint16(at: 2))
        guard length <= bytes.count - Self.headerSize else {
            throw ChannelDataError.longerThanPacket(declared: length, present: bytes.count - Self.headerSize)
        }
        self.init(channel: channel, data: Array(bytes[Self.headerSize..<Self.headerSize + length]))
    }

    /// The message as a datagram, or padded to four bytes as streams need it.
    package func encoded(padded: Bool) -> [UInt8] {
        precondition(data.count <= 0xFFFF, "ChannelData carries at most 65,535 bytes")
        var writer = AttributeWriter(bytes: [])
        writer.append(channel)
        writer.append(UInt16(data.count))
        writer.append(data)
        if padded { writer.append(repeatElement(0, count: data.count.paddedToFour - data.count)) }
        return writer.bytes
    }
}

/// Where ChannelData breaks a rule, and which.
package enum ChannelDataError: Error, Hashable, Sendable, CustomStringConvertible {
    case shorterThanHeader(Int)
    case channelOutOfRange(UInt16)
    case longerThanPacket(declared: Int, present: Int)

    package var description: String {
        switch self {
        case .shorterThanHeader(let count): "at byte 0: \(count) bytes are fewer than the 4 of a ChannelData header"
        case .channelOutOfRange(let channel):
            "at byte 0: \(Hex.number(channel)) is no channel number; they are 0x4000 to 0x4FFF"
        case .longerThanPacket(let declared, let present):
            "at byte 2: the length says \(declared) bytes, and there are \(present)"
        }
    }
}
