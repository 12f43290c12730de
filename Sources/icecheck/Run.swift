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
        if let record = settings.record { try RecordFile.check(record) }
        try Self.finish(try measure(plan), settings)
    }

    /// Reports a run, records it where that is wanted, and leaves with the exit status that fits.
    static func finish(_ run: RecordedRun, _ settings: Settings) throws {
        let report = Report(run)
        // What was measured is kept, whatever becomes of the report.
        let printed = Result { try write(report.rendered(as: settings.format, style: .standardOutput)) }
        if let record = settings.record { try RecordFile.write(run, to: record) }
        try printed.get()
        Process.exit(status(run.end, isOK: report.verdict.isOK))
    }

    private func measure(_ plan: Plan) throws -> RecordedRun {
        let startedAt = WallClock.now
        let start = MonotonicClock.now
        var session = SecurePaths(Session(plan, random: SystemRandomNumberGenerator(), from: start))
        var observations: [Observation] = []
        var progress = settings.showsProgress ? Progress(plan) : nil
        let driver = try Self.driver()
        // The session keeps its own deadline; the driver's is for a session that would not.
        let reserve = plan.allocates ? Session.cleanupLimitAfterSignal : .zero
        let end = driver.run(
            &session, until: start + plan.timeout + reserve + .milliseconds(250),
            wakeEvery: progress == nil || plan.idleTimes.isEmpty ? nil : .seconds(1),
            onEvent: { observation in
                observations.append(observation)
                progress?.show(observation)
            },
            onWake: { _, now in
                if !plan.idleTimes.isEmpty { progress?.move(to: now - start) }
            })
        Process.endAtNextSignal()
        if !session.isFinished {
            session.base.conclude(end.isInterruption ? .interrupted : .deadline, at: MonotonicClock.now)
        }
        // No allocation stays behind: what is left to do is to delete them.
        if !session.isFinished {
            _ = driver.run(&session, until: MonotonicClock.now + reserve, onEvent: { observations.append($0) })
        }
        while let observation = session.pollEvent() { observations.append(observation) }
        progress?.clear()
        let duration = MonotonicClock.now - start
        // A network that changes within half a second is met as an error of its sockets.
        let isLong = duration > .milliseconds(500)
        return RecordedRun(
            toolVersion: Version.number, startedAt: startedAt, command: options.commandLine,
            wallClock: WallClock.secondsSince1970, duration: duration, end: RecordedRun.End(end), plan: plan,
            interfacesAfter: isLong ? try? InterfaceTable.read() : nil, observations: observations)
    }

    static func status(_ end: RecordedRun.End, isOK: Bool) -> ExitStatus {
        if case .interrupted(let signal) = end { return .signal(signal) }
        return ExitStatus(isSuccess: isOK)
    }

    static func interfaces() throws -> [NetworkInterface] {
        do {
            return try InterfaceTable.read()
        } catch {
            throw Failure(status: .internal, "the machine's interfaces cannot be read: \(error)")
        }
    }

    static func driver() throws -> Driver {
        do {
            return try Driver(catchesSignals: true)
        } catch {
            throw Failure(status: .internal, "no event loop could be made: \(error)")
        }
    }

    /// Writes the result; a reader that has gone away is told apart from a disk that is full.
    static func write(_ text: String) throws {
        do {
            try StandardStream.output.write(text)
        } catch {
            throw Failure(status: .cannotWriteOutput, "the result cannot be written: \(error)")
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
