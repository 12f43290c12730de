/// How a path is secured.
package enum PathSecurity: Hashable, Sendable {
    /// A TLS connection, or on a datagram path a DTLS association with one peer.
    case client(SecureClientConfiguration)
    /// On a listener: each connection is a TLS server's. On a datagram path: DTLS with whoever comes.
    case server(SecureServerConfiguration)
}

package enum SecureProtocol: String, Hashable, Sendable, Codable {
    case tls
    case dtls
}

/// What a TLS or DTLS client offers and demands.
package struct SecureClientConfiguration: Hashable, Sendable {
    /// What the certificate must name (RFC 9525).
    package enum Identity: Hashable, Sendable {
        case name(String)
        case address(IPAddress)
    }

    package var kind: SecureProtocol
    package var identity: Identity
    /// SNI (RFC 6066 s3); nil sends none.
    package var serverName: String?
    /// The protocols to offer, in order (RFC 7443): `stun.turn`, `stun.nat-discovery`.
    package var applicationProtocols: [String] = []
    package var trustsSystemRoots = true
    /// PEM certificates that are trusted as well, with revocation lists (`--ca-file`).
    package var trustedPEM: [UInt8] = []
    /// Whether the handshake goes on whatever the certificate is; the faults are told all the same.
    package var isInsecure = false
    /// Seconds since 1970 at which the certificates are judged.
    package var wallClock: Int64
    /// DTLS: whom to talk to. A TLS connection has its own.
    package var peer: Endpoint?
    /// How long the handshake may take.
    package var handshakeLimit: Duration = .seconds(10)
    /// DTLS: the first retransmission timeout, doubled each time (RFC 6347 s4.2.4).
    package var retransmissionTimeout: Duration = .milliseconds(100)
    /// DTLS: the largest IP packet of a handshake, in bytes.
    package var linkMTU = 1200
    /// The lowest and highest TLS version as it is numbered (0x0303 is 1.2); nil for 1.2 and what OpenSSL has.
    package var lowestVersion: UInt16?
    package var highestVersion: UInt16?
    /// What this side shows where the server asks for a certificate.
    package var credentials: ServerCredentials?

    /// - Parameter identity: also what SNI sends where it is a name.
    package init(_ kind: SecureProtocol, identity: Identity, wallClock: Int64, peer: Endpoint? = nil) {
        self.kind = kind
        self.identity = identity
        self.wallClock = wallClock
        self.peer = peer
        if case .name(let name) = identity { serverName = name }
    }
}

/// What a TLS or DTLS server shows and takes.
package struct SecureServerConfiguration: Hashable, Sendable {
    package var kind: SecureProtocol
    package var credentials: ServerCredentials
    /// The protocols that it speaks, in the order of preference.
    package var applicationProtocols: [String] = []
    /// Whether a client that offers other protocols only is refused (RFC 7301 s3.2), or served without one.
    package var requiresProtocol = false
    package var handshakeLimit: Duration = .seconds(10)
    package var retransmissionTimeout: Duration = .milliseconds(250)
    package var linkMTU = 1200
    /// DTLS: how many clients at one time, and how long one may be silent.
    package var mostPeers = 256
    package var idleLimit: Duration = .seconds(900)
    /// An OpenSSL list of ciphers up to TLS 1.2; nil for the default.
    package var ciphers: String?
    package var lowestVersion: UInt16?
    package var highestVersion: UInt16?
    /// Whether a client without a certificate is refused. What it shows is told in the facts, and judged by the owner:
    /// any will do for the handshake.
    package var requiresClientCertificate = false
    /// DTLS: whether it is known that the client is where it says, so that no cookie is asked for (RFC 6347 s4.2.1).
    package var trustsPeerAddress = false

    package init(_ kind: SecureProtocol, _ credentials: ServerCredentials) {
        self.kind = kind
        self.credentials = credentials
    }
}

/// A server's certificate chain and key. It shows neither when it is printed.
package struct ServerCredentials: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// PEM, the server's own certificate first.
    package var chainPEM: [UInt8]
    /// PEM, without a passphrase.
    package var keyPEM: [UInt8]

    package init(chainPEM: [UInt8], keyPEM: [UInt8]) {
        self.chainPEM = chainPEM
        self.keyPEM = keyPEM
    }

    package var description: String { "server credentials" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
