import NetTypes

/// SplitMix64: all the chance of a simulation from one seed, which a failure prints.
package struct SeededGenerator: RandomNumberGenerator, Hashable, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// True with the given chance.
    mutating func happens(_ chance: Double) -> Bool { chance > 0 && Double.random(in: 0..<1, using: &self) < chance }

    /// A duration from zero to `longest`.
    mutating func duration(upTo longest: Duration) -> Duration {
        longest <= .zero ? .zero : .nanoseconds(Int64.random(in: 0...longest.nanoseconds, using: &self))
    }
}
