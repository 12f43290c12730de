package import Engines
package import NetTypes
import STUN

/// What the user meant: the command line, the environment and the files, read once.
package struct Options: Sendable {
    package enum Command: String, Hashable, Sendable, Codable, CaseIterable {
        case check
        case candidates
        case stun
        case nat
        case turn
        case connect
        /// Measures nothing: it judges saved reports.
        case predict
    }

    package var command: Command
    /// In the order given; empty for none.
    package var servers: [ICEServers.Entry]
    /// Which families may be used.
    package var families: Set<IPAddress.Family>
    /// Which transports the servers are asked over.
    package var transports: [Transport]
    package var interface: String?
    package var bindAddress: IPAddress?
    /// The deadline of the whole run; nil for the default.
    package var timeout: Duration?
    /// Requests to each address of a server.
    package var count: Int
    /// Whether to find out about hairpinning, which some firewalls take for an attack.
    package var asksHairpin: Bool
    /// Whether `nat` finds out how long an idle mapping lives.
    package var measuresLifetime: Bool
    /// What a relay is asked for and with.
    package var turn = TURNOptions()
    package var trust = Plan.TLSTrust()
    /// How to connect to a peer.
    package var connect: ConnectPlan?

    package init(
        command: Command, servers: [ICEServers.Entry] = [], families: Set<IPAddress.Family> = [.ipv4, .ipv6],
        transports: [Transport] = [.udp], interface: String? = nil, bindAddress: IPAddress? = nil,
        timeout: Duration? = nil, count: Int = 1, asksHairpin: Bool = false, measuresLifetime: Bool = false
    ) {
        self.command = command
        self.servers = servers
        self.families = families
        self.transports = transports
        self.interface = interface
        self.bindAddress = bindAddress
        self.timeout = timeout
        self.count = count
        self.asksHairpin = asksHairpin
        self.measuresLifetime = measuresLifetime
    }
}

/// What is asked of TURN servers.
package struct TURNOptions: Sendable {
    /// For every server that brings no credential of its own.
    package var credentials = ICEServers.Credentials()
    /// The realm that the credential was made for.
    package var realm: String?
    /// Whether a server is tried over every transport that its URI could mean.
    package var usesAllTransports = false
    package var soaks = false
    package var redirects = Plan.Redirects.global
    package var load = Plan.RelayLoad()
    /// What the relay carries between itself and peers.
    package var relayTransport = TURNConfiguration.RelayTransport.udp
    /// What is asked of each allocation beyond the usual.
    package var options: Set<AllocationOption> = []

    package init() {}
}
