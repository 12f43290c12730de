package import Facts
package import NetTypes
package import Planning

/// What the observations of a run mean. Pure: a recorded run is diagnosed again without a network.
package struct Diagnosis: Sendable {
    package var stun: [STUNResult]
    package var turn: [TURNResult]
    package var relayPairs: [RelayPairResult]
    package var candidates: [CandidateRecord]
    package var nat: [NATRecord]
    package var notMeasured: [NotMeasured]
    package var findings: [Finding]
    package var verdict: Verdict
    /// A connection to another end, with what was predicted of it.
    package var connect: ConnectEvidence?

    /// - Parameters:
    ///   - interfacesAfter: the machine's interfaces when the run ended, where they were read again.
    ///   - wallClock: seconds since 1970 when the run began, where that is known.
    ///   - predict: what a model makes of a connection to a peer; without one nothing is predicted.
    package init(
        _ plan: Plan, _ observations: [Observation], interfacesAfter: [NetworkInterface]? = nil,
        wallClock: Int64? = nil,
        predict: (ConnectEvidence, Plan) -> ConnectEvidence.Prediction? = { _, _ in nil }
    ) {
        let record = RunRecord(plan, observations)
        let isConnecting = plan.command == .connect
        connect = record.connection
        connect?.prediction = record.connection.flatMap { predict($0, plan) }
        stun = plan.asksBinding ? STUNResult.results(of: record) : []
        turn = plan.provesRelays ? TURNResult.results(of: record) : []
        relayPairs = RelayPairResult.results(of: record)
        // A connection tells of its candidates, and of the NATs as far as its peer is told of them.
        candidates = isConnecting ? [] : CandidateRecord.candidates(of: record, relays: turn)
        nat = isConnecting ? [] : NATRecord.records(of: record)
        notMeasured = record.notMeasured
        findings = FindingRules.apply(
            to: Evidence(
                record: record, stun: stun, turn: turn, relayPairs: relayPairs, candidates: candidates, nat: nat,
                interfacesAfter: interfacesAfter, wallClock: wallClock, connect: connect))
        verdict =
            switch plan.command {
            case .nat: Verdict(nat: nat, stun: stun)
            case .turn: Verdict(turn: turn).adding(relayPairs)
            case .connect: Verdict(connect: connect ?? ConnectEvidence(usesSDP: false))
            case .check, .candidates, .stun, .predict:
                Verdict(plan: plan, stun: stun, nat: nat, candidates: candidates).adding(turn)
            }
    }
}
