package import STUN

/// The client's side of the long-term credential mechanism (RFC 8489 s9.2, RFC 7635): takes challenges, and says
/// whether a request may be tried again and how it is signed.
///
/// One stands for one server. What a single request has been through is counted in its ``History``, so that a nonce
/// that expires each minute of a long allocation never adds up to a failure.
package struct LongTermAuthenticator: Sendable {
    /// How many realms are tried for one request: a second one, should it change, and no third (A03).
    package static let realmLimit = 2
    /// How many new nonces are taken for one request (A02).
    package static let newNonceLimit = 3
    /// How many bytes of a token's key coturn uses.
    package static let truncatedKeySize = 16

    package let credential: LongTermCredential?
    /// What requests are signed with; nil before the first challenge.
    package private(set) var signature: Signature?

    package init(credential: LongTermCredential?) { self.credential = credential }

    /// What one request has been through so far.
    package struct History: Hashable, Sendable {
        /// The realms that it was signed for.
        package fileprivate(set) var realms: [Realm] = []
        package fileprivate(set) var newNonces = 0

        package init() {}

        /// Books a transmission of the request.
        mutating func sent(with signature: Signature?) {
            if let signature, !realms.contains(signature.realm) { realms.append(signature.realm) }
        }
    }

    package enum Decision: Hashable, Sendable {
        /// Send the request again, in a new transaction, with ``LongTermAuthenticator/signature``.
        case retry
        case stop(TURNFailure)
    }

    /// Takes a 401 or 438.
    ///
    /// - Parameters:
    ///   - used: what the refused request was signed with.
    ///   - history: of the request.
    package mutating func challenged(
        by message: Message, code: Int, used: Signature?, _ history: inout History
    ) -> Decision {
        let challenge: Challenge
        do {
            challenge = try Challenge(message, realmInUse: code == 438 ? used?.realm : nil)
        } catch {
            return .stop(error)
        }
        if let downgrade = downgrade(in: challenge, comparedWith: signature) {
            return .stop(.possibleDowngrade(downgrade))
        }
        guard let credential else { return .stop(.credentialsNeeded(realm: challenge.realm.bytes)) }
        // The flag may be missing from a 438: by then the server has taken, or at least read, the token.
        if credential.isToken, code == 401, challenge.thirdParty == nil {
            return .stop(.tokenNotTaken(realm: challenge.realm.bytes))
        }
        var truncates = signature?.truncatesKey ?? false
        if code == 438 { history.newNonces += 1 }
        if history.newNonces > Self.newNonceLimit {
            return .stop(.nonceNeverAccepted(newNonces: Self.newNonceLimit))
        }
        if let used, code == 401, history.realms.contains(challenge.realm) {
            guard used.realm == challenge.realm, used.canTruncateKey else {
                return .stop(.credentialsRefused(realm: challenge.realm.bytes))
            }
            truncates = true
        } else if !history.realms.contains(challenge.realm), history.realms.count >= Self.realmLimit {
            return .stop(.realmKeepsChanging(realms: (history.realms + [challenge.realm]).map(\.bytes)))
        }
        return renew(with: challenge, credential, truncates)
    }

    private mutating func renew(
        with challenge: Challenge, _ credential: LongTermCredential, _ truncates: Bool
    ) -> Decision {
        do {
            signature = try Signature(challenge, credential, truncatesKey: truncates)
            return .retry
        } catch {
            return .stop(error)
        }
    }

    private func downgrade(in challenge: Challenge, comparedWith last: Signature?) -> TURNDowngrade? {
        let features = challenge.nonce.cookie?.features ?? []
        if features.contains(.passwordAlgorithms), challenge.algorithms == nil { return .passwordAlgorithmsMissing }
        guard let last, last.realm == challenge.realm else { return nil }
        if let before = last.algorithm, (challenge.strongest?.rawValue ?? 0) < before.rawValue {
            return .algorithmsWeakened
        }
        if last.userhash != nil, !features.contains(.usernameAnonymity) { return .usernameAnonymityGone }
        return nil
    }
}

extension LongTermAuthenticator {
    /// What a 401 or 438 says, checked in its form.
    struct Challenge: Hashable, Sendable {
        let realm: Realm
        let nonce: Nonce
        /// PASSWORD-ALGORITHMS; nil where it is not sent.
        let algorithms: [PasswordAlgorithm]?
        /// THIRD-PARTY-AUTHORIZATION: the name by which the authorization server knows this one.
        let thirdParty: [UInt8]?

