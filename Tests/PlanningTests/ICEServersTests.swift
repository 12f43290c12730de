import Planning
import STUN
import Testing

struct ICEServersTests {
    private static func parse(_ text: String) throws(ICEServersError) -> ICEServers {
        try ICEServers(parsing: Array(text.utf8))
    }

    @Test(
        "each shape that providers hand out is read",
        arguments: [
            (
                #"{"iceServers":[{"urls":"stun:a.example"},{"urls":["turn:b.example","turns:c.example?transport=tcp"]}]}"#,
                3
            ),
            (#"[{"urls":"stun:a.example"}]"#, 1),
            (#"{"urls":["stun:a.example:3478"]}"#, 1),
            (#"{"url":"stun:a.example"}"#, 1),
            (#"{"iceServers":{"urls":["stun:a.example","turn:a.example:80"],"username":"u","credential":"c"}}"#, 2),
            (#"{"ice_servers":[{"url":"stun:a.example","urls":"stun:a.example"}],"ttl":"86400"}"#, 1),
            ("\u{FEFF}{\r\n\"iceServers\" : [ {\t\"urls\":\"stun:a.example\"} ],\r\n\"ttl\":1e308}\r\n", 1),
            (#"{"iceServers":[{"urls":"stun:a.example","username":null}],"iceTransportPolicy":"relay"}"#, 1),
        ])
    func shapes(_ text: String, _ count: Int) throws {
        #expect(try Self.parse(text).entries.count == count)
    }

    @Test("every URI has the credentials of its server and knows its place")
    func entries() throws {
        let text =
            #"{"iceServers":[{"urls":"stun:a.example"},"#
            + #"{"urls":["turn:b.example","turn:[2001:db8::1]:80"],"username":"1700000000:u\u00fc","credential":"canary"}]}"#
        let entries = try Self.parse(text).entries
        #expect(entries.map(\.place) == ["iceServers[0].urls", "iceServers[1].urls[0]", "iceServers[1].urls[1]"])
        #expect(entries.map(\.uri.text) == ["stun:a.example", "turn:b.example", "turn:[2001:db8::1]:80"])
        #expect(entries.map(\.username) == [nil, "1700000000:uü", "1700000000:uü"])
        #expect(entries[2].credential?.reveal() == "canary")
        #expect(entries[0].credential == nil)
    }

    @Test("a key and token of RFC 7635 are read")
    func oauth() throws {
        let text =
            #"[{"urls":"turn:a.example","username":"kid","credentialType":"oauth","#
            + #""credential":{"macKey":"a2V5","accessToken":"dG9rZW4="}}]"#
        let credentials = try Self.parse(text).entries[0].credentials
        #expect(credentials.type == .oauth)
        #expect(credentials.credential?.reveal() == "a2V5")
        #expect(credentials.accessToken?.reveal() == "dG9rZW4=")
    }

    @Test("a secret is in no description, debug text, dump or error")
    func secrets() throws {
        let entries = try Self.parse(#"[{"urls":"turn:a.example","username":"u","credential":"canary"}]"#).entries
        var text = "\(entries) \(String(reflecting: entries)) \(String(describing: entries[0].credential))"
        dump(entries, to: &text)
        #expect(text.contains("[secret]"))
        #expect(!text.contains("canary"))
        for bad in [
            #"[{"urls":"turn:u:canary@a.example"}]"#, #"[{"urls":"stun:a.example","credential":["canary"]}]"#,
            #"[{"urls":"stun:a.example","credential":"canary" "canary"}]"#,
        ] {
            let error = #expect(throws: ICEServersError.self) { try Self.parse(bad) }
            #expect(error?.description.contains("canary") == false)
        }
    }

    @Test(
        "each refusal says the place and the right form",
        arguments: [
            ("", "line 1, column 1", "a value is due"),
            ("hello", "line 1, column 1", "a value is due"),
            ("{iceServers:[]}", "line 1, column 2", "double quotes"),
            ("{\n \"ü\": 1,}", "line 2, column 9", "a key"),
            ("[{\"urls\":'stun:a'}]", "line 1, column 10", "double quotes"),
            ("{}", "the object", "'iceServers' is missing"),
            ("3", "the value", "an object"),
            ("[]", "iceServers", "no server"),
            (#"{"iceServers":"stun:a.example"}"#, "iceServers", "a list of servers"),
            (#"{"iceServers":["stun:a.example"]}"#, "iceServers[0]", "a server is an object"),
            (#"{"iceServers":[{"urls":"stun:a"},{"username":"u"}]}"#, "iceServers[1].urls", "it is missing"),
            (#"{"iceServers":[{"urls":5}]}"#, "iceServers[0].urls", "a number"),
            (#"{"iceServers":[{"urls":[]}]}"#, "iceServers[0].urls", "empty"),
            (#"{"iceServers":[{"urls":["stun:a",null]}]}"#, "iceServers[0].urls[1]", "a string in double quotes"),
            (#"{"iceServers":[{"urls":"stun:a:0"}]}"#, "iceServers[0].urls", "port 0"),
            (#"{"iceServers":[{"urls":"a.example"}]}"#, "iceServers[0].urls", "begins with stun:"),
            (#"{"iceServers":[{"urls":"stun:a?transport=tcp"}]}"#, "iceServers[0].urls", "--transport"),
            (#"[{"urls":"turn:a","username":7}]"#, "iceServers[0].username", "a number"),
            (#"[{"urls":"turn:a","credentialType":"x"}]"#, "iceServers[0].credentialType", "oauth"),
            (#"[{"urls":"turn:a","credentialType":"oauth"}]"#, "iceServers[0].username", "key id"),
            (
                #"[{"urls":"turn:a","username":"k","credentialType":"oauth","credential":"x"}]"#,
                "iceServers[0].credential", "accessToken"
            ),
            (
                #"[{"urls":"turn:a","username":"k","credentialType":"oauth","credential":{"macKey":"AAAA"}}]"#,
                "iceServers[0].credential.accessToken", "missing"
            ),
            (
                #"[{"urls":"turn:a","username":"k","credentialType":"oauth","credential":{"macKey":"A!"}}]"#,
                "iceServers[0].credential.macKey", "base64"
            ),
            (#"[{"urls":"stun:a","urls":"stun:b"}]"#, "line 1, column 19", "twice"),
            (#"[{"urls":"stun:\ud800"}]"#, "line 1, column 16", "surrogate"),
            (#"[{"urls":"stun:\ud800\u0041"}]"#, "line 1, column 16", "surrogate"),
            (#"[{"urls":"stun:\udc00\ud800"}]"#, "line 1, column 16", "surrogate"),
            (#"[{"urls":"stun:\u00"}]"#, "line 1, column 18", "four hexadecimal"),
            (#"[{"urls":"stun:a\x"}]"#, "line 1, column 18", "followed by one of"),
            ("[{\"urls\":\"stun:a\0\"}]", "line 1, column 17", "control"),
            (#"[{"urls":"stun:a\u0000"}]"#, "iceServers[0].urls", "control"),
            (#"[{"urls":"stun:a"}] x"#, "line 1, column 21", "nothing follows"),
            (#"[{"urls":"stun:a","n":01}]"#, "line 1, column 24", "'}'"),
            (#"[{"urls":"stun:a","n":1e}]"#, "line 1, column 25", "digit"),
            (#"[{"urls":"stun:a"#, "line 1, column 17", "ends inside a string"),
        ])
    func refusals(_ text: String, _ place: String, _ words: String) {
        let error = #expect(throws: ICEServersError.self) { try Self.parse(text) }
        #expect(error?.place == place)
        #expect(error?.message.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test("depth, size, encoding and number of URIs are bounded")
    func limits() {
        #expect(throws: ICEServersError.self) { try Self.parse(String(repeating: "[", count: 100_000)) }
        #expect(throws: ICEServersError.self) { try Self.parse(String(repeating: #"{"a":"#, count: 100_000)) }
        #expect(throws: ICEServersError.self) { try Self.parse(String(repeating: " ", count: 10 << 20)) }
        #expect(throws: ICEServersError.self) { try ICEServers(parsing: [0xFF, 0xFE, 0x5B, 0]) }
        #expect(throws: ICEServersError.self) { try ICEServers(parsing: Array("[\"".utf8) + [0xC0, 0x80, 0x22, 0x5D]) }
        let many = "[{\"urls\":[" + Array(repeating: "\"stun:a\"", count: 1001).joined(separator: ",") + "]}]"
        #expect(throws: ICEServersError.self) { try Self.parse(many) }
    }
}
