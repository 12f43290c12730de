/// The environment variables that icecheck reads. No other can be read; the manual's section is made of these.
package enum EnvironmentVariable: String, CaseIterable, Sendable {
    case turnPassword = "ICECHECK_TURN_PASSWORD"
    case turnSecret = "ICECHECK_TURN_SECRET"
    case turnAccessToken = "ICECHECK_TURN_ACCESS_TOKEN"
    case noColor = "NO_COLOR"
    case terminal = "TERM"
    case allLocale = "LC_ALL"
    case characterLocale = "LC_CTYPE"
    case language = "LANG"
    // OpenSSL reads these two itself, with the system's certificates.
    case certificateFile = "SSL_CERT_FILE"
    case certificateFolder = "SSL_CERT_DIR"

    /// The commands that ask relays of TURN servers, as ``commands`` names them.
    package static let relayCommands = ["check", "nat", "turn", "connect"]

    /// The commands that read it; empty for all of them.
    package var commands: [String] {
        switch self {
        case .turnPassword: Self.relayCommands + ["serve", "decode"]
        case .turnSecret: Self.relayCommands + ["turn credentials", "serve"]
        case .turnAccessToken: Self.relayCommands
        case .certificateFile, .certificateFolder: Self.relayCommands + ["stun", "candidates"]
        case .noColor, .terminal, .allLocale, .characterLocale, .language: []
        }
    }

    /// What it does, for the manual.
    package var meaning: String {
        switch self {
        case .turnPassword:
            """
            The password of --user where no option gives a password. With serve, of each --user that is named without \
            one; with decode, the password to check MESSAGE-INTEGRITY with. No process list shows it.
            """
        case .turnSecret:
            """
            The shared secret of the TURN REST API, where no option gives a credential. It goes before \
            ICECHECK_TURN_ACCESS_TOKEN and ICECHECK_TURN_PASSWORD.
            """
        case .turnAccessToken:
            """
            The answer of an authorization server with an access token (RFC 7635), as in the file of \
            --access-token-file, where no option gives a credential. It goes before ICECHECK_TURN_PASSWORD.
            """
        case .noColor: "Set to anything but the empty text: no colour."
        case .terminal: "If it is dumb: no colour and no live progress line."
        case .allLocale, .characterLocale, .language:
            """
            The locale; the first of LC_ALL, LC_CTYPE and LANG that is set decides. A UTF-8 locale gives marks and \
            lines in Unicode, any other gives ASCII.
            """
        case .certificateFile: "A PEM file of the certificate authorities to trust, instead of the system's."
        case .certificateFolder: "A folder of the certificate authorities to trust, instead of the system's."
        }
    }
}
