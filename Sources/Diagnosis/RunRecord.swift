package import Engines
package import Facts
package import NetTypes
package import Planning
import STUN

/// The observations of a run, sorted by what they are about.
///
/// A recording may come from elsewhere: a fact about a server, base or probe that the plan or the recording does not
/// have is left out.
package struct RunRecord: Sendable {
    package struct ProbeRecord: Sendable {
        package let probe: Probe
        package let startedAt: Duration
        package var sentAt: [Duration] = []
        package var localAddress: Endpoint?
        package var answer: BindingAnswer?
        package var ignored: [IgnoredReplies] = []
        package var troubles: [PathTrouble] = []
        package var failure: ProbeFailure?
        package var endedAt: Duration?
        package var tls: TLSEvidence?
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
    package var nat: [NATEvidence] = []
    package var natThroughRelays: [(evidence: RelayedNATEvidence, relays: [TURNEvidence])] = []
    package var natLifetimes: [NATLifetimeEvidence] = []
    package var turn: [TURNEvidence] = []
    package var relayPairs: [RelayPairEvidence] = []
    package var isInterrupted = false
    /// Why there was no time for what was not finished.
    var endReason: NotMeasured.Reason { isInterrupted ? .interrupted : .deadline }
    /// A connection to a peer, with its steps; nil where none was asked for.
    package var connection: ConnectEvidence?
    private var moments: [ConnectEvidence.Moment] = []

    package init(_ plan: Plan, _ observations: [Observation]) {
        self.plan = plan
        notMeasured = plan.notMeasured
        for observation in observations { add(observation) }
        connection?.timeline = moments
        let left = plan.servers.indices.flatMap(notResolved)
        connection?.notResolved += left
    }

    private mutating func add(_ observation: Observation) {
        let now = observation.at
        switch observation.fact {
        case .baseOpened(let base, let local): baseEndpoints[base] = local
        case .baseFailed(let base, let failure): baseFailures[base] = failure
        case .resolved(let server, let endpoints): resolved[server, default: []] += endpoints
        case .deadlineReached: break
        case .notResolved(let server, let family, let failure):
            unresolved[server, default: []].append((family, failure))
        case .probeStarted(let index, let probe):
            guard index == probes.count, plan.servers.indices.contains(probe.server) else { return }
            probes.append(ProbeRecord(probe: probe, startedAt: now))
        case .connected(let index, let local, _): change(index) { $0.localAddress = local }
        case .secured(let index, let tls): change(index) { $0.tls = tls }
        case .sent(let index, _): change(index) { $0.sentAt.append(now) }
        case .answered(let index, let answer):
            change(index) {
                $0.answer = answer
                $0.localAddress = answer.localAddress
                $0.endedAt = now
            }
        case .ignored(let index, let replies): change(index) { $0.ignored.append(replies) }
        case .pathError(let index, let trouble): change(index) { $0.troubles.append(trouble) }
        case .failed(let index, let failure):
            change(index) {
                $0.failure = failure
                $0.endedAt = now
            }
        case .notMeasured(let server?, let what): notMeasuredByServer[server, default: []].append(what)
        case .notMeasured(nil, let what): notMeasured.append(what)
        case .natSeen(let evidence): nat.append(evidence)
        case .natSeenThroughRelays(let evidence, let relays): natThroughRelays.append((evidence, relays))
        case .natLifetimeSampled: break
        case .natLifetimeSeen(let evidence): natLifetimes.append(evidence)
        case .turnSeen(let evidence):
            if plan.servers.indices.contains(evidence.server) { turn.append(evidence) }
        case .relayPairSeen(let evidence):
            if [evidence.first, evidence.second].allSatisfy({ plan.servers.indices.contains($0.server) }) {
                relayPairs.append(evidence)
            }
        case .connecting(.described): break
        case .connecting(let happening): moments.append(ConnectEvidence.Moment(at: now, happening))
        case .connectionSeen(let evidence): connection = evidence
        case .interrupted: isInterrupted = true
        }
    }

    /// What a server's name did not lead to. A name of one family is not at fault.
    private func notResolved(_ server: Observation.ServerIndex) -> [ConnectEvidence.NotResolved] {
        let failures = (unresolved[server] ?? []).map(\.failure).filter {
            resolved[server] == nil || $0.hasNoRecords != true
        }
        let unfinished = (notMeasuredByServer[server] ?? []).filter { $0.reason != .excluded }.map(\.detail)
        return (failures.map { "\($0.step): \($0.message)" } + unfinished).map {
            ConnectEvidence.NotResolved(server: plan.servers[server].uri.text, reason: $0)
        }
    }

    private mutating func change(_ index: Observation.ProbeIndex, _ body: (inout ProbeRecord) -> Void) {
        if probes.indices.contains(index) { body(&probes[index]) }
    }
}
