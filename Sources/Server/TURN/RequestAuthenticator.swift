import Engines
import NetTypes
import STUN

/// The server's side of the long-term credential mechanism (RFC 8489 s9.2.4): who signed a request, and what is said to
/// whoever did not, or not well.
struct RequestAuthenticator {
    /// The user of a request, and how its answer is signed: as the request was.
    struct Signer {
        let username: String
        fileprivate let key: LongTermKey
        fileprivate let usesSHA256: Bool

        func sign(_ builder: inout MessageBuilder) {
            if usesSHA256 {
                builder.appendMessageIntegritySHA256(key: key.bytes)
            } else {
                builder.appendMessageIntegrity(key: key.bytes)
            }
        }
    }

    enum Outcome {
        case accepted(Signer)
        /// 401 with a new nonce: the request is not signed, or not by anyone known.
        case unauthenticated(isFirst: Bool)
        /// 438 with a new nonce: signed well, with a nonce that is no longer good.
        case staleNonce(Signer)
        /// 400: an integrity without the attributes that belong to it, or algorithms that were not offered.
        case badRequest
    }

    private let configuration: TURNServerConfiguration
    private let mint: NonceMint
    private let accounts: [[UInt8]: TURNServerConfiguration.Account]
    private let accountsByHash: [[UInt8]: TURNServerConfiguration.Account]

    init(_ configuration: TURNServerConfiguration, _ mint: NonceMint) {
        self.configuration = configuration
        self.mint = mint
        accounts = Dictionary(uniqueKeysWithValues: configuration.accounts.map { ($0.username.bytes, $0) })
        accountsByHash = Dictionary(
            configuration.accounts.map { ($0.userhash.bytes, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Judges a request.
    ///
    /// - Parameters:
    ///   - holder: whose the allocation of this five-tuple is: that user's credential may expire meanwhile, and the
    ///     allocation can still be refreshed and deleted.
    ///   - secondsSince1970: what the expiry of a TURN REST credential is compared with.
    func judge(
        _ request: Message, from client: IPAddress, holder: String?, secondsSince1970: Int64, at now: Instant
    ) -> Outcome {
        let usesSHA256 = request.first(.messageIntegritySHA256) != nil
        guard usesSHA256 || request.first(.messageIntegrity) != nil else { return .unauthenticated(isFirst: true) }
        guard request.first(.username) != nil || request.first(.userhash) != nil, request.first(.realm) != nil,
            let nonce = request.rawValue(.nonce), let algorithm = algorithm(of: request)
        else { return .badRequest }
        guard request.rawValue(.realm) == configuration.realm.bytes,
            let (username, key) = key(of: request, algorithm, holder: holder, secondsSince1970)
        else { return .unauthenticated(isFirst: false) }
        let verification =
            usesSHA256 ? request.verifyIntegritySHA256(key: key.bytes) : request.verifyIntegrity(key: key.bytes)
        guard verification == .valid else { return .unauthenticated(isFirst: false) }
        let signer = Signer(username: username, key: key, usesSHA256: usesSHA256)
        return mint.judge(nonce, from: client, at: now) == .valid ? .accepted(signer) : .staleNonce(signer)
    }

    /// MD5 where neither attribute is there; nil where they are not what was offered (RFC 8489 s9.2.4).
    private func algorithm(of request: Message) -> LongTermKey.Algorithm? {
        if request.first(.passwordAlgorithm) == nil, request.first(.passwordAlgorithms) == nil { return .md5 }
        guard let offered = configuration.algorithms,
            (try? request.value(.passwordAlgorithms)) == offered,
            let chosen = try? request.value(.passwordAlgorithm)?.first, offered.contains(chosen)
        else { return nil }
        return LongTermKey.Algorithm(rawValue: chosen.number)
    }

    private func key(
        of request: Message, _ algorithm: LongTermKey.Algorithm, holder: String?, _ secondsSince1970: Int64
    ) -> (String, LongTermKey)? {
        if let hash = request.rawValue(.userhash) {
            guard configuration.features.contains(.usernameAnonymity) else { return nil }
            return accountsByHash[hash].flatMap { account in account.keys[algorithm].map { (account.username.text, $0) }
            }
        }
        guard let bytes = request.rawValue(.username) else { return nil }
        if let account = accounts[bytes] { return account.keys[algorithm].map { (account.username.text, $0) } }
        guard let secret = configuration.secret, bytes.count <= Username.byteLimit,
            let name = String(validating: bytes, as: UTF8.self), let expiry = TURNREST.expiry(inUsername: name),
            expiry > secondsSince1970 || name == holder
        else { return nil }
        let credential = TURNREST.credential(secret: secret.text, user: String(name.dropFirst(11)), expiry: expiry)
        guard credential.username == name, let username = try? Username(name) else { return nil }
        let key = try? LongTermKey(
            username: username, realm: configuration.realm, password: credential.revealPassword(),
            algorithm: algorithm)
        return key.map { (name, $0) }
    }

    // MARK: Challenges

    /// Writes REALM, NONCE and PASSWORD-ALGORITHMS.
    ///
    /// - Parameter isSlim: leaves out what a server of RFC 5389 does not have: the answer to a request so short that a
    ///   whole challenge would be more than three times as long.
    func writeChallenge(to builder: inout MessageBuilder, for client: IPAddress, isSlim: Bool, at now: Instant) {
        let features = configuration.features
        let namesFeatures = !isSlim && !features.isEmpty
        builder.append(.realm, configuration.realm.bytes)
        builder.append(.nonce, mint.make(for: client, namesFeatures ? features : nil, at: now))
        if namesFeatures, let algorithms = configuration.algorithms { builder.append(.passwordAlgorithms, algorithms) }
    }
}
