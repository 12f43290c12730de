/// What an allocation is made for.
enum TURNPurpose: Hashable, Sendable {
    /// To show what the server does with one: a result of its own.
    case attempt
    /// To be one of two relays that send to each other: see Session+RelayPairs.swift.
    case pairEnd(pair: Int, end: RelayPairEnd)

    var isAttempt: Bool { self == .attempt }

    /// The pair of relays that it is an end of.
    var pair: Int? {
        if case .pairEnd(let pair, _) = self { pair } else { nil }
    }
}
