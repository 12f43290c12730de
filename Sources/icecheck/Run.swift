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

/// A run of a plan on this machine's network: read the interfaces, plan, drive, diagnose, report.
struct Run {
    /// How a run is shown.
    struct Settings {
        var format = OutputFormat.text
        var isDryRun = false
        var showsProgress = true
        /// The file that the run is recorded in.
        var record: String?
        /// The file that the report goes to instead of standard output.
        var outputFile: String?
        /// Of `connect`.
        var peer: PeerChannel?
        /// What was typed and the options do not have, as the report's command line shows it.
        var words: [String] = []

        init() {}

        init(_ server: ServerArguments, _ format: OutputFormat) {
            self.format = format
            isDryRun = server.dryRun
            showsProgress = !server.noProgress
            record = server.record
        }
    }

    private let options: Options
    private let settings: Settings

    init(_ options: Options, _ settings: Settings) {
        self.options = options
        self.settings = settings
    }

    /// Does it all, and leaves with the exit status that fits.
    func start() throws {
        let interfaces = try Self.interfaces()
        let plan = try Plan(options, interfaces: interfaces)
        if settings.isDryRun {
            try Self.write(plan.rendered(as: settings.format, style: .standardOutput))
            return
        }
        try plan.requireCredentials()
        if let record = settings.record { try RecordFile.check(record) }
        let (run, channelStatus) = try measure(plan)
        try Self.finish(run, settings, channelStatus: channelStatus)
    }

    /// Reports a run, records it where that is wanted, and leaves with the exit status that fits.
    ///
    /// - Parameter channelStatus: of a command that led to the peer.
    static func finish(_ run: RecordedRun, _ settings: Settings, channelStatus: Int32? = nil) throws {
        let report = Report(run)
        if let channelStatus, channelStatus != 0, !report.verdict.isOK {
            settings.peer?.warn("the command of --via ended with status \(channelStatus)")
        }
        // What was measured is kept, whatever becomes of the report.
        let printed = Result { try print(report, settings) }
        if let record = settings.record { try RecordFile.write(run, to: record) }
        try printed.get()
        Process.exit(status(run.end, isOK: report.verdict.isOK))
    }

    private static func print(_ report: Report, _ settings: Settings) throws {
        if let outputFile = settings.outputFile {
            let style = RenderingStyle(width: 120, isColoured: false, isUnicode: Environment.usesUTF8)
            do {
                try OutputFile.write(report.rendered(as: settings.format, style: style), to: outputFile)
            } catch {
                throw Failure("--output \(QuotedInput(outputFile)): \(error)", status: .cannotWriteOutput)
            }
        } else if let peer = settings.peer, peer.isQuiet {
            // The peer reports; this side says what its user would miss.
            if !report.verdict.isOK { peer.warn(report.verdict.summary) }
        } else {
            try write(report.rendered(as: settings.format, style: .standardOutput))
        }
    }

    /// - Returns: the run, and the status of a command that led to the peer.
    private func measure(_ plan: Plan) throws -> (RecordedRun, channelStatus: Int32?) {
        let startedAt = WallClock.now
        let start = MonotonicClock.now
        let driver = try Self.driver()
        try settings.peer?.open(on: driver)
        var session = SecurePaths(Session(plan, random: SystemRandomNumberGenerator(), from: start))
        var observations: [Observation] = []
        var progress = settings.showsProgress ? Self.progress(of: plan) : nil
        // The session keeps its own times; the driver's are for a session that would not.
        let latest = start + plan.timeout + Plan.cleanupLimit + Self.tolerance
        let end = driver.run(
            &session, until: latest, wakeEvery: progress == nil || plan.idleTimes.isEmpty ? nil : .seconds(1),
            onEvent: { observation in
                observations.append(observation)
                progress?.show(observation)
                settings.peer?.say(observation)
            },
            onWake: { paths, now in progress?.show(paths.base, at: now - start) })
        Process.endAtNextSignal()
        if !session.isFinished {
            session.base.conclude(end.isInterruption ? .interrupted : .deadline, at: MonotonicClock.now)
            // No allocation stays behind: what is left to do is to delete them.
            let rest = end.isInterruption ? Plan.cleanupLimitAfterSignal : Plan.cleanupLimit
            _ = driver.run(
                &session, until: MonotonicClock.now + rest + Self.tolerance, onEvent: { observations.append($0) })
        }
        while let observation = session.pollEvent() { observations.append(observation) }
        progress?.clear()
        let channelStatus = settings.peer?.close(on: driver, by: end.isInterruption ? MonotonicClock.now : latest)
        let duration = MonotonicClock.now - start
        // A network that changes within half a second is met as an error of its sockets.
        let isLong = duration > .milliseconds(500)
        let run = RecordedRun(
            toolVersion: Version.number, startedAt: startedAt,
            command: ([options.commandLine] + settings.words).joined(separator: " "),
            wallClock: WallClock.secondsSince1970, duration: duration, end: RecordedRun.End(end), plan: plan,
            interfacesAfter: isLong ? try? InterfaceTable.read() : nil, observations: observations)
        return (run, channelStatus ?? nil)
    }

