import NetTypes
import STUN
import Testing

/// A Binding request whose length field says `length`, followed by `body`.
private func message(_ length: Int? = nil, _ body: [UInt8] = []) -> [UInt8] {
    let length = length ?? body.count
    return [0, 1, UInt8(length >> 8), UInt8(length & 0xFF), 0x21, 0x12, 0xA4, 0x42] + Array(1...12) + body
}

private func decodingError(_ bytes: [UInt8]) -> DecodingError? {
    do throws(DecodingError) {
        _ = try Message(decoding: bytes)
        return nil
    } catch {
        return error
    }
}

struct DecodingTests {
    @Test(
        "each broken form is refused by its rule, at its place",
        arguments: [
            ([], DecodingError(offset: 0, .shorterThanHeader(0))),
            ([UInt8](repeating: 0, count: 19), DecodingError(offset: 0, .shorterThanHeader(19))),
            ([0x40] + message().dropFirst(), DecodingError(offset: 0, .topBitsSet(0x40))),
            ([0x80] + message().dropFirst(), DecodingError(offset: 0, .topBitsSet(0x80))),
            (message(3, [0, 0, 0]), DecodingError(offset: 2, .lengthNotMultipleOfFour(3))),
            (message(8, [0, 0, 0, 0]), DecodingError(offset: 2, .longerThanPacket(declared: 8, present: 4))),
            (message(0xFFFC), DecodingError(offset: 2, .longerThanPacket(declared: 0xFFFC, present: 0))),
            (message(0xFFFD), DecodingError(offset: 2, .lengthNotMultipleOfFour(0xFFFD))),
            (message(0xFFFE), DecodingError(offset: 2, .lengthNotMultipleOfFour(0xFFFE))),
            (message(0xFFFF), DecodingError(offset: 2, .lengthNotMultipleOfFour(0xFFFF))),
            (message(0, [0x80, 0x22, 0, 0]), DecodingError(offset: 20, .trailingBytes(4))),
            (message(4, [0x80, 0x22, 0, 0, 9]), DecodingError(offset: 24, .trailingBytes(1))),
            (
                message(nil, [0x80, 0x22, 0, 1]),
                DecodingError(offset: 22, .attributeOverrun(.software, declared: 1, present: 0))
            ),
            (
                message(nil, [0x80, 0x22, 0, 0, 0x80, 0x22, 0xFF, 0xFF]),
                DecodingError(offset: 26, .attributeOverrun(.software, declared: 0xFFFF, present: 0))
            ),
        ])
    func rules(_ bytes: [UInt8], _ error: DecodingError) {
        #expect(decodingError(bytes) == error)
        #expect(!error.description.isEmpty)
    }

    @Test(
        "a value of the wrong size is refused at its place, and costs the others nothing",
        arguments: [
            (AttributeType.xorMappedAddress, [0, 1, 2] as [UInt8]), (.xorMappedAddress, [0, 1, 0, 0, 1, 2, 3]),
            (.xorMappedAddress, [0, 3, 0, 0, 1, 2, 3, 4]), (.xorMappedAddress, [0, 2, 0, 0, 1, 2, 3, 4]),
            (.xorMappedAddress, []),
        ])
    func malformedValue(_ type: AttributeType, _ value: [UInt8]) throws {
        var builder = MessageBuilder(.successResponse, .binding, TransactionID(high: 1, low: 2))
        builder.append(.lifetime, 7)
        builder.appendRaw(type, value)
        builder.append(.software, "after")
        let message = try Message(decoding: builder.bytes)
        let error = #expect(throws: DecodingError.self) { try message.value(.xorMappedAddress) }
        #expect(error?.offset == 32)
        #expect(error?.description.hasPrefix("at byte 32: XOR-MAPPED-ADDRESS has ") == true)
        #expect(try message.value(.lifetime) == 7)
        #expect(try message.value(.software) == Array("after".utf8))
    }

