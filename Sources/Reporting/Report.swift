package import Diagnosis
package import Facts
package import NetTypes
package import Planning
package import Prediction

/// Everything that a run has to say, as one value: each renderer is a pure function of it.
///
/// A command fills the parts that it measured; the others are nil and left out of JSON.
package struct Report: Sendable {
    /// What was asked about, which decides what the text shows.
    package var subject: Options.Command
    package var toolVersion: String
    /// RFC 3339, UTC.
    package var startedAt: String
    package var duration: Duration
    /// The command line as it was meant, without secrets.
    package var command: String
    /// The deadline of the run.
    package var timeout: Duration
    package var isInterrupted: Bool
    package var verdict: Verdict
    package var interfaces: [NetworkInterface]?
    package var candidates: [CandidateRecord]?
    package var stun: [STUNResult]?
    package var nat: [NATRecord]?
    package var turn: [TURNResult]?
    package var relayPairs: [RelayPairResult]?
    package var paths: [PathRecord]?
    package var mesh: Mesh?
    /// A connection to another end.
    package var connect: ConnectEvidence?
    package var notMeasured: [NotMeasured]
    package var findings: [Finding]

    package init(
        subject: Options.Command = .check, toolVersion: String, startedAt: String, duration: Duration, command: String,
        timeout: Duration,
        isInterrupted: Bool = false, verdict: Verdict, interfaces: [NetworkInterface]? = nil,
        candidates: [CandidateRecord]? = nil, stun: [STUNResult]? = nil, nat: [NATRecord]? = nil,
        turn: [TURNResult]? = nil, relayPairs: [RelayPairResult]? = nil,
        paths: [PathRecord]? = nil, mesh: Mesh? = nil,
        notMeasured: [NotMeasured] = [],
        findings: [Finding] = []
    ) {
        self.subject = subject
        self.toolVersion = toolVersion
        self.startedAt = startedAt
        self.duration = duration
        self.command = command
        self.timeout = timeout
        self.isInterrupted = isInterrupted
        self.verdict = verdict
        self.interfaces = interfaces
        self.candidates = candidates
        self.stun = stun
        self.nat = nat
        self.turn = turn
        self.relayPairs = relayPairs
        self.paths = paths
        self.mesh = mesh
        self.notMeasured = notMeasured
        self.findings = findings
    }
}
