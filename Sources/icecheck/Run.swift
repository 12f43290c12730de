import Diagnosis
import Engines
import HostIO
import NetTypes
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

        init() {}

        init(_ server: ServerArguments, _ format: OutputFormat) {
            self.format = format
            isDryRun = server.dryRun
            showsProgress = !server.noProgress
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
        let measured = try measure(plan)
        let report = try report(plan, measured)
        try Self.write(report.rendered(as: settings.format, style: .standardOutput))
        Process.exit(Self.status(measured.end, report.verdict))
    }

    private struct Measurement {
        var observations: [Observation]
        var end: Driver.RunEnd
        var startedAt: String
        var duration: Duration
    }

    private func measure(_ plan: Plan) throws -> Measurement {
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
        return Measurement(
            observations: observations, end: end, startedAt: startedAt, duration: MonotonicClock.now - start)
    }

    private func report(_ plan: Plan, _ measured: Measurement) throws -> Report {
        // A network that changes within half a second is met as an error of its sockets.
        let isLong = measured.duration > .milliseconds(500)
        let diagnosis = Diagnosis(
            plan, measured.observations, interfacesAfter: isLong ? try? InterfaceTable.read() : nil,
            wallClock: WallClock.secondsSince1970)
        return Report(
            subject: subject, toolVersion: Version.number, startedAt: measured.startedAt, duration: measured.duration,
            command: options.commandLine, timeout: plan.timeout, isInterrupted: measured.end.isInterruption,
            verdict: diagnosis.verdict, interfaces: plan.gathersReflexive ? plan.interfaces : nil,
            candidates: plan.gathersReflexive ? diagnosis.candidates : nil,
            stun: plan.servers.isEmpty || !plan.asksBinding ? nil : diagnosis.stun,
            nat: plan.natDiscovery == .atOnce || !diagnosis.nat.isEmpty ? diagnosis.nat : nil,
            turn: plan.provesRelays || !plan.asksBinding ? diagnosis.turn : nil,
            relayPairs: plan.pairsRelays ? diagnosis.relayPairs : nil,
            paths: plan.command == .check ? paths(plan, diagnosis) : nil,
            notMeasured: diagnosis.notMeasured,
            findings: diagnosis.findings)
    }

    /// To each class of peer; the model takes the usual round trip.
    private func paths(_ plan: Plan, _ diagnosis: Diagnosis) -> [PathRecord] {
        var predictor = Predictor()
        return PathRecord.toClasses(from: MachineModel(diagnosis, plan), &predictor)
    }

    private var subject: Report.Subject {
        switch options.command {
        case .check: .check
        case .candidates: .candidates
        case .stun: .stun
        case .nat: .nat
        case .turn: .turn
        case .connect: .connect
        }
    }

    private static func status(_ end: Driver.RunEnd, _ verdict: Verdict) -> ExitStatus {
        if case .interrupted(let signal) = end { return .signal(signal) }
        return ExitStatus(isSuccess: verdict.isOK)
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
