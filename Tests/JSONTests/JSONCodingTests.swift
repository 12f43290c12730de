import Testing

@testable import JSON

/// Values as JSON by their `Codable`, and back.
@Suite struct JSONCodingTests {
    enum Kind: String, Hashable, Codable { case one, other }

    enum Choice: Hashable, Codable {
        case nothing
        case some(Int, of: String)
        case nested(Sample.Part?)
    }

    struct Sample: Hashable, Codable {
        struct Part: Hashable, Codable {
            var bytes: [UInt8] = [0, 9, 0xAB, 0xFF]
            var optional: Int?
        }

        var duration = Duration(secondsComponent: -1, attosecondsComponent: -500_000_000_000_000_001)
        var small = Duration.zero - .nanoseconds(5)
        var unsigned = UInt64.max
        var signed = Int64.min
        var number = 0.1 + 0.2
        var numbers: [Int] = []
        var text = "\"\\ é ∞"
        var flag = true
        var set: Set<String> = ["c", "a", "b"]
        var byKind: [Kind: [Int]] = [.other: [2], .one: [1, 1]]
        var byName = ["z": 1, "a": 2]
        var byNumber = [10: "ten", 9: "nine"]
        var choices: [Choice] = [.nothing, .some(3, of: "x"), .nested(nil), .nested(Part(optional: 4))]
        var part = Part()
    }

    private func read<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoding.value(type, from: try PlacedJSON(parsing: Array(text.utf8)))
    }

    private func fault<Value: Decodable>(_ type: Value.Type, _ text: String) -> JSONDecoding.Fault? {
        do {
            _ = try read(type, text)
            return nil
        } catch { return error as? JSONDecoding.Fault }
    }

    @Test func everyValueComesBackExactly() throws {
        let sample = Sample()
        let json = try JSONEncoding.value(of: sample)
        #expect(try read(Sample.self, json.text(pretty: false)) == sample)
        #expect(try read(Sample.self, json.text(width: 40)) == sample)
        #expect(try read(Sample.self, json.text(pretty: true)) == sample)
    }

    @Test func durationsAndBytesReadWell() throws {
        let text = try JSONEncoding.value(of: Sample()).text(pretty: false)
        #expect(text.hasPrefix("{\"duration\":-1.500000000000000001,\"small\":-0.000000005,\"unsigned\":"))
        #expect(text.contains("\"numbers\":[]") && text.contains("\"bytes\":\"0009abff\""))
        #expect(
            text.contains(
                "\"set\":[\"a\",\"b\",\"c\"],\"byKind\":[\"one\",[1,1],\"other\",[2]],\"byName\":{\"a\":2,\"z\":1}"))
    }

    @Test func whatIsWideStandsOnLinesOfItsOwn() throws {
        let text = try JSONEncoding.value(of: ["short": [1, 2], "wide": [1_000_000, 2_000_000, 3_000_000]]).text(
            width: 20)
        #expect(text == "{\n \"short\":[1,2],\n \"wide\":[\n  1000000,\n  2000000,\n  3000000\n ]\n}")
    }

    @Test func whatIsNoNumberIsNotWritten() {
        #expect(throws: EncodingError.self) { try JSONEncoding.value(of: [Double.infinity]) }
    }

    @Test func faultsHaveAPlaceAndOneLine() throws {
        let good = try JSONEncoding.value(of: [Sample()]).text(pretty: false)
        let cases: [(String, String, String, String)] = [
            (
                "\"number\":0.30000000000000004", "\"number\":\"0.3\"", "[0].number",
                "a number is expected, and not a string"
            ),
            ("\"flag\":true", "\"flug\":true", "[0]", "'flag' is missing"),
            ("\"optional\":4", "\"optional\":4.5", "[0].choices[3].nested._0.optional", "a whole number from"),
            ("\"optional\":4", "\"optional\":1000000000001", "[0].choices[3].nested._0.optional", "more than anything"),
            ("\"small\":-0.000000005", "\"small\":1e9", "[0].small", "the duration 1e9 has another form"),
            ("\"small\":-0.000000005", "\"small\":1000000000", "[0].small", "or is too long"),
            ("0009abff", "0009abf", "[0].choices[3].nested._0.bytes", "two hexadecimal digits"),
            ("0009abff", "0009ABFF", "[0].choices[3].nested._0.bytes", "hexadecimal digits"),
            ("\"number\":0.30000000000000004", "\"number\":1e300", "[0].number", "too large"),
            ("18446744073709551615", "18446744073709551616", "[0].unsigned", "from 0 to 18446744073709551615"),
            ("\"a\",\"b\"", "\"a\",\"\\u001b\"", "[0].set[1]", "cannot be shown"),
            ("{\"nothing\":{}}", "{\"nothing\":{},\"some\":{}}", "[0].choices[0]", "Invalid number of keys"),
            ("\"one\",[1,1]", "\"two\",[1,1]", "[0].byKind[0]", "Cannot initialize"),
        ]
        for (old, new, place, message) in cases {
            #expect(good.contains(old), "\(old)")
            let text = String(good.replacing(old, with: new, maxReplacements: 1))
            let fault = try #require(self.fault([Sample].self, text), "\(new)")
            #expect(fault.place == place && fault.message.contains(message), "\(fault)")
            #expect(!fault.message.contains("\n") && (0..<text.utf8.count).contains(fault.offset))
        }
    }
}
