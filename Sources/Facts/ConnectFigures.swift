package import NetTypes

/// What went over the selected pair, and what came back.
package struct ConnectData: Hashable, Sendable, Codable {
    package enum Method: String, Hashable, Sendable, Codable {
        /// Datagrams that the other icecheck sent back.
        case echo
        /// STUN Binding requests, which every ICE peer answers.
        case binding
    }

    package var method: Method
    package var sent = 0
    /// Those that came back.
    package var returned = 0
    /// Of those sent, how many the peer says it got; nil where it does not say.
    package var arrivedThere: Int?
    /// Datagrams of the peer's own that came in.
    package var received = 0
    /// RFC 3550 s6.4.1, of the peer's datagrams here; nil below two.
    package var jitter: Duration?
    /// In the order of sending.
    package var roundTrips: [Duration] = []
    /// From the first to the last datagram sent.
    package var span: Duration = .zero

    package init(_ method: Method) { self.method = method }

    package var lost: Int { max(0, sent - returned) }
    /// Lost on the way to the peer, and on the way back.
    package var lostThere: Int? { arrivedThere.map { max(0, sent - $0) } }
    package var lostBack: Int? { arrivedThere.map { max(0, $0 - returned) } }

    /// The least, the middle and the most.
    package var summary: (minimum: Duration, median: Duration, maximum: Duration)? {
        let sorted = roundTrips.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        return (first, sorted[(sorted.count - 1) / 2], last)
    }
}

/// A short bulk transfer over the selected pair, both ways at once.
package struct ConnectThroughput: Hashable, Sendable, Codable {
    /// Bytes that the peer confirmed, and how long that took.
    package var sentBytes = 0
    package var sentOver: Duration = .zero
    package var receivedBytes = 0
    package var receivedOver: Duration = .zero
    /// Datagrams of this side that were lost, of all that were sent.
    package var sent = 0
    package var lost = 0

    package init() {}

    /// Bits per second; nil where nothing was confirmed.
    package var sendingRate: Double? { Self.rate(sentBytes, sentOver) }
    package var receivingRate: Double? { Self.rate(receivedBytes, receivedOver) }

    private static func rate(_ bytes: Int, _ time: Duration) -> Double? {
        bytes > 0 && time > .zero ? Double(bytes) * 8 / time.inSeconds : nil
    }
}

/// DTLS over the selected pair.
package struct ConnectDTLS: Hashable, Sendable, Codable {
    /// Whether this side began (`a=setup:active`).
    package var isClient: Bool
    package var isSecured = false
    package var handshake: Duration?
    package var facts: SecureFacts?
    /// `a=fingerprint` of the peer, as signaling told it.
    package var signaledFingerprint: String
    /// Of the certificate that the peer showed; nil where it showed none.
    package var shownFingerprint: String?

    package init(isClient: Bool, signaledFingerprint: String) {
        self.isClient = isClient
        self.signaledFingerprint = signaledFingerprint
    }
}
