import Testing

@testable import STUN

struct RegistryTests {
    @Test("no two attributes, methods or error codes share a name")
    func unique() {
        #expect(Set(AttributeType.names.map(\.key)).count == AttributeType.names.count)
        #expect(Set(AttributeType.names.map(\.value)).count == AttributeType.names.count)
        #expect(Set(Method.names.values).count == Method.names.count)
        #expect(Set(ErrorCode.names.values).count == ErrorCode.names.count)
    }

    @Test("every method and class has its own message type, and reads back")
    func messageTypes() {
        var types: Set<UInt16> = []
        for method in 0...0xFFF as ClosedRange<UInt16> {
            for messageClass in MessageClass.allCases {
                let type = messageClass.typeBits | Method(rawValue: method).typeBits
                #expect(type & 0xC000 == 0)
                types.insert(type)
                #expect(Method(messageType: type).rawValue == method)
                #expect(MessageClass(messageType: type) == messageClass)
            }
        }
        #expect(types.count == 0x1000 * 4)
    }

    @Test(
        "message types are those of the RFCs",
        arguments: [
            (MessageClass.request, Method.binding, 0x0001 as UInt16), (.indication, .binding, 0x0011),
            (.successResponse, .binding, 0x0101), (.errorResponse, .binding, 0x0111), (.request, .allocate, 0x0003),
            (.errorResponse, .allocate, 0x0113), (.indication, .send, 0x0016), (.indication, .data, 0x0017),
            (.request, .googPing, 0x0200), (.successResponse, .googPing, 0x0300),
            (.indication, .connectionAttempt, 0x001C),
        ])
    func knownTypes(_ messageClass: MessageClass, _ method: STUN.Method, _ type: UInt16) {
        #expect(messageClass.typeBits | method.typeBits == type)
    }

    @Test("what has no name is shown by its number")
    func unnamed() {
        #expect(AttributeType(rawValue: 0x7FFF).description == "0x7FFF")
        #expect(AttributeType(rawValue: 0x7FFF).isComprehensionRequired)
        #expect(!AttributeType(rawValue: 0x8000).isComprehensionRequired)
        #expect(Method(rawValue: 0xFFF).description == "0x0FFF")
        #expect(ErrorCode(401).reason == Array("Unauthenticated".utf8))
        #expect(ErrorCode.registeredName(499) == nil)
    }
}
