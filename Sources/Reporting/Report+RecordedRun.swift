import Diagnosis
package import Facts
import Planning
import Prediction

extension Report {
    /// What a run has to say: the same of the run and of its record.
    package init(_ run: RecordedRun) {
        let plan = run.plan
        let diagnosis = Diagnosis(
            plan, run.observations, interfacesAfter: run.interfacesAfter, wallClock: run.wallClock,
            predict: ConnectEvidence.Prediction.init(of:_:))
        self.init(run, diagnosis)
        connect = diagnosis.connect
        guard plan.command != .connect else { return }
        if plan.gathersReflexive {
            interfaces = plan.interfaces
            candidates = diagnosis.candidates
        }
        if !plan.servers.isEmpty, plan.asksBinding { stun = diagnosis.stun }
        if plan.natDiscovery == .atOnce || !diagnosis.nat.isEmpty { nat = diagnosis.nat }
        if plan.provesRelays || !plan.asksBinding { turn = diagnosis.turn }
        if plan.pairsRelays { relayPairs = diagnosis.relayPairs }
        if plan.command == .check {
            // To each class of peer; the model takes the usual round trip.
            var predictor = Predictor()
            paths = PathRecord.toClasses(from: MachineModel(diagnosis, plan), &predictor)
        }
    }

    private init(_ run: RecordedRun, _ diagnosis: Diagnosis) {
        self.init(
            subject: run.plan.command, toolVersion: run.toolVersion, startedAt: run.startedAt,
            duration: run.duration, command: run.command, timeout: run.plan.timeout,
            isInterrupted: run.end.isInterruption, verdict: diagnosis.verdict, notMeasured: diagnosis.notMeasured,
            findings: diagnosis.findings)
    }
}
