package import Engines
package import NetTypes

/// The options of a command that measures, as they stand on the command line, each with its default.
///
/// Whoever reads a command line makes one. What it means is decided by ``Options/init(_:from:)`` and nowhere else.
package struct TypedOptions: Sendable, Equatable {
    package var command: Options.Command
    /// The servers that are named as arguments.
    package var uris: [String]

    // MARK: Servers and how they are reached
    /// Files of `--ice-servers`.
    package var iceServers: [String] = []
    /// Whether public servers are asked where none is named.
    package var usesBuiltInServers = false
    package var onlyIPv4 = false
    package var onlyIPv6 = false
    package var interface: String?
    package var bind: String?
    package var caFile: String?
    package var insecure = false
    /// Seconds.
    package var timeout: Double?

    // MARK: What is measured
    package var transports: [Transport] = [.udp]
    package var count: Int?
    package var hairpin = false
    package var lifetime = false
    package var access = Access()
    package var relay = Relay()

    /// Who asks TURN servers for relays.
    package struct Access: Sendable, Equatable {
        package var user: String?
        package var password: Secret?
        package var passwordFile: String?
        package var secret: Secret?
        package var secretFile: String?
        package var accessTokenFile: String?
        /// Seconds.
        package var ttl = 600
        package var realm: String?
        package var noRedirect = false
        package var followPrivate = false

        package init() {}
    }

    /// What `turn` asks of relays.
    package struct Relay: Sendable, Equatable {
        package var allTransports = false
        package var soak = false
        /// Bytes of each datagram.
        package var size = Plan.RelayLoad().size
        /// Seconds.
        package var duration: Double?
        package var transport = Transport.udp
        /// What is asked of each allocation beyond the usual.
        package var options: Set<AllocationOption> = []

        package init() {}
    }

    package init(_ command: Options.Command, uris: [String] = []) {
        self.command = command
        self.uris = uris
        usesBuiltInServers = command == .check || command == .nat
    }
}
