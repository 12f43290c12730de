package import Engines
import JSON

/// A candidate that follows a description, or the word that no more follow (RFC 8840, `RTCIceCandidateInit` of W3C
/// WebRTC s4.8.1).
package struct TrickledCandidate: Hashable, Sendable {
    /// Nil ends the candidates.
    package var candidate: Candidate?
    /// The section that it is for: by its mid, or by its place from 0.
    package var mid: String?
    package var section: Int?
    /// The `a=ice-ufrag` of the description that it belongs to.
    package var usernameFragment: String?

    package init(
        _ candidate: Candidate?, mid: String? = nil, section: Int? = nil, usernameFragment: String? = nil
    ) {
        self.candidate = candidate
        self.mid = mid
        self.section = section
        self.usernameFragment = usernameFragment
    }

    /// Whether it is for the section that ICE runs for in `description`, or for one that shares its transport, and of
    /// the same session.
    package func concerns(_ description: SessionDescription) -> Bool {
        if let usernameFragment, usernameFragment != description.ice.credentials.usernameFragment { return false }
        if let mid, let own = description.mid { return mid == own || description.bundle.contains(mid) }
        guard let section, section != description.section else { return true }
        guard description.media.indices.contains(section), let mid = description.media[section].mid else {
            return false
        }
        return description.bundle.contains(mid)
    }

    /// As one JSON object.
    package var json: String {
        let value: JSONValue = [
            "candidate": .string(candidate?.description ?? ""), "sdpMid": mid.map(JSONValue.string),
            "sdpMLineIndex": section.map(JSONValue.integer),
            "usernameFragment": usernameFragment.map(JSONValue.string),
        ]
        return value.text(pretty: false)
    }
}
