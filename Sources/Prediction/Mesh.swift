/// Who of many machines reaches whom, by their kinds, and what a call among them costs relays.
package struct Mesh: Hashable, Sendable {
    /// Machines that are alike to all others.
    package struct Kind: Hashable, Sendable {
        package var kind: MachineKind
        package var count: Int
        /// The first report of this kind.
        package var example: String
    }

    /// How many of some pairs or machines have which outcome.
    package struct Tally: Hashable, Sendable {
        package var direct = 0
        package var relayed = 0
        package var none = 0
        /// Those whose outcome depends on what is unknown: they are counted as what is certain.
        package var uncertain = 0
        /// Relays that the relayed ones pass: one or two each.
        package var relays = 0

        package init() {}

        package var count: Int { direct + relayed + none }

        mutating func add(_ bounds: MeshBounds, _ times: Int) {
            switch bounds.worst {
            case .direct: direct += times
            case .relayed:
                relayed += times
                relays += bounds.relays * times
            case .none: none += times
            }
            if bounds.best != bounds.worst { uncertain += times }
        }
    }

    /// What a call costs.
    package struct Call: Hashable, Sendable {
        package var participants: Int
        /// Of one stream, in kbit/s.
        package var bitrate: Double
        /// Media streams in all: one for each sender and receiver; through an SFU, one up and all others down for each.
        package var streams: Double
        package var relayedStreams: Double
        /// What relays take in, in kbit/s; they send as much again.
        package var relayBandwidth: Double
        /// Streams that cannot be.
        package var missingStreams: Double
    }

    package var machines: Int
    /// The most frequent first.
    package var kinds: [Kind]
    /// Between each two kinds; of a kind with itself two machines of it.
    package var outcomes: [[PathOutcome]]
    /// Pairs of machines.
    package var pairs: Tally
    /// Pairs behind one NAT.
    package var neighbours: Int
    /// Machines that reach no other.
    package var isolated: Int
    /// Each machine with a public host; nil where it was not asked.
    package var star: Tally?
    package var call: Call
    package var starCall: Call?
}

/// The outcome between two kinds: what is certain, and the best that may be.
package struct MeshBounds: Hashable, Sendable {
    package var worst: PathOutcome
    package var best: PathOutcome
    /// Relays that data passes where it is relayed.
    package var relays: Int
}