        /// - Parameter realmInUse: what counts where the message has no REALM.
        init(_ message: Message, realmInUse: Realm?) throws(TURNFailure) {
            if let bytes = message.rawValue(.realm) {
                realm = try Self.checked { () throws(CredentialError) in try Realm(bytes) }
            } else if let realmInUse {
                realm = realmInUse
            } else {
                throw .brokenChallenge(.missing(.realm))
            }
            guard let bytes = message.rawValue(.nonce) else { throw .brokenChallenge(.missing(.nonce)) }
            nonce = try Self.checked { () throws(CredentialError) in try Nonce(bytes) }
            do {
                algorithms = try message.value(.passwordAlgorithms)
            } catch {
                throw .brokenChallenge(.malformed(error.description))
            }
            thirdParty = message.rawValue(.thirdPartyAuthorization)
        }

        private static func checked<Part>(_ make: () throws(CredentialError) -> Part) throws(TURNFailure) -> Part {
            do {
                return try make()
            } catch {
                throw .brokenChallenge(.unusable(error))
            }
        }

        /// The strongest algorithm of the list that is known here.
        var strongest: LongTermKey.Algorithm? {
            LongTermKey.Algorithm.allCases.last { known in
                (algorithms ?? []).contains { $0.number == known.rawValue }
            }
        }
    }

    /// What a request is signed with, and its reply checked against.
    package struct Signature: Hashable, Sendable {
        package let realm: Realm
        package let nonce: Nonce
        package let username: Username
        /// In the place of the user name, where the server takes it.
        package let userhash: Userhash?
        /// PASSWORD-ALGORITHMS as the server sent it: it is sent back, so that a change on the way is seen.
        package let algorithms: [PasswordAlgorithm]?
        /// The one that was chosen, where the server names any.
        package let algorithm: LongTermKey.Algorithm?
        /// Whether only the first 16 bytes of a token's key are used, as coturn does (A11).
        package let truncatesKey: Bool
        private let accessToken: HiddenBytes?
        private let key: HiddenBytes
        fileprivate let canTruncateKey: Bool

        fileprivate init(
            _ challenge: Challenge, _ credential: LongTermCredential, truncatesKey: Bool
        ) throws(TURNFailure) {
            realm = challenge.realm
            nonce = challenge.nonce
            username = credential.username
            self.truncatesKey = truncatesKey
            switch credential.kind {
            case .token(let token, let macKey):
                // The key is the server's own affair: no password, so no algorithm to make a key of one.
                (userhash, algorithms, algorithm) = (nil, nil, nil)
                accessToken = token
                key = truncatesKey ? HiddenBytes(Array(macKey.bytes.prefix(truncatedKeySize))) : macKey
                canTruncateKey = !truncatesKey && macKey.bytes.count > truncatedKeySize
            case .password(let password):
                if let offered = challenge.algorithms, challenge.strongest == nil {
                    throw .noCommonAlgorithm(numbers: offered.map(\.number))
                }
                algorithms = challenge.algorithms
                algorithm = challenge.strongest
                let hides = challenge.nonce.cookie?.features.contains(.usernameAnonymity) ?? false
                userhash = hides ? Userhash(credential.username, challenge.realm) : nil
                accessToken = nil
                canTruncateKey = false
                do {
                    let long = try LongTermKey(
                        username: credential.username, realm: challenge.realm,
                        password: String(decoding: password.bytes, as: UTF8.self), algorithm: algorithm ?? .md5)
                    key = HiddenBytes(long.bytes)
                } catch {
                    throw .brokenChallenge(.unusable(error))
                }
            }
        }

        package var usesToken: Bool { accessToken != nil }

        /// Whether MESSAGE-INTEGRITY-SHA256 is used: wherever the server named its algorithms (RFC 8489 s9.2.5).
        package var usesSHA256Integrity: Bool { algorithm != nil }

        /// Writes who sends the request, and the integrity over all of it.
        package func sign(_ builder: inout MessageBuilder) {
            if let userhash {
                builder.append(.userhash, userhash.bytes)
            } else {
                builder.append(.username, username.bytes)
            }
            if let accessToken { builder.append(.accessToken, accessToken.bytes) }
            builder.append(.realm, realm.bytes)
            builder.append(.nonce, nonce.bytes)
            if let algorithms, let algorithm {
                builder.append(.passwordAlgorithms, algorithms)
                let chosen = algorithms.first { $0.number == algorithm.rawValue }
                builder.append(.passwordAlgorithm, [chosen ?? PasswordAlgorithm(number: algorithm.rawValue)])
                builder.appendMessageIntegritySHA256(key: key.bytes)
            } else {
                builder.appendMessageIntegrity(key: key.bytes)
            }
        }

        /// Whether a reply is signed with the key of its request, in the way in which the request was: a weaker
        /// integrity in the place of the stronger one counts as none (RFC 8489 s9.2.5).
        package func verify(_ message: Message) -> Verification {
            usesSHA256Integrity
                ? message.verifyIntegritySHA256(key: key.bytes) : message.verifyIntegrity(key: key.bytes)
        }
    }
}
