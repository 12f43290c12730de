import STUN
import Testing

@testable import Engines

@Suite struct TURNRESTTests {
    /// Computed with Python's hmac and base64.
    @Test func passwordIsTheDigestOfTheUserName() {
        let credential = TURNREST.credential(secret: "north", user: "alice", expiry: 1_433_895_918)
        #expect(credential.username == "1433895918:alice")
        #expect(credential.revealPassword() == "RqMvcGPYTJMGThVLSi4amT4zFtI=")
        #expect(TURNREST.credential(secret: "", expiry: 1_433_895_918).username == "1433895918")
    }

    @Test(
        arguments: [
            ([], ""), ([0x66], "Zg=="), ([0x66, 0x6F], "Zm8="), ([0x66, 0x6F, 0x6F], "Zm9v"),
            ([0x66, 0x6F, 0x6F, 0x62], "Zm9vYg=="),
            ([0xFF, 0xFE, 0xFD], "//79"),
        ] as [([UInt8], String)])
    func base64IsThatOfRFC4648(bytes: [UInt8], text: String) {
        #expect(Base64.encode(bytes) == text)
    }

    /// A12.
    @Test(
        arguments: [
            ("1433895918:alice", 1_433_895_918), ("1433895918", 1_433_895_918), ("alice", nil),
            ("alice:1433895918", nil),
            ("143389591:a", nil), ("14338959181:a", nil), ("0433895918:a", nil), ("14338959１8:a", nil), ("", nil),
            (":", nil),
            ("99999999999999999999999999:a", nil),
        ] as [(String, Int64?)])
    func expiryIsReadFromTheUserName(username: String, expiry: Int64?) {
        #expect(TURNREST.expiry(inUsername: username) == expiry)
    }

    @Test func expiredNameSaysForHowLong() {
        #expect(TURNREST.secondsSinceExpiry(ofUsername: "1433895918:a", now: 1_433_895_920) == 2)
        #expect(TURNREST.secondsSinceExpiry(ofUsername: "1433895918:a", now: 1_433_895_917) == nil)
        #expect(TURNREST.secondsSinceExpiry(ofUsername: "a", now: 1_433_895_920) == nil)
    }
}
