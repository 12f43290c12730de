package import NetTypes
package import Session

/// The observations of a run, sorted by what they are about.
package struct RunRecord: Sendable {
    package struct ProbeRecord: Sendable {
        package let probe: Probe
        package let startedAt: Duration
        package var sentAt: [Duration] = []
        package var connectedAt: Duration?
        package var localAddress: Endpoint?
        package var answer: BindingAnswer?
        package var ignored: [IgnoredReplies] = []
        package var troubles: [PathTrouble] = []
        package var failure: ProbeFailure?
        package var endedAt: Duration?
    }

    package let plan: Plan
    package var probes: [ProbeRecord] = []
    /// The bound socket of each base that has one.
    package var baseEndpoints: [Int: Endpoint] = [:]
    package var baseFailures: [Int: ProbeFailure] = [:]
    package var resolved: [Observation.ServerIndex: [Endpoint]] = [:]
    package var unresolved: [Observation.ServerIndex: [(family: IPAddress.Family?, failure: ResolutionFailure)]] = [:]
    package var notMeasuredByServer: [Observation.ServerIndex: [NotMeasured]] = [:]
    package var notMeasured: [NotMeasured]
    package var isInterrupted = false

    package init(_ plan: Plan, _ observations: [Observation]) {
        self.plan = plan
        notMeasured = plan.notMeasured
        for observation in observations { add(observation) }
    }

    private mutating func add(_ observation: Observation) {
        let now = observation.at
        switch observation.fact {
        case .baseOpened(let base, let local): baseEndpoints[base] = local
        case .baseFailed(let base, let failure): baseFailures[base] = failure
        case .resolved(let server, let endpoints): resolved[server, default: []] += endpoints
        case .notResolved(let server, let family, let failure):
            unresolved[server, default: []].append((family, failure))
        case .probeStarted(_, let probe): probes.append(ProbeRecord(probe: probe, startedAt: now))
        case .connected(let index, let local, _):
            probes[index].connectedAt = now
            probes[index].localAddress = local
        case .sent(let index, _): probes[index].sentAt.append(now)
        case .answered(let index, let answer):
            probes[index].answer = answer
            probes[index].localAddress = answer.localAddress
            probes[index].endedAt = now
        case .ignored(let index, let replies): probes[index].ignored.append(replies)
        case .pathError(let index, let trouble): probes[index].troubles.append(trouble)
        case .failed(let index, let failure):
            probes[index].failure = failure
            probes[index].endedAt = now
        case .notMeasured(let server?, let what): notMeasuredByServer[server, default: []].append(what)
        case .notMeasured(nil, let what): notMeasured.append(what)
        case .deadlineReached: break
        case .interrupted: isInterrupted = true
        }
    }
}
