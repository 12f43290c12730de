/// What carries STUN between a client and a server (RFC 8489 s6.2, RFC 7350).
package enum Transport: String, Hashable, Sendable, Codable, CaseIterable {
    case udp
    case tcp
    case tls
    case dtls

    /// Whether it is a byte stream, so that messages need framing and are not retransmitted.
    package var isStream: Bool { self == .tcp || self == .tls }
}
