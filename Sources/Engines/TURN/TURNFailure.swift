package import NetTypes
package import STUN

/// What a request was for when it failed.
package enum TURNStage: Hashable, Sendable, Codable {
    case allocate
    case refresh
    case permission([IPAddress])
    case channel(Endpoint)
    case connect(Endpoint)
    case connectionBind(UInt32)
    case delete
}

/// Why a TURN request has failed; each case is a verdict of its own.
package enum TURNFailure: Error, Hashable, Sendable, Codable {
    /// The server refuses, in its own words.
    case errorResponse(TURNErrorResponse)
    /// The server refuses the credential: 401 to a request that was signed with it.
    case credentialsRefused(realm: [UInt8])
    /// Another realm with each 401; these were tried.
    case realmKeepsChanging(realms: [[UInt8]])
    /// 438 to every nonce that the server itself gave.
    case nonceNeverAccepted(newNonces: Int)
    case brokenChallenge(TURNBrokenChallenge)
    /// What the server says of its security is less than what its nonce, or its last challenge, says (RFC 8489 s9.2.5).
    case possibleDowngrade(TURNDowngrade)
    /// Password algorithms of which none is known here, by their numbers.
    case noCommonAlgorithm(numbers: [UInt16])
    /// The server asks for credentials, and none were given.
    case credentialsNeeded(realm: [UInt8])
    /// A token was given, and the server takes none: its challenge has no THIRD-PARTY-AUTHORIZATION.
    case tokenNotTaken(realm: [UInt8])
    /// Successes came, none with a valid integrity: not to be believed.
    case notAuthenticated(discarded: Int, transmissions: Int)
    case noAnswer(transmissions: Int)
    case redirected(TURNRedirect)
    /// No relayed address that a peer could send to.
    case unusableRelayedAddress([TURNUnusableAddress])
    /// A success with attributes that must be understood and are not (RFC 8489 s6.3.3).
    case unknownAttributes([AttributeType])
    /// A response whose content breaks a rule, and which.
    case malformed(String)
}

/// An error response (RFC 8489 s6.3.4).
package struct TURNErrorResponse: Hashable, Sendable, Codable {
    package var code: Int
    /// The reason phrase as it came.
    package var reason: [UInt8]
    package var method: Method
    /// Whether it was signed with the key of the request.
    package var isAuthenticated: Bool
    /// Whether the request that it refuses was signed.
    package var answersSigned: Bool
    /// Which request of this purpose it answers, from 1: those refused with 401 and 438 before it count.
    package var attempt: Int
    /// UNKNOWN-ATTRIBUTES of a 420.
    package var unknownAttributes: [AttributeType]

    /// Whether another five-tuple may help, tried once (437, T01).
    package var suggestsNewFiveTuple: Bool { code == 437 && method == .allocate }
}

/// What a 401 or 438 lacks, or has too much of.
package enum TURNBrokenChallenge: Hashable, Sendable, Codable {
    case missing(AttributeType)
    /// Empty, or too long to be sent back.
    case unusable(CredentialError)
    case malformed(String)
}

/// Which protection went missing.
package enum TURNDowngrade: Hashable, Sendable, Codable {
    /// The nonce says that PASSWORD-ALGORITHMS is sent, and it is not there.
    case passwordAlgorithmsMissing
    /// The same realm named a stronger algorithm before.
    case algorithmsWeakened
    /// The same realm took USERHASH before.
    case usernameAnonymityGone
}

/// Where a 300 sends the client (RFC 8489 s10). The engine does not go there: see ``RedirectPolicy``.
package struct TURNRedirect: Hashable, Sendable, Codable {
    /// ALTERNATE-SERVER; nil where it is missing or makes no sense.
    package var server: Endpoint?
    /// ALTERNATE-DOMAIN: the name that the other server's certificate is to have.
    package var domain: [UInt8]?
    package var isAuthenticated: Bool
}

/// A relayed address that nobody can send to, and why.
package struct TURNUnusableAddress: Hashable, Sendable, Codable {
    package enum Reason: Hashable, Sendable, Codable {
        case missing
        case malformed
        case portZero
        /// Unspecified, multicast or broadcast: no host has it.
        case noHost(IPAddress.Realm)
        /// A server at a global address gives an address of this kind.
        case notGlobal(IPAddress.Realm)
        case wrongFamily
    }

    package var address: Endpoint?
    package var reason: Reason

    /// Why the relayed address `relayed` of the server at `server` is of no use from outside, nil where it may be.
    package static func objection(to relayed: Endpoint, from server: IPAddress?) -> Reason? {
        let realm = relayed.address.realm
        switch realm {
        case .unspecified, .multicast, .broadcast: return .noHost(realm)
        default: break
        }
        if relayed.port == 0 { return .portZero }
        return server?.realm == .global && realm != .global ? .notGlobal(realm) : nil
    }
}
