package import NetTypes

/// Where an ICE session stands.
package enum ICEState: String, Hashable, Sendable, Codable {
    /// No check was sent yet.
    case new
    case checking
    /// A pair is selected, and data goes over it.
    case connected
    /// No pair is left that could work.
    case failed
    /// Consent of the selected pair is gone (RFC 7675): nothing is sent any more.
    case disconnected
    case closed
}

/// A fact of an ICE session, with the time at which it happened.
package struct ICEEvent: Hashable, Sendable {
    package enum Fact: Hashable, Sendable, Codable {
        case stateChanged(ICEState)
        /// A local candidate, to be told to the peer at once where signaling trickles.
        case gathered(Candidate)
        /// A base, STUN server or TURN server that gave no candidate.
        case notGathered(ICEGatheringFailure)
        /// No more local candidates come; also those that were gathered over by then are all told.
        case gatheringFinished
        case remoteAdded(Candidate)
        case remoteRefused(Candidate, ICERefusal)
        /// The addresses that a candidate's name led to; none where it could not be resolved.
        case remoteResolved(name: String, [IPAddress])
        /// A pair has entered the check list; it is found in ``ICEAgent/pairs``.
        case pairFormed(ICEPair.ID)
        case checkSent(ICEPair.ID, ICECheck)
        case checkSucceeded(ICEPair.ID, ICECheckSuccess)
        case checkFailed(ICEPair.ID, ICECheckFailure)
        /// A check of the peer's was taken and answered.
        case checkReceived(from: Endpoint, ICEPair.ID?, nominates: Bool)
        /// A request that created no state.
        case requestRefused(from: Endpoint, ICERequestFault)
        /// The peer's side of a pair that no candidate told of.
        case peerReflexiveRemote(Candidate)
        /// This side as the peer sees it, by an address that no candidate told of.
        case peerReflexiveLocal(Candidate)
        case roleChanged(ICERole)
        case nominated(ICEPair.ID)
        /// Data goes over this pair from now on.
        case selected(ICEPair.ID)
        case consentRefreshed(ICEPair.ID, roundTrip: Duration)
        case consentLost(ICEPair.ID, ICEConsentLoss)
        /// There are new credentials to tell the peer: ``ICEAgent/localCredentials``.
        case restarted
        /// Anything but STUN that came over a valid pair.
        case received([UInt8])
    }

    package var at: Instant
    package var fact: Fact
}

/// What gave no candidate, and why.
package struct ICEGatheringFailure: Hashable, Sendable, Codable {
    package enum Source: Hashable, Sendable, Codable {
        case base(IPAddress)
        case stunServer(Endpoint, base: IPAddress)
        case turnServer(Endpoint, Transport)
    }

    package enum Reason: Hashable, Sendable, Codable {
        case path(PathError.Kind)
        case noAnswer(transmissions: Int)
        case errorResponse(code: Int)
        case unusableAnswer(String)
        case allocation(TURNFailure)
        case security(SecureFailure)
        case closed
    }

    package var source: Source
    package var reason: Reason
}

/// Why a candidate of the peer's is not paired.
package enum ICERefusal: String, Hashable, Sendable, Codable {
    case tooMany = "too-many"
    case duplicate
    case wrongComponent = "wrong-component"
    /// Multicast, broadcast or unspecified (I05).
    case noHost = "no-host"
    case `private`
    /// It has a name that leads nowhere.
    case notResolved = "not-resolved"
    /// TCP, and this side offers none.
    case transport
}

/// One transmission of a check.
package struct ICECheck: Hashable, Sendable, Codable {
    /// From 1.
    package var attempt: Int
    package var nominates: Bool
    /// Whether a check of the peer's caused it (RFC 8445 s7.3.1.4).
    package var isTriggered: Bool
}

package struct ICECheckSuccess: Hashable, Sendable, Codable {
    package var roundTrip: Duration
    /// Whether an earlier transmission may be what was answered.
    package var isAmbiguous: Bool
    /// XOR-MAPPED-ADDRESS: where the peer saw the check come from.
    package var mappedAddress: Endpoint
}

/// Why a check failed.
package enum ICECheckFailure: Hashable, Sendable, Codable {
    case noAnswer(transmissions: Int)
    /// The answer came from, or to, another address than the check went (RFC 8445 s7.2.5.2.1).
    case notSymmetric(source: Endpoint)
    case errorResponse(code: Int, reason: [UInt8])
    /// A role conflict that two changes of role did not end (I01).
    case roleConflict
    /// A success without an address, or with attributes that must be understood and are not.
    case unusableAnswer(String)
    /// ICMP twice, or the system refuses to send.
    case path(PathError.Kind, from: IPAddress?)
    /// The relay gives no permission, or is gone.
    case relay(TURNFailure?)
    /// It works, but not as the kind that alone is tested.
    case otherKind(Candidate.Kind)
    /// Another pair was nominated before this one was through.
    case superseded
}

/// Why a Binding request of someone's created no state (I02).
package enum ICERequestFault: String, Hashable, Sendable, Codable {
    case malformed
    case noIntegrity = "no-integrity"
    case wrongUsername = "wrong-username"
    case wrongIntegrity = "wrong-integrity"
    case unknownAttributes = "unknown-attributes"
    case roleConflict = "role-conflict"
    case tooMany = "too-many"
}

package enum ICEConsentLoss: Hashable, Sendable, Codable {
    /// Nothing for 30 s (RFC 7675 s5.1).
    case expired
    /// 403.
    case revoked
    /// The path is gone.
    case path(PathError.Kind)
}
