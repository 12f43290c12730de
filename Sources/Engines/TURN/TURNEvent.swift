package import NetTypes
package import STUN

/// What a TURN allocation tells its owner.
package enum TURNEvent: Hashable, Sendable {
    case challenged(TURNChallenged)
    case allocated(TURNAllocated)
    case refreshed(TURNLifetime)
    /// `isRenewal` where the client asked by itself, before the permission ran out.
    case permitted([IPAddress], TURNRoundTrip, isRenewal: Bool)
    case channelBound(UInt16, Endpoint, TURNRoundTrip, isRenewal: Bool)
    case received(TURNReceived)
    /// ICMP that the relay got for what it sent to the peer (RFC 8656 s11.6).
    case relayedICMP(RelayedICMP, peer: Endpoint)
    /// RFC 6062: the relay has connected; a data connection is to be bound to it within 30 s.
    case connected(Endpoint, connectionID: UInt32)
    /// RFC 6062: a peer has connected to the relay.
    case connectionAttempted(Endpoint, connectionID: UInt32)
    /// The first message of its kind that was not used; see ``TURNAllocation/discards`` for how many.
    case discarded(TURNDiscard)
    case failed(TURNStage, TURNFailure)
    /// The lifetime is over and no refresh succeeded.
    case expired
    case deleted(TURNDeletion)
}

/// A 401 or 438 that is answered with credentials.
package struct TURNChallenged: Hashable, Sendable {
    /// 401 or 438.
    package var code: Int
    package var method: Method
    /// As they came.
    package var realm: [UInt8]
    package var software: [UInt8]?
    /// PASSWORD-ALGORITHMS, by their numbers; nil where the server names none.
    package var algorithms: [UInt16]?
    /// THIRD-PARTY-AUTHORIZATION: who gives tokens for this server.
    package var thirdParty: [UInt8]?
    package var authentication: TURNAuthentication
    package var roundTrip: TURNRoundTrip
}

/// How requests are signed.
package struct TURNAuthentication: Hashable, Sendable {
    package var realm: [UInt8]
    /// Nil where the server names no algorithms: MD5, with MESSAGE-INTEGRITY.
    package var algorithm: LongTermKey.Algorithm?
    package var usesUserhash: Bool
    package var usesToken: Bool
    /// Whether only the first 16 bytes of the token's key are used (A11).
    package var truncatesKey: Bool
    /// REALM or NONCE has 128 characters or more, which RFC 8489 does not allow.
    package var exceedsCharacterLimit: Bool
}

/// How long an answer took, from the last transmission before it.
package struct TURNRoundTrip: Hashable, Sendable {
    package var duration: Duration
    package var transmissions: Int
    /// Whether an earlier transmission may be what was answered.
    package var isAmbiguous: Bool
}

/// An allocation as the server describes it.
package struct TURNAllocated: Hashable, Sendable {
    /// Those that peers can send to, at most one of each family.
    package var relayedAddresses: [Endpoint]
    /// Those that they cannot.
    package var unusableAddresses: [TURNUnusableAddress]
    /// XOR-MAPPED-ADDRESS: how the server sees the client.
    package var mappedAddress: Endpoint?
    package var lifetime: TURNLifetime
    package var reservationToken: [UInt8]?
    /// ADDRESS-ERROR-CODE: why a family of a dual allocation is not there.
    package var addressErrors: [AddressErrorCode]
    package var software: [UInt8]?
    /// Nil where the server asked for no credentials: it relays for everyone.
    package var authentication: TURNAuthentication?
    /// Requests that were answered, from the first Allocate on.
    package var roundTrips: Int
    /// From the first transmission of the first Allocate.
    package var elapsed: Duration
    /// Of the last of them.
    package var roundTrip: TURNRoundTrip
}

/// Data of a peer.
package struct TURNReceived: Hashable, Sendable {
    package var peer: Endpoint
    package var bytes: [UInt8]
    /// Nil where a Data indication brought it.
    package var channel: UInt16?
}

/// Why a message was not used.
package enum TURNDiscard: Hashable, Sendable, CaseIterable {
    case malformed
    case malformedChannelData
    /// A channel that was not asked for.
    case unknownChannel
    case badFingerprint
    /// A request, an indication that no server sends, or another method than the request's.
    case noResponse
    /// A response to no request that waits: late, doubled, replayed or guessed.
    case noTransaction
    /// A success without integrity, or with a wrong one, to a signed request.
    case unauthenticatedSuccess
    /// An error with a wrong integrity.
    case wrongIntegrity
    /// A Data indication without a peer or data, or a ConnectionAttempt without its number.
    case malformedIndication
    /// Data of a peer that no permission was asked for.
    case peerWithoutPermission
    /// Anything before the allocation is there or after it is gone that is no response.
    case withoutAllocation
}

/// How the deletion of an allocation ended.
package enum TURNDeletion: Hashable, Sendable, Codable {
    case confirmed
    /// There was none: the server says 437, or no request for one was signed.
    case absent
    /// It may live on for this long: the server did not confirm in time.
    case unconfirmed(Duration)
}
