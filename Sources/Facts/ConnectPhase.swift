/// How far a connection has come.
package enum ConnectPhase: String, Hashable, Sendable, Codable {
    /// The servers' names are looked up.
    case resolving
    /// Until both descriptions are exchanged.
    case signaling
    /// Pairs are checked.
    case checking
    /// DTLS over the pair.
    case securing
    /// Data goes over the pair.
    case measuring
    /// Both sides say goodbye, and allocations are deleted.
    case leaving
    case closed
}
