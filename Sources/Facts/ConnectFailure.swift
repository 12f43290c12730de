package import NetTypes

/// Why two sides are not connected.
package enum ConnectFailure: Error, Hashable, Sendable, Codable {
    /// Time was over in this phase.
    case deadline(ConnectPhase)
    case interrupted
    /// The channel ended before the peer's description came.
    case signalingEnded
    /// The channel cannot be read or written, with the system's errno.
    case signalingFailed(errno: Int32)
    /// This side has no candidate of the kinds that may take part.
    case noCandidates
    /// Every pair has failed.
    case noPath
    /// The peer left before there was a connection.
    case peerLeft
    case consentLost
    /// DTLS.
    case notSecured(SecureRefusal)
    /// The certificate is not the one that signaling told of.
    case otherCertificate
    /// Neither side's certificate can be compared: the peer told of no SHA-256 fingerprint.
    case noComparableFingerprint
}
