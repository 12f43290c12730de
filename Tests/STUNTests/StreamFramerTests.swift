import STUN
import Testing

struct StreamFramerTests {
    /// The frames of a stream that arrives in pieces that end at `cuts`.
    private func frames(_ stream: [UInt8], cutAt cuts: [Int]) throws(FramingError) -> [StreamFramer.Frame] {
        var framer = StreamFramer()
        var frames: [StreamFramer.Frame] = []
        var start = 0
        for end in cuts + [stream.count] {
            framer.append(stream[start..<end])
            start = end
            while let frame = try framer.next() { frames.append(frame) }
        }
        return frames
    }

    private static let channelData = [0, 1, 2, 3, 4, 5].map {
        ChannelData(channel: 0x4000, data: [UInt8](repeating: 0x55, count: $0))
    }
    private static let stream =
        TestVectors.all.flatMap { $0 } + channelData.flatMap { $0.encoded(padded: true) } + TestVectors.request
    private static let expected =
        TestVectors.all.map { StreamFramer.Frame.message($0) } + channelData.map { .channelData($0) }
        + [.message(TestVectors.request)]

    @Test("several frames in one piece, and the same byte by byte")
    func wholeAndByteByByte() throws {
        #expect(try frames(Self.stream, cutAt: []) == Self.expected)
        #expect(try frames(Self.stream, cutAt: Array(1..<Self.stream.count)) == Self.expected)
    }

    @Test("the same wherever it is cut", arguments: 0..<200 as Range<UInt64>)
    func randomCuts(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let cuts = (0..<6).map { _ in Int.random(in: 0...Self.stream.count, using: &random) }.sorted()
        #expect(try frames(Self.stream, cutAt: cuts) == Self.expected)
    }

    @Test("a frame that is not whole waits, and says what it has and needs")
    func truncated() throws {
        var framer = StreamFramer()
        framer.append(TestVectors.request.prefix(3))
        #expect(try framer.next() == nil)
        #expect(framer.pending == (3, nil))
        framer.append(TestVectors.request[3..<107])
        #expect(try framer.next() == nil)
        #expect(framer.pending == (107, 108))
        framer.append(TestVectors.request.suffix(1))
        #expect(try framer.next() == .message(TestVectors.request))
        #expect(framer.pending == (0, nil))
    }

    @Test("ChannelData is whole with its padding only")
    func padding() throws {
        let data = ChannelData(channel: 0x4FFF, data: [1])
        var framer = StreamFramer()
        framer.append(data.encoded(padded: false))
        #expect(try framer.next() == nil)
        framer.append([0xFF, 0xFF])
        #expect(try framer.next() == nil)
        framer.append([0xFF])
        #expect(try framer.next() == .channelData(data))
    }

    @Test("frames of the greatest lengths are framed", arguments: [0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF])
    func greatest(_ length: Int) throws {
        let data = ChannelData(channel: 0x4000, data: [UInt8](repeating: 7, count: length))
        let stream = data.encoded(padded: true) + TestVectors.request
        #expect(try frames(stream, cutAt: [4, 65_000]) == [.channelData(data), .message(TestVectors.request)])
    }

    @Test(
        "bytes that begin no frame end the stream with the reason",
        arguments: [
            (Array("SSH-2.0-x\r\n".utf8), FramingError.Reason.neitherFrame),
            ([0x15, 3, 3, 0, 2], .magicCookieMissing),
            ([0x80, 0, 0, 0], .neitherFrame), ([0x50], .neitherFrame), ([0xFF], .neitherFrame),
            ([0, 1, 0, 3], .lengthNotMultipleOfFour(3)),
            ([0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x43], .magicCookieMissing),
        ] as [([UInt8], FramingError.Reason)])
    func unframeable(_ bytes: [UInt8], _ reason: FramingError.Reason) {
        let error = #expect(throws: FramingError.self) { try frames(bytes, cutAt: []) }
        #expect(error?.why == reason)
    }

    @Test("a long stream of small frames is framed in linear time")
    func manyFrames() throws {
        let one = ChannelData(channel: 0x4001, data: [1, 2, 3, 4])
        let stream = [[UInt8]](repeating: one.encoded(padded: true), count: 100_000).flatMap { $0 }
        #expect(try frames(stream, cutAt: Array(stride(from: 1, to: stream.count, by: 1400))).count == 100_000)
    }
}

struct ChannelDataTests {
    @Test(
        "what is no ChannelData is refused",
        arguments: [
            ([], .shorterThanHeader(0)), ([0x40, 0, 0], .shorterThanHeader(3)),
            ([0x3F, 0xFF, 0, 0], .channelOutOfRange(0x3FFF)), ([0x50, 0, 0, 0], .channelOutOfRange(0x5000)),
            ([0x40, 0, 0, 1], .longerThanPacket(declared: 1, present: 0)),
            ([0x40, 0, 0xFF, 0xFF, 1], .longerThanPacket(declared: 0xFFFF, present: 1)),
        ] as [([UInt8], ChannelDataError)])
    func refused(_ bytes: [UInt8], _ error: ChannelDataError) {
        #expect(throws: error) { try ChannelData(decoding: bytes) }
    }

    @Test("data comes back, with and without padding", arguments: 0...5)
    func roundTrip(_ count: Int) throws {
        let data = ChannelData(channel: 0x4ABC, data: Array(0..<UInt8(count)))
        #expect(try ChannelData(decoding: data.encoded(padded: false)) == data)
        #expect(try ChannelData(decoding: data.encoded(padded: true)) == data)
        #expect(data.encoded(padded: true).count % 4 == 0)
    }
}

struct ForeignProtocolTests {
    @Test(
        "servers of other protocols are told by their first bytes",
        arguments: [
            ("SSH-2.0-OpenSSH_9.2\r\n", ForeignProtocol.ssh), ("HTTP/1.1 400 Bad Request\r\n", .http),
            ("<html>", .http), ("220 mail.example.org ESMTP\r\n", .smtp), ("220 (vsFTPd 3.0.3)\r\n", .ftp),
            ("* OK IMAP4rev1 ready", .imap), ("+OK POP3 ready", .pop3), ("RTSP/1.0 400 Bad Request", .rtsp),
        ])
    func text(_ banner: String, _ kind: ForeignProtocol) {
        #expect(ForeignProtocol.identify(Array(banner.utf8)) == kind)
    }

    @Test("TLS and MySQL are told, STUN and too few bytes are not")
    func binary() {
        #expect(ForeignProtocol.identify([0x15, 3, 3, 0, 2, 2, 40]) == .tlsAlert)
        #expect(ForeignProtocol.identify([0x16, 3, 1, 2, 0]) == .tlsHandshake)
        #expect(ForeignProtocol.identify([0x4A, 0, 0, 0, 0x0A, 0x38, 0x2E]) == .mysql)
        #expect(ForeignProtocol.identify([]) == nil)
        #expect(ForeignProtocol.identify([0x16, 3]) == nil)
        for bytes in TestVectors.all { #expect(ForeignProtocol.identify(bytes) == nil) }
    }
}
