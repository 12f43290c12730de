import Engines
import NetTypes
import STUN

/// The server's side of long-term credentials (RFC 8489 s9.2.4): judges requests, signs answers.
///
/// It keeps nothing of a client: a nonce says when it was given and to whom, and is signed with a key of this run.
struct TURNServerAuthenticator: Sendable {
    /// Who a request is from, and how its answer is signed.
    struct Identity: Hashable, Sendable {
        let username: String
        fileprivate let key: [UInt8]
        fileprivate let usesSHA256: Bool

        func sign(_ builder: inout MessageBuilder) {
            if usesSHA256 {
                builder.appendMessageIntegritySHA256(key: key)
            } else {
                builder.appendMessageIntegrity(key: key)
            }
        }
    }

    enum Verdict: Sendable {
        case granted(Identity)
        /// 400, or 401 and 438, which carry a challenge.
        case refused(code: Int)
    }

    private let configuration: TURNServerConfiguration
    private let nonceKey: [UInt8]
    private let start: Instant
    private let realm: Realm?
    private let names: [[UInt8]: TURNServerConfiguration.Account]

    /// - Parameter nonceKey: random bytes of this run.
    init(_ configuration: TURNServerConfiguration, nonceKey: [UInt8], from start: Instant) {
        self.configuration = configuration
        self.nonceKey = nonceKey
        self.start = start
        let realm = try? Realm(Array(configuration.realm.utf8))
        self.realm = realm
        var names: [[UInt8]: TURNServerConfiguration.Account] = [:]
        for account in configuration.accounts {
            guard let realm, let username = try? Username(account.username) else { continue }
            names[username.bytes] = account
            names[Userhash(username, realm).bytes] = account
        }
        self.names = names
    }

    func judge(_ message: Message, from client: Endpoint, at now: Instant) -> Verdict {
        let hasSHA1 = message.first(.messageIntegrity) != nil
        let hasSHA256 = message.first(.messageIntegritySHA256) != nil
        guard hasSHA1 || hasSHA256 else { return .refused(code: 401) }
        guard let name = message.rawValue(.username) ?? message.rawValue(.userhash), message.first(.realm) != nil,
            let nonce = message.rawValue(.nonce)
        else { return .refused(code: 400) }
        guard isOwn(nonce, client, at: now) else { return .refused(code: 438) }
        guard let algorithm = algorithm(of: message) else { return .refused(code: 400) }
        guard let key = key(of: name, algorithm, at: now) else { return .refused(code: 401) }
        let verification =
            hasSHA256
            ? message.verifyIntegritySHA256(key: key.bytes.bytes) : message.verifyIntegrity(key: key.bytes.bytes)
        guard verification == .valid, message.rawValue(.realm) == Array(configuration.realm.utf8) else {
            return .refused(code: 401)
        }
        return .granted(Identity(username: key.username, key: key.bytes.bytes, usesSHA256: hasSHA256))
    }

    /// What a 401 or 438 says beside its code.
    func challenge(_ builder: inout MessageBuilder, to client: Endpoint, at now: Instant) {
        builder.append(.realm, configuration.realm)
        builder.append(.nonce, nonce(seconds(at: now), client))
        if configuration.offersSHA256 { builder.append(.passwordAlgorithms, Self.algorithms) }
    }

    // MARK: Nonces

    /// Users of temporary credentials are not known before they come: their names cannot be found by a hash.
    private var features: NonceCookie.Features {
        configuration.secret == nil ? [.passwordAlgorithms, .usernameAnonymity] : [.passwordAlgorithms]
    }

    private static let algorithms: [PasswordAlgorithm] = [.sha256, .md5]
    private static let digits = 8

    private func seconds(at now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: max(0, (now - start).nanoseconds / 1_000_000_000))
    }

    /// When it was given, and a digest of that, of the client and of this run's key.
    private func nonce(_ seconds: UInt32, _ client: Endpoint) -> [UInt8] {
        let prefix = configuration.offersSHA256 ? NonceCookie(features).bytes : []
        let number = String(seconds, radix: 16)
        let time = Array((String(repeating: "0", count: Self.digits - number.count) + number).utf8)
        let digest = HMAC.sha256((time + Array("\(client)".utf8))[...], key: nonceKey)
        return prefix + time
            + Array(digest.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined().utf8)
    }

    private func isOwn(_ nonce: [UInt8], _ client: Endpoint, at now: Instant) -> Bool {
        let skipped = configuration.offersSHA256 ? NonceCookie.byteCount : 0
        guard nonce.count >= skipped + Self.digits,
            let given = UInt32(String(decoding: nonce[skipped..<skipped + Self.digits], as: UTF8.self), radix: 16),
            nonce == self.nonce(given, client)
        else { return false }
        let age = Int64(seconds(at: now)) - Int64(given)
        return age >= 0 && Duration.seconds(age) < configuration.nonceLifetime
    }

    // MARK: Keys

    /// The password algorithm that a request names; nil where what it says of them is not what it was told.
    private func algorithm(of message: Message) -> LongTermKey.Algorithm? {
        let offered = (try? message.value(.passwordAlgorithms)) ?? nil
        let chosen = (try? message.value(.passwordAlgorithm)) ?? nil
        switch (offered, chosen?.first) {
        case (nil, nil): return .md5
        case (let offered?, let chosen?):
            guard configuration.offersSHA256, offered == Self.algorithms else { return nil }
            return chosen == .sha256 ? .sha256 : chosen == .md5 ? .md5 : nil
        default: return nil
        }
    }

    private func key(
        of name: [UInt8], _ algorithm: LongTermKey.Algorithm, at now: Instant
    ) -> (username: String, bytes: LongTermKey)? {
        guard let realm, let account = names[name] ?? temporary(name, at: now),
            let username = try? Username(account.username),
            let key = try? LongTermKey(
                username: username, realm: realm, password: account.password, algorithm: algorithm)
        else { return nil }
        return (account.username, key)
    }

    /// A temporary credential that has not expired.
    private func temporary(_ name: [UInt8], at now: Instant) -> TURNServerConfiguration.Account? {
        guard let secret = configuration.secret, let text = String(validating: name, as: UTF8.self),
            let expiry = TURNREST.expiry(inUsername: text), expiry > configuration.wallClock + Int64(seconds(at: now))
        else { return nil }
        let user = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first
        let made = TURNREST.credential(secret: secret.text, user: String(user ?? ""), expiry: expiry)
        guard made.username == text else { return nil }
        return TURNServerConfiguration.Account(username: text, password: made.revealPassword())
    }
}
