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
    package var subject = Options.Command.check
    package var toolVersion: String
    /// RFC 3339, UTC.
    package var startedAt: String
    package var duration: Duration
    /// The command line as it was meant, without secrets.
    package var command: String
    /// The deadline of the run.
    package var timeout: Duration
    package var isInterrupted = false
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
    package var notMeasured: [NotMeasured] = []
    package var findings: [Finding] = []
}

extension Report {
    /// What predictions have to say: of a mesh without its pairs, where there are too many of them.
    package init(
        predicting paths: [PathRecord], _ mesh: Mesh?, toolVersion: String, startedAt: String, duration: Duration,
        command: String
    ) {
        self.init(
            subject: .predict, toolVersion: toolVersion, startedAt: startedAt, duration: duration, command: command,
            timeout: .zero, verdict: Verdict(paths: paths, mesh: mesh),
            paths: mesh == nil || !paths.isEmpty ? paths : nil, mesh: mesh)
    }
}
