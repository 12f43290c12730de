import ArgumentParser
import Engines
import HostIO
import JSON
import NetTypes
import Reporting
import STUN
import Session

struct TURNCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turn",
        abstract: "Asks TURN servers for relays, sends data through them, and explains each failure.",
        discussion: """
            Every address of every server is tried at once. A relay is fine where datagrams from a second socket came \
            through it and back, in Send and Data indications and over a channel. Relays that do are also tried with each other, on each server and between servers. The allocations are deleted at the \
            end. The exit status is 0 only where each relay carries data.
            """,
        subcommands: [TURNCredentialsCommand.self])

    @Argument(
        help: ArgumentHelp("Servers: turn:host[:port][?transport=udp|tcp] or host[:port].", valueName: "uri"))
    var uris: [String] = []

    @OptionGroup var access: TURNArguments

    @Flag(help: "Try each server over every transport that its URI could mean.")
    var allTransports = false

    @Flag(
        help: """
            Keep each relay in use for 11 minutes, or for --timeout less 30 seconds, while nonce, permission, channel and \
            allocation are renewed: it finds what breaks calls after a while.
            """)
    var soak = false

    @Option(
        help: ArgumentHelp(
            "Datagrams through each relay in indications, and as many over a channel. (default: 3)", valueName: "n"))
    var count: Int?

    @Option(help: ArgumentHelp("Bytes of each datagram, 26 to 8192.", valueName: "bytes"))
    var size = 100

    @Option(
        help: ArgumentHelp(
            "Spread the datagrams of indications, and those of the channel, over so many seconds each.",
            valueName: "seconds"))
    var duration: Double?

    @Option(
        help: ArgumentHelp(
            "What the relay carries between itself and peers: udp or tcp. TCP relays (RFC 6062) are asked for over TCP "
                + "or TLS: turn:host is tried over TCP then.", valueName: "transport"))
    var relayTransport = "udp"

    @OptionGroup var server: ServerArguments
    @OptionGroup var output: OutputArguments

    func run() throws {
        let servers = try server.servers(uris.map(Self.turnURI))
        guard !servers.isEmpty else {
            throw Failure(
                status: .usage,
                "turn needs a server, such as: icecheck turn turn:turn.example.org --user alice --password-file pw.txt")
        }
        if let other = servers.first(where: { !$0.uri.scheme.isTURN }) {
            throw Failure(
                status: .usage,
                "\(other.place): \(other.uri.text) is no TURN server; give turn: or turns: URIs, and stun: to icecheck stun"
            )
        }
        var options = try server.options(.turn, servers: servers)
        options.turn = try access.options()
        options.turn.usesAllTransports = allTransports
        options.turn.load = try load()
        guard ["udp", "tcp"].contains(relayTransport) else {
            throw Failure(status: .usage, "--relay-transport \(QuotedInput(relayTransport)): it is udp or tcp")
        }
        guard !soak || relayTransport == "udp" else {
            throw Failure(status: .usage, "--soak keeps relays of UDP in use: leave out --relay-transport tcp")
        }
        options.turn.soaks = soak
        options.turn.relayTransport = relayTransport == "tcp" ? .tcp : .udp
        try Run(options, server.settings(output)).start()
    }

    /// A bare host, which elsewhere is a STUN server, is a TURN server here.
    private static func turnURI(_ text: String) -> String {
        let schemes = ["stun:", "stuns:", "turn:", "turns:"]
        return schemes.contains { text.lowercased().hasPrefix($0) } ? text : "turn:" + text
    }

    private func load() throws -> Plan.RelayLoad {
        if let count, !(1...10_000).contains(count) {
            throw Failure(status: .usage, "--count \(count) is out of range; it takes 1 to 10000 datagrams")
        }
        guard (26...8192).contains(size) else {
            throw Failure(status: .usage, "--size \(size) is out of range; it takes 26 to 8192 bytes")
        }
        if let duration, !(duration > 0 && duration <= 600) {
            throw Failure(status: .usage, "--duration \(duration) is out of range; it takes up to 600 seconds")
        }
        // With a duration alone, as many as a voice call sends: 50 a second.
        let count = count ?? duration.map { max(1, Int($0 * 50)) } ?? Plan.RelayLoad().count
        return Plan.RelayLoad(
            count: count, size: size, pace: duration.map { .nanoseconds(Int64($0 * 1e9) / Int64(count)) })
    }
}