    @Test(
        "an error code has a class of 3 to 6 and a number below 100",
        arguments: [[0, 0, 0, 0], [0, 0, 2, 0], [0, 0, 7, 0], [0, 0, 4, 100], [0, 0, 4, 255], [0, 0, 4]] as [[UInt8]])
    func errorCodes(_ value: [UInt8]) throws {
        var builder = MessageBuilder(.errorResponse, .binding, TransactionID(high: 1, low: 2))
        builder.appendRaw(.errorCode, value)
        let message = try Message(decoding: builder.bytes)
        #expect(throws: DecodingError.self) { try message.value(.errorCode) }
    }

    @Test("of two of a type the first counts, and both are told")
    func duplicates() throws {
        let (first, second) = (Endpoint(IPAddress(192, 0, 2, 1), 1), Endpoint(IPAddress(192, 0, 2, 2), 2))
        var builder = MessageBuilder(.successResponse, .binding, TransactionID(high: 1, low: 2))
        for endpoint in [first, second, second] { builder.append(.xorMappedAddress, endpoint) }
        let message = try Message(decoding: builder.bytes)
        #expect(try message.value(.xorMappedAddress) == first)
        #expect(message.duplicates == [.xorMappedAddress])
        #expect(try message.value(.xorMappedAddress, of: message.attributes[2]) == second)
    }

    @Test("what follows an integrity or the fingerprint means nothing, and is kept apart")
    func lateAttributes() throws {
        var builder = MessageBuilder(.successResponse, .binding, TransactionID(high: 1, low: 2))
        builder.append(.software, "signed")
        builder.appendMessageIntegrity(key: [1])
        builder.append(.realm, "late")
        builder.appendMessageIntegrity(key: [2])
        builder.appendMessageIntegritySHA256(key: [1])
        builder.appendMessageIntegritySHA256(key: [2])
        builder.append(.lifetime, 600)
        builder.appendFingerprint()
        builder.append(.nonce, "later")
        builder.appendFingerprint()
        let message = try Message(decoding: builder.bytes)
        #expect(
            message.meaningful.map(\.type) == [.software, .messageIntegrity, .messageIntegritySHA256, .fingerprint])
        #expect(
            message.unauthenticated.map(\.type)
                == [.realm, .messageIntegrity, .messageIntegritySHA256, .lifetime, .nonce, .fingerprint])
        #expect(try message.value(.realm) == nil)
        #expect(try message.value(.lifetime) == nil)
        #expect(message.verifyIntegrity(key: [1]) == .valid)
        #expect(message.verifyIntegritySHA256(key: [1]) == .valid)
        #expect(message.verifyFingerprint() == .invalid)
    }

    @Test("an attribute that must be understood and has no name is reported, unless it came too late")
    func unknown() throws {
        var builder = MessageBuilder(.successResponse, .binding, TransactionID(high: 1, low: 2))
        builder.appendRaw(AttributeType(rawValue: 0x7ABC), [])
        builder.appendRaw(AttributeType(rawValue: 0xFABC), [])
        builder.appendMessageIntegrity(key: [1])
        builder.appendRaw(AttributeType(rawValue: 0x7ABD), [])
        let message = try Message(decoding: builder.bytes)
        #expect(message.unknownComprehensionRequired == [AttributeType(rawValue: 0x7ABC)])
    }

    @Test("padding that is not zero is ignored")
    func padding() throws {
        let bytes = message(nil, [0x80, 0x22, 0, 1, 0x41, 0xFF, 0xFF, 0xFF])
        #expect(try Message(decoding: bytes).value(.software) == [0x41])
    }

    @Test("the longest message is read whole")
    func longest() throws {
        let body: [UInt8] = [0x80, 0x22, 0xFF, 0xF8] + [UInt8](repeating: 0x20, count: 0xFFF8)
        let message = try Message(decoding: message(0xFFFC, body))
        #expect(try message.value(.software)?.count == 0xFFF8)
    }

    @Test("Of 7,000 attributes 256 are kept and the rest counted")
    func attributeFlood() throws {
        let body = [[UInt8]](repeating: [0x80, 0x22, 0, 4, 65, 66, 67, 68], count: 7000).flatMap { $0 }
        let bytes = message(nil, body)
        let message = try Message(decoding: bytes)
        #expect(try message.value(.software) != nil && message.verifyFingerprint() == .absent)
        #expect(message.attributes.count == 256)
        #expect(message.omittedAttributeCount == 6744)
    }
}
