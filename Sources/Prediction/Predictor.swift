/// Says which path would join two machines, by running ICE in a model of what is between them.
///
/// It remembers what it has run: machines of the same kinds have the same prediction.
package struct Predictor {
    /// What the model takes for the way from one machine to the other and back.
    package static let usualRoundTrip = Duration.milliseconds(50)

    var parts: PathParts

    package init(roundTrip: Duration = Predictor.usualRoundTrip) {
        parts = PathParts(PathSimulation(roundTrip: roundTrip))
    }

    /// The path from one machine to another.
    package mutating func predict(
        _ local: MachineModel, _ remote: MachineModel, names: (local: MachineName, remote: MachineName) = (.own, .peer)
    ) -> PathPrediction {
        predict(local.kind, remote.kind, Neighbourhood(local, remote), names: names)
    }

    /// The path between machines of two kinds.
    package mutating func predict(
        _ local: MachineKind, _ remote: MachineKind, _ neighbourhood: Neighbourhood = .apart,
        names: (local: MachineName, remote: MachineName) = (.own, .peer)
    ) -> PathPrediction {
        let unknowns =
            local.unknowns(beside: neighbourhood).map { Unknown(isOfLocal: true, what: $0) }
            + remote.unknowns(beside: neighbourhood).map { Unknown(isOfLocal: false, what: $0) }
        func question(_ best: (Unknown) -> Bool) -> PathQuestion {
            PathQuestion(
                local: local.settled(best: { best(Unknown(isOfLocal: true, what: $0)) }, beside: neighbourhood),
                remote: remote.settled(best: { best(Unknown(isOfLocal: false, what: $0)) }, beside: neighbourhood),
                neighbourhood: neighbourhood)
        }
        let asked = question { _ in false }
        // Where nothing works there is no pair to be told of, and to see all checks fail takes longest.
        let worst = parts.outcome(of: asked) == .none ? PathRun(outcome: .none) : parts.run(asked)
        var prediction = PathPrediction(
            outcome: worst.outcome, best: worst.outcome, local: worst.local, remote: worst.remote, setup: worst.setup,
            why: PathReason(question: asked, local: names.local, remote: names.remote).text(worst.outcome),
            dependsOn: [])
        guard !unknowns.isEmpty, worst.outcome != .direct else { return prediction }
        prediction.best = parts.outcome(of: question { _ in true })
        guard prediction.best != worst.outcome else { return prediction }
        // One matters where it alone makes a difference: to the best that may be, or to the worst.
        let decisive = unknowns.filter { unknown in
            parts.outcome(of: question { $0 != unknown }) != prediction.best
                || parts.outcome(of: question { $0 == unknown }) != worst.outcome
        }
        for unknown in decisive.isEmpty ? unknowns : decisive {
            let words = unknown.words(unknown.isOfLocal ? names.local : names.remote)
            // Of one NAT that both are behind, both know as little.
            if !prediction.dependsOn.contains(words) { prediction.dependsOn.append(words) }
        }
        return prediction
    }
}
