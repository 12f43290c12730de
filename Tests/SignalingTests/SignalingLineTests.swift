import Engines
import NetTypes
import STUN
import Signaling
import SimNet
import Testing

struct SignalingLineTests {
    typealias Problem = SignalingLine.Problem

    private static func problem(_ text: String, own: ICEDescription? = nil) -> Problem? {
        do throws(Problem) {
            _ = try SignalingLine.read(text, own: own)
            return nil
        } catch {
            return error
        }
    }

    @Test("a line comes back as what it was made of", arguments: 0..<500)
    func roundTrip(_ seed: Int) throws {
        let description = ICEDescription.random(seed: UInt64(seed))
        let line = SignalingLine.text(description)
        #expect(try SignalingLine.read(line) == description, "seed \(seed): \(line)")
    }

    @Test("a usual description is a line of under 250 characters, in letters, digits, '-', '_' and one ':'")
    func length() throws {
        let line = SignalingLine.text(try .usual())
        #expect(line.count < 200)
        #expect(line.hasPrefix("icecheck1:"))
        let isPlain = line.utf8.dropFirst(10).allSatisfy { byte in
            let scalar = Unicode.Scalar(byte)
            return scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "-" || scalar == "_"
        }
        #expect(isPlain)
        #expect(try SignalingLine.read(line) == .usual())
    }

    @Test("the form of a line does not change within version 1")
    func form() throws {
        let line = SignalingLine.text(try .usual())
        #expect(line == Self.usualLine)
    }

    private static let usualLine =
        "icecheck1:AIl73AoBI0VniavN7whrgcUUSGsYojn87NXWr73YZLgvjDWhf2X1AQELMFV6n8TpDjNYfaLH7BE2W4Clyu8UOV6DqM"
        + "3yFzxhhgMFGgICBAAB___AqAEUw1AEAv_-IAENuAAAAAAAAAAAAAAAIMNRQQP__8sAcQnDUADBBP__xjNkBO5IAi0nRiQ"

    @Test("the pacing is told in whole milliseconds, rounded up")
    func pacing() throws {
        var description = try ICEDescription.usual()
        description.pacing = .microseconds(10_001)
        #expect(try SignalingLine.read(SignalingLine.text(description)).pacing == .milliseconds(11))
    }

    @Test("names of mDNS are carried")
    func names() throws {
        var description = try ICEDescription.usual()
        description.candidates = [
            try Candidate(
                parsingAttribute:
                    "candidate:1 1 udp 2130706431 1f4712db-ea17-4bcf-a596-105139dfd8bf.local 50000 typ host")
        ]
        #expect(try SignalingLine.read(SignalingLine.text(description)) == description)
    }

    @Test("of more candidates than a line has room for, those of the highest priority are carried, in their order")
    func many() throws {
        var description = try ICEDescription.usual()
        let candidates = try (1...300).map { number in
            try Candidate(
                parsingAttribute: "candidate:\(number) 1 udp \(1000 + number * 7919 % 300) 192.0.2.1 \(number) typ host"
            )
        }
        description.candidates = candidates
        let read = try SignalingLine.read(SignalingLine.text(description)).candidates
        #expect(read.count == SignalingLine.mostCandidates)
        let lowest = try #require(read.map(\.priority).min())
        #expect(candidates.count { $0.priority > lowest } < SignalingLine.mostCandidates)
        #expect(read.map(\.port) == read.map(\.port).sorted())
    }

    @Test("a line with names as long as they may be still fits")
    func longNames() throws {
        var description = try ICEDescription.usual()
        let label = String(repeating: "a", count: 62)
        let name = [label, label, label, label].joined(separator: ".")
        description.candidates = try (1...64).map { number in
            try Candidate(
                parsingAttribute: "candidate:\(number) 1 udp 1 \(name) \(number) typ srflx raddr \(name) rport 9")
        }
        let read = try SignalingLine.read(SignalingLine.text(description))
        #expect(read.candidates.count == 64)
    }

    // MARK: What happens to lines

    @Test(
        "what pasting adds does no harm",
        arguments: [
            "\n%\n", "  % \r\n", "`%`", "\"%\"", "> %", "\u{FEFF}%", "'%'", "\u{A0}%\u{200B}",
        ])
    func pasted(_ form: String) throws {
        let text = form.split(separator: "%", omittingEmptySubsequences: false).joined(
            separator: SignalingLine.text(try .usual()))
        #expect(try SignalingLine.read(text) == .usual())
    }

    @Test(
        "a line wrapped by a mail program is read, quoted or not", arguments: ["\n", "\r\n", "\n> ", " \n\t", "=20\n"])
    func wrapped(_ end: String) throws {
        let line = Array(SignalingLine.text(try .usual()))
        let pieces = stride(from: 0, to: line.count, by: 72).map { String(line[$0..<min($0 + 72, line.count)]) }
        let text = pieces.joined(separator: end)
        if end.hasPrefix("=") {
            #expect(Self.problem(text) == .wrongCharacter(QuotedInput("="), at: 73))
        } else {
            #expect(try SignalingLine.read(text) == .usual())
        }
    }

