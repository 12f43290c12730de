import NetTypes

/// A host of the simulated network, with what its system knows of sockets.
struct Host {
    /// A TCP connection, as its own end names it.
    struct Connection: Hashable {
        var local: Endpoint
        var remote: Endpoint
    }

    let addresses: [IPAddress]
    /// The realms that it stands in, with its addresses of each family.
    let ipv4Realm: Int
    let ipv6Realm: Int
    var up: Wire
    var down: Wire
    /// Places of sockets. A socket that is bound to no address is under the unspecified one of its family.
    var datagrams: [Endpoint: Int] = [:]
    var listeners: [Endpoint: Int] = [:]
    var connections: [Connection: Int] = [:]

    func realm(_ family: IPAddress.Family) -> Int { family == .ipv4 ? ipv4Realm : ipv6Realm }

    /// The address that it sends to another from, by itself; nil where it has none of the family.
    func source(to remote: IPAddress) -> IPAddress? {
        if addresses.contains(remote.withoutZone) { return remote.withoutZone }
        let candidates = addresses.filter { $0.family == remote.family }
        return candidates.first { $0.isLinkLocal == remote.isLinkLocal } ?? candidates.first
    }

    /// A port of the dynamic range (RFC 6335 s6) that no socket has at this address, at random as systems choose it
    /// (RFC 6056); nil where there is none.
    func ephemeralPort(at address: IPAddress, _ random: inout SeededGenerator) -> UInt16? {
        let start = random.number(below: 16384)
        for offset in 0..<16384 {
            let port = UInt16(49152 + (start + offset) % 16384)
            if isFree(Endpoint(address, port)), !connections.keys.contains(where: { $0.local.port == port }) {
                return port
            }
        }
        return nil
    }

    /// Whether neither a UDP socket nor a listener has it, by itself or with every address.
    func isFree(_ endpoint: Endpoint) -> Bool {
        isFree(endpoint, in: datagrams) && isFree(endpoint, in: listeners)
    }

    func isFree(_ endpoint: Endpoint, in sockets: [Endpoint: Int]) -> Bool {
        let wide = Endpoint(.unspecified(endpoint.family), endpoint.port)
        if sockets[endpoint] != nil || sockets[wide] != nil { return false }
        guard endpoint == wide else { return true }
        return addresses.allSatisfy { sockets[Endpoint($0, endpoint.port)] == nil }
    }

    /// The socket that takes what comes to an endpoint.
    func socket(_ sockets: [Endpoint: Int], for endpoint: Endpoint) -> Int? {
        sockets[endpoint] ?? sockets[Endpoint(.unspecified(endpoint.family), endpoint.port)]
    }
}

/// A UDP socket, a TCP listener or one end of a TCP connection.
struct Socket {
    enum State {
        case datagram
        case listening
        /// A connection whose SYN is unanswered, with what its engine has written.
        case connecting(unsent: [UInt8])
        /// A connection that a listener (by its path) has and that its engine does not know of yet.
        case halfOpen(listener: PathID)
        case established
    }

    let seat: Int
    let host: Int
    /// Tells it from another that had its place.
    let serial: Int
    var path: PathID
    var local: Endpoint
    var remote: Endpoint?
    var state: State
    /// The sequence of the next segment to send, and of the next to take.
    var sending: UInt32 = 1
    var expected: UInt32 = 1
    /// What came before its turn, in no order.
    var early: [(segment: Packet.Segment, bytes: [UInt8])] = []
}
