package import NetTypes

/// Where a STUN server listens, what it says of itself, and how much it does for any one source.
package struct STUNServerConfiguration: Hashable, Sendable {
    /// An address to listen on and, for NAT behaviour discovery (RFC 5780), a second one of the same machine.
    package struct Addresses: Hashable, Sendable {
        package var primary: IPAddress
        package var alternate: IPAddress?

        package init(primary: IPAddress, alternate: IPAddress? = nil) {
            self.primary = primary
            self.alternate = alternate
        }

        /// Whether RFC 5780 could be served from these: two different addresses, both known.
        package var permitDiscovery: Bool {
            guard let alternate else { return false }
            return alternate.family == primary.family && alternate != primary
                && primary.realm != .unspecified && alternate.realm != .unspecified
        }
    }

    package struct ConnectionLimits: Hashable, Sendable {
        package var total = 256
        package var perSource = 16
        /// How long a connection may say nothing.
        package var idle: Duration = .seconds(30)
        /// How long a message may take from its first byte to its last, however it drips in.
        package var partialMessage: Duration = .seconds(5)
        /// Answers on one connection: a peer that never reads them must not fill the driver's buffers.
        package var answers = 1000

        package init() {}
    }

    package var addresses: [Addresses]
    /// Port 0 leaves the choice to the system.
    package var port: UInt16
    package var alternatePort: UInt16
    /// The text of SOFTWARE (RFC 8489 s14.14); nil says nothing.
    package var software: String?
    package var acceptsConnections = true
    package var rate = SourceRateLimiter.Limits()
    package var connections = ConnectionLimits()
    /// What TLS and DTLS are served with, at ``securePort``; nil serves neither.
    package var credentials: ServerCredentials?
    package var securePort: UInt16 = 5349

    package init(
        addresses: [Addresses], port: UInt16 = 3478, alternatePort: UInt16 = 3479, software: String? = nil
    ) {
        self.addresses = addresses
        self.port = port
        self.alternatePort = alternatePort
        self.software = software
    }
}
