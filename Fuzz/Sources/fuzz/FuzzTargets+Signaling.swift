import Engines
import NetTypes
import STUN
import Signaling

extension FuzzTargets {
    /// What is read of a channel of SDP is within its limits, is written as what reads as itself, and can be answered.
    static func sdp(_ bytes: [UInt8]) {
        checkReader(bytes, .sdp)
        let text = String(decoding: bytes, as: UTF8.self)
        do throws(SignalingError) {
            switch try SDPMessage(parsing: text) {
            case .candidate(let trickled):
                guard case .candidate(let again)? = try? SDPMessage(parsing: trickled.json), again == trickled else {
                    preconditionFailure("a candidate reads as another: \(trickled.json)")
                }
            case .description(let description, let kind):
                check(description)
                let json = description.json(kind ?? .offer)
                guard case .description(let again, _)? = try? SDPMessage(parsing: json), again.ice == description.ice
                else { preconditionFailure("a description reads as another: \(json)") }
            }
        } catch {
            precondition(error.description.unicodeScalars.allSatisfy { $0.isShowable }, "an error is fit to be shown")
        }
    }

    private static func check(_ description: SessionDescription) {
        precondition(description.ice.candidates.count <= ICEConfiguration.mostRemoteCandidates)
        precondition(description.skipped.count <= SessionDescription.mostSkipped)
        precondition(
            description.skipped.allSatisfy { $0.description.unicodeScalars.allSatisfy { $0.isShowable } },
            "what is left out is fit to be shown")
        let answer = description.answer(description.ice, sessionID: 1)
        guard let again = try? SessionDescription(parsing: answer.sdp), again.section == description.section,
            again.media.count == description.media.count
        else { preconditionFailure("an answer is no SDP: \(answer.sdp)") }
    }

    /// Cut anywhere, a channel says the same. The first byte says where to cut.
    private static func checkReader(_ bytes: [UInt8], _ form: SignalingReader.Form) {
        func messages(_ count: Int) -> [SignalingReader.Message] {
            var reader = SignalingReader(form)
            var messages: [SignalingReader.Message] = []
            for start in stride(from: 0, to: bytes.count, by: count) {
                reader.append(bytes[start..<min(start + count, bytes.count)])
                while let message = reader.next() { messages.append(message) }
            }
            reader.finish()
            while let message = reader.next() { messages.append(message) }
            return messages
        }
        guard let first = bytes.first else { return }
        let whole = messages(bytes.count)
        precondition(messages(Int(first % 16) + 1) == whole, "what a channel says depends on where it is cut")
        for case .refused(let text) in whole {
            precondition(text.unicodeScalars.allSatisfy { $0.isShowable }, "a refusal is fit to be shown")
        }
    }

    /// A line as it is; and what stands behind right checksums, so that more than the checksums is tried.
    static func line(_ bytes: [UInt8]) {
        checkReader(bytes, .line(own: nil))
        check(String(decoding: bytes, as: UTF8.self))
        let body = bytes.prefix(60_000)
        var line = [UInt8((body.count + 7) >> 8), UInt8(truncatingIfNeeded: body.count + 7)]
        line.append(UInt8(truncatingIfNeeded: Fingerprint.crc32(line[...])))
        line += body
        let checksum = Fingerprint.crc32(line[...])
        for shift in [24, 16, 8, 0] as [UInt32] { line.append(UInt8(truncatingIfNeeded: checksum >> shift)) }
        check("icecheck1:" + Base64.encodeForURL(line))
    }

    private static func check(_ text: String) {
        do throws(SignalingLine.Problem) {
            let description = try SignalingLine.read(text)
            var kept = description
            // A line is written with fewer candidates than a reader takes.
            kept.candidates = []
            guard let again = try? SignalingLine.read(SignalingLine.text(kept)), again == kept else {
                preconditionFailure("a line reads as another: \(text)")
            }
            guard let few = try? SignalingLine.read(SignalingLine.text(description)),
                description.candidates.count > SignalingLine.mostCandidates || few == description
            else { preconditionFailure("a line reads as another: \(text)") }
        } catch {
            precondition(error.description.unicodeScalars.allSatisfy { $0.isShowable }, "an error is fit to be shown")
        }
    }
}
