import Facts

/// What an allocation is made for.
enum TURNPurpose: Hashable, Sendable {
    /// To show that it works: data goes through it, and what came of that is observed.
    case attempt
    /// To show that the port is there that an attempt's allocation had reserved.
    case reservation(of: Int, token: [UInt8])
    /// To be one of two relays that send to each other: see Session+RelayPairs.swift.
    case pairEnd(pair: Int, end: RelayPairEnd)
    /// To see the NAT through it: the place of the discovery, and of the relay in it.
    case natDiscovery(run: Int, relay: Int)

    var isAttempt: Bool { self == .attempt }
    /// Whether it is to show that relays carry data, alone or as a pair.
    var isProof: Bool { isAttempt || pair != nil }

    /// The attempt whose reservation it takes up.
    var reserver: Int? {
        if case .reservation(let run, _) = self { run } else { nil }
    }

    /// The pair of relays that it is an end of.
    var pair: Int? {
        if case .pairEnd(let pair, _) = self { pair } else { nil }
    }
}
