import Engines
import NetTypes
import Prediction
import Testing

@Suite("Saved reports") struct SavedReportTests {
    /// What a reader says of a text that comes in pieces of this many bytes.
    private static func items(_ text: String, pieces: Int = 1 << 20) -> [SavedReports.Item] {
        var reports = SavedReports()
        var items: [SavedReports.Item] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            reports.append(Array(bytes[start..<min(start + pieces, bytes.count)]))
            while let item = reports.next(isEnd: false) { items.append(item) }
        }
        while let item = reports.next(isEnd: true) { items.append(item) }
        return items
    }

    private static func machines(_ items: [SavedReports.Item]) -> [MachineModel] {
        items.compactMap { if case .machine(let machine, _) = $0 { machine } else { nil } }
    }

    private static func faults(_ items: [SavedReports.Item]) -> [String] {
        items.compactMap { if case .fault(let fault) = $0 { fault } else { nil } }
    }

    private static let check = """
        {
          "schema": "icecheck/report/1",
          "command": "icecheck check stun:stun.example.org",
          "interfaces": [{"name": "eth0", "addresses": [{"address": "10.1.2.3", "prefixLength": 16}]}],
          "candidates": [
            {"type": "host", "transport": "udp", "address": "10.1.2.3", "port": 5000, "offered": true},
            {"type": "host", "transport": "udp", "address": "10.9.9.9", "port": 0, "offered": false}
          ],
          "stun": [
            {"transport": "udp", "serverAddress": "198.51.100.1:3478", "ok": true,
             "mappedAddress": "203.0.113.7:5000", "localAddress": "10.1.2.3:5000"}
          ],
          "nat": [
            {"family": "ipv4", "transport": "udp", "mappedAddress": "203.0.113.7:5000", "answers": 9,
             "mapping": {"value": "address-dependent", "confidence": 1},
             "filtering": {"value": "unknown", "confidence": 0, "reason": "\\"no\\"", "possible": ["address-dependent", "address-and-port-dependent"]},
             "hairpin": {"value": "external-source", "confidence": 1}}
          ]
        }
        """

    @Test("Give the machine that they measured, however they come in", arguments: [1, 7, 1 << 20])
    func check(pieces: Int) throws {
        let items = Self.items(Self.check + "\n", pieces: pieces)
        let machine = try #require(Self.machines(items).first)
        #expect(items.count == 1)
        let ipv4 = machine.kind.ipv4
        #expect(ipv4.mapping == NATDependences(.addressDependent))
        #expect(ipv4.filtering == NATDependences([.addressDependent, .addressAndPortDependent]))
        #expect(ipv4.hairpins == true && ipv4.passesUDP == true)
        #expect(machine.kind.ipv6 == .absent)
        #expect(machine.kind.relays == RelayKind.none)
        #expect(machine.mappedIPv4 == IPAddress(203, 0, 113, 7))
        #expect(machine.subnets == [MachineModel.Subnet(IPAddress(10, 1, 0, 0), length: 16)])
    }

    @Test("Leave unknown what they do not say")
    func nat() throws {
        let text = """
            {"schema": "icecheck/report/1", "command": "icecheck nat", "nat": [{"family": "ipv4", "transport": "udp",
             "answers": 3, "mapping": {"value": "unknown"}, "filtering": {"value": "unknown"}}]}
            """
        let machine = try #require(Self.machines(Self.items(text)).first)
        #expect(machine.kind.ipv6 == .unknown)
        #expect(machine.kind.relays == .unknown)
        #expect(machine.kind.ipv4.mapping == .all && machine.kind.ipv4.passesUDP == true)
    }

    @Test("Say by their subject what they are about, and in older reports by their command")
    func subject() throws {
        for (about, relays) in [
            ("\"subject\": \"check\"", RelayKind.none),
            ("\"command\": \"icecheck check stun:a\"", RelayKind.none),
            ("\"command\": \"icecheck check stun:a\", \"subject\": \"nat\"", RelayKind.unknown),
            ("\"subject\": \"nat\", \"command\": \"icecheck check stun:a\"", RelayKind.unknown),
            ("\"command\": \"icecheck nat check\"", RelayKind.unknown),
        ] {
            let text = """
                {"schema": "icecheck\\/report\\/1", \(about), "nat": [{"family": "ipv4", "transport": "udp", "answers": 3}]}
                """
            let machine = try #require(Self.machines(Self.items(text)).first)
            #expect(machine.kind.relays == relays, "\(about)")
        }
    }

    @Test("Of TURN give the relays, and that UDP is blocked where only TCP was answered")
    func turn() throws {
        let text = """
            {"schema": "icecheck/report/1", "command": "icecheck turn", "turn": [
            {"transport": "udp", "serverAddress": "198.51.100.1:3478", "ok": false, "error": {"kind": "timeout"}},
            {"transport": "tls", "serverAddress": "198.51.100.1:5349", "ok": true, "relayedAddress": "198.51.100.1:49152"}]}
            """
        let machine = try #require(Self.machines(Self.items(text)).first)
        #expect(machine.kind.ipv4 == .blocked)
        #expect(machine.kind.relays == RelayKind(hasIPv4: true, isOverStreams: true))
    }

    @Test("Count a relay whose data could not be tried, since UDP leaves the network neither to servers nor to relays")
    func unproven() throws {
        for (udp, expected) in [
            ("\"ok\": false, \"error\": {\"kind\": \"timeout\"}", RelayKind(hasIPv4: true, isOverStreams: true)),
            ("\"ok\": true", RelayKind.none),
        ] {
            let text = """
                {"schema": "icecheck/report/1", "command": "icecheck check", "candidates": [],
                "stun": [{"transport": "udp", "serverAddress": "198.51.100.1:3478", \(udp)},
                {"transport": "tcp", "serverAddress": "198.51.100.1:3478", "ok": true}],
                "turn": [{"transport": "tcp", "serverAddress": "198.51.100.1:3478", "ok": false,
                "error": {"kind": "no-data"}, "relayedAddress": "198.51.100.1:49152"}]}
                """
            let machine = try #require(Self.machines(Self.items(text)).first)
            #expect(machine.kind.relays == expected)
        }
    }

    @Test("Come behind one another, and a bad one among them is told with its place and passed over")
    func several() {
        let line = Self.check.split(separator: "\n").joined(separator: " ")
        let text = "\u{FEFF}" + line + "\n" + "{\"schema\": \"icecheck/report/1\",, }\n" + line + "\n\n" + line
        for pieces in [1, 100, 1 << 20] {
            let items = Self.items(text, pieces: pieces)
            #expect(Self.machines(items).count == 3)
            #expect(Self.faults(items) == ["line 2, column 32: a key in double quotes is due"])
            let lines = items.compactMap { if case .machine(_, let line) = $0 { line } else { nil } }
            #expect(lines == [1, 3, 5])
        }
    }

    @Test("A brace within a line begins no report, wherever the file is cut", arguments: 1...12)
    func braces(pieces: Int) {
        let line = Self.check.split(separator: "\n").joined(separator: " ")
        let text = "{\"stun\": [{\"trans\"{\"schema\": \"icecheck/report/1\"} {} {\"a\": 1}\n" + line
        let items = Self.items(text, pieces: pieces)
        #expect(Self.faults(items) == ["line 1, column 19: ':' is due after a key"])
        #expect(Self.machines(items).count == 1)
    }

    @Test("What is wrong with them does not depend on where the file is cut", arguments: 1...12)
    func cuts(pieces: Int) {
        for (text, fault) in [
            ("[\"schema\": \"icecheck/report/1\"]", "column 10: ',' or ']' is due after an element"),
            ("203e\"", "column 5: a digit is due in a number"),
        ] {
            let items = Self.items(text + "\n" + Self.check, pieces: pieces)
            #expect(Self.faults(items) == ["line 1, \(fault)"])
        }
    }

    @Test(
        "That are none are told with the reason",
        arguments: [
            ("", "it is empty"),
            ("  \n", "it is empty"),
            ("{}", "it is no report: it has no schema"),
            ("{\"schema\": \"other/1\"}", "its schema is other/1, not icecheck/report/1"),
            ("{\"schema\": \"icecheck/report/1\", \"paths\": []}", "it measures nothing of a machine"),
            ("[1]", "line 1: it is JSON, and no report"),
            (
                "{\"schema\": \"icecheck/report/1\", \"stun\": [",
                "line 1, column 42: the text ends where a value is due"
            ),
            ("\u{0}", "line 1, column 1: a value is due: an object, a list"),
            ("{\"a\": \"\\", "line 1, column 9: the text ends inside a string"),
            (String(repeating: "[", count: 100_000), "line 1, column 65: values are nested more than 64 deep"),
        ])
    func none(text: String, message: String) throws {
        let faults = Self.faults(Self.items(text))
        #expect(faults.count == 1)
        #expect(try #require(faults.first).hasPrefix(message))
    }

    @Test("Of any shape trap nothing")
    func hostile() {
        var state: UInt64 = 9
        let bytes = Array(Self.check.utf8)
        for _ in 0..<3000 {
            var text = bytes
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let place = Int(state >> 33) % text.count
                text[place] = UInt8(truncatingIfNeeded: state >> 20)
                if state & 0x700 == 0 { text.removeSubrange(place...) }
                if text.isEmpty { break }
            }
            var reports = SavedReports()
            reports.append(text)
            while reports.next(isEnd: true) != nil {}
        }
    }
}
