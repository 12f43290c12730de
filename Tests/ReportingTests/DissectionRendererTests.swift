import Foundation
import JSON
import NetTypes
import Reporting
import Testing

@testable import Dissection

@Suite("Dissections")
struct DissectionRendererTests {
    /// A node of each shape: with bytes, with a note, with children, with problems that have a place or none.
    private static let dissection: Dissection = {
        var dissection = Dissection(of: [])
        dissection.kind = .stunMessage
        dissection.encoding = .hexDump
        dissection.byteCount = 65_560
        dissection.problems = [Problem(offset: 65_556, rule: "an attribute header has 4 bytes, here are 3")]
        dissection.nodes = [
            Node("type", "0x0101", offset: 0, length: 2, note: "Binding success response"),
            Node(
                "XOR-MAPPED-ADDRESS", "203.0.113.7:62000", bytes: [0, 1], offset: 20, length: 8,
                children: [
                    Node("family", "1", offset: 25, length: 1, problems: [Problem(rule: "it is\u{1b} odd")]),
                    Node("address", offset: 28),
                ]),
            Node("SOFTWARE", "\u{1b}]0;evil\u{7}", bytes: [0x1B], offset: 32, length: 1),
            Node("a name longer than any other in the table", bytes: Array(repeating: 0xAB, count: 33)),
        ]
        return dissection
    }()

    @Test("Text has a field a line with its place, and what is wrong below it")
    func text() {
        #expect(
            Self.dissection.rendered(as: .text, style: RenderingStyle(width: 120)) == #"""
                ✘ a STUN message, 65560 bytes, given as a hex dump: with 2 problems
                  0x10014 65556  ✘ an attribute header has 4 bytes, here are 3
                  0x00000     0  type                0x0101 – Binding success response
                  0x00014    20  XOR-MAPPED-ADDRESS  203.0.113.7:62000
                  0x00019    25    family            1
                                     ✘ it is\u{1b} odd
                  0x0001c    28    address
                  0x00020    32  SOFTWARE            \u{1b}]0;evil\u{7}
                                 a name longer than any other in the table  0xabababababababababababababababababababababababababababababababab…
                                                                            (33 bytes)

                """#)
    }

    @Test("A thing without places has no column for them")
    func placeless() {
        var dissection = Dissection(of: [])
        dissection.problems = []
        dissection.kind = .uri
        dissection.encoding = .text
        dissection.byteCount = 1
        dissection.nodes = [Node("scheme", "stun"), Node("host", "é", note: "a name")]
        #expect(
            dissection.rendered(as: .text, style: RenderingStyle(isUnicode: false)) == #"""
                ok the URI of a STUN or TURN server, 1 byte, given as text: sound
                  scheme  stun
                  host    \u{e9} - a name

                """#)
    }

    @Test("JSON has every byte, and no key for what a field has not")
    func json() {
        #expect(
            Self.dissection.jsonValue.text(pretty: false) == #"""
                {"schema":"icecheck/decode/1","kind":"stun-message","encoding":"hex-dump","byteCount":65560,\#
                "isSound":false,"problems":[{"offset":65556,\#
                "rule":"an attribute header has 4 bytes, here are 3"}],"nodes":[{"name":"type","value":"0x0101",\#
                "offset":0,"length":2,"note":"Binding success response"},{"name":"XOR-MAPPED-ADDRESS",\#
                "value":"203.0.113.7:62000","hex":"0001","offset":20,"length":8,"children":[{"name":"family",\#
                "value":"1","offset":25,"length":1,"problems":[{"rule":"it is\u001b odd"}]},{"name":"address",\#
                "value":"","offset":28}]},{"name":"SOFTWARE","value":"\u001b]0;evil\u0007","hex":"1b",\#
                "offset":32,"length":1},{"name":"a name longer than any other in the table","value":"",\#
                "hex":"ababababababababababababababababababababababababababababababababab"}]}
                """#)
    }

    @Test("Hostile input comes out as showable text and as JSON that parses", arguments: 0..<300)
    func hostile(seed: Int) throws {
        var text = HostileText(seed: seed)
        var dissection = Dissection(of: text.bytes())
        dissection.nodes.append(
            Node(
                text.string(), text.string(), note: text.string(),
                problems: [Problem(offset: seed * 1000, rule: text.string())], children: [Node(text.string())]))
        for isUnicode in [true, false] {
            let style = RenderingStyle(width: 80, isUnicode: isUnicode)
            let shown = dissection.rendered(as: .text, style: style)
            #expect(shown.unicodeScalars.allSatisfy { $0.isShowable || $0 == "\n" }, "seed \(seed)")
            #expect(!shown.contains(" \n"), "seed \(seed)")
        }
        let json = dissection.rendered(as: .json, style: RenderingStyle())
        let parsed = try JSONDecoder().decode(Parsed.self, from: Data(json.utf8))
        #expect(parsed.nodes.last?.value == dissection.nodes.last?.value, "seed \(seed)")
        #expect(!parsed.isSound, "seed \(seed)")
    }

    private struct Parsed: Decodable {
        struct Node: Decodable {
            var name: String
            var value: String
        }
        var isSound: Bool
        var nodes: [Node]
    }
}
