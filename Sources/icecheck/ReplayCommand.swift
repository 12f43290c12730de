import ArgumentParser
import Facts
import HostIO
import Planning
import Reporting

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Report a recorded run again, without a network.",
        discussion: """
            Every measuring command writes a record with --record. Report and exit status are those of the recorded run; \
            another version of icecheck may conclude something else from the same observations. A record contains \
            addresses, server names and user names, but no passwords or keys.
            """)

    @Argument(help: ArgumentHelp("The record, or - for standard input.", valueName: "file"))
    var file: String

    @OptionGroup var output: CandidateOutputArguments

    func run() throws {
        let run = try RecordFile.read(file)
        guard output.format != .sdp || [.check, .candidates].contains(run.plan.command) else {
            throw Failure("--format sdp is for candidates; \(run.plan.command.rawValue) reports as text or json")
        }
        var settings = Run.Settings()
        settings.format = output.format
        try Run.finish(run, settings)
    }
}
