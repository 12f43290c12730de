import Engines
import Signaling

/// One `a=` line that is not a candidate.
enum SDPAttribute {
    static func node(_ name: String, _ value: String, offset: Int, length: Int) -> Node {
        var node = Node(name, value, offset: offset, length: length, note: meanings[name])
        func refuse(_ rule: String) { node.refuse(rule, at: offset) }
        switch name {
        case "ice-ufrag":
            if !isICEText(value, 4...256) {
                refuse("an ice-ufrag is 4 to 256 letters, digits, '+' and '/' (RFC 8839 s5.4)")
            }
        case "ice-pwd":
            node.value = hidden(value)
            if !isICEText(value, 22...256) {
                refuse("an ice-pwd is 22 to 256 letters, digits, '+' and '/' (RFC 8839 s5.4)")
            }
        case "crypto", "key-mgmt":
            node.value = hidden(value)
        case "fingerprint":
            if let rule = fingerprintProblem(value) { refuse(rule) }
        case "setup":
            if !["active", "passive", "actpass", "holdconn"].contains(value) {
                refuse("setup is active, passive, actpass or holdconn (RFC 4145 s4)")
            }
        default: break
        }
        return node
    }

    /// What stands for a secret.
    static func hidden(_ value: String) -> String { hidden(value.utf8.count) }
    static func hidden(_ byteCount: Int) -> String { "[secret, \(byteCount) bytes]" }

    private static func isICEText(_ text: String, _ lengths: ClosedRange<Int>) -> Bool {
        lengths.contains(text.utf8.count) && text.utf8.allSatisfy(ICECredentials.isICECharacter)
    }

    private static func fingerprintProblem(_ value: String) -> String? {
        do throws(CertificateFingerprint.Problem) {
            _ = try CertificateFingerprint(parsing: value)
            return nil
        } catch {
            return error.message
        }
    }

    private static let meanings = [
        "ice-ufrag": "the user fragment of connectivity checks",
        "ice-pwd": "the key of connectivity checks; it is not shown",
        "ice-lite": "this agent only answers checks (RFC 8445 s2.5)",
        "ice-options": "the ICE extensions that the agent has",
        "ice-mismatch": "the default address was no candidate: ICE is off (RFC 8839 s5.3)",
        "remote-candidates": "the peer's candidates that were chosen",
        "end-of-candidates": "no more candidates come (RFC 8838 s8.2)",
        "fingerprint": "the hash of the certificate that DTLS must show",
        "setup": "who begins DTLS",
        "mid": "the name of this media part",
        "group": "media parts that belong together; BUNDLE shares one transport",
        "rtcp-mux": "RTCP shares RTP's port: component 1 only",
        "rtcp": "where RTCP goes without rtcp-mux",
        "crypto": "an SDES key; it is not shown",
        "key-mgmt": "a key; it is not shown",
        "sendrecv": "media goes both ways", "sendonly": "media goes out only", "recvonly": "media comes in only",
        "inactive": "no media goes",
        "rtpmap": "a format's codec", "fmtp": "a format's parameters", "rtcp-fb": "feedback that a format takes",
        "ssrc": "an RTP source", "msid": "the track that it belongs to",
        "sctp-port": "the port inside the data channel",
        "max-message-size": "bytes, of a data channel's message", "extmap": "an RTP header extension",
    ]
}
