import Engines
import NetTypes
import Signaling
import SimNet
import Testing

struct SessionDescriptionTests {
    private static func problem(_ text: String) -> String? {
        do throws(SignalingError) {
            _ = try SessionDescription(parsing: text)
            return nil
        } catch {
            return error.description
        }
    }

    /// Chromium's SDP with the lines that begin with `start` replaced.
    private static func chromium(_ start: String, _ replacement: String?) -> String {
        SDPFixtures.chromium.split(separator: "\r\n").compactMap { line in
            line.hasPrefix(start) ? replacement : String(line)
        }.joined(separator: "\r\n")
    }

    // MARK: What others write

    @Test("SDP of Chromium is read")
    func chromium() throws {
        let description = try SessionDescription(parsing: SDPFixtures.chromium)
        #expect(description.skipped.isEmpty)
        #expect(description.mid == "0")
        #expect(description.bundle == ["0"])
        #expect(description.sessionID == 4_962_303_333_179_871_722)
        let ice = description.ice
        #expect(ice.credentials.usernameFragment == "EsAw")
        #expect(ice.credentials.password == "P2uYro0UCOQ4zxjKXaWCBui1")
        #expect(ice.candidates.map(\.kind) == [.host, .serverReflexive, .host])
        #expect(ice.candidates[0].address == .name("1f4712db-ea17-4bcf-a596-105139dfd8bf.local"))
        #expect(ice.trickles && !ice.isComplete && !ice.isLite)
        #expect(ice.setup == .actpass)
        #expect(ice.fingerprints.map(\.description) == ["sha-256 \(SDPFixtures.fingerprint)"])
        #expect(ice.pacing == nil && ice.tieBreaker == nil && ice.nat.isEmpty)
    }

    @Test("SDP of Firefox is read: its fingerprint and its trickling stand before the first section")
    func firefox() throws {
        let description = try SessionDescription(parsing: SDPFixtures.firefox)
        #expect(description.skipped.isEmpty)
        #expect(description.ice.candidates.map(\.transport) == [.udp, .tcp, .udp])
        #expect(description.ice.fingerprints.count == 1)
        #expect(description.ice.trickles && description.ice.isComplete)
    }

    @Test("SDP of aiortc is read: it has two fingerprints and does not trickle, so it is complete")
    func aiortc() throws {
        let description = try SessionDescription(parsing: SDPFixtures.aiortc)
        #expect(description.skipped.isEmpty)
        #expect(description.ice.fingerprints.map(\.algorithm) == ["sha-256", "sha-384"])
        #expect(!description.ice.trickles && description.ice.isComplete)
        let withoutEnd = SDPFixtures.aiortc.split(separator: "\r\n").filter { $0 != "a=end-of-candidates" }
        #expect(try SessionDescription(parsing: withoutEnd.joined(separator: "\n")).ice.isComplete)
    }

    @Test("of a call's sections the first counts, and an answer mirrors them all")
    func call() throws {
        let offer = try SessionDescription(parsing: SDPFixtures.pionCall)
        #expect(offer.section == 0 && offer.mid == "audio")
        #expect(offer.media.map(\.mid) == ["audio", "video", "2"])
        #expect(offer.bundle == ["audio", "video", "2"])
        #expect(offer.ice.candidates.count == 1)
        var ice = try ICEDescription.usual()
        ice.trickles = true
        let answer = try SessionDescription(parsing: offer.answer(ice, sessionID: 7).sdp)
        #expect(answer.media.map(\.type) == ["audio", "video", "application"])
        #expect(answer.media.map(\.isRejected) == [false, true, true])
        #expect(answer.media.map(\.mid) == ["audio", "video", "2"])
        #expect(answer.media.map(\.transportProtocol) == offer.media.map(\.transportProtocol))
        #expect(answer.media[0].formats == ["111", "0"])
        #expect(answer.media[0].formatAttributes.first == "rtpmap:111 opus/48000/2")
        #expect(answer.bundle == ["audio"])
        #expect(answer.ice.setup == .active)
        #expect(answer.ice.candidates == ice.candidates)
        try answer.check(answering: offer)
    }

