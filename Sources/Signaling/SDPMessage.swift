import Engines
import JSON
import STUN

/// What comes over a channel of SDP: one line of JSON, one line of a candidate, or a whole SDP.
package enum SDPMessage: Hashable, Sendable {
    /// The kind is nil where SDP came without JSON around it, which does not say.
    case description(SessionDescription, SessionDescription.Kind?)
    case candidate(TrickledCandidate)

    /// Reads `{"type":"offer","sdp":"v=0..."}`, `{"candidate":"candidate:...","sdpMid":"0","sdpMLineIndex":0}`,
    /// `a=candidate:...`, `candidate:...`, `a=end-of-candidates` or SDP.
    package init(parsing text: String) throws(SignalingError) {
        guard text.utf8.count <= SDPParser.byteLimit else {
            throw SignalingError("this is \(text.utf8.count) bytes long, and more than 1 MiB is not read")
        }
        var body = text[...]
        if body.unicodeScalars.first == "\u{FEFF}" { body.unicodeScalars.removeFirst() }
        while body.unicodeScalars.first.map({ " \t\r\n".unicodeScalars.contains($0) }) == true {
            body.unicodeScalars.removeFirst()
        }
        while body.unicodeScalars.last.map({ " \t\r\n".unicodeScalars.contains($0) }) == true {
            body.unicodeScalars.removeLast()
        }
        if body.utf8.first == UInt8(ascii: "{") {
            self = try Self.read(json: Array(body.utf8))
        } else if body.hasPrefix("a=candidate:") || body.hasPrefix("candidate:") {
            self = .candidate(TrickledCandidate(try Self.candidate(String(body))))
        } else if body == "a=end-of-candidates" {
            self = .candidate(TrickledCandidate(nil))
        } else {
            self = .description(try SessionDescription(parsing: text), nil)
        }
    }

    private static func candidate(_ line: String) throws(SignalingError) -> Candidate {
        do throws(CandidateError) {
            return try Candidate(parsingAttribute: line)
        } catch {
            throw SignalingError("this candidate is left out: \(error)")
        }
    }

    // MARK: JSON

    private static func read(json bytes: [UInt8]) throws(SignalingError) -> SDPMessage {
        let json: PlacedJSON
        do throws(JSONSyntaxError) {
            json = try PlacedJSON(parsing: bytes)
        } catch {
            let cut = error.offset >= bytes.count ? ": it may be cut off" : ""
            throw SignalingError("this is no JSON: at byte \(error.offset + 1), \(error.message)\(cut) (RFC 8259)")
        }
        if let sdp = json["sdp"] { return try description(json, sdp) }
        if let candidate = json["candidate"] {
            // Some signaling wraps the object once more.
            if case .object = candidate.value, let inner = candidate["candidate"] {
                return try self.candidate(candidate, inner)
            }
            return try self.candidate(json, candidate)
        }
        throw SignalingError(
            #"this object has neither "sdp" nor "candidate": write {"type":"offer","sdp":"v=0\r\n..."}"#)
    }

    private static func description(_ object: PlacedJSON, _ sdp: PlacedJSON) throws(SignalingError) -> SDPMessage {
        // `{"sdp": {"type": ..., "sdp": ...}}` is another wrapping that is seen.
        if case .object = sdp.value, let inner = sdp["sdp"], case .string = inner.value {
            return try description(sdp, inner)
        }
        guard case .string(let text) = sdp.value else {
            throw SignalingError(#""sdp" is \#(sdp.value.name), and it is a string in double quotes"#)
        }
        var kind: SessionDescription.Kind?
        switch object["type"]?.value {
        case nil, .null: break
        case .string(let name)?:
            kind = SessionDescription.Kind(rawValue: name)
            if kind == nil {
                throw SignalingError(
                    #""type" is "\#(QuotedInput(name))", and here it is "offer", "answer" or "pranswer""#)
            }
        case let other?:
            throw SignalingError(#""type" is \#(other.name), and it is "offer" or "answer""#)
        }
        do throws(SignalingError) {
            return .description(try SessionDescription(parsing: text), kind)
        } catch {
            guard let line = error.line else { throw error }
            throw SignalingError("line \(line) of the SDP: \(error.message)")
        }
    }

    private static func candidate(_ object: PlacedJSON, _ line: PlacedJSON) throws(SignalingError) -> SDPMessage {
        var trickled = TrickledCandidate(nil)
        switch line.value {
        case .null: break
        case .string(let text):
            if !text.isEmpty { trickled.candidate = try candidate(text) }
        default:
            throw SignalingError(#""candidate" is \#(line.value.name), and it is a string in double quotes"#)
        }
        trickled.mid = try text(object, "sdpMid")
        trickled.usernameFragment = try text(object, "usernameFragment")
        switch object["sdpMLineIndex"]?.value {
        case nil, .null: break
        case .number(let digits)?:
            guard let index = UInt16(digits) else {
                throw SignalingError(#""sdpMLineIndex" is \#(QuotedInput(digits)), and it is a number from 0 to 65535"#)
            }
            trickled.section = Int(index)
        case let other?:
            throw SignalingError(#""sdpMLineIndex" is \#(other.name), and it is a number from 0 to 65535"#)
        }
        return .candidate(trickled)
    }

    /// A member that is a string, absent or null.
    private static func text(_ object: PlacedJSON, _ key: String) throws(SignalingError) -> String? {
        switch object[key]?.value {
        case nil, .null: return nil
        case .string(let text)?: return text
        case let other?: throw SignalingError(#""\#(key)" is \#(other.name), and it is a string in double quotes"#)
        }
    }
}

extension SessionDescription {
    /// As `RTCSessionDescriptionInit`: one line.
    package func json(_ kind: Kind) -> String {
        let value: JSONValue = ["type": .string(kind.rawValue), "sdp": .string(sdp)]
        return value.text(pretty: false)
    }
}
