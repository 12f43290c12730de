import STUN
import Testing

struct CredentialTests {
    @Test(
        "text is prepared as OpaqueString has it",
        arguments: [
            ("TheMatrIX", "TheMatrIX"),
            ("correct horse", "correct horse"),
            ("a\u{3000}b\u{A0}c\u{1680}", "a b c "),
            ("e\u{301}", "\u{E9}"),
            ("\u{212B}", "\u{C5}"),
            ("Straße", "Straße"),
            ("π\u{2163}", "π\u{2163}"),
            ("ｗｉｄｅ", "ｗｉｄｅ"),
            ("1700000000:user", "1700000000:user"),
            ("l\u{B7}l", "l\u{B7}l"),
            ("\u{30AB}\u{30FB}", "\u{30AB}\u{30FB}"),
            ("\u{915}\u{94D}\u{200D}", "\u{915}\u{94D}\u{200D}"),
            ("\u{645}\u{6CC}\u{200C}\u{62E}", "\u{645}\u{6CC}\u{200C}\u{62E}"),
            ("🔑", "🔑"),
        ])
    func prepared(_ text: String, _ expected: String) throws {
        #expect(Array(try OpaqueString.prepare(text).unicodeScalars) == Array(expected.unicodeScalars))
    }

    @Test(
        "what is no text of the FreeformClass is refused at its place",
        arguments: [
            ("a\u{0}", OpaqueStringError.Reason.control, 1), ("\u{1B}[0m", .control, 0), ("ab\u{7F}", .control, 2),
            ("\u{85}", .control, 0), ("The\u{AD}M", .ignorable, 3), ("❤\u{FE0F}", .ignorable, 1),
            ("\u{FEFF}x", .ignorable, 0), ("x\u{378}", .unassigned, 1), ("\u{FFFF}", .unassigned, 0),
            ("\u{1112}\u{1161}", .oldHangulJamo, 0), ("\u{E000}", .notText, 0), ("\u{2028}", .notText, 0),
            ("\u{600}", .notText, 0), ("\u{640}", .retired, 0), ("\u{200D}", .context, 0), ("a\u{200C}b", .context, 1),
            ("a\u{B7}l", .context, 1), ("\u{375}a", .context, 0), ("\u{5F3}", .context, 0), ("\u{30FB}", .context, 0),
            ("\u{661}\u{6F1}", .context, 0),
        ])
    func refused(_ text: String, _ reason: OpaqueStringError.Reason, _ index: Int) {
        #expect(throws: OpaqueStringError.disallowed(reason, index: index)) { try OpaqueString.prepare(text) }
    }

    @Test("empty text is refused")
    func empty() {
        #expect(throws: OpaqueStringError.empty) { try OpaqueString.prepare("") }
        #expect(throws: CredentialError.unprepared(.username, .empty)) { try Username("") }
        #expect(throws: CredentialError.unprepared(.password, .empty)) { try ShortTermKey(password: "") }
    }

    @Test("a user name has fewer than 509 bytes once it is prepared")
    func usernameLimit() throws {
        #expect(try Username(String(repeating: "a", count: 508)).bytes.count == 508)
        #expect(throws: CredentialError.tooLong(.username, bytes: 509, limit: 508)) {
            try Username(String(repeating: "a", count: 509))
        }
        // 762 bytes that NFC makes 508.
        #expect(try Username(String(repeating: "e\u{301}", count: 254)).bytes.count == 508)
    }

    @Test("a realm or nonce of more than 763 bytes is not sent back, one of more than 127 characters is marked")
    func challengeLimit() throws {
        #expect(!(try Nonce([UInt8](repeating: 65, count: 127))).isLongerThanAllowed)
        #expect(try Nonce([UInt8](repeating: 65, count: 128)).isLongerThanAllowed)
        #expect(!(try Realm(Array(String(repeating: "あ", count: 127).utf8))).isLongerThanAllowed)
        #expect(try Realm([UInt8](repeating: 65, count: 763)).isLongerThanAllowed)
        #expect(throws: CredentialError.tooLong(.realm, bytes: 40_000, limit: 763)) {
            try Realm([UInt8](repeating: 65, count: 40_000))
        }
        #expect(throws: CredentialError.empty(.nonce)) { try Nonce([]) }
    }

    @Test("a realm that is no text makes the key from its bytes")
    func rawRealm() throws {
        let key = try LongTermKey(username: try Username("u"), realm: try Realm([0xFF, 0]), password: "p")
        #expect(key.bytes == Digest.md5(Array("u:".utf8) + [0xFF, 0] + Array(":p".utf8)))
    }

    @Test("passwords that are written differently and prepare the same make one key")
    func sameKey() throws {
        let (user, realm) = (try Username("u"), try Realm(Array("r".utf8)))
        #expect(
            try LongTermKey(username: user, realm: realm, password: "e\u{301}\u{A0}")
                == LongTermKey(username: user, realm: realm, password: "\u{E9} "))
        #expect(
            try LongTermKey(username: user, realm: realm, password: "p", algorithm: .sha256).bytes
                == Digest.sha256(Array("u:r:p".utf8)))
    }

    @Test("a nonce's features are read and written")
    func cookies() {
        #expect(NonceCookie([]).bytes == Array("obMatJos2AAAA".utf8))
        #expect(NonceCookie(.passwordAlgorithms).bytes == Array("obMatJos2AAAB".utf8))
        #expect(NonceCookie([.passwordAlgorithms, .usernameAnonymity]).bytes == Array("obMatJos2AAAD".utf8))
        #expect(NonceCookie(nonce: Array("obMatJos2////xyz".utf8))?.features.rawValue == 0xFF_FFFF)
        for features in [0, 1, 2, 3, 0x80_0000, 0x123456] as [UInt32] {
            let cookie = NonceCookie(.init(rawValue: features))
            #expect(NonceCookie(nonce: cookie.bytes + [1, 2]) == cookie)
        }
    }

    @Test(
        "another nonce has no features", arguments: ["", "obMatJos2", "obMatJos2AAA", "obMatJos2AA=A", "obmatjos2AAAA"])
    func noCookie(_ nonce: String) {
        #expect(NonceCookie(nonce: Array(nonce.utf8)) == nil)
    }

    @Test("no printing, debugging, dumping or interpolating shows a key or a password")
    func secrecy() throws {
        let canary = "canary-7f3a"
        let short = try ShortTermKey(password: canary)
        let long = try LongTermKey(username: try Username("u"), realm: try Realm([65]), password: canary)
        for key in [short, long] as [any HiddenSecret] {
            var dumped = ""
            dump(key, to: &dumped)
            for text in ["\(key)", String(describing: key), String(reflecting: key), dumped, "\([key])"] {
                #expect(!text.contains(canary))
                #expect(text.contains("[secret]"))
                #expect(!text.contains("99, 97"))
            }
        }
        let error = #expect(throws: CredentialError.self) { try ShortTermKey(password: canary + "\u{7}") }
        #expect(error.map { "\($0)" } == "the password cannot be used: character 12 is a control character")
    }
}
