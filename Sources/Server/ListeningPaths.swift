import NetTypes

/// The sockets of a STUN server: which are asked for, which are open, and which stands opposite which.
///
/// RFC 5780 s6 needs four sockets for a pair of addresses: either address with either port. They are opened in turn,
/// because a port that the system chose must be the same on both addresses.
struct ListeningPaths {
    /// One of the four sockets of a pair: bit 1 is the alternate address, bit 0 the alternate port.
    struct Corner: Hashable {
        static let primary = Corner(number: 0)
        static let alternatePort = Corner(number: 1)
        static let alternateAddress = Corner(number: 2)
        static let opposite = Corner(number: 3)
        static let all = [primary, alternatePort, alternateAddress, opposite]

        let number: UInt32

        func changing(address: Bool, port: Bool) -> Corner {
            Corner(number: number ^ (address ? 2 : 0) ^ (port ? 1 : 0))
        }
    }

    /// Which socket a number stands for.
    struct Role: Hashable {
        var pair: Int
        var transport: Transport
        var corner: Corner

        init(pair: Int, transport: Transport, corner: Corner) {
            self.pair = pair
            self.transport = transport
            self.corner = corner
        }

        private static let transports: [Transport] = [.udp, .tcp, .tls, .dtls]

        init(_ path: PathID) {
            pair = Int(path.number / 16)
            transport = Self.transports[Int(path.number >> 2 & 3)]
            corner = Corner(number: path.number & 3)
        }

        var path: PathID {
            let place = Self.transports.firstIndex(of: transport) ?? 0
            return PathID(UInt32(pair) * 16 + UInt32(place) * 4 + corner.number)
        }

        func at(_ corner: Corner) -> Role { Role(pair: pair, transport: transport, corner: corner) }
    }

    /// What is asked for and not open yet, by the endpoint asked for.
    private(set) var opening: [Role: Endpoint] = [:]
    private(set) var open: [Role: Endpoint] = [:]
    private var ownEndpoints: Set<Endpoint> = []

    /// Whether nothing is open and nothing will be.
    var isEmpty: Bool { opening.isEmpty && open.isEmpty }

    /// Asks for a socket.
    mutating func request(_ role: Role, at endpoint: Endpoint, security: PathSecurity? = nil) -> Output {
        opening[role] = endpoint
        let kind: PathSpecification.Kind = role.transport.isStream ? .listener : .datagram
        return .open(role.path, PathSpecification(kind, family: endpoint.family, local: endpoint, security: security))
    }

    /// Notes that a socket is open; false where it is not wanted any more.
    mutating func opened(_ role: Role, local: Endpoint) -> Bool {
        guard opening.removeValue(forKey: role) != nil else { return false }
        open[role] = local
        ownEndpoints.insert(local)
        return true
    }

    /// Forgets a socket, and gives where it was or should have been.
    mutating func forget(_ role: Role) -> Endpoint? {
        if let endpoint = opening.removeValue(forKey: role) { return endpoint }
        guard let endpoint = open.removeValue(forKey: role) else { return nil }
        ownEndpoints = Set(open.values)
        return endpoint
    }

    /// The other three sockets, where all four are open: only then may the server say that it can answer from there.
    func hasAllCorners(of role: Role) -> Bool {
        Corner.all.allSatisfy { open[role.at($0)] != nil }
    }

    func isOwn(_ endpoint: Endpoint) -> Bool { ownEndpoints.contains(endpoint) }
}
