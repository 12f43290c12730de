import Engines
import NetTypes
import STUN
import Signaling

extension FuzzTargets {
    /// What is read of SDP is within its limits, is written as what reads as itself, and can be answered.
    static func sdp(_ bytes: [UInt8]) {
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

    /// A line as it is; and what stands behind right checksums, so that more than the checksums is tried.
    static func line(_ bytes: [UInt8]) {
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
