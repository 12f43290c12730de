import Dissection
import SimNet
import Testing

struct EncodingDissectionTests {
    /// A Binding request with SOFTWARE "icecheck".
    private static let message: [UInt8] =
        [0x00, 0x01, 0x00, 0x0C, 0x21, 0x12, 0xA4, 0x42] + Array(0...11) + [0x80, 0x22, 0x00, 0x08]
        + Array("icecheck".utf8)

    @Test(
        "a message is the same in every way that programs write bytes",
        arguments: [
            ("0001000c2112a442000102030405060708090a0b8022000869636563 6865636b", Dissection.Encoding.hex),
            ("00:01:00:0C:21:12:A4:42:00:01:02:03:04:05:06:07:08:09:0A:0B:80:22:00:08:69:63:65:63:68:65:63:6B", .hex),
            ("0x0001000c 0x2112a442 0x00010203 0x04050607 0x08090a0b 0x80220008 0x69636563 0x6865636b\n", .hex),
            (
                "{ 0x00, 0x01, 0x00, 0x0c, 0x21, 0x12, 0xa4, 0x42, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,\n"
                    + "0x08, 0x09, 0x0a, 0x0b, 0x80, 0x22, 0x00, 0x08, 0x69, 0x63, 0x65, 0x63, 0x68, 0x65, 0x63, 0x6b };",
                .hex
            ),
            (
                #"\x00\x01\x00\x0c\x21\x12\xa4\x42\x00\x01\x02\x03\x04\x05\x06\x07"#
                    + #"\x08\x09\x0a\x0b\x80\x22\x00\x08\x69\x63\x65\x63\x68\x65\x63\x6b"#, .hex
            ),
            (
                """
                00000000: 0001 000c 2112 a442 0001 0203 0405 0607  ....!..B........
                00000010: 0809 0a0b 8022 0008 6963 6563 6865 636b  ....."..icecheck
                """, .hexDump
            ),
            (
                """
                00000000  00 01 00 0c 21 12 a4 42  00 01 02 03 04 05 06 07  |....!..B........|
                00000010  08 09 0a 0b 80 22 00 08  69 63 65 63 68 65 63 6b  |....."..icecheck|
                00000020
                """, .hexDump
            ),
            (
                """
                0000   00 01 00 0c 21 12 a4 42 00 01 02 03 04 05 06 07   ....!..B........
                0010   08 09 0a 0b 80 22 00 08 69 63 65 63 68 65 63 6b   ....."..icecheck
                """, .hexDump
            ),
            (
                """
                00000000: 0001 000c 2112 a442  ....!..B
                00000008: 0001 0203 0405 0607  ........
                00000010: 0809 0a0b 8022 0008  ....."..
                00000018: 6963 6563 6865 636b  icecheck
                """, .hexDump
            ),
            (
                """
                \t0x0000:  0001 000c 2112 a442 0001 0203 0405 0607  ....!..B........
                \t0x0010:  0809 0a0b 8022 0008 6963 6563 6865 636b  ....."..icecheck
                """, .hexDump
            ),
            ("AAEADCESpEIAAQIDBAUGBwgJCguAIgAIaWNlY2hlY2s=", .base64),
            ("AAEADCESpEIAAQIDBAUG\nBwgJCguAIgAIaWNlY2hlY2s", .base64),
        ])
    func encodings(_ text: String, _ encoding: Dissection.Encoding) {
        let dissection = Dissection(of: Array(text.utf8))
        #expect(dissection.encoding == encoding)
        #expect(dissection.nodes == Dissection(of: Self.message).nodes)
        #expect(dissection.kind == .stunMessage)
        #expect(dissection.byteCount == 32)
        #expect(dissection.isSound, "\(dissection)")
    }

    @Test("the text beside a dump is not taken for bytes")
    func dumpText() {
        let text =
            "0000   00 01 00 00 21 12 a4 42 00 01 02 03 04 05 06 07   ab cd ef 01 23 45\n"
            + "0010   08 09 0a 0b                                       ab cd"
        #expect(Dissection(of: Array(text.utf8)).byteCount == 20)
    }

    @Test("a dump that hides or lacks lines says so")
    func gaps() {
        let squeezed = "00000000  00 01 00 00 21 12 a4 42  00 01 02 03 04 05 06 07  |....|\n*\n00000020\n"
        #expect(Dissection(of: Array(squeezed.utf8)).problems.contains { $0.rule.contains("hexdump -Cv") })
        let missing = "0000   00 01 00 00 21 12 a4 42 00 01 02 03 04 05 06 07\n0020   00 01 02 03\n"
        #expect(Dissection(of: Array(missing.utf8)).problems.contains { $0.rule.contains("a line is missing") })
    }

