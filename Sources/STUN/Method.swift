/// The 12 bits of a message type that say what is asked (RFC 8489 s18.2).
package struct Method: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue & 0x0FFF }

    package static let binding = Method(rawValue: 0x001)
    /// RFC 3489, now reserved.
    package static let sharedSecret = Method(rawValue: 0x002)
    package static let allocate = Method(rawValue: 0x003)
    package static let refresh = Method(rawValue: 0x004)
    package static let send = Method(rawValue: 0x006)
    package static let data = Method(rawValue: 0x007)
    package static let createPermission = Method(rawValue: 0x008)
    package static let channelBind = Method(rawValue: 0x009)
    package static let connect = Method(rawValue: 0x00A)
    package static let connectionBind = Method(rawValue: 0x00B)
    package static let connectionAttempt = Method(rawValue: 0x00C)
    package static let googPing = Method(rawValue: 0x080)

    static let names: [Method: String] = [
        .binding: "Binding", .sharedSecret: "SharedSecret", .allocate: "Allocate", .refresh: "Refresh",
        .send: "Send", .data: "Data", .createPermission: "CreatePermission", .channelBind: "ChannelBind",
        .connect: "Connect", .connectionBind: "ConnectionBind", .connectionAttempt: "ConnectionAttempt",
        .googPing: "GOOG-PING",
    ]

    /// Its name in IANA's registry; nil where it has none.
    package var name: String? { Self.names[self] }
    package var description: String { name ?? Hex.number(rawValue) }

    /// The method bits at their places in the message type, between the class bits.
    var typeBits: UInt16 { rawValue & 0x000F | (rawValue & 0x0070) << 1 | (rawValue & 0x0F80) << 2 }

    package init(messageType: UInt16) {
        self.init(rawValue: messageType & 0x000F | (messageType & 0x00E0) >> 1 | (messageType & 0x3E00) >> 2)
    }
}
