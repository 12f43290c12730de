import STUN
import Testing

struct MessageBuilderTests {
    private let id = TransactionID(high: 0x0102_0304, low: 0x0506_0708_090A_0B0C)

    @Test("what is signed verifies with its key and with no other, whatever follows it")
    func integrity() throws {
        var builder = MessageBuilder(.request, .binding, id)
        builder.append(.username, "user")
        builder.appendMessageIntegrity(key: Array("key".utf8))
        builder.appendMessageIntegritySHA256(key: Array("key".utf8))
        builder.appendFingerprint()
        let message = try Message(decoding: builder.bytes)
        #expect(message.verifyIntegrity(key: Array("key".utf8)) == .valid)
        #expect(message.verifyIntegritySHA256(key: Array("key".utf8)) == .valid)
        #expect(message.verifyFingerprint() == .valid)
        for key in [[], Array("Key".utf8), [UInt8](repeating: 0, count: 200)] {
            #expect(message.verifyIntegrity(key: key) == .invalid)
            #expect(message.verifyIntegritySHA256(key: key) == .invalid)
        }
    }

    @Test("any changed bit is found by the integrity and by the fingerprint")
    func changedBits() throws {
        let key = try ShortTermKey(password: TestVectors.password).bytes
        // The header's type and id, and the values before the integrity; other bits break the form.
        for offset in Array(8..<20) + Array(24..<40) + Array(44..<48) {
            for bit in 0..<8 {
                var bytes = TestVectors.request
                bytes[offset] ^= 1 << bit
                let message = try Message(decoding: bytes)
                #expect(message.verifyIntegrity(key: key) == .invalid)
                #expect(message.verifyFingerprint() == .invalid)
            }
        }
    }

    @Test("a SHA-256 integrity may be cut to 16 bytes, in fours", arguments: [16, 20, 24, 28, 32])
    func truncated(_ size: Int) throws {
        var builder = MessageBuilder(.request, .binding, id)
        builder.append(.username, "user")
        builder.appendMessageIntegritySHA256(key: [1, 2, 3], truncatedTo: size)
        let message = try Message(decoding: builder.bytes)
        #expect(message.first(.messageIntegritySHA256)?.length == size)
        #expect(message.verifyIntegritySHA256(key: [1, 2, 3]) == .valid)
        #expect(message.verifyIntegritySHA256(key: [1, 2, 4]) == .invalid)
    }

    @Test("an integrity of another size is invalid", arguments: [0, 4, 12, 15, 17, 21, 33, 36])
    func wrongSize(_ size: Int) throws {
        for type in [AttributeType.messageIntegrity, .messageIntegritySHA256] {
            var builder = MessageBuilder(.request, .binding, id)
            builder.appendRaw(type, [UInt8](repeating: 0, count: size))
            let message = try Message(decoding: builder.bytes)
            #expect(message.verifyIntegrity(key: []) == (type == .messageIntegrity ? .invalid : .absent))
            #expect(message.verifyIntegritySHA256(key: []) == (type == .messageIntegrity ? .absent : .invalid))
        }
    }

    @Test("the length is right after each attribute, and the padding zero")
    func lengths() {
        var builder = MessageBuilder(.indication, .send, id)
        #expect(builder.bytes.count == 20)
        for count in 0..<9 {
            let before = builder.bytes.count - 20
            builder.append(.data, [UInt8](repeating: 0xFF, count: count))
            let padding = builder.bytes.count - 20 - before - 4 - count
            #expect(builder.bytes.suffix(padding).allSatisfy { $0 == 0 })
            #expect(builder.bytes.count % 4 == 0)
            #expect(Int(builder.bytes[2]) << 8 + Int(builder.bytes[3]) == builder.bytes.count - 20)
        }
    }
}
