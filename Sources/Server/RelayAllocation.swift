import NetTypes
import STUN

/// Whom an allocation is for: RFC 8656's five-tuple without the server's side, which the path stands for.
struct TURNClient: Hashable, Sendable {
    let path: PathID
    let remote: Endpoint
    let isStream: Bool
}

/// One allocation of a TURN server: its relay socket, whom that may hear from, and until when.
struct RelayAllocation: Sendable {
    struct Channel: Sendable {
        let peer: Endpoint
        var expiresAt: Instant
    }

    let client: TURNClient
    let identity: TURNServerAuthenticator.Identity
    /// The request that made it: sent again it gets the same answer.
    let transaction: TransactionID
    let family: IPAddress.Family
    let needsEvenPort: Bool
    var relay: PathID
    /// Nil while the socket is opening.
    var relayed: Endpoint?
    var lifetime: UInt32
    var expiresAt: Instant
    var permissions: [IPAddress: Instant] = [:]
    var channels: [UInt16: Channel] = [:]
    /// Ports that were tried.
    var attempts = 1

    func permits(_ peer: IPAddress, at now: Instant) -> Bool {
        permissions[peer.withoutZone].map { $0 > now } ?? false
    }

    func channel(to peer: Endpoint, at now: Instant) -> UInt16? {
        channels.first { $0.value.peer == peer && $0.value.expiresAt > now }?.key
    }
}
