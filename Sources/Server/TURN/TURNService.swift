import NetTypes
import STUN

/// The TURN part of a STUN server (RFC 8656): allocations over UDP and TCP with relays over UDP, for users with
/// long-term credentials.
///
/// Its owner hands it what is no Binding, and holds what it says to the unauthenticated to a rate; what it says and
/// relays for its users has none, since they may be told to go.
struct TURNService {
    /// What is to be said to a request.
    enum Reply {
        case authenticated([UInt8])
        /// To be held to a rate, since its source may be forged; with what is told once it is sent.
        case unauthenticated([UInt8], TURNServerEvent?)
        /// The answer comes later.
        case later
        /// Well-formed, and not to be answered.
        case ignored
        /// Not to be answered, with the reason.
        case malformed(String)
    }

    /// A relay socket by its number.
    enum Owner {
        case allocation(TURNClient)
        case reservation([UInt8])
    }

    /// The port after an even one, kept for who has its token (RFC 8656 s7.2).
    struct Reservation {
        /// RFC 8656 s7.2.
        static let lifetime = Duration.seconds(30)

        let relayed: ServedAllocation.Relayed
        let username: String
        let expiresAt: Instant
    }

    /// The numbers of relay sockets: above those of listening ones, below those of accepted connections.
    static let paths: ClosedRange<UInt32> = 0x4000_0000...0x7FFF_FFFF

    static func owns(_ path: PathID) -> Bool { paths.contains(path.number) }

    let configuration: TURNServerConfiguration
    let authenticator: RequestAuthenticator
    let software: [UInt8]?
    private let start: Instant
    private let startedAt: Int64

    var counts = TURNServerCounts()
    var outputs = Queue<Output>()
    var events = Queue<TURNServerEvent>()
    var random: any RandomNumberGenerator & Sendable
    var answers = AnswerMemory()
    var allocations: [TURNClient: ServedAllocation] = [:]
    var reservations: [[UInt8]: Reservation] = [:]
    var owners: [PathID: Owner] = [:]
    /// Ports in use by family, open or opening.
    var ports: [IPAddress.Family: Set<UInt16>] = [:]
    private var lastPath = TURNService.paths.upperBound
    /// Nothing ends before this. It may be early, where what set it was refreshed.
    private(set) var nextDeadline: Instant?

    /// - Parameters:
    ///   - secondsSince1970: the time of day at `start`, for credentials that expire.
    ///   - random: unpredictable where the network is real: nonces, ports and tokens are made of it.
    init(
        _ configuration: TURNServerConfiguration, software: [UInt8]?, from start: Instant, secondsSince1970: Int64,
        random: any RandomNumberGenerator & Sendable
    ) {
        var random = random
        let mint = NonceMint(lifetime: configuration.nonceLifetime, from: start, using: &random)
        self.configuration = configuration
        authenticator = RequestAuthenticator(configuration, mint)
        self.software = software
        self.start = start
        startedAt = secondsSince1970
        self.random = random
    }

    func secondsSince1970(at now: Instant) -> Int64 { startedAt + (now - start).nanoseconds / 1_000_000_000 }

    func hasAllocation(_ client: TURNClient) -> Bool { allocations[client] != nil }

    mutating func makePath() -> PathID {
        repeat {
            lastPath = lastPath == Self.paths.upperBound ? Self.paths.lowerBound : lastPath + 1
        } while owners[PathID(lastPath)] != nil
        return PathID(lastPath)
    }

    // MARK: The end of things

    mutating func wake(at deadline: Instant) { nextDeadline = nextDeadline.map { min($0, deadline) } ?? deadline }

    /// Ends what nobody refreshed.
    mutating func expire(at now: Instant) {
        if let nextDeadline, now < nextDeadline { return }
        for (client, allocation) in allocations.sortedByClient where allocation.expiresAt <= now {
            guard let ended = remove(client) else { continue }
            counts.expired += 1
            events.append(.expired(ended))
        }
        for (token, reservation) in reservations where reservation.expiresAt <= now {
            reservations[token] = nil
            close(reservation.relayed.path, reservation.relayed.address)
        }
        nextDeadline =
            (allocations.values.map(\.expiresAt) + reservations.values.map(\.expiresAt)).min()
    }

    /// The connection of a client has ended.
    mutating func disconnected(_ client: TURNClient) {
        guard let ended = remove(client) else { return }
        counts.disconnected += 1
        events.append(.disconnected(ended))
    }

    /// Forgets an allocation and closes its sockets; nil where there was none, or none yet.
    mutating func remove(_ client: TURNClient) -> TURNServerEvent.Allocation? {
        guard let allocation = allocations.removeValue(forKey: client) else { return nil }
        for relayed in allocation.relayed { close(relayed.path, relayed.address) }
        guard let opening = allocation.opening else { return allocation.description }
        abandon(opening)
        return nil
    }

    /// Closes a relay socket; `address` is one that it has, or would have had.
    mutating func close(_ path: PathID, _ address: Endpoint) {
        if owners.removeValue(forKey: path) != nil { outputs.append(.close(path)) }
        ports[address.family]?.remove(address.port)
    }
}

extension [TURNClient: ServedAllocation] {
    /// In an order that is the same in every run.
    fileprivate var sortedByClient: [(key: TURNClient, value: ServedAllocation)] {
        sorted { ($0.key.path.number, $0.key.remote) < ($1.key.path.number, $1.key.remote) }
    }
}
