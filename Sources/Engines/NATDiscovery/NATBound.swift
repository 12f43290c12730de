import NetTypes

/// The least time in which a discovery can reach its verdict on its path, by its own rules.
///
/// Two chains run side by side. Answers that need others: the first names OTHER-ADDRESS, the endpoints there are asked
/// next, and where silence is to be believed, the server answers from there to the socket that opened the way. And
/// silence: rounds of probes and controls begin at once, follow the round trip as soon as it is known, and end with the
/// wait for the last of them.
package struct NATBound: Hashable, Sendable {
    /// Round trips that need one another's answers, on the longer chain.
    package var roundTrips: Int
    /// Probes that have to stay unanswered for a verdict that rests on silence; 0 where none does.
    package var silentProbes: Int
    /// What silence needs beyond them; zero where no verdict rests on it, or where the other chain is the longer.
    package var silence: Duration
    package var total: Duration

    /// Nil where nothing was found out.
    ///
    /// - Parameter roundTrip: of the path to the server that the verdict rests on.
    package init?(_ verdict: NATVerdict, roundTrip: Duration) {
        guard let method = verdict.method, let mapping = verdict.mapping.value else { return nil }
        // Between the requests for a relay and what it shows there are others: that is not this reckoning.
        if case .relay = method { return nil }
        silence = .zero
        silentProbes = 0
        roundTrips = 1
        total = roundTrip
        guard case .discovery = method else { return }
        let restsOnSilence = verdict.filtering.value != nil && verdict.filtering.risk > 0
        roundTrips = restsOnSilence && !mapping.isDependent ? 3 : 2
        total = roundTrip * roundTrips
        guard restsOnSilence else { return }
        silentProbes = SequentialTest.leastProbes
        // Whether another address gets in is asked on once another port has got in.
        let asked = verdict.filtering.value == .addressDependent ? 1 : NATAgenda.blindRounds(roundTrip: roundTrip)
        let rounds = NATAgenda.leastSilence(probes: silentProbes, early: asked, roundTrip: roundTrip)
        if rounds > total {
            roundTrips = 1
            silence = rounds - roundTrip
            total = rounds
        }
    }
}

extension NATAgenda {
    /// How often a question is asked before it can be answered.
    fileprivate static func blindRounds(roundTrip: Duration) -> Int {
        1 + Int(roundTrip.nanoseconds / blindPace.nanoseconds)
    }

    /// When the last probe of a silence can have been waited for, where nothing is lost.
    fileprivate static func leastSilence(probes: Int, early: Int, roundTrip: Duration) -> Duration {
        let later = probes - early
        let last =
            later > 0
            ? roundTrip + SequentialTest.pace(roundTrip: roundTrip) * (later - 1)
            : blindPace * (probes - 1)
        return last + SequentialTest.patience(roundTrip: roundTrip)
    }
}