    @Test("a stream is split, each message with its place")
    func streams() {
        let channel: [UInt8] = [0x40, 0x01, 0x00, 0x05, 1, 2, 3, 4, 5, 0, 0, 0]
        let stream = Dissection(of: Self.message + channel + Self.message)
        #expect(stream.kind == .stream)
        #expect(stream.isSound, "\(stream)")
        #expect(stream.nodes.map(\.offset) == [0, 32, 44])
        #expect(stream.nodes.map(\.length) == [32, 12, 32])
        #expect(stream.nodes[1].children.map(\.name) == ["channel number", "length", "data", "padding"])

        let junk = Dissection(of: Self.message + [0xFF, 0xFF])
        #expect(junk.kind == .stunMessage)
        #expect(junk.problems.map(\.offset) == [32])
        let cut = Dissection(of: Self.message + Self.message.prefix(25))
        #expect(cut.nodes.count == 2 && cut.nodes[0].isSound && !cut.nodes[1].isSound)
    }

    @Test("ChannelData of a datagram needs no padding, and says when it is cut off")
    func channelData() {
        let whole = Dissection(of: [0x40, 0x01, 0x00, 0x03, 1, 2, 3])
        #expect(whole.kind == .channelData)
        #expect(whole.isSound)
        #expect(whole.nodes.map(\.name) == ["channel number", "length", "data"])
        #expect(Dissection(of: [0x40, 0x01, 0x00, 0x05, 1, 2, 3]).problems.map(\.offset) == [7])
        #expect(Dissection(of: [0x40, 0x01]).problems.map(\.offset) == [2])
    }

    @Test(
        "another protocol is named",
        arguments: [
            ([0x16, 0xFE, 0xFD, 0], "DTLS"), ([0x80, 0x60, 0, 1], "RTP"),
            (Array("HTTP/1.1 400 Bad\r\n\u{1}".utf8), "HTTP"),
            ([0x45] + Array(repeating: 0, count: 40), "IPv4"), ([0xFF], "no protocol"),
        ] as [([UInt8], String)])
    func foreign(_ bytes: [UInt8], _ name: String) {
        let dissection = Dissection(of: bytes)
        #expect(dissection.kind == .unknown)
        #expect(dissection.problems.first?.rule.contains(name) == true)
    }

    @Test(
        "a broken message says the place and the rule, and shows what stands before",
        arguments: [
            ([0x00], 0, 0), (Array(message.prefix(19)), 0, 0), (Array(message.prefix(24)), 2, 0),
            (message.replacing(at: 3, 0x0B), 2, 1), (message.replacing(at: 23, 0x09), 22, 0),
            ([0, 1, 0, 16] + message.dropFirst(4) + [0x80, 0x28, 0, 4], 34, 1),
        ] as [([UInt8], Int, Int)])
    func broken(_ bytes: [UInt8], _ offset: Int, _ attributes: Int) {
        let dissection = Dissection(of: bytes)
        #expect(dissection.kind == .stunMessage)
        #expect(dissection.problems.contains { $0.offset == offset }, "\(dissection.problems)")
        #expect(dissection.nodes.count { ($0.offset ?? 0) >= 20 } == attributes)
    }

    @Test("mutated input of every kind never traps")
    func mutations() {
        var generator = SeededGenerator(seed: 3)
        let seeds: [[UInt8]] = [
            Self.message, Self.message + [0x40, 0x01, 0x00, 0x01, 1, 0, 0, 0] + Self.message,
            Array("00000000: 0001 000c 2112 a442 0001 0203  ....!..B".utf8), Array("AAEADCESpEIAAQIDBAUG".utf8),
            Array("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:sha-1 AB:CD\r\na=ice-pwd:x".utf8),
            Array("a=candidate:1 1 tcp 1 192.0.2.1 5 typ srflx raddr ::1 rport 9 tcptype so".utf8),
            Array(#"{"iceServers":[{"urls":["turn:\u00e9.example?transport=udp"],"username":"u"}]}"#.utf8),
            Array("turns:[fe80::1%25eth0]:5349?transport=tcp".utf8), Array("stun:xn--bcher-kva.ex\u{FF0E}ample".utf8),
        ]
        for round in 0..<20_000 {
            var input = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let index = Int.random(in: 0..<input.count, using: &generator)
                switch Int.random(in: 0...3, using: &generator) {
                case 0: input[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: input.insert(input[index], at: index)
                case 2 where input.count > 1: input.remove(at: index)
                default: input[index] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                }
            }
            _ = Dissection(of: input)
        }
    }
}

extension [UInt8] {
    fileprivate func replacing(at index: Int, _ byte: UInt8) -> [UInt8] {
        var copy = self
        copy[index] = byte
        return copy
    }
}
