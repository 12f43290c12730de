import Connecting
import Diagnosis
import Engines
import HostIO
import NetTypes
import Reporting
import STUN
import SecureTransport
import Session

/// Drives a connection on this machine's network, and reports.
struct ConnectRun {
    typealias LiveSession = ConnectSession<SystemRandomNumberGenerator>
    typealias LiveConnection = MeasuredConnection<SystemRandomNumberGenerator>

    let plan: Plan
    /// Of the look at the NATs before this side; nil where there is none.
    let measurement: Plan?
    let configuration: ConnectConfiguration
    let ends: ChannelEnds
    let commandLine: String
    let format: OutputFormat
    let outputFile: String?
    /// The file that the run is recorded in.
    let record: String?
    /// Whether standard output belongs to signaling.
    let isQuiet: Bool
    let showsProgress: Bool

    /// What a run may take beyond its time: allocations are deleted in it.
    private static let reserve = Duration.milliseconds(400)
    /// How long a command may take to end by itself, once the session is over.
    private static let grace = Duration.milliseconds(300)

    /// Does it all, and leaves with the exit status that fits.
    func start() throws {
        let startedAt = WallClock.now
        let start = MonotonicClock.now
        let driver = try Run.driver()
        do {
            try driver.adopt(LiveSession.channel, ends)
        } catch {
            throw Failure(status: .cannotReadInput, "the other end cannot be reached: \(error)")
        }
        var session = SecurePaths(
            LiveConnection(
                configuration, measuring: measurement, random: SystemRandomNumberGenerator(), from: start))
        var progress = showsProgress ? ConnectProgress() : nil
        let end = driver.run(
            &session, until: start + plan.timeout + Self.reserve,
            onEvent: { event in
                progress?.clear()
                say(event)
            },
            onWake: { session, now in progress?.show(session.base.connection.evidence, at: now - start) })
        Process.endAtNextSignal()
        if !session.isFinished {
            session.base.conclude(end.isInterruption ? .interrupted : .deadline(.checking), at: MonotonicClock.now)
            // No allocation stays behind: the requests that delete them go out.
            _ = driver.run(&session, until: MonotonicClock.now + Self.reserve)
        }
        progress?.clear()
        let status = driver.end(LiveSession.channel, grace: end.isInterruption ? .zero : Self.grace)
        let evidence = session.base.connection.evidence
        if let status, status != 0, !evidence.isConnected {
            warn("the command of --via ended with status \(status)")
        }
        try report(evidence, startedAt, MonotonicClock.now - start, end)
        if case .interrupted(let signal) = end { Process.exit(128 + signal) }
        Process.exit(evidence.isConnected ? 0 : Failure.Status.negative.rawValue)
    }

    private func report(
        _ evidence: ConnectEvidence, _ startedAt: String, _ duration: Duration, _ end: Driver.RunEnd
    ) throws {
        let run = RecordedRun(
            toolVersion: Version.number, startedAt: startedAt, command: commandLine,
            wallClock: WallClock.secondsSince1970, duration: duration, end: RecordedRun.End(end), plan: plan,
            connect: evidence)
        let printed = Result { try print(Report(run), isConnected: evidence.isConnected) }
        if let record { try RecordFile.write(run, to: record) }
        try printed.get()
    }

    private func print(_ report: Report, isConnected: Bool) throws {
        if let outputFile {
            let style = RenderingStyle(width: 120, isColoured: false, isUnicode: Environment.usesUTF8)
            do {
                try OutputFile.write(report.rendered(as: format, style: style), to: outputFile)
            } catch {
                throw Failure(status: .cannotWriteOutput, "--output \(QuotedInput(outputFile)): \(error)")
            }
        } else if isQuiet {
            // The other end reports; this one says what its user would miss.
            if !isConnected { warn(report.verdict.summary) }
        } else {
            try Run.write(report.rendered(as: format, style: .standardOutput))
        }
    }

    // MARK: On the way

    /// Whether a person brings the lines over.
    private var isPasted: Bool { ends == .standardStreams && !isQuiet }

    private func say(_ event: ConnectEvent) {
        switch event.fact {
        case .described where isPasted && !configuration.usesSDP:
            warn("this is this end's line: give it to the other end, and paste the other end's line here")
        case .described where isPasted && configuration.form == .sdp(answers: false):
            warn("this is the offer: give it to the other end, and paste its answer here")
        case .phase(.signaling) where isPasted && configuration.form == .sdp(answers: true):
            warn("paste the other end's offer here; SDP without JSON around it ends with an empty line")
        case .signalingProblem(let problem): warn(problem)
        default: break
        }
    }

    private func warn(_ text: String) {
        let style = RenderingStyle(width: 80, isColoured: false, isUnicode: Environment.usesUTF8)
        try? StandardStream.error.write("icecheck: \(style.shown(OutsideText(text), limit: 900))\n")
    }
}
