import Engines
import Signaling
import Testing

struct SDPMessageTests {
    private static func problem(_ text: String) -> String? {
        do throws(SignalingError) {
            _ = try SDPMessage(parsing: text)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("a description comes back from its JSON, with its kind", arguments: SessionDescription.Kind.allCases)
    func descriptions(_ kind: SessionDescription.Kind) throws {
        let offer = SessionDescription(offering: .random(seed: 2, sdp: true), sessionID: 3)
        let line = offer.json(kind)
        #expect(!line.utf8.contains(UInt8(ascii: "\n")))
        #expect(try SDPMessage(parsing: line + "\r\n") == .description(offer, kind))
        #expect(try SDPMessage(parsing: offer.sdp) == .description(offer, nil))
        #expect(line.hasPrefix(#"{"type":"\#(kind.rawValue)","sdp":"v=0\r\no=- 3 1 IN IP4 127.0.0.1\r\n"#))
    }

    @Test("a trickled candidate comes back from its JSON")
    func candidates() throws {
        let candidate = try Candidate(parsingAttribute: "candidate:1 1 udp 1 192.0.2.1 5 typ host generation 0")
        for trickled in [
            TrickledCandidate(candidate, mid: "0", section: 0, usernameFragment: "abcd"),
            TrickledCandidate(candidate, mid: "a\"\\\u{7}ü"), TrickledCandidate(candidate, section: 3),
            TrickledCandidate(nil, mid: "0", section: 0),
        ] {
            #expect(try SDPMessage(parsing: trickled.json) == .candidate(trickled))
        }
        #expect(
            TrickledCandidate(nil, mid: "0", section: 0).json == #"{"candidate":"","sdpMid":"0","sdpMLineIndex":0}"#)
    }

    @Test("other forms that are seen are taken")
    func otherForms() throws {
        let line = "candidate:1 1 udp 1 192.0.2.1 5 typ host"
        let candidate = try Candidate(parsingAttribute: line)
        for text in [
            "a=\(line)\r\n", "  \(line)  ", #"{"candidate":"\#(line)"}"#, #"{"candidate":"a=\#(line)","sdpMid":null}"#,
            #"{"type":"candidate","candidate":{"candidate":"\#(line)"}}"#,
        ] {
            #expect(try SDPMessage(parsing: text) == .candidate(TrickledCandidate(candidate)), "\(text)")
        }
        for text in ["a=end-of-candidates", #"{"candidate":""}"#, #"{"candidate":null,"sdpMid":null}"#] {
            #expect(try SDPMessage(parsing: text) == .candidate(TrickledCandidate(nil)), "\(text)")
        }
        let offer = SessionDescription(offering: .random(seed: 2, sdp: true), sessionID: 3)
        #expect(try SDPMessage(parsing: #"{"sdp":\#(offer.json(.offer))}"#) == .description(offer, .offer))
    }

    @Test(
        "what is wrong is said",
        arguments: [
            ("", "there is nothing to read"),
            ("{", "this is no JSON: at byte 2, a key in double quotes is due: it may be cut off"),
            ("{}", #"this object has neither "sdp" nor "candidate""#),
            (
                #"{"type":"rollback","sdp":"v=0"}"#,
                #""type" is "rollback", and here it is "offer", "answer" or "pranswer""#
            ),
            (#"{"type":7,"sdp":"v=0"}"#, #""type" is a number"#),
            (#"{"type":"offer","sdp":7}"#, #""sdp" is a number, and it is a string"#),
            (#"{"type":"offer","sdp":"v=0\r\nm=x"}"#, "line 2 of the SDP: 'm=x' is no m-line"),
            (#"{"candidate":7}"#, #""candidate" is a number"#),
            (#"{"candidate":"x"}"#, "this candidate is left out: 'x' at byte 0"),
            (#"{"candidate":"","sdpMid":0}"#, #""sdpMid" is a number, and it is a string"#),
            (
                #"{"candidate":"","sdpMLineIndex":1e308}"#,
                #""sdpMLineIndex" is 1e308, and it is a number from 0 to 65535"#
            ),
            (#"{"candidate":"","sdpMLineIndex":"0"}"#, #""sdpMLineIndex" is a string"#),
            ("icecheck1:AAAA", "line 1: this is icecheck's own line, not SDP"),
            ("a=candidate:", "this candidate is left out: 'a=candidate:' at byte 12"),
            (String(repeating: "[", count: 100), "line 1: '[[["),
            (#"{"sdp":"# + String(repeating: "[", count: 100_000), "this is no JSON"),
        ])
    func wrong(_ text: String, _ message: String) {
        let problem = Self.problem(text)
        #expect(problem?.hasPrefix(message) == true, "\(problem ?? "no problem")")
    }

    @Test("a line that ends anywhere is an error, never a trap")
    func truncations() {
        let line = SessionDescription(offering: .random(seed: 2, sdp: true), sessionID: 3).json(.offer)
        for count in 0..<line.utf8.count {
            #expect(Self.problem(String(decoding: line.utf8.prefix(count), as: UTF8.self)) != nil)
        }
    }

    @Test("a candidate is for the section of ICE, for those that share its transport, and for its session only")
    func concerns() throws {
        let call = try SessionDescription(parsing: SDPFixtures.pionCall)
        #expect(TrickledCandidate(nil).concerns(call))
        #expect(TrickledCandidate(nil, mid: "audio", section: 0).concerns(call))
        #expect(TrickledCandidate(nil, mid: "2").concerns(call))
        #expect(TrickledCandidate(nil, section: 2).concerns(call))
        #expect(!TrickledCandidate(nil, mid: "3").concerns(call))
        #expect(!TrickledCandidate(nil, section: 3).concerns(call))
        #expect(!TrickledCandidate(nil, mid: "audio", usernameFragment: "other").concerns(call))
    }
}
