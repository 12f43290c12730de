import NetTypes
import STUN
import Testing

struct URITests {
    @Test(
        "each accepted spelling has one canonical form",
        arguments: [
            ("stun:example.org", "stun:example.org"),
            ("STUN:Example.ORG:3478", "stun:example.org:3478"),
            ("stuns:example.org:5349", "stuns:example.org:5349"),
            ("turn:example.org?transport=tcp", "turn:example.org?transport=tcp"),
            ("turns:example.org:443?Transport=TCP", "turns:example.org:443?transport=tcp"),
            ("turn:192.0.2.1:3478?transport=udp", "turn:192.0.2.1:3478?transport=udp"),
            ("stun:[2001:DB8::1]:3478", "stun:[2001:db8::1]:3478"),
            ("stun:[::ffff:192.0.2.1]", "stun:[::ffff:192.0.2.1]"),
            ("stun:[fe80::1%25eth0]:3478", "stun:[fe80::1%25eth0]:3478"),
            ("stun:[fe80::1%eth0]", "stun:[fe80::1%25eth0]"),
            ("[::1%25lo]:3478", "stun:[::1%25lo]:3478"),
            ("stun.l.google.com:19302", "stun:stun.l.google.com:19302"),
            ("192.0.2.1", "stun:192.0.2.1"),
            ("2001:db8::1", "stun:[2001:db8::1]"),
            ("fe80::1%2", "stun:[fe80::1%252]"),
            ("fe80::1%25", "stun:[fe80::1%2525]"),
            ("[2001:db8::1]", "stun:[2001:db8::1]"),
            ("example.org.", "stun:example.org"),
            ("_stun._udp.example.org", "stun:_stun._udp.example.org"),
            ("r3---sn-abc.example.org", "stun:r3---sn-abc.example.org"),
            ("stun:bücher.example", "stun:xn--bcher-kva.example"),
            ("stun:BU\u{308}CHER。example", "stun:xn--bcher-kva.example"),
            ("stun:faß.example", "stun:xn--fa-hia.example"),
            ("stun:例え。テスト", "stun:xn--r8jz45g.xn--zckzah"),
            ("stun:ｓｔｕｎ．example", "stun:stun.example"),
            ("stun:xn--bcher-kva.example", "stun:xn--bcher-kva.example"),
            ("localhost:0003478", "stun:localhost:3478"),
        ])
    func spellings(_ input: String, _ text: String) throws {
        let uri = try ServerURI(parsing: input)
        #expect(uri.text == text)
        #expect(try ServerURI(parsing: text) == uri)
    }

    @Test("a bare host has the scheme that the caller says, and its default port")
    func defaults() throws {
        let turns = try ServerURI(parsing: "relay.example:443?transport=tcp", defaultScheme: .turns)
        #expect(turns.scheme == .turns)
        #expect(turns.transport == .tcp)
        #expect(turns.effectivePort == 443)
        #expect(try ServerURI(parsing: "turns:relay.example").effectivePort == 5349)
        #expect(try ServerURI(parsing: "turn:relay.example").effectivePort == 3478)
    }

    @Test("an internationalised name keeps both forms")
    func bothForms() throws {
        guard case .name(let name) = try ServerURI(parsing: "stun:xn--bcher-kva.example").host else {
            Issue.record("not a name")
            return
        }
        #expect(name.display == "bücher.example")
        #expect(try DomainName("BÜCHER.example") == name)
    }

    @Test("a link-local literal without its interface is known as such")
    func zones() throws {
        #expect(try ServerURI(parsing: "stun:[fe80::1]").lacksZone)
        #expect(try !ServerURI(parsing: "stun:[fe80::1%25eth0]").lacksZone)
        #expect(try !ServerURI(parsing: "stun:[2001:db8::1]").lacksZone)
    }