    private static func progress(of plan: Plan) -> (any LiveProgress)? {
        if plan.connect != nil { ConnectProgress() } else { Progress(plan) }
    }

    /// How late the driver may notice that a time is over.
    private static let tolerance = Duration.milliseconds(30)

    static func status(_ end: RecordedRun.End, isOK: Bool) -> ExitStatus {
        if case .interrupted(let signal) = end { return .signal(signal) }
        return ExitStatus(isSuccess: isOK)
    }

    static func interfaces() throws -> [NetworkInterface] {
        do {
            return try InterfaceTable.read()
        } catch {
            throw Failure("the machine's interfaces cannot be read: \(error)", status: .internal)
        }
    }

    static func driver() throws -> Driver {
        do {
            return try Driver(catchesSignals: true)
        } catch {
            throw Failure("no event loop could be made: \(error)", status: .internal)
        }
    }

    /// Writes the result; a reader that has gone away is told apart from a disk that is full.
    static func write(_ text: String) throws {
        do {
            try StandardStream.output.write(text)
        } catch {
            throw Failure("the result cannot be written: \(error)", status: .cannotWriteOutput)
        }
    }
}

extension RecordedRun.End {
    init(_ end: Driver.RunEnd) {
        if case .interrupted(let signal) = end { self = .interrupted(signal: signal) } else { self = .finished }
    }
}

extension Driver.RunEnd {
    var isInterruption: Bool { if case .interrupted = self { true } else { false } }
}

extension Options {
    /// The command line as it was meant; it has no secrets to leave out, since servers are named without credentials.
    var commandLine: String {
        var words = ["icecheck", command.rawValue] + servers.map(\.uri.text)
        if families.count == 1 { words.append(families.contains(.ipv4) ? "-4" : "-6") }
        if transports != [.udp] { words += ["--transport", transports.count == 1 ? "tcp" : "all"] }
        if let interface { words += ["--interface", interface] }
        if let bindAddress { words += ["--bind", bindAddress.description] }
        if let timeout { words += ["--timeout", timeout.secondsText] }
        if asksHairpin { words.append("--hairpin") }
        if count != 1 { words += ["--count", "\(count)"] }
        if measuresLifetime { words.append("--lifetime") }
        words += turn.words
        if trust.isInsecure { words.append("--insecure") }
        return words.joined(separator: " ")
    }
}

extension TURNOptions {
    /// As they stand on the command line, without secrets.
    fileprivate var words: [String] {
        var words: [String] = []
        if let username = credentials.username { words += ["--user", username] }
        if let realm { words += ["--realm", realm] }
        if soaks { words.append("--soak") }
        if usesAllTransports { words.append("--all-transports") }
        if redirects == .never { words.append("--no-redirect") }
        if redirects == .anywhere { words.append("--follow-private") }
        if relayTransport == .tcp { words += ["--relay-transport", "tcp"] }
        words += AllocationOption.allCases.filter(options.contains).map { "--\($0.rawValue)" }
        let usual = Plan.RelayLoad()
        if load.count != usual.count { words += ["--count", "\(load.count)"] }
        if load.size != usual.size { words += ["--size", "\(load.size)"] }
        if let pace = load.pace { words += ["--duration", (pace * load.count).secondsText] }
        return words
    }
}

extension Duration {
    /// Seconds as an option takes them: `3` or `0.5`.
    var secondsText: String {
        let seconds = inSeconds
        return seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
    }
}
