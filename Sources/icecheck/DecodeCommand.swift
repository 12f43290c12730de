import ArgumentParser
import Dissection
import HostIO
import NetTypes
import Reporting

struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract:
            "Explain a pasted message, candidate, SDP or configuration field by field, and say what is wrong with it.",
        discussion: """
            This decodes STUN messages and ChannelData in hex, base64 or binary, streams of several of them, candidate \
            lines, SDP, STUN and TURN URIs and iceServers objects. An argument that names a file is read as one. The \
            exit status is 1 if something is malformed, or an integrity check with --password fails.
            """)

    @Argument(help: ArgumentHelp("The text itself, a file, or - for standard input.", valueName: "text|file|-"))
    var input = "-"

    @Option(
        help: ArgumentHelp(
            "Check MESSAGE-INTEGRITY with this password. Other users can see it in the process list for a moment; "
                + "ICECHECK_TURN_PASSWORD in the environment is safer.", valueName: "password"))
    var password: String?

    @Option(help: ArgumentHelp("The user name of a long-term credential. (default: the message's)", valueName: "name"))
    var user: String?

    @Option(help: ArgumentHelp("The realm of a long-term credential. (default: the message's)", valueName: "realm"))
    var realm: String?

    @OptionGroup var output: OutputArguments

    func run() throws {
        let password = password ?? Environment.value(.turnPassword, isNonEmpty: true)
        let credentials = password.map { Dissection.Credentials(password: $0, user: user, realm: realm) }
        let dissection = Dissection(of: try bytes(), credentials: credentials)
        try Run.write(dissection.rendered(as: output.format, style: .standardOutput))
        Process.exit(ExitStatus(isSuccess: dissection.isSound))
    }

    private func bytes() throws -> [UInt8] {
        if input == "-" || InputFile.exists(input) { return try Input.read(input, for: "decode") }
        return Array(input.utf8)
    }
}
