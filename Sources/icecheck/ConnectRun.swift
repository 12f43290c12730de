import Diagnosis
import Engines
import Facts
import HostIO
import NetTypes
import Planning
import Reporting
import STUN
import SecureTransport
import Session

/// Drives a connection on this machine's network, and reports.
struct ConnectRun {
    let plan: Plan
    let ends: ChannelEnds
    let commandLine: String
    let format: OutputFormat
    let outputFile: String?
    /// The file that the run is recorded in.
    let record: String?
    /// Whether standard output belongs to signaling.
    let isQuiet: Bool
    let showsProgress: Bool

    /// What a run may take beyond its time: the session deletes its allocations in it.
    private static let reserve = Duration.milliseconds(430)
    /// The same after a signal.
    private static let reserveAfterSignal = Duration.milliseconds(1430)
    /// How long a command may take to end by itself, once the session is over.
    private static let grace = Duration.milliseconds(300)

    /// Does it all, and leaves with the exit status that fits.
    func start() throws {
        let startedAt = WallClock.now
        let start = MonotonicClock.now
        let driver = try Run.driver()
        do {
            try driver.adopt(Session.channel, ends)
        } catch {
            throw Failure(status: .cannotReadInput, "the peer cannot be reached: \(error)")
        }
        var session = SecurePaths(Session(plan, random: SystemRandomNumberGenerator(), from: start))
        var observations: [Observation] = []
        var progress = showsProgress ? ConnectProgress() : nil
        let latest = start + plan.timeout + Self.reserve
        let end = driver.run(
            &session, until: latest,
            onEvent: { observation in
                observations.append(observation)
                progress?.clear()
                say(observation)
            },
            onWake: { session, now in
                if let evidence = session.base.connection { progress?.show(evidence, at: now - start) }
            })
        Process.endAtNextSignal()
        if !session.isFinished {
            session.base.conclude(end.isInterruption ? .interrupted : .deadline, at: MonotonicClock.now)
            // No allocation stays behind: the requests that delete them go out.
            let limit = end.isInterruption ? MonotonicClock.now + Self.reserveAfterSignal : latest
            _ = driver.run(&session, until: limit, onEvent: { observations.append($0) })
        }
        while let observation = session.pollEvent() { observations.append(observation) }
        progress?.clear()
        let rest = end.isInterruption ? .zero : max(.zero, min(Self.grace, latest - MonotonicClock.now))
        let status = driver.end(Session.channel, grace: rest)
        let duration = MonotonicClock.now - start
        let run = RecordedRun(
            toolVersion: Version.number, startedAt: startedAt, command: commandLine,
            wallClock: WallClock.secondsSince1970, duration: duration, end: RecordedRun.End(end), plan: plan,
            observations: observations)
        let report = Report(run)
        if let status, status != 0, report.connect?.isConnected != true {
            warn("the command of --via ended with status \(status)")
        }
        // What was measured is kept, whatever becomes of the report.
        let printed = Result { try print(report) }
        if let record { try RecordFile.write(run, to: record) }
        try printed.get()
        Process.exit(Run.status(run.end, isOK: report.verdict.isOK))
    }

    private func print(_ report: Report) throws {
        if let outputFile {
            let style = RenderingStyle(width: 120, isColoured: false, isUnicode: Environment.usesUTF8)
            do {
                try OutputFile.write(report.rendered(as: format, style: style), to: outputFile)
            } catch {
                throw Failure(status: .cannotWriteOutput, "--output \(QuotedInput(outputFile)): \(error)")
            }
        } else if isQuiet {
            // The other end reports; this one says what its user would miss.
            if report.connect?.isConnected != true { warn(report.verdict.summary) }
        } else {
            try Run.write(report.rendered(as: format, style: .standardOutput))
        }
    }

    // MARK: On the way

    /// Whether a person brings the lines over.
    private var isPasted: Bool { ends == .standardStreams && !isQuiet }

    private func say(_ observation: Observation) {
        guard case .connecting(let fact) = observation.fact, let form = plan.connect?.form else { return }
        switch fact {
        case .described where isPasted && form == .line:
            warn("this is this end's line: give it to the other end, and paste the other end's line here")
        case .described where isPasted && form == .sdp(answers: false):
            warn("this is the offer: give it to the other end, and paste its answer here")
        case .phase(.signaling) where isPasted && form == .sdp(answers: true):
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
