import ArgumentParser
import Planning

/// Who asks TURN servers: the same for every command that does.
struct TURNArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The user of the TURN servers.", valueName: "name"))
    var user: String?

    @Option(
        help: ArgumentHelp(
            "The user's password. ICECHECK_TURN_PASSWORD or a file is better: no process list shows it.",
            valueName: "password"))
    var password: String?

    @Option(help: ArgumentHelp("A file that holds the password; - reads standard input.", valueName: "file"))
    var passwordFile: String?

    @Option(
        help: ArgumentHelp(
            "The shared secret of the TURN REST API (coturn: static-auth-secret), to make a temporary credential. "
                + "ICECHECK_TURN_SECRET or a file is better.", valueName: "secret"))
    var secret: String?

    @Option(help: ArgumentHelp("A file that holds the shared secret; - reads standard input.", valueName: "file"))
    var secretFile: String?

    @Option(
        help: ArgumentHelp(
            "A file with an access token of a third party (RFC 7635), as its authorization server answers: JSON with "
                + "access_token and key (both base64) and kid, which is the user; - reads standard input. Also in "
                + "ICECHECK_TURN_ACCESS_TOKEN.", valueName: "file"))
    var accessTokenFile: String?

    @Option(help: ArgumentHelp("How long a credential made with the secret lives, in seconds.", valueName: "seconds"))
    var ttl = TypedOptions.Access().ttl

    @Option(
        help: ArgumentHelp(
            "The realm that the credential was made for, to tell a wrong realm from a wrong password.",
            valueName: "realm"))
    var realm: String?

    @Flag(help: "Do not follow redirects (300 Try Alternate).")
    var noRedirect = false

    @Flag(help: "Allow redirects from a public server to a private address.")
    var followPrivate = false

    var typed: TypedOptions.Access {
        var typed = TypedOptions.Access()
        typed.user = user
        typed.password = password.map { Secret($0) }
        typed.passwordFile = passwordFile
        typed.secret = secret.map { Secret($0) }
        typed.secretFile = secretFile
        typed.accessTokenFile = accessTokenFile
        typed.ttl = ttl
        typed.realm = realm
        typed.noRedirect = noRedirect
        typed.followPrivate = followPrivate
        return typed
    }
}