/// Who asks TURN servers: the same for every command that does.
struct TURNArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The user of the TURN servers.", valueName: "name"))
    var user: String?

    @Option(
        help: ArgumentHelp(
            "The user's password; better in ICECHECK_TURN_PASSWORD or a file, which no process list shows.",
            valueName: "password"))
    var password: String?

    @Option(help: ArgumentHelp("A file that holds the password; - reads standard input.", valueName: "file"))
    var passwordFile: String?

    @Option(
        help: ArgumentHelp(
            "The shared secret of the TURN REST API (coturn: static-auth-secret), to make a temporary credential; better "
                + "in ICECHECK_TURN_SECRET or a file.", valueName: "secret"))
    var secret: String?

    @Option(help: ArgumentHelp("A file that holds the shared secret; - reads standard input.", valueName: "file"))
    var secretFile: String?

    @Option(
        help: ArgumentHelp(
            "A file with an access token of a third party (RFC 7635), as its authorization server answers: JSON with "
                + "access_token and key (both base64) and kid, which is the user; - reads standard input. Also in "
                + "ICECHECK_TURN_ACCESS_TOKEN.", valueName: "file"))
    var accessTokenFile: String?

    @Option(help: ArgumentHelp("Seconds that a credential made with the secret lives.", valueName: "seconds"))
    var ttl = 600

    @Option(
        help: ArgumentHelp(
            "The realm that the credential was made for, to tell a wrong realm from a wrong password.",
            valueName: "realm"))
    var realm: String?

    @Flag(help: "Stay with the server that was named where it sends its clients elsewhere (300).")
    var noRedirect = false

    @Flag(help: "Let a public server send this client to an address that is not public.")
    var followPrivate = false

    /// - Throws: ``Failure`` where they contradict each other.
    func options() throws -> TURNOptions {
        var options = TURNOptions()
        options.credentials = try credentials()
        options.realm = realm
        if noRedirect, followPrivate {
            throw Failure(status: .usage, "--no-redirect and --follow-private exclude each other")
        }
        options.redirects = noRedirect ? .never : followPrivate ? .anywhere : .global
        return options
    }

    /// The user's name and password as they are sent; neither where none are given.
    ///
    /// What the command line names goes before the environment, and there the shared secret before the access token,
    /// and that before the password.
    private func credentials() throws -> ICEServers.Credentials {
        if let accessTokenFile {
            guard [password, passwordFile, secret, secretFile].allSatisfy({ $0 == nil }) else {
                throw Failure(
                    status: .usage, "--access-token-file excludes --password and --secret; give what the server takes")
            }
            return try token(
                Input.read(accessTokenFile, for: "--access-token-file"),
                place: "--access-token-file \(QuotedInput(accessTokenFile))")
        }
        let password = try Secrets.named(password, file: passwordFile, option: "--password")
        let secret = try Secrets.named(secret, file: secretFile, option: "--secret")
        switch (password, secret) {
        case (_?, _?):
            throw Failure(
                status: .usage,
                "--password and --secret exclude each other; give the one that the server's configuration has")
        case (let password?, nil): return try lasting(password)
        case (nil, let secret?): return try temporary(secret)
        case (nil, nil): break
        }
        if let secret = Secrets.environment("ICECHECK_TURN_SECRET") { return try temporary(secret) }
        if let answer = Secrets.environment("ICECHECK_TURN_ACCESS_TOKEN") {
            return try token(Array(answer.reveal().utf8), place: "ICECHECK_TURN_ACCESS_TOKEN")
        }
        guard let user else { return ICEServers.Credentials() }
        guard let password = Secrets.environment("ICECHECK_TURN_PASSWORD") else {
            throw Failure(
                status: .usage,
                "--user \(QuotedInput(user)) needs a password: --password-file, ICECHECK_TURN_PASSWORD or --password; or "
                    + "--secret-file for the TURN REST API's shared secret")
        }
        return try lasting(password)
    }

    private func lasting(_ password: Secret) throws -> ICEServers.Credentials {
        guard let user else {
            throw Failure(status: .usage, "a password needs --user: the server looks it up by the user's name")
        }
        return ICEServers.Credentials(username: user, credential: password)
    }

    /// A token of a third party. No message has any of it but the key id.
    private func token(_ answer: [UInt8], place: String) throws -> ICEServers.Credentials {
        let token: AccessTokenAnswer
        do {
            token = try AccessTokenAnswer(parsing: answer)
        } catch {
            throw Failure(status: .usage, "\(place): \(error)")
        }
        if let user, let keyID = token.keyID, user != keyID {
            throw Failure(
                status: .usage,
                "--user \(QuotedInput(user)) is not the key id of \(place) ('kid'), which is the user; leave --user out"
            )
        }
        guard let keyID = token.keyID ?? user else {
            throw Failure(status: .usage, "\(place): 'kid' is missing; add it, or give the key id as --user")
        }
        return ICEServers.Credentials(
            username: keyID, type: .oauth, credential: token.macKey, accessToken: token.accessToken,
            expiry: token.expiry)
    }

    /// A credential of the TURN REST API.
    func temporary(_ secret: Secret) throws -> ICEServers.Credentials {
        guard (1...31_536_000).contains(ttl) else {
            throw Failure(status: .usage, "--ttl \(ttl) is out of range; it takes 1 to 31536000 seconds")
        }
        let made = TURNREST.credential(
            secret: secret.reveal(), user: user ?? "", expiry: WallClock.secondsSince1970 + Int64(ttl))
        return ICEServers.Credentials(username: made.username, credential: Secret(made.revealPassword()))
    }
}

/// `turn credentials`: a temporary credential for other tools.
struct TURNCredentialsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credentials",
        abstract: "Prints a temporary credential of the TURN REST API, made with the server's shared secret.",
        discussion: """
            The output is an iceServers object when servers are named, else user name and password. It is the one \
            command that shows a password: that is what it is asked for.
            """)

    @Argument(help: ArgumentHelp("Servers to name in the iceServers object.", valueName: "uri"))
    var uris: [String] = []

    @OptionGroup var access: TURNArguments

    func run() throws {
        let given = try Secrets.named(access.secret, file: access.secretFile, option: "--secret")
        guard let secret = given ?? Secrets.environment("ICECHECK_TURN_SECRET") else {
            throw Failure(
                status: .usage, "credentials needs the shared secret: --secret-file, ICECHECK_TURN_SECRET or --secret")
        }
        let made = try access.temporary(secret)
        guard let username = made.username, let password = made.credential else { return }
        guard !uris.isEmpty else {
            return try Run.write("username \(username.cleaned())\npassword \(password.reveal())\n")
        }
        let urls = try ServerArguments.entries(uris).map(\.uri.text)
        let server: JSONValue = [
            "urls": urls.jsonArray(JSONValue.string), "username": .string(username),
            "credential": .string(password.reveal()),
        ]
        let configuration: JSONValue = ["iceServers": [server]]
        try Run.write(configuration.text(pretty: true) + "\n")
    }
}