    @Test(
        "the first section that is accepted counts: port 0 rejects it, but not where it is bundle-only",
        arguments: [
            ("m=audio 0 RTP/AVP 0\r\na=mid:a", 1), ("m=audio 0 RTP/AVP 0\r\na=mid:a\r\na=bundle-only", 1),
            ("m=audio 9 RTP/AVP 0\r\na=mid:a", 1),
            ("m=audio 9 RTP/AVP 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901", 0),
            ("m=audio 0 RTP/AVP 0\r\na=bundle-only\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901", 0),
        ])
    func sections(_ first: String, _ section: Int) throws {
        let text = SDPFixtures.chromium.split(separator: "\r\n").map { $0.hasPrefix("m=") ? first + "\r\n" + $0 : $0 }
        let description = try SessionDescription(parsing: text.joined(separator: "\r\n"))
        #expect(description.section == section)
        #expect(description.ice.credentials.usernameFragment == (section == 1 ? "EsAw" : "abcd"))
    }

    @Test("lines may end in LF, be indented and stand apart, and a byte-order mark may come first")
    func pasted() throws {
        let expected = try SessionDescription(parsing: SDPFixtures.firefox)
        let lines = SDPFixtures.firefox.split(separator: "\r\n")
        #expect(try SessionDescription(parsing: lines.joined(separator: "\n")) == expected)
        #expect(try SessionDescription(parsing: "\u{FEFF}" + lines.joined(separator: "  \r\n\r\n    ")) == expected)
    }

    // MARK: What is written

    @Test("an offer comes back as what it was made of", arguments: 0..<300)
    func roundTrip(_ seed: Int) throws {
        let offer = SessionDescription(offering: .random(seed: UInt64(seed), sdp: true), sessionID: UInt64(seed))
        #expect(try SessionDescription(parsing: offer.sdp) == offer, "seed \(seed): \(offer.sdp)")
    }

    @Test("an offer has the lines of JSEP, in an order that SDP allows")
    func offer() throws {
        var ice = try ICEDescription.usual()
        ice.trickles = true
        ice.isLite = true
        let lines = SessionDescription(offering: ice, sessionID: 42).sdp.split(separator: "\r\n").map { String($0) }
        let expected = [
            "v=0", "o=- 42 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "a=ice-options:trickle",
            "a=ice-lite", "a=ice-pacing:10", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0",
            "a=mid:0", "a=ice-ufrag:\(ice.credentials.usernameFragment)", "a=ice-pwd:\(ice.credentials.password)",
            "a=fingerprint:\(ice.fingerprints[0])", "a=setup:actpass", "a=sctp-port:5000", "a=max-message-size:262144",
        ]
        #expect(lines == expected + ice.candidates.map(\.sdp) + ["a=end-of-candidates"])
    }

    @Test("an answer begins DTLS, and a side without a certificate has no role")
    func setup() throws {
        let offer = try SessionDescription(parsing: SDPFixtures.firefox)
        var ice = try ICEDescription.usual()
        #expect(offer.answer(ice, sessionID: 1).ice.setup == .active)
        var passive = offer
        passive.ice.setup = .active
        #expect(passive.answer(ice, sessionID: 1).ice.setup == .passive)
        ice.fingerprints = []
        #expect(offer.answer(ice, sessionID: 1).ice.setup == nil)
    }

    @Test("neither the password nor a fingerprint's owner is in a description's own text")
    func secrets() throws {
        let description = try SessionDescription(parsing: SDPFixtures.chromium)
        #expect(!"\(description)".contains(description.ice.credentials.password))
    }

    @Test("an answer that cannot be one is refused")
    func answers() throws {
        let offer = SessionDescription(offering: try .usual(), sessionID: 1)
        func refusal(_ change: (inout SessionDescription) -> Void) throws -> String? {
            var answer = offer.answer(.random(seed: 9, sdp: true), sessionID: 2)
            answer.ice.setup = .active
            change(&answer)
            do throws(SignalingError) {
                try answer.check(answering: offer)
                return nil
            } catch {
                return error.description
            }
        }
        #expect(try refusal { _ in } == nil)
        #expect(try refusal { $0.ice.credentials = offer.ice.credentials }?.contains("your own") == true)
        #expect(try refusal { $0.media.append($0.media[0]) }?.contains("has 2 m= sections") == true)
        #expect(try refusal { $0.section = 1 }?.contains("rejects") == true)
        #expect(try refusal { $0.media[0].mid = "1" }?.contains("a=mid:1") == true)
        #expect(try refusal { $0.ice.setup = .actpass }?.contains("actpass") == true)
        #expect(try refusal { $0.ice.setup = nil } == nil)
    }

