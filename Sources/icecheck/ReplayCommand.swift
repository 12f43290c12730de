import ArgumentParser
import Reporting
import Session

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Reports a recorded run again, without a network.",
        discussion: """
            The measuring commands write a record with --record. This version of icecheck diagnoses it anew; of the \
            version that recorded it, the report and the exit status are the same. A record holds addresses, names of \
            servers and user names, and no passwords or keys.
            """)

    @Argument(help: ArgumentHelp("The record, or - for standard input.", valueName: "file"))
    var file: String

    @OptionGroup var output: OutputArguments

    func run() throws {
        let run = try RecordFile.read(file)
        guard output.format != .sdp || run.plan.command != .connect else {
            throw Failure(status: .usage, "--format sdp is for candidates; connect reports as text or json")
        }
        try Run.finish(run, Run.Settings(format: output.format))
    }
}
