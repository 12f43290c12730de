package import NetTypes

/// What the owner of a STUN server may want to know or print.
package enum STUNServerEvent: Hashable, Sendable {
    /// Why NAT behaviour discovery (RFC 5780) is not offered.
    package enum DiscoveryObstacle: Hashable, Sendable {
        /// The alternate address is the primary one, of another family, or not an address of its own.
        case alternateNotDistinct
        /// A socket on the other address or port could not be opened, or failed later.
        case notOpened(Endpoint, PathError)
    }

    case listening(Endpoint, Transport)
    case openFailed(Endpoint, Transport, PathError)
    /// All four sockets are open: OTHER-ADDRESS and CHANGE-REQUEST are served.
    case discoveryAvailable(primary: Endpoint, other: Endpoint)
    case discoveryUnavailable(primary: IPAddress, DiscoveryObstacle)
    case turn(TURNServerEvent)
    case answered(Endpoint, Transport)
    /// Requests went unanswered because their source asks too often; told at most once a second, with the number of
    /// all such requests until now.
    case rateLimited(Endpoint, total: Int)
    /// Something that is no STUN came; told at most once a second, with the number of all such until now.
    case malformed(Endpoint, reason: String, total: Int)
}
