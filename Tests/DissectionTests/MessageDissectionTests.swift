import Dissection
import STUN
import Testing

struct MessageDissectionTests {
    /// RFC 5769 s2.1; its password is `VOkJxbRl1RmTxUk/WvJxBt`.
    private static let shortTerm = """
        000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b1\
        51263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf
        """
    private static let shortTermPassword = "VOkJxbRl1RmTxUk/WvJxBt"

    /// RFC 5769 s2.4; its password is `TheMatrIX`.
    private static let longTerm = """
        000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c662f2f3439396b39\
        353464364f4c33346f4c39465354767936347341 0014000b6578616d706c652e6f7267000008 0014f67024656dd64a3e02b8e0712e85c9\
        a28ca89666
        """

    /// An Allocate request with MESSAGE-INTEGRITY-SHA256, made with another implementation of HMAC.
    private static let sha256 = """
        0003005c2112a442000102030405060708090a0b001900041100000000060001750000000014000b6578616d706c652e6f72670000150012\
        6f624d61744a6f7332674141416e6f6e63650000001c0020793ad849bb296930ad48a537b069bcfd68fab6f0102d4b5f2f81f415305c7a64
        """

    private static func dissect(
        _ hex: String, password: String? = nil, user: String? = nil, realm: String? = nil
    ) -> Dissection {
        Dissection(
            of: Array(hex.utf8),
            credentials: password.map { Dissection.Credentials(password: $0, user: user, realm: realm) })
    }

