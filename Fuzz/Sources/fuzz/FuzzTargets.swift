import Dissection
import Engines
import Planning
import STUN

/// The properties that hold for any bytes.
enum FuzzTargets {
    /// What is read has a canonical form that reads as itself; what is refused has a place inside the text.
    static func uri(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        do {
            let uri = try ServerURI(parsing: text)
            guard let again = try? ServerURI(parsing: uri.text), again == uri, again.text == uri.text else {
                preconditionFailure("the canonical form reads as another: \(uri.text)")
            }
        } catch {
            precondition((0...text.utf8.count).contains(error.offset), "the place is outside of the text: \(error)")
        }
    }

    /// What is read is written as a line that reads as itself; what is refused has a place inside the line.
    static func candidate(_ bytes: [UInt8]) {
        let line = String(decoding: bytes, as: UTF8.self)
        do {
            let candidate = try Candidate(parsingAttribute: line)
            guard let again = try? Candidate(parsingAttribute: candidate.sdp), again == candidate else {
                preconditionFailure("the line reads as another: \(candidate.sdp)")
            }
        } catch {
            precondition((0...line.utf8.count).contains(error.offset), "the place is outside of the line: \(error)")
        }
    }

    static func servers(_ bytes: [UInt8]) {
        _ = try? ICEServers(parsing: bytes)
    }

    static func dissection(_ bytes: [UInt8]) {
        _ = Dissection(of: bytes, credentials: .init(password: "password"))
    }
}
