/// What bytes on a media socket are, by the first of them (RFC 7983, RFC 9443).
enum Demultiplexer {
    enum Kind: Equatable {
        case stun
        case channelData
        /// Another protocol, by its name.
        case foreign(String)
    }

    static func kind(_ bytes: some Collection<UInt8>) -> Kind {
        for (magic, name) in foreign where bytes.starts(with: magic.utf8) { return .foreign(name) }
        return switch bytes.first ?? 0 {
        case 0...3: .stun
        case 0x45 where bytes.count >= 20: .foreign("an IPv4 packet with its header: take what follows the UDP header")
        case 0x40...0x4F: .channelData
        case 16...19: .foreign("ZRTP")
        case 20...63: .foreign("a TLS or DTLS record")
        case 0x60...0x6F: .foreign("an IPv6 packet with its header: take what follows the UDP header")
        case 128...191: .foreign("RTP or RTCP")
        default: .foreign("no protocol that shares a socket with STUN (RFC 7983)")
        }
    }

    /// Whether the bytes begin with a whole STUN message, or are a whole ChannelData message.
    static func isMessage(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 4 else { return false }
        let length = Int(bytes[2]) << 8 | Int(bytes[3])
        switch kind(bytes) {
        case .stun:
            guard bytes.count >= 20 else { return false }
            return bytes[4..<8].elementsEqual(magicCookie) || length + 20 == bytes.count
        case .channelData:
            return bytes[0] & 0xF0 == 0x40 && (length + 4...length + 7).contains(bytes.count)
        case .foreign:
            return false
        }
    }

    /// RFC 8489 s5.
    static let magicCookie: [UInt8] = [0x21, 0x12, 0xA4, 0x42]

    private static let foreign = [
        ("HTTP/", "an HTTP response"), ("GET ", "an HTTP request"), ("SIP/2.0", "a SIP response"),
        ("SSH-", "an SSH banner"),
    ]
}
