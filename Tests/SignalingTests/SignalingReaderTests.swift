import Engines
import NetTypes
import Signaling
import Testing

struct SignalingReaderTests {
    typealias Message = SignalingReader.Message

    private static func read(_ text: String, _ form: SignalingReader.Form, pieces: Int = .max) -> [Message] {
        var reader = SignalingReader(form)
        var messages: [Message] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            reader.append(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            while let message = reader.next() { messages.append(message) }
        }
        reader.finish()
        while let message = reader.next() { messages.append(message) }
        return messages
    }

    private static func line() throws -> String { SignalingLine.text(try .usual()) }

    @Test("a line is given when it is whole, wrapped or not, with or without a last line end")
    func lines() throws {
        let line = try Self.line()
        let wrapped = "> \(line.prefix(72))\n> \(line.dropFirst(72))\n"
        for text in [line, line + "\n", "\n\n" + line + "\r\n\r\n", wrapped] {
            for pieces in [1, 7, .max] {
                #expect(Self.read(text, .line(own: nil), pieces: pieces) == [.line(try .usual())])
            }
        }
        var reader = SignalingReader(.line(own: nil))
        reader.append((line + "\n").utf8)
        #expect(reader.next() == .line(try .usual()))
        reader.append("\(line.prefix(72))\n".utf8)
        #expect(reader.next() == nil && reader.isInside)
    }

    @Test("half of a line is told at an empty line, at the end, and where the whole of it follows")
    func half() throws {
        let line = try Self.line()
        let told = Message.refused("the line ends after 120 of \(line.count) characters: copy it whole")
        #expect(Self.read("\(line.prefix(120))\n", .line(own: nil)) == [told])
        #expect(Self.read("\(line.prefix(120))\n\n\(line)", .line(own: nil)) == [told, .line(try .usual())])
        #expect(Self.read("\(line.prefix(120))\n\(line)\n", .line(own: nil)) == [told, .line(try .usual())])
    }

    @Test("the own line, and SDP in its place, are told once, and a good line after them is read")
    func others() throws {
        let line = try Self.line()
        let other = ICEDescription.random(seed: 4)
        let own = Self.read("\(line)\n\(SignalingLine.text(other))\n", .line(own: try .usual()))
        #expect(own == [.refused(SignalingLine.Problem.ownLine.description), .line(other)])
        let sdp = Self.read(SDPFixtures.chromium + line + "\n", .line(own: nil))
        #expect(sdp == [.refused(SignalingLine.Problem.sessionDescription.description), .line(try .usual())])
    }

    @Test("SDP ends with an empty line or the input; lines of JSON and of candidates stand by themselves")
    func sdp() throws {
        let offer = SessionDescription(offering: .random(seed: 2, sdp: true), sessionID: 3)
        let candidate = TrickledCandidate(try Candidate(parsingAttribute: "candidate:1 1 udp 1 192.0.2.1 5 typ host"))
        let text = """
            \(offer.json(.offer))
            \(candidate.json)

            a=candidate:1 1 udp 1 192.0.2.1 5 typ host
            a=end-of-candidates
            {"type": "answer",
             "sdp": "x}"
            }
            \(offer.sdp)
            \(candidate.json)
            \(offer.sdp)
            """
        let expected: [Message] = [
            .sdp(.description(offer, .offer)), .sdp(.candidate(candidate)), .sdp(.candidate(candidate)),
            .sdp(.candidate(TrickledCandidate(nil))),
            .refused("line 1 of the SDP: 'x}' is not how SDP begins: its first line is v=0 (RFC 8866 s5)"),
            .sdp(.description(offer, nil)), .sdp(.candidate(candidate)), .sdp(.description(offer, nil)),
        ]
        for pieces in [1, 7, 1000, .max] { #expect(Self.read(text, .sdp, pieces: pieces) == expected) }
    }

    @Test("an object that is cut off is told at an empty line or at the end")
    func cutObject() throws {
        let offer = SessionDescription(offering: .random(seed: 2, sdp: true), sessionID: 3)
        let messages = Self.read("\(offer.json(.offer).prefix(100))\n\n\(offer.json(.offer))\n", .sdp)
        #expect(messages.count == 2)
        #expect(messages.last == .sdp(.description(offer, .offer)))
        guard case .refused(let text)? = messages.first else {
            Issue.record("a cut object was taken")
            return
        }
        #expect(text.hasPrefix("this is no JSON"))
    }

    @Test(
        "what does not end is dropped at 1 MiB, and the next message is read",
        arguments: ["x", "v=0\n", "{\n", "icecheck1:\n"])
    func endless(_ unit: String) throws {
        let flood = String(repeating: unit, count: 3 << 20 / unit.utf8.count)
        let offer = SessionDescription(offering: .random(seed: 2, sdp: true), sessionID: 3)
        if unit.hasPrefix("icecheck") {
            let messages = Self.read(String(flood.prefix(100_000)) + "\n\(try Self.line())\n", .line(own: nil))
            #expect(messages.last == .line(try .usual()))
        } else {
            let messages = Self.read(flood + "\n\n" + offer.json(.offer) + "\n", .sdp)
            #expect(messages.first == .refused("more than 1 MiB without an end is not read"))
            #expect(messages.count <= 5)
            #expect(messages.last == .sdp(.description(offer, .offer)))
        }
    }

    @Test("any bytes are read without a trap, and no refusal shows what a terminal would obey", arguments: 0..<100)
    func hostile(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        for (text, form) in [(SDPFixtures.firefox, SignalingReader.Form.sdp), (try Self.line(), .line(own: nil))] {
            var bytes = Array(text.utf8)
            for _ in 0..<6 {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var reader = SignalingReader(form)
            reader.append(bytes)
            reader.finish()
            while let message = reader.next() {
                guard case .refused(let text) = message else { continue }
                #expect(text.unicodeScalars.allSatisfy { $0.isShowable }, "seed \(seed): \(text)")
            }
        }
    }
}
