package import NetTypes

/// What TLS or DTLS showed on a path.
package struct TLSEvidence: Hashable, Sendable, Codable {
    /// As far as the handshake got.
    package var facts: SecureFacts
    /// Why it was not completed, the most specific first; empty where it was.
    package var failures: [SecureFailure]
    /// The peer's first bytes where they are no TLS.
    package var firstBytes: [UInt8]
    /// How long it took, beyond the connection.
    package var handshake: Duration
    /// What a handshake without SNI failed of, empty where it was fine; nil where none was made to compare.
    package var failuresWithoutServerName: [SecureFailure]?
    /// DTLS: how many were begun until then, each from a port of its own; the first that was complete is this one.
    package var handshakesBegun: Int

    package init(
        facts: SecureFacts, failures: [SecureFailure] = [], firstBytes: [UInt8] = [], handshake: Duration,
        handshakesBegun: Int = 1
    ) {
        self.facts = facts
        self.failures = failures
        self.firstBytes = firstBytes
        self.handshake = handshake
        self.handshakesBegun = handshakesBegun
    }
}
