import ArgumentParser
import HostIO
import Reporting

/// How the result is shown.
struct OutputArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp("text for people, json for programs, sdp for the a=candidate lines.", valueName: "format"))
    var format = OutputFormat.text
}

extension RenderingStyle {
    /// Colour, width and Unicode as the terminal and the environment allow.
    static var standardOutput: RenderingStyle {
        let isTerminal = StandardStream.output.isTerminal
        let isColoured =
            isTerminal && Environment.value("NO_COLOR", isNonEmpty: true) == nil
            && Environment.value("TERM") != "dumb"
        return RenderingStyle(
            width: isTerminal ? StandardStream.output.terminalWidth ?? 80 : 120, isColoured: isColoured,
            isUnicode: Environment.usesUTF8)
    }
}

extension OutputFormat: ExpressibleByArgument {}
