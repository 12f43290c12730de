package import NetTypes
package import STUN

/// What a TURN server tells of its allocations.
package enum TURNServerEvent: Hashable, Sendable {
    /// An allocation as people and tests see it.
    package struct Allocation: Hashable, Sendable {
        package var client: Endpoint
        package var transport: Transport
        /// As the client gave it, or as its hash stands for it.
        package var username: String
        package var relayed: [Endpoint]
    }

    /// Lifetimes are in seconds.
    case made(Allocation, lifetime: UInt32)
    case refreshed(Allocation, lifetime: UInt32)
    /// The client asked for it: a Refresh with lifetime 0.
    case deleted(Allocation)
    /// Nobody refreshed it.
    case expired(Allocation)
    /// Its connection ended, or the socket to its client did.
    case disconnected(Allocation)
    /// A request got an error; the first 401, which every client gets, is none.
    case refused(Endpoint, Method, code: Int)
}

/// How many allocations a TURN server has made, and what became of them.
package struct TURNServerCounts: Hashable, Sendable {
    package var made = 0
    package var deleted = 0
    package var expired = 0
    package var disconnected = 0
    /// Pieces of data from clients to peers and from peers to clients.
    package var relayedToPeers = 0
    package var relayedToClients = 0
    /// Data for or from somebody without a permission or a channel, or too long to be passed on.
    package var dropped = 0

    package init() {}

    package var left: Int { made - deleted - expired - disconnected }
}
