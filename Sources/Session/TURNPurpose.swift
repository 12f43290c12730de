/// What a relay is asked for.
enum TURNPurpose: Hashable, Sendable {
    /// To show that it works: data goes through it, and what came of that is observed.
    case attempt
    /// To see the NAT through it: the place of the discovery, and of the relay in it.
    case natDiscovery(run: Int, relay: Int)
}
