package import NetTypes

/// What the owner of a ``RelayClient`` is to know.
package enum RelayClientEvent: Sendable {
    /// It starts again. What was told of the attempt before belongs to that one.
    case began(at: Endpoint, isRedirected: Bool)
    /// The path is there, before any handshake on it; a stream with the time that its connection took.
    case connected(local: Endpoint, after: Duration?)
    /// A handshake is over. Of several, each that failed is told, and the first that was complete is the last.
    case handshake(RelayHandshake)
    /// What a handshake without SNI failed of: empty where it was fine, nil where it did not come to an end.
    case namelessHandshake([SecureFailure]?)
    /// What the server made of the options of the request. Refused ones are told of the attempt before the next one.
    case optionsAnswered([AllocationOptionAnswer])
    /// Anything that the allocation tells, except its failures.
    case turn(TURNEvent)
    case failed(RelayFailure)
}

/// A TLS or DTLS handshake with a TURN server.
package struct RelayHandshake: Hashable, Sendable {
    /// As far as it got.
    package var facts: SecureFacts
    /// Why it was not complete, the most specific first; empty where it was.
    package var failures: [SecureFailure] = []
    /// The server's first bytes where they are not TLS.
    package var firstBytes: [UInt8] = []
    /// Beyond the connection.
    package var duration: Duration
    /// DTLS: how many handshakes were begun by then.
    package var begun: Int
}

/// How far a client has come with a relay.
package enum RelayStage: String, Hashable, Sendable, Codable, CaseIterable {
    /// The server's name is looked up.
    case resolve
    case connect
    case tls
    case allocate
    case permission
    case channel
    case relay
}

/// What went wrong, or what was waited for in vain.
package struct RelayFailure: Hashable, Sendable {
    package enum Cause: Hashable, Sendable {
        case request(TURNStage, TURNFailure)
        case redirectRefused(TURNRedirect, RedirectPolicy.Refusal)
        case path(PathError)
        /// The server ended the connection.
        case closed
        /// ``RelayClientEvent/handshake(_:)`` has said why.
        case notSecured
        /// A stream that does not carry TURN; the protocol where its first bytes tell.
        case foreignProtocol(name: String?)
        /// The allocation's lifetime ran out.
        case expired
        /// Nothing came until the time was over; the requests that were sent, where any could be.
        case noAnswer(transmissions: Int?)
        /// Successes came until the time was over, none of them signed.
        case notAuthenticated
        /// Answers came to what was never asked.
        case foreignAnswer
        /// A stream stopped within a message.
        case truncated(have: Int, need: Int?)
        case malformed
    }

    package var stage: RelayStage
    package var cause: Cause
}
