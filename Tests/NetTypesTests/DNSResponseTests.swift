import Testing

@testable import NetTypes

struct DNSResponseTests {
    /// A message with the question `a. IN SRV` at offset 12 and these records.
    static func message(answers: Int, _ records: [UInt8]) -> [UInt8] {
        [0, 1, 0x81, 0x80, 0, 1, UInt8(answers >> 8), UInt8(answers & 0xFF), 0, 0, 0, 0] + [1, 0x61, 0, 0, 33, 0, 1]
            + records
    }

    static func record(type: UInt8, _ data: [UInt8]) -> [UInt8] {
        [0xC0, 12, 0, type, 0, 1, 0, 0, 0, 60, UInt8(data.count >> 8), UInt8(data.count & 0xFF)] + data
    }

    static let malformed = SystemAnswer.failed(.resolverFailed("the resolver's answer is malformed"))

    @Test func aServiceRecordIsReadThroughACompressionPointer() {
        let message = Self.message(answers: 1, Self.record(type: 33, [0, 10, 0, 20, 0x0D, 0x96, 1, 0x62, 0xC0, 12]))
        #expect(
            DNSResponse.serviceRecords(in: message)
                == .serviceRecords([ServiceRecord(priority: 10, weight: 20, port: 3478, target: "b.a")]))
    }

    @Test func aPointerRecordIsReadWithItsTexts() {
        let data: [UInt8] = [0, 1, 0, 2, 1, 0x73, 3, 0x61, 0x62, 0x63, 0, 1, 0x7A, 0]
        #expect(
            DNSResponse.namingAuthorityPointers(in: Self.message(answers: 1, Self.record(type: 35, data)))
                == .namingAuthorityPointers([
                    NamingAuthorityPointer(
                        order: 1, preference: 2, flags: "s", service: "abc", regularExpression: "", replacement: "z")
                ]))
    }

    @Test func theRootIsATargetWithoutAName() {
        let message = Self.message(answers: 1, Self.record(type: 33, [0, 0, 0, 0, 0, 0, 0]))
        #expect(
            DNSResponse.serviceRecords(in: message)
                == .serviceRecords([ServiceRecord(priority: 0, weight: 0, port: 0, target: "")]))
    }

    @Test func ofMoreThanAThousandRecordsAThousandAreRead() throws {
        let one = Self.record(type: 33, [0, 0, 0, 0, 0, 1, 1, 0x62, 0])
        let message = Self.message(answers: 1200, (0..<1200).flatMap { _ in one })
        guard case .serviceRecords(let records) = DNSResponse.serviceRecords(in: message) else {
            Issue.record("no records")
            return
        }
        #expect(records.count == 1000)
    }

    @Test func anAliasAloneIsNoRecord() {
        let message = Self.message(answers: 1, Self.record(type: 5, [1, 0x62, 0]))
        #expect(DNSResponse.serviceRecords(in: message) == .failed(.noRecords))
    }

    @Test(
        arguments: [
            // A pointer to itself, a pair of pointers, a pointer forward, one that is cut off.
            [0, 0, 0, 0, 0, 1, 0xC0, 37], [0, 0, 0, 0, 0, 1, 0xC0, 39, 0xC0, 37], [0, 0, 0, 0, 0, 1, 0xC0, 0xFF],
            [0, 0, 0, 0, 0, 1, 0xC0],
            // A label past the end, a reserved label type, numbers cut off, nothing.
            [0, 0, 0, 0, 0, 1, 63, 0x61], [0, 0, 0, 0, 0, 1, 0x80, 0], [0, 0, 0], [],
        ] as [[UInt8]])
    func aMalformedRecordIsRefused(data: [UInt8]) {
        #expect(DNSResponse.serviceRecords(in: Self.message(answers: 1, Self.record(type: 33, data))) == Self.malformed)
    }

    @Test func noPrefixAndNoFlippedByteTrapsTheReader() {
        let whole = Self.message(
            answers: 2,
            Self.record(type: 33, [0, 10, 0, 20, 0x0D, 0x96, 1, 0x62, 0xC0, 12])
                + Self.record(type: 35, [0, 1, 0, 2, 1, 0x73, 3, 0x61, 0x62, 0x63, 0, 0xC0, 12]))
        for count in whole.indices {
            _ = DNSResponse.serviceRecords(in: Array(whole[..<count]))
            _ = DNSResponse.namingAuthorityPointers(in: Array(whole[..<count]))
            for value in UInt8.min...UInt8.max {
                var changed = whole
                changed[count] = value
                _ = DNSResponse.serviceRecords(in: changed)
                _ = DNSResponse.namingAuthorityPointers(in: changed)
            }
        }
    }
}
