import NetTypes
import STUN
import Testing

struct TestVectorTests {
    private let shortTerm: ShortTermKey
    private let username: Username
    private let realm: Realm

    init() throws {
        shortTerm = try ShortTermKey(password: TestVectors.password)
        username = try Username("マトリックス")
        realm = try Realm(Array("example.org".utf8))
    }

    @Test("the request of RFC 5769 s2.1 reads and verifies")
    func request() throws {
        let message = try Message(decoding: TestVectors.request)
        #expect(message.messageClass == .request)
        #expect(message.method == .binding)
        #expect(message.transactionID.description == "b7e7a701bc34d686fa87dfae")
        #expect(!message.isLegacy)
        #expect(try message.value(.software) == Array("STUN test client".utf8))
        #expect(try message.value(.priority) == 0x6E00_01FF)
        #expect(try message.value(.iceControlled) == 0x932F_F9B1_5126_3B36)
        #expect(try message.value(.username) == Array("evtj:h6vY".utf8))
        #expect(message.verifyIntegrity(key: shortTerm.bytes) == .valid)
        #expect(message.verifyFingerprint() == .valid)
        #expect(message.verifyIntegritySHA256(key: shortTerm.bytes) == .absent)
    }

    @Test(
        "the responses of RFC 5769 s2.2 and s2.3 read and verify",
        arguments: [
            (TestVectors.responseIPv4, "192.0.2.1:32853"),
            (TestVectors.responseIPv6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
        ])
    func response(_ bytes: [UInt8], _ mapped: String) throws {
        let message = try Message(decoding: bytes)
        #expect(message.messageClass == .successResponse)
        #expect(try message.value(.software) == Array("test vector".utf8))
        #expect(try message.value(.xorMappedAddress) == Endpoint(mapped))
        #expect(message.verifyIntegrity(key: shortTerm.bytes) == .valid)
        #expect(message.verifyFingerprint() == .valid)
    }

    @Test("the request of RFC 5769 s2.4 verifies with the MD5 key, and is built to the byte")
    func longTermRequest() throws {
        let message = try Message(decoding: TestVectors.longTermRequest)
        let key = try LongTermKey(username: username, realm: realm, password: "TheMatrIX")
        #expect(message.verifyIntegrity(key: key.bytes) == .valid)
        #expect(message.verifyFingerprint() == .absent)
        var builder = MessageBuilder(.request, .binding, message.transactionID)
        builder.append(.username, username.bytes)
        builder.append(.nonce, "f//499k954d6OL34oL9FSTvy64sA")
        builder.append(.realm, realm.bytes)
        builder.appendMessageIntegrity(key: key.bytes)
        #expect(builder.bytes == TestVectors.longTermRequest)
    }

    @Test("the request of RFC 8489 B.1 with erratum 6268 verifies with the SHA-256 key, and is built to the byte")
    func longTermRequestSHA256() throws {
        let message = try Message(decoding: TestVectors.longTermRequestSHA256)
        let key = try LongTermKey(username: username, realm: realm, password: "TheMatrIX", algorithm: .sha256)
        let nonce = try Nonce(try #require(try message.value(.nonce)))
        #expect(message.verifyIntegritySHA256(key: key.bytes) == .valid)
        #expect(try message.value(.userhash) == Userhash(username, realm).bytes)
        #expect(try message.value(.passwordAlgorithm) == [.sha256])
        #expect(nonce.cookie?.features == .usernameAnonymity)
        var builder = MessageBuilder(.request, .binding, message.transactionID)
        builder.append(.userhash, Userhash(username, realm).bytes)
        builder.append(.nonce, nonce.bytes)
        builder.append(.realm, realm.bytes)
        builder.append(.passwordAlgorithm, [.sha256])
        builder.appendMessageIntegritySHA256(key: key.bytes)
        #expect(builder.bytes == TestVectors.longTermRequestSHA256)
    }
}
