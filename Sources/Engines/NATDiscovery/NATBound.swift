import NetTypes

/// The least time in which a discovery can reach its verdict on its path, by its own rules.
///
/// Two chains run side by side. Answers that need others: the first names OTHER-ADDRESS, the endpoints there are asked
/// next, and where silence is to be believed, the server answers from there to the socket that opened the way. And silence: rounds of probes and controls
/// begin at once, follow the round trip as soon as it is known, and end with the wait for the last of them.
package struct NATBound: Hashable, Sendable {
    /// Round trips that need one another's answers, on the longer chain.
    package var roundTrips: Int
    /// What silence needs beyond them; zero where no verdict rests on it, or where the other chain is the longer.
    package var silence: Duration
    package var total: Duration

    /// Nil where nothing was found out.
    ///
    /// - Parameter roundTrip: of the path to the server that the verdict rests on.
    package init?(_ verdict: NATVerdict, roundTrip: Duration) {
        guard let method = verdict.method, let mapping = verdict.mapping.value else { return nil }
        let restsOnSilence = verdict.filtering.value != nil && verdict.filtering.risk > 0
        roundTrips =
            switch method {
            case .severalServers: 1
            case .discovery: restsOnSilence && !mapping.isDependent ? 3 : 2
            }
        silence = .zero
        total = roundTrip * roundTrips
        let rounds = NATAgenda.leastSilence(roundTrip: roundTrip)
        if restsOnSilence, rounds > total {
            roundTrips = 1
            silence = rounds - roundTrip
            total = rounds
        }
    }
}

extension NATAgenda {
    /// When the last probe of a silence can have been waited for, where nothing is lost.
    fileprivate static func leastSilence(roundTrip: Duration) -> Duration {
        let early = 1 + Int((roundTrip.nanoseconds - 1) / blindPace.nanoseconds)
        let later = SequentialTest.leastRounds - early
        let last =
            later > 0
            ? roundTrip + SequentialTest.pace(roundTrip: roundTrip) * (later - 1)
            : blindPace * (SequentialTest.leastRounds - 1)
        return last + SequentialTest.patience(roundTrip: roundTrip)
    }
}
