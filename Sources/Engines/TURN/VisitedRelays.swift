import NetTypes

/// The servers that the clients of one run have asked for relays: none is asked again because another says so.
///
/// A server over another transport, or for a relay of the other family, is another way to a relay.
package struct VisitedRelays: Sendable {
    private struct Way: Hashable {
        var transport: Transport
        var family: IPAddress.Family
    }

    private var servers: [Way: Set<Endpoint>] = [:]

    package init() {}

    mutating func insert(_ server: Endpoint, over transport: Transport, relaying family: IPAddress.Family) {
        servers[Way(transport: transport, family: family), default: []].insert(server)
    }

    func servers(over transport: Transport, relaying family: IPAddress.Family) -> Set<Endpoint> {
        servers[Way(transport: transport, family: family)] ?? []
    }
}
