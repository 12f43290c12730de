import NetTypes

/// A machine of the simulation: its addresses, its sockets, and the engine that runs on it.
struct Host: Sendable {
    /// A UDP socket, a listener, or one end of a connection.
    struct Socket: Sendable {
        enum Kind: Sendable {
            case datagram
            case listener
            case connection(remote: Endpoint, isOpen: Bool)
        }

        var kind: Kind
        var local: Endpoint
    }

    struct Binding: Hashable, Sendable {
        var transport: Transport
        var local: Endpoint
        /// Of a connection.
        var remote: Endpoint?
    }

    let addresses: [IPAddress]
    let behind: SimNet.RouterID?
    var link: Link
    var engine: (any Engine & Sendable)?
    var events: [any Sendable] = []
    var keepsEvents = false
    var sockets: [PathID: Socket] = [:]
    var paths: [Binding: PathID] = [:]
    /// When the engine wants to be woken.
    var wake: Instant?
    private var nextPort: UInt16
    private var acceptedCount: UInt32 = 0

    init(addresses: [IPAddress], behind: SimNet.RouterID?, link: Link, random: inout SeededGenerator) {
        self.addresses = addresses
        self.behind = behind
        self.link = link
        nextPort = UInt16.random(in: 32_768...60_000, using: &random)
    }

    /// Systems give ports out in no order that tells anything.
    mutating func freePort(_ random: inout SeededGenerator) -> UInt16 {
        nextPort = 32_768 + (nextPort - 32_768 + UInt16.random(in: 1...97, using: &random)) % 28_000
        return nextPort
    }

    mutating func acceptedPath() -> PathID {
        acceptedCount += 1
        return PathID(0x8000_0000 | acceptedCount)
    }

    /// The socket for what comes to `local`: one that is bound to the address, else one that is bound to all.
    func path(_ transport: Transport, _ local: Endpoint, remote: Endpoint? = nil) -> PathID? {
        if let path = paths[Binding(transport: transport, local: local, remote: remote)] { return path }
        let all = Endpoint(local.family == .ipv4 ? IPAddress(v4: 0) : IPAddress(v6: 0), local.port)
        return remote == nil ? paths[Binding(transport: transport, local: all, remote: nil)] : nil
    }
}
