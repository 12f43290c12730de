import NetTypes

/// STUN bytes written and read by the tests' own hand, so that the server is not held against its own codec.
struct RawMessage {
    var type: UInt16 = 0x0001
    var cookie: UInt32 = 0x2112_A442
    var transaction: [UInt8] = Array("0123456789ab".utf8)
    var attributes: [(type: UInt16, value: [UInt8])] = []

    var bytes: [UInt8] {
        var body: [UInt8] = []
        for (type, value) in attributes {
            body += Self.word(type) + Self.word(UInt16(value.count)) + value
            body += [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
        }
        return Self.word(type) + Self.word(UInt16(body.count)) + Self.word(UInt16(cookie >> 16))
            + Self.word(UInt16(cookie & 0xFFFF)) + transaction + body
    }

    func adding(_ type: UInt16, _ value: [UInt8] = []) -> RawMessage {
        var copy = self
        copy.attributes.append((type, value))
        return copy
    }

    /// With FINGERPRINT (RFC 8489 s14.7).
    var fingerprinted: RawMessage {
        let withRoom = adding(0x8028, [0, 0, 0, 0]).bytes
        let value = Self.crc32(withRoom.dropLast(8)) ^ 0x5354_554E
        return adding(0x8028, Self.word(UInt16(value >> 16)) + Self.word(UInt16(value & 0xFFFF)))
    }

    /// The message in `bytes`, or nil where they are not one whole message.
    init?(_ bytes: [UInt8]) {
        func word(_ offset: Int) -> UInt16 { UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) }
        guard bytes.count >= 20, Int(word(2)) + 20 == bytes.count, bytes.count % 4 == 0 else { return nil }
        type = word(0)
        cookie = UInt32(word(4)) << 16 | UInt32(word(6))
        transaction = Array(bytes[8..<20])
        var offset = 20
        while offset < bytes.count {
            let length = Int(word(offset + 2))
            guard offset + 4 + length <= bytes.count else { return nil }
            attributes.append((word(offset), Array(bytes[offset + 4..<offset + 4 + length])))
            offset += 4 + (length + 3) / 4 * 4
        }
    }

    init() {}

    subscript(type: UInt16) -> [UInt8]? { attributes.first { $0.type == type }?.value }

    /// The endpoint in a plain or an XORed address attribute.
    func endpoint(_ type: UInt16) -> Endpoint? {
        guard var value = self[type], value.count == 8 || value.count == 20 else { return nil }
        if type == 0x0020 {
            let mask = Self.word(UInt16(cookie >> 16)) + Self.word(UInt16(cookie & 0xFFFF)) + transaction
            for index in 2..<value.count { value[index] ^= mask[index < 4 ? index - 2 : index - 4] }
        }
        return IPAddress(bytes: value[4...]).map { Endpoint($0, UInt16(value[2]) << 8 | UInt16(value[3])) }
    }

    /// The code of ERROR-CODE.
    var errorCode: Int? {
        self[0x0009].flatMap { $0.count >= 4 ? Int($0[2]) * 100 + Int($0[3]) : nil }
    }

    var hasValidFingerprint: Bool {
        guard attributes.last?.type == 0x8028 else { return false }
        var plain = self
        plain.attributes.removeLast()
        return plain.fingerprinted.bytes == bytes
    }

    static func word(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

    private static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var remainder: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 0 ? 0 : 0xEDB8_8320) }
        }
        return ~remainder
    }
}

extension RawMessage {
    static let mappedAddress: UInt16 = 0x0001
    static let responseAddress: UInt16 = 0x0002
    static let changeRequest: UInt16 = 0x0003
    static let sourceAddress: UInt16 = 0x0004
    static let changedAddress: UInt16 = 0x0005
    static let unknownAttributes: UInt16 = 0x000A
    static let xorMappedAddress: UInt16 = 0x0020
    static let padding: UInt16 = 0x0026
    static let responsePort: UInt16 = 0x0027
    static let software: UInt16 = 0x8022
    static let responseOrigin: UInt16 = 0x802B
    static let otherAddress: UInt16 = 0x802C

    /// A Binding request.
    static let request = RawMessage()

    static func changing(address: Bool, port: Bool) -> RawMessage {
        request.adding(changeRequest, [0, 0, 0, (address ? 4 : 0) | (port ? 2 : 0)])
    }

    func askingForPort(_ port: UInt16) -> RawMessage {
        adding(Self.responsePort, Self.word(port) + [0, 0])
    }
}