    // MARK: What is wrong

    @Test(
        "what is wrong is said with its line and with what would be right",
        arguments: [
            ("v=", "v=1", "line 1: 'v=1' is another version: SDP begins with v=0"),
            ("v=", "hello", "line 1: 'hello' is not how SDP begins: its first line is v=0 (RFC 8866 s5)"),
            ("v=", "icecheck1:AAAA", "line 1: this is icecheck's own line, not SDP"),
            ("v=", #"v=0\r\no=- 1 1 IN IP4 0.0.0.0"#, #"line 1: the line ends are written as \r\n"#),
            ("s=", "v=0", "line 3: a second SDP begins here"),
            ("m=", "m=application x UDP/DTLS/SCTP webrtc-datachannel", "line 8: 'm=application x"),
            ("m=", "m=application 9 UDP/DTLS/SCTP", "line 8: 'm=application 9 UDP/DTLS/SCTP' is no m-line"),
            ("m=", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel", "line 8: every section is rejected"),
            ("m=", nil, "the SDP has no m-line"),
            ("a=ice-ufrag", nil, "line 8: this section has no a=ice-ufrag"),
            ("a=ice-pwd", nil, "line 8: this section has no a=ice-pwd"),
            ("a=ice-ufrag", "a=ice-ufrag:abc", "line 13: this a=ice-ufrag has 3 characters: it is 4 to 256 letters"),
            ("a=ice-ufrag", "a=ice-ufrag:ab-cd", "line 13: this a=ice-ufrag has another character"),
            ("a=ice-pwd", "a=ice-pwd:secret", "line 14: this a=ice-pwd has 6 characters: it is 22 to 256 letters"),
            ("a=fingerprint", "a=fingerprint:sha-256 AB:CD", "line 16: a sha-256 fingerprint is 32 bytes"),
            ("a=fingerprint", "a=fingerprint:sha-256", "line 16: a fingerprint is a hash function such as sha-256"),
            (
                "a=fingerprint", "a=fingerprint:sha3-256 AB:CD",
                "line 16: the hash function 'sha3-256' is not known here"
            ),
            ("a=setup", "a=setup:both", "line 17: 'a=setup:both' is none: it is actpass, active, passive or holdconn"),
            ("a=setup", "a=setup:\u{1B}[2J", #"line 17: 'a=setup:\u{1b}[2J' is none"#),
        ])
    func wrong(_ start: String, _ replacement: String?, _ message: String) {
        let problem = Self.problem(Self.chromium(start, replacement))
        #expect(problem?.hasPrefix(message) == true, "\(problem ?? "no problem")")
        #expect(problem?.contains("secret") != true)
    }

    @Test("nothing at all, and too much, say so")
    func sizes() {
        #expect(Self.problem("")?.contains("nothing to read") == true)
        #expect(Self.problem("\r\n\r\n")?.contains("nothing to read") == true)
        #expect(Self.problem(String(repeating: "a", count: 1 << 21))?.contains("1 MiB") == true)
        let sections = String(repeating: "m=audio 9 RTP/AVP 0\r\n", count: 400)
        #expect(Self.problem("v=0\r\n" + sections) == "line 258: more than 256 m= sections are not read")
    }

    @Test(
        "a line that is not understood is left out, told with its number, and nothing else suffers",
        arguments: [
            (
                "a=candidate:842163049", "a=candidate:842163049 1 udp 16777 203.0.113.7 512345 typ srflx",
                "line 11: this candidate is left out: 'candidate:842163049 1 udp 16777 203.0.113.7 512345 typ srflx' at"
            ),
            (
                "a=candidate:842163049", "a=candidate:\u{1B}[31m",
                #"line 11: this candidate is left out: 'candidate:\u{1b}"#
            ),
            (
                "a=candidate:842163049", "a=candidate:1 1 dccp 5 192.0.2.1 7 typ host",
                "line 11: this candidate is left out"
            ),
            ("a=mid", "a=mid:a b", "line 18: a mid is 1 to 64 visible characters"),
            ("a=sctp-port", "nonsense", "line 19: 'nonsense' is no line of SDP"),
            ("a=sctp-port", "a=ice-mismatch", "line 19: the other side says a=ice-mismatch"),
            ("a=sctp-port", "a=ice-pacing:fast", "line 19: an ice-pacing is a number of milliseconds"),
            ("a=sctp-port", "a=ice-ufrag:other", "line 19: a second a=ice-ufrag in one section; the first counts"),
            (
                "a=extmap", "a=candidate:1 1 udp 1 192.0.2.1 5 typ host",
                "line 6: a candidate stands before the first m-line"
            ),
        ])
    func leftOut(_ start: String, _ replacement: String, _ message: String) throws {
        let description = try SessionDescription(parsing: Self.chromium(start, replacement))
        #expect(description.skipped.count == 1)
        let told = try #require(description.skipped.first).description
        #expect(told.hasPrefix(message), "\(told)")
        #expect(told.unicodeScalars.allSatisfy { $0.isShowable })
        #expect(description.ice.candidates.count == (start.hasPrefix("a=candidate") ? 2 : 3))
        #expect(description.ice.credentials.usernameFragment == "EsAw")
    }

    @Test("a fingerprint that is not known does no harm beside one that is")
    func severalFingerprints() throws {
        let lines = "a=fingerprint:sha3-256 AB:CD\r\na=fingerprint:sha-256 \(SDPFixtures.fingerprint)"
        let description = try SessionDescription(parsing: Self.chromium("a=fingerprint", lines))
        #expect(description.ice.fingerprints.count == 1)
        #expect(description.skipped.count == 1)
    }

    @Test("a broken fingerprint is an error, also beside a good one: it may be the one that counts")
    func brokenFingerprint() {
        let lines = "a=fingerprint:sha-256 \(SDPFixtures.fingerprint)\r\na=fingerprint:sha-512 AB:CD"
        let problem = Self.problem(Self.chromium("a=fingerprint", lines))
        #expect(problem?.hasPrefix("line 17: a sha-512 fingerprint is 64 bytes") == true)
    }

    @Test("of 1,000 candidates 256 are kept, and of 10,000, and it is told")
    func manyCandidates() throws {
        for count in [1000, 10000] {
            let line = "a=candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host"
            let text = SDPFixtures.chromium + String(repeating: line + "\r\n", count: count)
            let description = try SessionDescription(parsing: text)
            #expect(description.ice.candidates.count == 256)
            let told = "the section has \(count + 3) candidates, and the first 256 are kept"
            #expect(description.skipped.map(\.message) == [told])
        }
    }

    @Test("a flood of bad lines is told by its first ones")
    func manyProblems() throws {
        let text = SDPFixtures.chromium + String(repeating: "nonsense\r\n", count: 5000)
        let skipped = try SessionDescription(parsing: text).skipped
        #expect(skipped.count == SessionDescription.mostSkipped)
        #expect(skipped.last?.description == "and \(5000 - SessionDescription.mostSkipped + 1) more like these")
    }

    @Test("a line too long to be read is left out")
    func longLine() throws {
        let text = SDPFixtures.chromium + "a=fmtp:1 " + String(repeating: "x", count: 20_000)
        #expect(try SessionDescription(parsing: text).skipped.map(\.line) == [21])
    }

    @Test("SDP that ends anywhere is an error or a description, and one without its password is an error")
    func truncations() {
        for text in SDPFixtures.all {
            let bytes = Array(text.utf8)
            let password =
                bytes.count
                - (text.range(of: "a=ice-pwd:").map { text.utf8.distance(from: $0, to: text.utf8.endIndex) } ?? 0)
            for count in 0..<bytes.count {
                let problem = Self.problem(String(decoding: bytes[..<count], as: UTF8.self))
                if count < password { #expect(problem != nil, "\(count)") }
            }
        }
    }

    @Test("SDP with any bytes changed is an error or a description", arguments: 0..<200)
    func hostile(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        for text in SDPFixtures.all {
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let description = try? SessionDescription(parsing: String(decoding: bytes, as: UTF8.self)) else {
                continue
            }
            let answer = description.answer(.random(seed: UInt64(seed), sdp: true), sessionID: 1)
            #expect((try? SessionDescription(parsing: answer.sdp)) != nil, "seed \(seed)")
        }
    }
}

extension String {
    /// Where `text` begins.
    fileprivate func range(of text: String) -> String.Index? {
        indices.first { self[$0...].hasPrefix(text) }
    }
}
