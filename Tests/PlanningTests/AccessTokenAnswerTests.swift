import Planning
import STUN
import Testing

/// What authorization servers answer, and what is no such answer.
@Suite struct AccessTokenAnswerTests {
    private static func parse(_ text: String) throws -> AccessTokenAnswer {
        try AccessTokenAnswer(parsing: Array(text.utf8))
    }

    /// The bytes of the key that is read from `key`, a JSON value.
    private static func key(_ key: String) throws -> [UInt8]? {
        let answer = try parse(#"{"access_token":"dG9rZW4=","kid":"k","key":\#(key)}"#)
        return Base64.decode(answer.macKey.reveal())
    }

    @Test func wholeAnswerIsRead() throws {
        let answer = try Self.parse(
            #"{"access_token":"dG9r\nZW4=","token_type":"pop","expires_in":1800,"kid":"22BIjxU93h/IgwEb","#
                + #""key":"a2V5","alg":"HMAC-SHA-256-128","expires_at":1700000000.5}"#)
        #expect(answer.keyID == "22BIjxU93h/IgwEb" && answer.expiry == 1_700_000_000)
        #expect(Base64.decode(answer.accessToken.reveal()) == Array("token".utf8))
        #expect(answer.macKey.reveal() == "a2V5")
    }

    @Test func keyIsBase64OrAJSONWebKeyOrPlainTextOfAnHMACsSize() throws {
        #expect(try Self.key(#""_-8""#) == [0xFF, 0xEF])
        #expect(try Self.key(#"{"kty":"oct","k":"a2V5"}"#) == Array("key".utf8))
        // RFC 7635's own example: in base64 it would be 15 bytes.
        #expect(try Self.key(#""v51N62OM65kyMvfTI08O""#) == Array("v51N62OM65kyMvfTI08O".utf8))
        #expect(try Self.key(#""\#(String(repeating: "A", count: 28))""#) == [UInt8](repeating: 0, count: 21))
    }

    @Test(arguments: [
        ("", "not JSON"), ("[]", "a list"), ("{}", "'access_token' is missing"),
        (#"{"error":"invalid_grant"}"#, "refused"),
        (#"{"token_type":"Bearer","access_token":"canary"}"#, "type pop"),
        (#"{"access_token":"canary!!"}"#, "'access_token' is no base64"),
        (#"{"access_token":"AAAA"}"#, "'key' is missing"),
        (#"{"access_token":"AAAA","key":7}"#, "'key' is a number"),
        (#"{"access_token":"AAAA","key":{"k":"canary!!"}}"#, "'key.k' is no base64"),
        (#"{"access_token":"AAAA","mac_key":"canary!!"}"#, "'mac_key' is no base64"),
        (#"{"access_token":"AAAA","key":"AAAA","kid":7}"#, "'kid' is a number"),
        (#"{"access_token":"AAAA","key":"AAAA","expires_at":"canary"}"#, "'expires_at' is a string"),
        (#"{"access_token":"AAAA","key":"AAAA","expires_at":99999999999999999999}"#, "'expires_at' is no count"),
        (#"{"access_token":"canary" "canary"}"#, "not JSON"),
    ])
    func refusalSaysWhatIsWrongAndNoValue(text: String, words: String) throws {
        let error = try #require(#expect(throws: AccessTokenAnswer.ReadingError.self) { try Self.parse(text) })
        #expect(error.description.contains(words), "\(error)")
        #expect(!error.description.contains("canary"))
    }

    @Test func sizeIsBounded() {
        let text = String(repeating: " ", count: AccessTokenAnswer.byteLimit) + "{}"
        #expect(throws: AccessTokenAnswer.ReadingError.self) { try Self.parse(text) }
    }
}
