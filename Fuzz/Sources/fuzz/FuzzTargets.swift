import Dissection
import Engines
import STUN
import Session

/// The properties that hold for any bytes.
enum FuzzTargets {
    /// Decoding never traps, nor does any value; a verification has an answer.
    static func message(_ bytes: [UInt8]) {
        guard let message = try? Message(decoding: bytes) else { return }
        precondition(message.attributes.allSatisfy { $0.range.upperBound <= bytes.count }, "a value is in its message")
        _ = message.verifyFingerprint()
        _ = message.verifyIntegrity(key: [1, 2, 3])
        _ = message.verifyIntegritySHA256(key: [1, 2, 3])
        _ = message.unknownComprehensionRequired
        _ = Dissection(of: bytes, credentials: .init(password: "password", user: "user", realm: "realm"))
    }

    /// A stream gives the same frames however it is cut into reads.
    static func stream(_ bytes: [UInt8]) {
        precondition(
            frames(of: bytes, readSize: bytes.count) == frames(of: bytes, readSize: 1), "frames depend on reads")
    }

    private static func frames(of bytes: [UInt8], readSize: Int) -> [StreamFramer.Frame] {
        var framer = StreamFramer()
        var frames: [StreamFramer.Frame] = []
        for start in stride(from: 0, to: bytes.count, by: max(1, readSize)) {
            framer.append(bytes[start..<min(start + max(1, readSize), bytes.count)])
            do { while let frame = try framer.next() { frames.append(frame) } } catch { return frames }
        }
        return frames
    }

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
