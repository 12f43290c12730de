import Foundation
import SimNet
import Testing

@testable import JSON

@Suite("The reader of JSON")
struct JSONReaderTests {
    private static let document = """
        \u{FEFF}{"a": [1, -0.5e+3, true, false, null, {}, []], "ключ": "\\u00e9\\n\\"\\ud83d\\ude00 ü", \t"b" : {"c":""}}\r\n
        """

    private static func fault(_ bytes: [UInt8]) -> JSONSyntaxError? {
        do throws(JSONSyntaxError) {
            _ = try PlacedJSON(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test("Values come as they are written, with their places")
    func values() throws {
        let json = try PlacedJSON(parsing: Array(Self.document.utf8))
        guard case .array(let elements) = try #require(json["a"]?.value) else { throw CancellationError() }
        #expect(elements.map(\.value.name).joined(separator: ", ").hasPrefix("a number, a number, true or false"))
        guard case .number("-0.5e+3") = elements[1].value else { throw CancellationError() }
        #expect(elements.map(\.offset).prefix(2) == [10, 13])
        guard case .string("é\n\"😀 ü") = try #require(json["ключ"]?.value) else { throw CancellationError() }
        #expect(json["none"] == nil)
    }

    @Test("A text that is cut off anywhere is at fault at its end, where more could mend it")
    func cuts() {
        let bytes = Array(Self.document.utf8)
        let end = bytes.lastIndex(of: UInt8(ascii: "}")) ?? 0
        for count in 3...end {
            #expect(Self.fault(Array(bytes.prefix(count)))?.offset == count)
        }
        #expect(Self.fault(Array(bytes.prefix(end + 1))) == nil)
    }

    @Test(
        "What is not JSON is said with its place",
        arguments: [
            ("", 0, "the text ends where a value is due"), ("{} 1", 3, "nothing follows the first value"),
            ("{a: 1}", 1, "a key in double quotes is due"), ("{\"a\": 1,}", 8, "a key in double quotes is due"),
            ("{\"a\" 1}", 5, "':' is due after a key"), ("{\"a\": 1 \"b\": 2}", 8, "',' or '}' is due after a member"),
            ("[1 2]", 3, "',' or ']' is due after an element"), ("{\"a\": 1, \"a\": 2}", 9, "this key stands twice"),
            ("[01]", 2, "',' or ']' is due"), ("[1.]", 3, "a digit is due in a number"), ("[-]", 2, "a digit is due"),
            ("[tru]", 1, "a value is due"), ("[True]", 1, "a value is due"), ("[NaN]", 1, "a value is due"),
            ("'a'", 0, "a value is due"), ("[\"\t\"]", 2, "a control character"),
            ("[\"\\x\"]", 3, "'\\' is followed by"),
            ("[\"\\u12g4\"]", 4, "four hexadecimal digits"), ("[\"\\udc00\"]", 2, "half of a surrogate pair"),
            ("[\"\\ud800x\"]", 2, "half of a surrogate pair"), ("[\"\\ud800\\u0041\"]", 2, "half of a surrogate pair"),
            ("[\"\\", 3, "the text ends inside a string"),
        ])
    func faults(text: String, offset: Int, message: String) throws {
        let fault = try #require(Self.fault(Array(text.utf8)))
        #expect(fault.offset == offset)
        #expect(fault.message.contains(message), "\(fault.message)")
    }

    @Test("Bytes that are no UTF-8, and UTF-16, are refused")
    func encodings() {
        #expect(Self.fault(Array("[\"".utf8) + [0xC3, 0x28] + Array("\"]".utf8))?.reason == .invalidUTF8)
        #expect(Self.fault([0xFF, 0xFE, 0x7B, 0x00])?.reason == .utf16)
    }

    @Test("Values are nested 64 deep at most, also where they are skipped")
    func depth() {
        func text(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(Self.fault(text(64)) == nil)
        #expect(Self.fault(text(65)) == JSONSyntaxError(offset: 64, reason: .tooDeep))
        #expect(Self.skippingFault(text(65)) == JSONSyntaxError(offset: 64, reason: .tooDeep))
        #expect(Self.fault(text(1_000_000))?.reason == .tooDeep)
    }

    private static func skippingFault(_ bytes: [UInt8]) -> JSONSyntaxError? {
        var reader = JSONReader(bytes.span)
        do throws(JSONSyntaxError) {
            try reader.skip()
            try reader.finish()
            return nil
        } catch {
            return error
        }
    }

    @Test("What is skipped is held to the same grammar")
    func skipping() {
        let document = Array(Self.document.utf8.dropFirst(3))
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            var bytes = document
            for _ in 0...Int.random(in: 0...2, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0...2, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(document.randomElement(using: &generator) ?? 0, at: place)
                }
            }
            let fault = Self.fault(bytes)
            guard fault?.reason != .repeatedKey, fault?.reason != .utf16 else { continue }
            #expect(Self.skippingFault(bytes) == fault, "\(String(decoding: bytes, as: UTF8.self))")
            let isJSON = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            // Foundation takes more: control characters, numbers beyond a Double are its own affair.
            if fault == nil { #expect(isJSON, "\(String(decoding: bytes, as: UTF8.self))") }
        }
    }

    @Test("What the writer writes is read back, numbers exactly")
    func roundTrip() throws {
        let text = "\u{0}\u{1b}\"\\/\r\n\u{2028}\u{e0041}é😀"
        let value: JSONValue = [
            text: .string(text), "largest": .number("\(UInt64.max)"), "least": .integer(.min),
            "exact": .exact(0.1 + 0.2),
            "tiny": .exact(.leastNonzeroMagnitude), "none": .exact(.nan),
        ]
        for pretty in [false, true] {
            let json = try PlacedJSON(parsing: Array(value.text(pretty: pretty).utf8))
            guard case .string(text) = json[text]?.value, case .number("18446744073709551615") = json["largest"]?.value,
                case .number("-9223372036854775808") = json["least"]?.value,
                case .number(let exact) = json["exact"]?.value, case .number(let tiny) = json["tiny"]?.value,
                case .null = json["none"]?.value
            else { throw CancellationError() }
            #expect(Double(exact) == 0.1 + 0.2)
            #expect(Double(tiny) == .leastNonzeroMagnitude)
        }
    }

    @Test("A place is a line and a column of characters")
    func places() {
        let place = JSONSyntaxError(offset: 8, reason: .missingKey).place(in: Array("{\n é,\n  x".utf8))
        #expect(place == (3, 2))
    }
}
