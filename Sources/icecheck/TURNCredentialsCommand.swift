import ArgumentParser
import JSON
import NetTypes
import Planning
import Reporting
import STUN

/// `turn credentials`: a temporary credential for other tools.
struct TURNCredentialsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credentials",
        abstract: "Print a temporary credential of the TURN REST API, made with the server's shared secret.",
        usage: "icecheck turn credentials [<options>] [<uri> ...]",
        discussion: """
            With servers the output is an iceServers object, else the user name and the password. This is the only \
            command that prints a password.
            """)

    @Argument(help: ArgumentHelp("Servers to name in the iceServers object.", valueName: "uri"))
    var uris: [String] = []

    @OptionGroup var access: TURNArguments

    func run() throws {
        let made = try access.typed.temporaryCredential(from: .system)
        guard let username = made.username, let password = made.credential else { return }
        guard !uris.isEmpty else {
            return try Run.write("username \(username.cleaned())\npassword \(password.reveal())\n")
        }
        let urls = try Options.entries(uris).map(\.uri.text)
        let server: JSONValue = [
            "urls": urls.jsonArray(JSONValue.string), "username": .string(username),
            "credential": .string(password.reveal()),
        ]
        let configuration: JSONValue = ["iceServers": [server]]
        try Run.write(configuration.text(pretty: true) + "\n")
    }
}
