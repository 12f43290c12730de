package import Engines
package import NetTypes
package import STUN

/// What a run will do: which probes, from which sockets, to which servers, with which deadlines.
///
/// It is a pure function of the options and of the machine's interfaces. Names are resolved during the run, so a
/// plan says which names, not which addresses.
package struct Plan: Sendable, Codable {
    package var command: Options.Command
    package var interfaces: [NetworkInterface]
    /// Every address of the machine, in the order of preference; those without ``Base/withheld`` get a socket.
    package var bases: [Base]
    package var servers: [Server]
    package var families: Set<IPAddress.Family>
    package var interface: String?
    package var bindAddress: IPAddress?
    /// The deadline of the whole run.
    package var timeout: Duration
    /// Requests to each address of a server, ``requestInterval`` apart once the first is answered.
    package var count: Int
    package var requestInterval: Duration
    package var schedule: RetransmissionSchedule
    /// How long UDP may stay silent before TCP is tried.
    package var fallbackWait: Duration
    /// Whether each base asks each server, for its server-reflexive candidate.
    package var gathersReflexive: Bool
    package var natDiscovery: NATDiscoveryStart
    /// Whether the NAT is tried with datagrams to its own mapped addresses.
    package var asksHairpin: Bool
    /// How long mappings are left idle to see whether they live; empty where that is not asked.
    package var idleTimes: [Duration]
    /// Whether the servers are asked for a Binding.
    package var asksBinding: Bool
    /// What is sent through each relay.
    package var relay: RelayLoad
    /// For how long each relay is kept alive and tried; nil for no longer than needed.
    package var soak: Duration?
    /// What relays carry between themselves and peers: UDP, or TCP (RFC 6062).
    package var relayTransport: TURNConfiguration.RelayTransport
    /// What is asked of each relay that is to show that it works, beyond the usual; nil for nothing.
    package var allocationOptions: [AllocationOption]?
    package var redirects: Redirects
    package var trust: TLSTrust
    /// How to connect to a peer; nil where that is not asked.
    package var connect: ConnectPlan?
    /// What the options or the machine exclude from the start.
    package var notMeasured: [NotMeasured]

    /// Datagrams through a relay, in Send and Data indications and as many over a channel.
    package struct RelayLoad: Hashable, Sendable, Codable {
        package var count = 3
        /// Bytes of each.
        package var size = 100
        /// Between two; nil for what the path suggests.
        package var pace: Duration?

        /// What it adds to a run.
        package var duration: Duration { (pace ?? .zero) * count * 2 }

        package init(count: Int = 3, size: Int = 100, pace: Duration? = nil) {
            self.count = count
            self.size = size
            self.pace = pace
        }
    }

    /// Which certificates are believed.
    package struct TLSTrust: Hashable, Sendable, Codable {
        /// PEM, beside the system's roots.
        package var rootsPEM: [UInt8] = []
        /// Whether a handshake goes on whatever the certificate is.
        package var isInsecure = false
        /// Seconds since 1970, when the run began.
        package var wallClock: Int64 = 0

        /// A file of certificates may hold a key as well.
        private enum CodingKeys: CodingKey {
            case isInsecure, wallClock
        }

        package init(rootsPEM: [UInt8] = [], isInsecure: Bool = false, wallClock: Int64 = 0) {
            self.rootsPEM = rootsPEM
            self.isInsecure = isInsecure
            self.wallClock = wallClock
        }
    }

    /// Whether a client goes where a TURN server sends it (300).
    package enum Redirects: String, Hashable, Sendable, Codable {
        case never
        /// Not from a public server to an address inside.
        case global
        case anywhere
    }

    /// Seconds: the lifetime that is asked of an allocation.
    package static let allocationLifetime: UInt32 = 120
    /// The same for a soak: it is to be over, without the refreshes, while the soak goes on.
    package static let soakLifetime: UInt32 = 30

    /// How long after its deadline a run may go on, to delete its allocations.
    package static let cleanupLimit = Duration.milliseconds(400)
    /// The same after a signal.
    package static let cleanupLimitAfterSignal = Duration.milliseconds(1400)

    /// Whether a relay is asked for.
    package var allocates: Bool { servers.contains { $0.turn != nil } }

    /// Whether relays that carry data are tried with each other.
    package var pairsRelays: Bool { command == .turn && relayTransport == .udp }
    /// Whether it is to be shown of each relay that it works; else relays serve to look at the NAT.
    package var provesRelays: Bool { ![.nat, .connect].contains(command) && allocates }

    /// Over what a relay is asked for to show that it works.
    package func relayTransports(of server: Server) -> [Transport] {
        provesRelays ? server.turn?.transports ?? [] : []
    }

    /// The families of relayed addresses to ask a server for: those that this machine can send data to itself.
    package func relayFamilies(for server: Endpoint) -> [IPAddress.Family] {
        [IPAddress.Family.ipv4, .ipv6].filter { family in
            guard families.contains(family) else { return false }
            return family == server.family || server.address.isLoopback
                || bases.contains { $0.withheld == nil && $0.address.address.family == family }
        }
    }

    /// Whether the user asked for more data than a diagnosis needs: it goes out at its own pace.
    package var isLoadTest: Bool { relay.count > RelayLoad().count }

    /// When the servers are asked about the NAT's behavior.
    package enum NATDiscoveryStart: String, Hashable, Sendable, Codable {
        case never
        /// With everything else: it is what was asked for.
        case atOnce
        /// When they have answered; those that do first, up to ``maximumNATServers``.
        case onceAnswered
    }

    /// A local address as the base of candidates (RFC 8445 s4).
    package struct Base: Hashable, Sendable, Codable {
        package var address: NetworkInterface.Address
        package var interface: String
        package var interfaceKind: NetworkInterface.Kind
        /// RFC 8445 s5.1.2.1, in the order of RFC 8421.
        package var localPreference: UInt16
        /// Why a browser would not offer it; nil where it would.
        package var withheld: String?
    }

    /// A server to ask.
    package struct Server: Sendable, Codable {
        package var uri: ServerURI
        /// The interface index that the zone of a link-local address names, 0 for none.
        package var zone: UInt32
        /// Asked over each of these at once.
        package var transports: [Transport]
        /// Asked over TCP where UDP has stayed silent for ``Plan/fallbackWait``.
        package var fallsBackToTCP: Bool
        /// Why nothing is asked; nil where something is.
        package var excluded: NotMeasured?
        /// How a relay is asked for; nil where none is.
        package var turn: Access?
    }

    /// Who asks a TURN server, and over what.
    package struct Access: Sendable, Codable {
        /// In no record of a run.
        package var credential: LongTermCredential?
        /// Bytes of the key where the credential is a third party's token; nil for a password, and without a credential.
        package var tokenKeySize: Int?
        /// Empty without a credential.
        package var username: String
        package var transports: [Transport]
        /// The realm that the credential was made for, where that is known.
        package var realm: String?
        /// When the token of a third party expires, in seconds since 1970, where that is known.
        package var tokenExpiry: Int64?

        private enum CodingKeys: CodingKey {
            case tokenKeySize, username, transports, realm, tokenExpiry
        }
    }

    /// The most requests that one address of a server is sent from one address of this machine, whatever is lost.
    package func mostRequests(to server: Server) -> Int {
        guard server.excluded == nil else { return 0 }
        let seen = server.turn == nil || natDiscovery == .never ? 0 : RelayedNATDiscovery.mostRequests
        let relayed = server.turn == nil ? 0 : (provesRelays ? mostRelayed : 0) + seen
        guard asksBinding else { return isLoadTest ? relayed : min(relayed, DestinationPacer().most(within: timeout)) }
        guard server.transports.contains(.udp) else {
            return count + min(relayed, DestinationPacer().most(within: timeout))
        }
        var elapsed = Duration.zero
        var attempts = 0
        while elapsed < timeout, attempts < schedule.maximumTransmissions {
            attempts += 1
            elapsed += schedule.wait(after: attempts)
        }
        // A server that is silent is put to the test beside TCP, one that answers is asked about the NAT.
        let discovery =
            natDiscovery == .never
            ? 0
            : NATDiscovery.mostRequests + (asksHairpin ? NATDiscovery.mostHairpinRequests : 0)
                + NATLifetime.mostRequests(idleTimes: idleTimes)
        let more = max(server.fallsBackToTCP ? SilenceTest.mostRounds : 0, discovery)
        return min(attempts + count - 1 + more + relayed, DestinationPacer().most(within: timeout))
    }

    /// The most datagrams of one attempt at a relay: requests, and data from both sockets for each family.
    private var mostRelayed: Int {
        let requests = RetransmissionSchedule.persistent.maximumTransmissions * 4 + 3
        let data = 2 * max(relay.count, RelayProof.mostUnanswered) * 2 + RelayProof.mostUnanswered
        // With each family of relays a server is both ends of one pair, and one end of a pair with each other server.
        let ends = min(families.count * (servers.count { $0.turn != nil } + 1), Self.maximumRelayPairs * 2)
        let paired = pairsRelays ? ends : 0
        return (requests + data) * families.count + (requests + data + 8) * paired
    }

    /// Pairs of relays of one run: those of many servers grow with their square.
    package static let maximumRelayPairs = 6
    /// Datagrams in each lane of a pair, where more are asked for.
    package static let mostPairDatagrams = 100

    /// Servers of one run: a configuration cannot make a scanner of icecheck.
    package static let maximumServers = 256
    /// Servers that are asked about the NAT from one local address: their answers must agree, and few do for that.
    package static let maximumNATServers = 4
}

/// Why there is no plan: one line for the user, with the right form.
package struct PlanError: Error, CustomStringConvertible, Hashable {
    package var description: String
    package init(_ description: String) { self.description = description }
}
