import Foundation
import JSON
import NetTypes
import Testing

@Suite("JSON values")
struct JSONValueTests {
    @Test(
        "Numbers have at most three decimals and no exponent, and are null where JSON has no word for them",
        arguments: [
            (0, "0"), (-0.0, "0"), (1, "1"), (0.213, "0.213"), (12.5, "12.5"), (0.0004, "0"), (0.0005, "0.001"),
            (0.9996, "1"), (-1.25, "-1.25"), (1_000_000_000, "1000000000"), (.nan, "null"), (.infinity, "null"),
            (-.infinity, "null"), (1e300, "1e+300"),
        ] as [(Double, String)])
    func decimals(value: Double, text: String) {
        #expect(JSONValue.decimal(value).text(pretty: false) == text)
    }

    @Test("Times are milliseconds to the microsecond")
    func milliseconds() {
        #expect(JSONValue.milliseconds(.nanoseconds(213_499)).text(pretty: false) == "0.213")
        #expect(JSONValue.milliseconds(.seconds(5)).text(pretty: false) == "5000")
    }

    @Test(
        "What a terminal or JavaScript would take for something else is escaped",
        arguments: [
            ("plain é 你", "\"plain é 你\""),
            ("\"\\\n\t", "\"\\\"\\\\\\n\\t\""),
            ("\0\u{1b}\u{7f}\u{9b}", "\"\\u0000\\u001b\\u007f\\u009b\""),
            ("\u{2028}\u{2029}\u{202e}\u{feff}", "\"\\u2028\\u2029\\u202e\\ufeff\""),
            ("\u{e0041}", "\"\\udb40\\udc41\""),
        ])
    func strings(value: String, text: String) throws {
        #expect(JSONValue.string(value).text(pretty: false) == text)
        #expect(try JSONDecoder().decode(String.self, from: Data(text.utf8)) == value)
    }

    @Test("Keys stay in the order given, and a nil value has no key")
    func order() {
        let value: JSONValue = ["b": .integer(1), "a": nil, "c": [.null, .bool(true), []], "d": [:]]
        #expect(value.text(pretty: false) == #"{"b":1,"c":[null,true,[]],"d":{}}"#)
        #expect(
            value.text(pretty: true) == """
                {
                  "b": 1,
                  "c": [
                    null,
                    true,
                    []
                  ],
                  "d": {}
                }
                """)
    }
}
