import ArgumentParser
import HostIO
import NetTypes
import Reporting

/// How the result is shown.
struct OutputArguments: ParsableArguments {
    private enum Choice: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    @Option(name: .customLong("format"), help: ArgumentHelp("text for people, json for programs.", valueName: "format"))
    private var choice = Choice.text

    var format: OutputFormat { choice == .json ? .json : .text }
}

/// The same of the commands that gather candidates.
struct CandidateOutputArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "text for people, json for programs, sdp for the a=candidate lines.", valueName: "format"))
    var format = OutputFormat.text
}

extension RenderingStyle {
    /// Colour, width and Unicode as the terminal and the environment allow.
    static var standardOutput: RenderingStyle {
        let isTerminal = StandardStream.output.isTerminal
        let isColoured =
            isTerminal && Environment.value(.noColor, isNonEmpty: true) == nil
            && Environment.value(.terminal) != "dumb"
        return RenderingStyle(
            width: isTerminal ? StandardStream.output.terminalWidth ?? 80 : 120, isColoured: isColoured,
            isUnicode: Environment.usesUTF8)
    }
}

extension OutputFormat: ExpressibleByArgument {}
