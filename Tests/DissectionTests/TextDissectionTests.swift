import Dissection
import Testing

struct TextDissectionTests {
    private static func dissect(_ text: String) -> Dissection { Dissection(of: Array(text.utf8)) }

    @Test(
        "each kind of text is known by itself",
        arguments: [
            ("stun:example.org", Dissection.Kind.uri),
            ("example.org:3478", .uri),
            ("[2001:db8::1]:3478", .uri),
            ("2001:db8::1", .uri),
            ("localhost", .uri),
            ("TURNS:example.org?transport=tcp", .uri),
            ("candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host", .candidates),
            (
                "\u{FEFF} a=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\na=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n",
                .candidates
            ),
            (#"{"candidate":"candidate:1 1 udp 1 192.0.2.1 5 typ host","sdpMid":"0","sdpMLineIndex":0}"#, .candidates),
            (
                #"[{"candidate":"candidate:1 1 udp 1 192.0.2.1 5 typ host"},{"candidate":"","sdpMid":"0"}]"#,
                .candidates
            ),
            ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", .sdp),
            ("a=ice-ufrag:abcd\na=candidate:1 1 udp 1 192.0.2.1 5 typ host", .sdp),
            (#"{"type":"offer","sdp":"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"}"#, .sdp),
            (#"{"iceServers":[{"urls":"stun:a.example"}]}"#, .iceServers),
            (#"[{"urls":"stun:a.example"}]"#, .iceServers),
        ])
    func kinds(_ text: String, _ kind: Dissection.Kind) {
        let dissection = Self.dissect(text)
        #expect(dissection.kind == kind)
        #expect(dissection.isSound, "\(dissection)")
    }

    @Test(
        "what is none of them says so",
        arguments: ["", "   ", "hello", "what is this?", "{}", "[1,2", "\u{1B}[2J", "ü"])
    func unknown(_ text: String) {
        #expect(!Self.dissect(text).isSound)
    }

    @Test("a broken one says the place and the rule")
    func places() {
        let uri = Self.dissect(" stun:example.org:0")
        #expect(uri.problems.map(\.offset) == [18])
        let line = Self.dissect("candidate:1 1 udp 1 192.0.2.1 70000 typ host")
        #expect(line.nodes[0].problems.map(\.offset) == [30])
        let json = Self.dissect("{\"iceServers\":[{\"urls\":}]}")
        #expect(json.problems.map(\.offset) == [23])
        let shape = Self.dissect(#"{"iceServers":[{"urls":"stun:a"},{"username":"u"}]}"#)
        #expect(shape.problems[0].rule.contains("iceServers[1].urls"))
    }

    @Test("a candidate's fields have their places and meanings")
    func candidate() throws {
        let line =
            "a=candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.5 rport 46155 ufrag x"
        let fields = Self.dissect(line).nodes[0].children
        #expect(
            fields.map(\.name) == [
                "foundation", "component", "transport", "priority", "address", "port", "type", "raddr", "rport",
                "ufrag",
            ])
        for field in fields {
            let offset = try #require(field.offset)
            #expect(line.utf8.dropFirst(offset).starts(with: field.value.utf8), "\(field)")
        }
        #expect(fields[3].note?.contains("type preference 100, local preference 30") == true)
    }

    @Test("an SDP shows every line, parts its media, and hides its keys")
    func sdp() {
        let text = """
            v=0
            o=- 1 1 IN IP4 127.0.0.1
            s=-
            t=0 0
            a=group:BUNDLE 0 1
            m=audio 9 UDP/TLS/RTP/SAVPF 111
            c=IN IP4 0.0.0.0
            a=ice-ufrag:EEtu
            a=ice-pwd:canarycanarycanarycanary
            a=fingerprint:sha-256 \(Array(repeating: "AB", count: 32).joined(separator: ":"))
            a=setup:actpass
            a=mid:0
            a=candidate:1 1 udp 1 192.0.2.1 5 typ host
            m=video 0 UDP/TLS/RTP/SAVPF 96
            a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:canarycanary

            """
        let dissection = Self.dissect(text)
        #expect(dissection.isSound, "\(dissection)")
        #expect(dissection.nodes.map(\.name) == ["session", "media", "media"])
        #expect(dissection.nodes.map(\.children.count) == [5, 8, 2])
        #expect(!"\(dissection)".contains("canary"))
        #expect("\(dissection)".contains("[secret, 24 bytes]"))
    }

    @Test(
        "what an SDP lacks or has wrong is said",
        arguments: [
            ("v=0\nx", "a letter, '='"),
            ("v=0\ns=-\nt=0 0", "'o='"),
            ("m=audio 9", "formats"),
            ("m=audio x RTP/AVP 0", "a number"),
            ("m=audio 9 UDP/TLS/RTP/SAVPF 0\na=ice-ufrag:abcd", "stand together"),
            ("m=audio 9 RTP/AVP 0\na=candidate:1 1 udp 1 192.0.2.1 5 typ host", "candidates have"),
            ("m=audio 9 UDP/TLS/RTP/SAVPF 0", "has a fingerprint"),
            ("a=ice-ufrag:abc", "4 to 256"),
            ("a=ice-pwd:short", "22 to 256"),
            ("a=fingerprint:sha-256 AB:CD", "32 bytes"),
            ("a=fingerprint:crc AB", "hash function"),
            ("a=setup:both", "actpass"),
            ("a=mid:0\na=candidate:1 1 udp 1 192.0.2.1 0 typ host", "port 0"),
        ])
    func faultySDP(_ text: String, _ words: String) {
        let dissection = Self.dissect(text)
        #expect(dissection.kind == .sdp)
        #expect(!dissection.isSound)
        let rules = (dissection.problems + dissection.nodes.flatMap(problems)).map(\.rule)
        #expect(rules.contains { $0.contains(words) }, "\(rules)")
    }

    @Test("credentials of servers are hidden, and a TURN server without is faulty")
    func servers() {
        let hidden = Self.dissect(#"[{"urls":"turn:a.example","username":"1700000000:u","credential":"canary"}]"#)
        #expect(hidden.isSound)
        #expect(!"\(hidden)".contains("canary"))
        #expect("\(hidden)".contains("until 1700000000"))
        #expect(!Self.dissect(#"[{"urls":"turn:a.example"}]"#).isSound)
        #expect(!"\(Self.dissect("turn:u:canary@a.example"))".contains("canary"))
    }

    @Test("long input is bounded")
    func limits() {
        let lines = String(repeating: "a=candidate:1 1 udp 1 192.0.2.1 5 typ host\n", count: 20_000)
        let dissection = Self.dissect(lines)
        #expect(dissection.nodes.count == Dissection.nodeLimit + 1)
        #expect(dissection.nodes.last?.value == "19744")
        #expect(Self.dissect(lines + lines).kind == .unknown)
        #expect(!Self.dissect(String(repeating: "[", count: 100_000)).isSound)
        #expect(Self.dissect(String(repeating: "m=a 0 b c\n", count: 50_000)).nodes.count == Dissection.nodeLimit + 1)
        #expect(Self.dissect("v=0\n" + String(repeating: "a=x\n", count: 50_000)).nodes[0].children.count == 1025)
    }
}

private func problems(_ node: Node) -> [Problem] { node.problems + node.children.flatMap(problems) }
