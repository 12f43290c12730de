package import NetTypes
package import STUN

/// Whom a TURN server serves, from which addresses it relays, to whom, and how much.
package struct TURNServerConfiguration: Sendable {
    /// Where relay sockets of one family are bound, and what clients are told: another address behind a NAT that maps
    /// ports one to one.
    package struct Relay: Hashable, Sendable {
        package var bound: IPAddress
        package var advertised: IPAddress

        package init(bound: IPAddress, advertised: IPAddress? = nil) {
            self.bound = bound
            self.advertised = advertised ?? bound
        }
    }

    /// A user with a fixed password, of which only the keys are kept.
    package struct Account: Hashable, Sendable {
        package let username: Username
        let userhash: Userhash
        let keys: [LongTermKey.Algorithm: LongTermKey]
    }

    /// The secret that a server shares with whoever issues TURN REST credentials.
    package struct SharedSecret: Hashable, Sendable, HiddenSecret {
        let text: String
        package init(_ text: String) { self.text = text }
    }

    /// The most bytes of a realm: with more, a challenge would be longer than three times the shortest Allocate.
    package static let realmLimit = 32
    /// The most bytes of a realm with which the shortest Allocate over UDP still gets a challenge with
    /// PASSWORD-ALGORITHMS. With more, such a client is shown a server of RFC 5389.
    package static let modernRealmLimit = 12

    package let realm: Realm
    package private(set) var accounts: [Account] = []
    package var secret: SharedSecret?
    /// At most one of each family; the first is what a client gets that asks for none.
    package var relays: [Relay]
    /// RFC 8656 s7.2 recommends the dynamic ports.
    package var ports: ClosedRange<UInt16> = 49_152...65_535
    /// Whether data is relayed to addresses that are neither loopback nor private.
    package var allowsAnyPeer = false
    /// Allocations, and reserved ports, that there may be at a time.
    package var maximumAllocations = 256
    /// Allocations that one user may have at a time.
    package var quota = 64
    package var permissionsPerAllocation = 256
    package var channelsPerAllocation = 256
    package var nonceLifetime = Duration.seconds(3600)
    /// Seconds: what a client gets that asks for none or for less, and the most that it gets (RFC 8656 s7.2).
    package var defaultLifetime: UInt32 = 600
    package var maximumLifetime: UInt32 = 3600
    /// PASSWORD-ALGORITHMS, the preferred first; nil makes a server of RFC 5389, which knows MD5 alone.
    package var algorithms: [PasswordAlgorithm]? = [.sha256, .md5]
    /// Whether USERHASH is taken, where all users are known by name.
    package var takesUserhash = true

    /// - Throws: ``CredentialError`` where the realm is empty or too long.
    package init(realm: String, relays: [Relay]) throws(CredentialError) {
        let bytes = Array(realm.utf8)
        guard bytes.count <= Self.realmLimit else {
            throw .tooLong(.realm, bytes: bytes.count, limit: Self.realmLimit)
        }
        self.realm = try Realm(bytes)
        self.relays = relays
    }

    /// - Throws: ``CredentialError`` where one of the two cannot be prepared or is too long.
    package mutating func addAccount(username: String, password: String) throws(CredentialError) {
        let name = try Username(username)
        var keys: [LongTermKey.Algorithm: LongTermKey] = [:]
        for algorithm in LongTermKey.Algorithm.allCases {
            keys[algorithm] = try LongTermKey(
                username: name, realm: realm, password: password, algorithm: algorithm)
        }
        accounts.removeAll { $0.username == name }
        accounts.append(Account(username: name, userhash: Userhash(name, realm), keys: keys))
    }

    func relay(_ family: IPAddress.Family) -> Relay? { relays.first { $0.bound.family == family } }

    /// What the nonces say (RFC 8489 s9.2). A server with a shared secret cannot know the names that will come, and so
    /// cannot tell whose a hash is.
    var features: NonceCookie.Features {
        var features: NonceCookie.Features = []
        if algorithms != nil { features.insert(.passwordAlgorithms) }
        if algorithms != nil, takesUserhash, secret == nil { features.insert(.usernameAnonymity) }
        return features
    }

    /// Whether data may be relayed to an address. What is no host's, and IPv4 in the clothes of IPv6, never is.
    func permits(_ peer: IPAddress) -> Bool {
        guard !peer.isIPv4Mapped else { return false }
        switch peer.realm {
        case .unspecified, .multicast, .broadcast: return false
        // What wraps a private address, as 6to4 and NAT64 do, is itself routed like any public one.
        case .loopback, .privateUse, .uniqueLocal, .sharedAddressSpace: return allowsAnyPeer || peer.canonical == peer
        default: return allowsAnyPeer
        }
    }

    /// Whether it is an address that this server relays from: two of its clients may have nothing but a relay each.
    func isRelayAddress(_ peer: IPAddress) -> Bool {
        relays.contains { [$0.bound, $0.advertised].contains(peer) && peer.realm != .unspecified }
    }
}