    @Test("a message shows its header and each attribute by name, in its place")
    func fields() {
        let dissection = Self.dissect(Self.shortTerm)
        #expect(dissection.isSound, "\(dissection)")
        #expect(
            dissection.nodes.map(\.name) == [
                "message type", "message length", "magic cookie", "transaction id", "SOFTWARE", "PRIORITY",
                "ICE-CONTROLLED", "USERNAME", "MESSAGE-INTEGRITY", "FINGERPRINT",
            ])
        #expect(dissection.nodes.map(\.offset) == [0, 2, 4, 8, 20, 40, 48, 60, 76, 100])
        #expect(dissection.nodes.map(\.length) == [2, 2, 4, 12, 20, 8, 12, 16, 24, 8])
        #expect(dissection.nodes[0].value == "Binding request")
        #expect(dissection.nodes[3].value == "b7e7a701bc34d686fa87dfae")
        #expect(dissection.nodes[4].value == "STUN test client")
        #expect(dissection.nodes[6].value == "0x932ff9b151263b36")
        #expect(dissection.nodes[7].value == "evtj:h6vY")
        #expect(dissection.nodes[8].note?.contains("takes the password") == true)
        #expect(dissection.nodes[9].note == "it fits the message")
    }

    @Test("the integrity is checked with every key that the password makes, and the key is named")
    func integrity() throws {
        let short = Self.dissect(Self.shortTerm, password: Self.shortTermPassword)
        #expect(short.isSound)
        #expect(short.nodes[8].note?.contains("short-term") == true)

        let long = Self.dissect(Self.longTerm, password: "TheMatrIX")
        #expect(long.isSound, "\(long)")
        #expect(long.nodes.last?.note?.contains("MD5") == true)
        #expect(Self.dissect(Self.longTerm, password: "TheMatrIX", user: "マトリックス", realm: "example.org").isSound)

        let sha256 = Self.dissect(Self.sha256, password: "canary")
        #expect(sha256.isSound, "\(sha256)")
        #expect(sha256.nodes.last?.note?.contains("SHA-256") == true)
        #expect(!"\(sha256)".contains("canary"))
        let nonce = try #require(sha256.nodes.first { $0.name == "NONCE" })
        #expect(nonce.note == "security features: password algorithms")
    }

    @Test("a wrong password, user or realm makes the message unsound, and appears nowhere")
    func wrongPassword() {
        for dissection in [
            Self.dissect(Self.shortTerm, password: "canary"), Self.dissect(Self.longTerm, password: "canary"),
            Self.dissect(Self.longTerm, password: "TheMatrIX", realm: "example.com"),
            Self.dissect(Self.longTerm, password: "TheMatrIX", user: "other"),
        ] {
            #expect(!dissection.isSound)
            #expect(!"\(dissection)".contains("canary") && !"\(dissection)".contains("TheMatrIX"))
        }
    }

    @Test("a key of the password as it was typed is found too, where the sender did not prepare it (RFC 8265)")
    func unpreparedPassword() throws {
        let typed = "e\u{301}"
        for (password, note) in [(typed, "the password not prepared"), ("\u{e9}", "short-term")] {
            var builder = MessageBuilder(.request, .binding, TransactionID(high: 1, low: 2))
            builder.appendMessageIntegrity(key: Array(password.utf8))
            let hex = builder.bytes.map { String($0 / 16, radix: 16) + String($0 % 16, radix: 16) }.joined()
            let dissection = Self.dissect(hex, password: typed)
            #expect(dissection.isSound)
            #expect(dissection.nodes.last?.note?.contains(note) == true, "\(dissection)")
        }
    }

    @Test("a password for a message without an integrity attribute is said to have checked nothing")
    func nothingToCheck() {
        let header = "000100002112a442000102030405060708090a0b"
        #expect(Self.dissect(header, password: "canary").nodes.last?.value == "absent")
        #expect(!Self.dissect(header).nodes.contains { $0.value == "absent" })
    }

    @Test("a fingerprint that does not fit is a problem at its place")
    func fingerprint() {
        let dissection = Self.dissect(Self.shortTerm.replacing("e57a3bcf", with: "e57a3bce"))
        #expect(dissection.nodes.last?.problems.map(\.offset) == [100])
    }

    @Test("every kind of value is put in words, and a broken value does not cost the others")
    func values() throws {
        let dissection = Self.dissect(
            """
            011300842112a442000102030405060708090a0b0009001000000401556e617574686f72697a6564000a000400190fff802300080001\
            0d96c0000201002000080001a147e112a643000300040000000680220005ff1b5b324a0000007ffe000278790000000d00040000025880\
            0200080002000000010000000c000440010000002000080003a147e112a643802200057477696365000000
            """)
        #expect(dissection.nodes[0].value == "Allocate error response")
        let attributes = dissection.nodes.dropFirst(4)
        #expect(
            attributes.map(\.name) == [
                "ERROR-CODE", "UNKNOWN-ATTRIBUTES", "ALTERNATE-SERVER", "XOR-MAPPED-ADDRESS", "CHANGE-REQUEST",
                "SOFTWARE",
                "0x7FFE", "LIFETIME", "PASSWORD-ALGORITHMS", "CHANNEL-NUMBER", "XOR-MAPPED-ADDRESS", "SOFTWARE",
            ])
        #expect(
            attributes.map(\.value) == [
                "401 Unauthorized", "REQUESTED-TRANSPORT, 0x0FFF", "192.0.2.1:3478", "192.0.2.1:32853",
                "address and port",
                "\u{FFFD}\u{1B}[2J", "", "600 s", "SHA-256, MD5", "0x4001", "", "twice",
            ])
        let nodes = Array(attributes)
        #expect(nodes[5].bytes == [0xFF, 0x1B, 0x5B, 0x32, 0x4A])
        #expect(nodes[6].note?.contains("420") == true)
        #expect(nodes[10].problems.map(\.offset) == [132])
        #expect(nodes[11].note?.contains("second time") == true)
        #expect(!dissection.isSound)
    }

    @Test("what stands after the integrity is said to be ignored")
    func afterIntegrity() {
        let hex = Self.longTerm.replacing("00010060", with: "0001006c") + "802200057477696365000000"
        let dissection = Self.dissect(hex, password: "TheMatrIX")
        #expect(dissection.isSound, "\(dissection)")
        #expect(dissection.nodes.last?.note?.contains("after the integrity") == true)
    }

    @Test("the message inside DATA and ChannelData is taken apart, but not for ever")
    func inner() {
        let indication =
            "001600242112a442000102030405060708090a0b001200080001a147e112a643"
            + "00130014000100002112a442000102030405060708090a0b"
        let inner = Self.dissect(indication).nodes.last?.children.first
        #expect(inner?.value == "Binding request")
        #expect(inner?.offset == 36)
        let channel = Self.dissect("40010014000100002112a442000102030405060708090a0b")
        #expect(channel.kind == .channelData)
        #expect(channel.nodes[2].children.first?.value == "Binding request")

        var nested: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42] + Array(0...11)
        for _ in 0..<200 {
            let (data, whole) = (nested.count, nested.count + 4)
            nested =
                [0, 0x16, UInt8(whole >> 8), UInt8(whole & 0xFF), 0x21, 0x12, 0xA4, 0x42] + Array(0...11)
                + [0, 0x13, UInt8(data >> 8), UInt8(data & 0xFF)] + nested
        }
        #expect(Dissection(of: nested).isSound)
    }

    @Test("a message of RFC 3489 is read, with its longer transaction id")
    func legacy() {
        let dissection = Self.dissect("00010000000102030405060708090a0b0c0d0e0f")
        #expect(dissection.isSound)
        #expect(dissection.nodes[2].value == "000102030405060708090a0b0c0d0e0f")
        #expect(dissection.nodes[2].note?.contains("RFC 3489") == true)
    }

    @Test("a thousand attributes are counted, not shown")
    func manyAttributes() {
        let attributes = String(repeating: "80220000", count: 1000)
        let dissection = Self.dissect("00010fa02112a442000102030405060708090a0b" + attributes)
        #expect(dissection.nodes.count == 4 + 256 + 1)
        #expect(dissection.nodes.last?.value == "744")
    }
}
