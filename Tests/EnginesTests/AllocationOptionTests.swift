import STUN
import Testing

@testable import Engines

@Suite struct AllocationOptionTests {
    static func refused(_ code: Int, unknown: [AttributeType] = [], of asked: Set<AllocationOption>) -> Set<
        AllocationOption
    > {
        AllocationOption.refused(by: response(code, unknown: unknown), of: asked)
    }

    static func response(_ code: Int, unknown: [AttributeType] = []) -> TURNErrorResponse {
        TURNErrorResponse(
            code: code, reason: [], method: .allocate, isAuthenticated: true, answersSigned: true, attempt: 1,
            unknownAttributes: unknown)
    }

    static let all = Set(AllocationOption.allCases)

    @Test(arguments: [
        (440, [AllocationOption.bothFamilies]), (443, [.bothFamilies]),
        (508, [.evenPort, .nextPort]), (400, AllocationOption.allCases), (401, []), (486, []), (500, []), (300, []),
    ])
    func aRefusalIsOfTheOptionsThatItsCodeConcerns(code: Int, options: [AllocationOption]) {
        #expect(Self.refused(code, of: Self.all) == Set(options))
        #expect(Self.refused(code, of: []).isEmpty)
    }

    @Test func unknownAttributesNameTheOptionsThatAreRefused() {
        #expect(Self.refused(420, unknown: [.dontFragment], of: Self.all) == [.dontFragment])
        #expect(Self.refused(420, unknown: [.evenPort], of: [.nextPort, .dontFragment]) == [.nextPort])
        #expect(Self.refused(420, unknown: [.requestedTransport], of: Self.all).isEmpty)
    }
}
