import Engines
import NetTypes

extension SessionDescription: CustomStringConvertible {
    /// The text, with CRLF after each line. It holds the ICE password.
    package var sdp: String {
        var lines = [
            "v=0", "o=- \(sessionID) 1 IN IP4 127.0.0.1", "s=-", "t=0 0",
        ]
        if !bundle.isEmpty { lines.append("a=group:BUNDLE " + bundle.joined(separator: " ")) }
        if ice.trickles { lines.append("a=ice-options:trickle") }
        if ice.isLite { lines.append("a=ice-lite") }
        if let pacing = ice.pacing { lines.append("a=ice-pacing:\(pacing.wholeMilliseconds)") }
        for (index, media) in media.enumerated() {
            lines.append(
                "m=\(media.type) \(media.port) \(media.transportProtocol) " + media.formats.joined(separator: " "))
            // No default candidate: the candidates say where (RFC 8839 s4.2.1).
            lines.append("c=IN IP4 0.0.0.0")
            if let mid = media.mid { lines.append("a=mid:\(mid)") }
            if media.isBundleOnly { lines.append("a=bundle-only") }
            if index == section { lines += transport(of: media) }
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    private func transport(of media: Media) -> [String] {
        var lines = [
            "a=ice-ufrag:\(ice.credentials.usernameFragment)", "a=ice-pwd:\(ice.credentials.password)",
        ]
        lines += ice.fingerprints.map { "a=fingerprint:\($0)" }
        if let setup = ice.setup { lines.append("a=setup:\(setup.rawValue)") }
        if media.isDataChannel {
            // RFC 8841 s5 and s6: the port of SCTP inside DTLS, and the longest message that is taken.
            lines += ["a=sctp-port:5000", "a=max-message-size:262144"]
        } else {
            // Nothing is sent in it; that both of RTP's flows share one port is what browsers insist on.
            lines += ["a=inactive", "a=rtcp-mux"] + media.formatAttributes.map { "a=\($0)" }
        }
        lines += ice.candidates.map(\.sdp)
        if ice.isComplete { lines.append("a=end-of-candidates") }
        return lines
    }

    /// Says of which session it is, without its password.
    package var description: String { "SDP of \(ice.credentials.usernameFragment), \(ice.candidates.count) candidates" }
}

extension Duration {
    /// Rounded up; no less than 0.
    var wholeMilliseconds: Int64 { max(0, nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0)) }
}
