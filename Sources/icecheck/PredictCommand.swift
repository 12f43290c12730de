import ArgumentParser
import Diagnosis
import HostIO
import NetTypes
import Planning
import Prediction
import Reporting
import STUN

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Predict from saved reports which machines can reach each other, and how.",
        discussion: """
            Reports are what check, nat, turn and the others write with --format json. One report is compared with typical \
            peers, two with each other; with more, all pairs are judged, and what a call among them costs relays. Two ICE \
            agents run over a model of both networks; what a report does not say is run at its best and at its worst. A \
            folder means all reports in it (.json, .jsonl, .ndjson), and a file may hold many reports, one after the \
            other. The exit status is 0 if every pair certainly has a path, for a single report if any class of peer does.
            """)

    @Argument(help: ArgumentHelp("Reports: files, folders, or - for standard input.", valueName: "report"))
    var reports: [String] = []

    @Flag(help: "Also predict paths to an SFU on a public host.")
    var sfu = false

    @Option(help: ArgumentHelp("The rate of one stream of a call, in kbit/s.", valueName: "kbit/s"))
    var bitrate = 1500.0

    @Option(
        help: ArgumentHelp("How many machines take part in a call. (default: all)", valueName: "number")
    )
    var participants: Int?

    @OptionGroup var output: OutputArguments

    func validate() throws {
        guard !reports.isEmpty else { throw ValidationError("predict needs at least one report") }
        guard bitrate > 0, bitrate <= 1e9 else {
            throw ValidationError("--bitrate is from above 0 to 1000000000 kbit/s")
        }
        guard participants.map({ (2...1_000_000).contains($0) }) ?? true else {
            throw ValidationError("--participants is from 2 to 1000000")
        }
    }

    func run() throws {
        let startedAt = WallClock.now
        let start = MonotonicClock.now
        var reading = PredictInput()
        for name in reports { reading.read(name) }
        reading.finish()
        guard reading.census.machines > 0 else {
            throw Failure("predict: no report could be read")
        }
        let (paths, mesh) = predictions(reading)
        let report = Report(
            predicting: paths, mesh, toolVersion: Version.number, startedAt: startedAt,
            duration: MonotonicClock.now - start, command: commandLine)
        try Run.write(report.rendered(as: output.format, style: .standardOutput))
        Process.exit(ExitStatus(isSuccess: report.verdict.isOK && reading.faults == 0))
    }

    private func predictions(_ input: PredictInput) -> ([PathRecord], Mesh?) {
        var predictor = Predictor()
        let count = input.census.machines
        var paths: [PathRecord] = []
        if count == 1, let (name, machine) = input.machines.first {
            paths = PathRecord.toClasses(from: machine, name: Self.short(name), report: name, &predictor)
        } else if count == input.machines.count {
            for (index, (name, machine)) in input.machines.enumerated() {
                for (otherName, other) in input.machines[(index + 1)...] {
                    let prediction = predictor.predict(
                        machine, other, names: (Self.short(name), Self.short(otherName)))
                    paths.append(PathRecord(from: name, peer: .report(otherName), prediction: prediction))
                }
            }
        }
        guard count > 2 || sfu else { return (paths, nil) }
        let options = Mesh.CallOptions(bitrate: bitrate, participants: participants, asksStar: sfu)
        return (paths, Mesh(input.census, options, predictor))
    }

    /// Without its folder, as sentences name it; the report has its whole name beside them.
    private static func short(_ name: String) -> MachineName {
        MachineName(name.split(separator: "/").last.map(String.init) ?? name)
    }

    private var commandLine: String {
        var words = ["icecheck", "predict"] + reports.prefix(8).map { QuotedInput($0).description }
        if reports.count > 8 { words.append("... (\(reports.count) in all)") }
        if sfu { words.append("--sfu") }
        if bitrate != 1500 { words += ["--bitrate", "\(bitrate)"] }
        if let participants { words += ["--participants", "\(participants)"] }
        return words.joined(separator: " ")
    }
}

/// The machines of the reports that the user names; a line on standard error for each that is none.
struct PredictInput {
    /// Machines whose pairs are shown one by one: of more, only the kinds are kept.
    static let mostShown = 12
    /// Faults that are told one by one.
    private static let mostFaults = 100

    private(set) var census = MeshCensus()
    /// The first ones, with their names.
    private(set) var machines: [(name: String, MachineModel)] = []
    private(set) var faults = 0

    mutating func read(_ path: String) {
        do throws(SystemError) {
            guard path != "-", let names = try InputFile.names(inFolder: path) else { return readFile(path) }
            let reports = names.filter { name in [".json", ".jsonl", ".ndjson"].contains { name.hasSuffix($0) } }
            if reports.isEmpty { tell(path, "the folder has no .json, .jsonl or .ndjson file") }
            for name in reports { readFile(path.hasSuffix("/") ? path + name : "\(path)/\(name)") }
        } catch {
            tell(path, error.description)
        }
    }

    private mutating func readFile(_ path: String) {
        var reports = SavedReports()
        do throws(SystemError) {
            try InputFile.forEachPiece(of: path) { piece in
                reports.append(piece)
                while let item = reports.next(isEnd: false) { take(item, of: path) }
            }
            while let item = reports.next(isEnd: true) { take(item, of: path) }
        } catch {
            tell(path, error.description)
        }
    }

    private mutating func take(_ item: SavedReports.Item, of path: String) {
        switch item {
        case .fault(let message): tell(path, message)
        case .machine(let machine, let line):
            func name() -> String {
                let shown = QuotedInput(path == "-" ? "standard input" : path).description
                return line == 1 ? shown : "\(shown):\(line)"
            }
            census.add(machine, name: name())
            if machines.count <= Self.mostShown { machines.append((name(), machine)) }
        }
    }

    private mutating func tell(_ path: String, _ message: String) {
        faults += 1
        guard faults <= Self.mostFaults else { return }
        let style = RenderingStyle(width: 80, isColoured: false, isUnicode: Environment.usesUTF8)
        let name = path == "-" ? "standard input" : "'\(QuotedInput(path))'"
        try? StandardStream.error.write("icecheck: predict \(name): \(style.shown(OutsideText(message), limit: 900))\n")
    }

    /// Says how many more faults there were than were told.
    mutating func finish() {
        // One more than is shown tells that there are more.
        if machines.count > Self.mostShown { machines.removeAll() }
        guard faults > Self.mostFaults else { return }
        try? StandardStream.error.write("icecheck: predict: and \(faults - Self.mostFaults) more that are no reports\n")
    }
}