    @Test(
        "each refusal says the place and the right form",
        arguments: [
            ("", 0, "stun:example.org:3478"),
            ("stun:", 5, "host is missing"),
            ("stun::3478", 5, "host is missing"),
            ("stun:example.org:0", 17, "1 to 65535"),
            ("stun:example.org:70000", 17, "70000 is not from 1 to 65535"),
            ("stun:example.org:99999999999999999999999", 17, "1 to 65535"),
            ("stun:example.org:", 17, "1 to 65535"),
            ("stun:example.org:http", 17, "a number"),
            ("stun:example.org:+80", 17, "a number"),
            ("stun:example.org?transport=tcp", 16, "--transport tcp"),
            ("stuns:example.org?transport=udp", 17, "--transport tcp"),
            ("turn:example.org?transport=sctp", 27, "udp or tcp"),
            ("turn:example.org?transport=", 27, "udp or tcp"),
            ("turn:example.org?transport=tcp&x=1", 27, "udp or tcp"),
            ("turn:example.org?ttl=5", 17, "?transport=udp"),
            ("turn:example.org?", 17, "?transport=udp"),
            ("stun://example.org", 5, "write stun:example.org"),
            ("https://example.org", 0, "stun:, stuns:, turn: and turns:"),
            ("turn:user@example.org", 9, "--user and --password"),
            ("stun:exa mple.org", 8, "no spaces"),
            (" stun:example.org", 0, "no spaces"),
            ("stun:example.org\n", 16, "control"),
            ("stun:exam\0ple.org", 9, "control"),
            ("stun:example.org/path", 16, "path"),
            ("stun:example.org#top", 16, "path or fragment"),
            ("stun:ex%61mple.org", 7, "percent-encoding"),
            ("stun:2001:db8::1", 5, "brackets"),
            ("stun:[2001:db8::1", 5, "no ']'"),
            ("stun:[2001:db8::1]3478", 18, "only a port"),
            ("stun:[192.0.2.1]", 6, "not an IPv6 address"),
            ("stun:[fe80::1%]", 13, "interface follows"),
            ("1:2:3", 0, "not an IPv6 address"),
            ("stun:256.1.1.1", 5, "four numbers"),
            ("stun:127.1", 5, "four numbers"),
            ("stun:010.0.0.1", 5, "four numbers"),
            ("stun:0x7f000001", 5, "four numbers"),
            ("-h", 0, "begins or ends with '-'"),
            ("stun:example-.org", 12, "begins or ends with '-'"),
            ("@file", 0, "--user"),
            ("stun:$(reboot).org", 5, "letters, digits"),
            ("stun:example..org", 13, "between its dots"),
            ("stun:.", 5, "between its dots"),
            ("stun:xn--a.org", 5, "U+0080"),
            ("stun:xn--999999999.org", 5, "xn--"),
            ("stun:xn--bücher.org", 5, "xn--"),
            ("stun:a.\u{301}b.org", 7, "combining mark"),
            ("stun:a\u{202E}b.org", 5, "U+202E"),
            ("stun:㎏.org", 5, "U+338F"),
            ("stun:\u{AD}.org", 5, "not ignored"),
            ("stun:a\u{3000}b.org", 5, "U+3000"),
            ("stun:a\u{FFFD}b.org", 5, "U+FFFD"),
        ])
    func refusals(_ input: String, _ offset: Int, _ words: String) {
        let error = #expect(throws: URIError.self) { try ServerURI(parsing: input) }
        #expect(error?.offset == offset)
        #expect(error?.message.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test("a label of 63 and a name of 253 bytes are the longest")
    func lengths() throws {
        let label = String(repeating: "a", count: 63)
        let name = "\(label).\(label).\(label).\(String(repeating: "b", count: 61))"
        #expect(name.utf8.count == 253)
        #expect(try ServerURI(parsing: name + ".").text == "stun:" + name)
        #expect(throws: URIError.self) { try ServerURI(parsing: name + "b") }
        #expect(throws: URIError.self) { try ServerURI(parsing: label + "a.org") }
        #expect(throws: URIError.self) { try ServerURI(parsing: String(repeating: "ü", count: 60) + ".org") }
        #expect(throws: URIError.self) { try ServerURI(parsing: String(repeating: "a", count: 10 << 20)) }
        #expect(throws: DomainName.Problem.self) { try DomainName(String(repeating: "ü", count: 1 << 20)) }
    }

    @Test("an error shows neither a password nor what a terminal acts on")
    func safeErrors() {
        let error = #expect(throws: URIError.self) { try ServerURI(parsing: "turn:user:canary@host\u{1B}[2J\u{202E}") }
        let text = error?.description ?? ""
        #expect(!text.contains("canary"))
        #expect(text.contains("\\u{1b}") && text.contains("\\u{202e}"))
        #expect(!text.unicodeScalars.contains("\u{1B}") && !text.unicodeScalars.contains("\u{202E}"))
        let slashes = #expect(throws: URIError.self) { try ServerURI(parsing: "turn://user:canary@host") }
        #expect(slashes?.description.contains("canary") == false)
    }
}
