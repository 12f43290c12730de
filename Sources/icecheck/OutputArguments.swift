import ArgumentParser
import HostIO
import Reporting

/// How the result is shown.
struct OutputArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp("text for people, json for programs, sdp for the a=candidate lines.", valueName: "format"))
    var format = OutputFormat.text

    /// Colour and Unicode as the terminal and the environment allow.
    var style: RenderingStyle {
        let isTerminal = StandardStream.output.isTerminal
        let term = Environment.value("TERM") ?? ""
        return RenderingStyle(
            width: isTerminal ? StandardStream.output.terminalWidth ?? 80 : 120,
            isColoured: isTerminal && Environment.value("NO_COLOR", isNonEmpty: true) == nil && term != "dumb",
            isUnicode: Environment.usesUTF8)
    }
}

extension OutputFormat: ExpressibleByArgument {}
