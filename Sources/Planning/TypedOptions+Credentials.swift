import Engines
import NetTypes
import STUN

extension TypedOptions.Access {
    /// The user's name and password as they are sent; neither where none are given.
    ///
    /// What the command line names goes before the environment, and there the shared secret before the access token,
    /// and that before the password.
    func credentials(from sources: OptionSources) throws(PlanError) -> ICEServers.Credentials {
        if let accessTokenFile {
            guard password == nil, passwordFile == nil, secret == nil, secretFile == nil else {
                throw PlanError(
                    "--access-token-file excludes --password and --secret; give what the server takes")
            }
            return try token(
                sources.read(accessTokenFile, for: "--access-token-file"),
                place: "--access-token-file \(QuotedInput(accessTokenFile))")
        }
        let password = try sources.secret(password, file: passwordFile, option: "--password")
        let secret = try sources.secret(secret, file: secretFile, option: "--secret")
        switch (password, secret) {
        case (_?, _?):
            throw PlanError(
                "--password and --secret exclude each other; give the one that the server's configuration has")
        case (let password?, nil): return try lasting(password)
        case (nil, let secret?): return try temporary(secret, at: sources.wallClock)
        case (nil, nil): break
        }
        if let secret = sources.secret(.turnSecret) { return try temporary(secret, at: sources.wallClock) }
        if let answer = sources.secret(.turnAccessToken) {
            return try token(Array(answer.reveal().utf8), place: EnvironmentVariable.turnAccessToken.rawValue)
        }
        guard let user else { return ICEServers.Credentials() }
        guard let password = sources.secret(.turnPassword) else {
            throw PlanError(
                "--user \(QuotedInput(user)) needs a password: --password-file, ICECHECK_TURN_PASSWORD or --password; or "
                    + "--secret-file for the TURN REST API's shared secret")
        }
        return try lasting(password)
    }

    private func lasting(_ password: Secret) throws(PlanError) -> ICEServers.Credentials {
        guard let user else {
            throw PlanError("a password needs --user: the server looks it up by the user's name")
        }
        return ICEServers.Credentials(username: user, credential: password)
    }

    /// A token of a third party. No message has any of it but the key id.
    private func token(_ answer: [UInt8], place: String) throws(PlanError) -> ICEServers.Credentials {
        let token: AccessTokenAnswer
        do {
            token = try AccessTokenAnswer(parsing: answer)
        } catch {
            throw PlanError("\(place): \(error)")
        }
        if let user, let keyID = token.keyID, user != keyID {
            throw PlanError(
                "--user \(QuotedInput(user)) is not the key id of \(place) ('kid'), which is the user; leave --user out"
            )
        }
        guard let keyID = token.keyID ?? user else {
            throw PlanError("\(place): 'kid' is missing; add it, or give the key id as --user")
        }
        return ICEServers.Credentials(
            username: keyID, type: .oauth, credential: token.macKey, accessToken: token.accessToken,
            expiry: token.expiry)
    }

    /// The temporary credential of `turn credentials`.
    package func temporaryCredential(from sources: OptionSources) throws(PlanError) -> ICEServers.Credentials {
        let given = try sources.secret(secret, file: secretFile, option: "--secret")
        guard let secret = given ?? sources.secret(.turnSecret) else {
            throw PlanError("credentials needs the shared secret: --secret-file, ICECHECK_TURN_SECRET or --secret")
        }
        return try temporary(secret, at: sources.wallClock)
    }

    /// A credential of the TURN REST API.
    private func temporary(_ secret: Secret, at wallClock: Int64) throws(PlanError) -> ICEServers.Credentials {
        guard (1...31_536_000).contains(ttl) else {
            throw PlanError("--ttl \(ttl) is out of range; it takes 1 to 31536000 seconds")
        }
        let made = TURNREST.credential(secret: secret.reveal(), user: user ?? "", expiry: wallClock + Int64(ttl))
        return ICEServers.Credentials(username: made.username, credential: Secret(made.revealPassword()))
    }

    /// - Throws: where they contradict each other.
    func redirects() throws(PlanError) -> Plan.Redirects {
        if noRedirect, followPrivate { throw PlanError("--no-redirect and --follow-private exclude each other") }
        return noRedirect ? .never : followPrivate ? .anywhere : .global
    }
}