    @Test("a line that is cut anywhere says so, and from the first characters on how many there should be")
    func truncations() throws {
        let line = SignalingLine.text(try .usual())
        for count in 1..<line.count {
            let problem = Self.problem(String(line.prefix(count)))
            #expect(problem == .cut(characters: count, of: count < 14 ? nil : line.count), "\(count) characters")
        }
        #expect(
            Self.problem(String(line.prefix(120)))?.description
                == "the line ends after 120 of \(line.count) characters: copy it whole")
    }

    @Test("a line that lost, gained or changed any one character is refused")
    func oneCharacter() throws {
        let line = Array(SignalingLine.text(try .usual()))
        for place in line.indices.dropFirst(10) {
            var without = line
            without.remove(at: place)
            let lost = Self.problem(String(without))
            #expect(
                lost == .damaged || lost == .cut(characters: line.count - 1, of: line.count) || place < 14, "\(place)")
            #expect(lost != nil)
            var changed = line
            changed[place] = changed[place] == "A" ? "B" : "A"
            #expect(Self.problem(String(changed)) != nil, "\(place)")
            let added = Self.problem(String(line[..<place] + "x" + line[place...]))
            #expect(added == .tooLong(characters: line.count + 1, of: line.count) || place < 14, "\(place)")
            #expect(added != nil)
            var swapped = line
            if place + 1 < line.count, line[place] != line[place + 1] {
                swapped.swapAt(place, place + 1)
                #expect(Self.problem(String(swapped)) != nil, "\(place)")
            }
        }
    }

    @Test("a line pasted twice, or two lines, are told from a damaged one", arguments: ["", "\n", " "])
    func twice(_ between: String) throws {
        let line = SignalingLine.text(try .usual())
        #expect(Self.problem(line + between + line) == .pastedTwice)
        #expect(Self.problem(line + between + SignalingLine.text(.random(seed: 1))) == .pastedTwice)
    }

    @Test("the own line is refused, also where it says more by now")
    func own() throws {
        var own = try ICEDescription.usual()
        let line = SignalingLine.text(own)
        own.candidates = []
        #expect(Self.problem(line, own: own) == .ownLine)
        #expect(Self.problem(line, own: .random(seed: 3)) == nil)
    }

    @Test(
        "what is no line says what it is",
        arguments: [
            ("", Problem.empty),
            (" \r\n", .empty),
            ("hello world", .notALine(QuotedInput("hello world"))),
            ("\u{1B}[2J", .notALine(QuotedInput("\u{1B}[2J"))),
            ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n", .sessionDescription),
            (#"{"type":"offer","sdp":"v=0\r\n"}"#, .sessionDescription),
            ("a=candidate:1 1 udp 1 192.0.2.1 5 typ host", .sessionDescription),
            ("icecheck2:AAAA", .newerVersion(QuotedInput("icecheck2"))),
            ("icecheck10:AAAA", .newerVersion(QuotedInput("icecheck10"))),
            ("icecheck connect", .notALine(QuotedInput("icecheckconnect"))),
            ("icecheck1:", .cut(characters: 10, of: nil)),
            ("icecheck", .cut(characters: 8, of: nil)),
            ("icecheck1:AA?A", .wrongCharacter(QuotedInput("?"), at: 13)),
            ("icecheck1:AAAA", .damaged),
            ("icecheck1:ααα", .wrongCharacter(QuotedInput("α"), at: 11)),
        ])
    func others(_ text: String, _ problem: Problem) {
        #expect(Self.problem(text) == problem)
    }

    @Test("no problem shows what a terminal would obey")
    func safe() throws {
        let texts = ["\u{1B}[31mred", "icecheck1:AA\u{1B}A", "icecheck\u{202E}2:", "icecheck1:\u{7}AAAA"]
        for text in texts {
            let shown = try #require(Self.problem(text)).description
            #expect(shown.unicodeScalars.allSatisfy { $0.isShowable }, "\(shown)")
        }
    }

    @Test("any bytes behind a right checksum are a description or are not understood", arguments: 0..<300)
    func hostile(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var bytes = try #require(Base64.decode(String(SignalingLine.text(.random(seed: UInt64(seed))).dropFirst(10))))
        for _ in 0..<Int.random(in: 1...4, using: &random) where bytes.count > 8 {
            bytes[Int.random(in: 3..<bytes.count - 4, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        if Bool.random(using: &random) {
            bytes.removeSubrange(Int.random(in: 4..<bytes.count - 3, using: &random)..<bytes.count - 4)
        }
        let problem = Self.problem(Self.line(bytes))
        #expect(problem == nil || problem == .notUnderstood)
    }

    @Test("what a later version adds at the end is ignored")
    func additions() throws {
        var bytes = try #require(Base64.decode(String(SignalingLine.text(try .usual()).dropFirst(10))))
        bytes.insert(contentsOf: [1, 2, 3], at: bytes.count - 4)
        #expect(try SignalingLine.read(Self.line(bytes)) == .usual())
    }

    /// The line of these bytes with a right length and right checksums.
    private static func line(_ bytes: [UInt8]) -> String {
        var bytes = bytes
        bytes[0] = UInt8(bytes.count >> 8)
        bytes[1] = UInt8(bytes.count & 0xFF)
        bytes[2] = UInt8(truncatingIfNeeded: Fingerprint.crc32(bytes[..<2]))
        let checksum = Fingerprint.crc32(bytes.dropLast(4))
        for index in 0..<4 {
            bytes[bytes.count - 4 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * index))
        }
        return "icecheck1:" + Base64.encodeForURL(bytes)
    }
}
