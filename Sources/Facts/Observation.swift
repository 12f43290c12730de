package import Engines
package import NetTypes
package import Planning

/// A timestamped fact of a run. Facts are only ever added; what they mean is for the diagnosis to say.
///
/// "No answer to 7 attempts" and "not tried" are different facts and stay different all the way to the report.
package struct Observation: Hashable, Sendable, Codable {
    /// Since the run started.
    package var at: Duration
    package var fact: Fact

    package init(at: Duration, fact: Fact) {
        self.at = at
        self.fact = fact
    }

    /// The place of a server in ``Plan/servers``.
    package typealias ServerIndex = Int
    /// The place of a probe in the order in which they were started.
    package typealias ProbeIndex = Int

    package enum Fact: Hashable, Sendable, Codable {
        /// A host candidate's socket is bound.
        case baseOpened(base: Int, local: Endpoint)
        case baseFailed(base: Int, ProbeFailure)
        case resolved(ServerIndex, [Endpoint])
        /// A name or one of its families has no address: in words, with the step that failed.
        case notResolved(ServerIndex, family: IPAddress.Family?, ResolutionFailure)
        case probeStarted(ProbeIndex, Probe)
        case connected(ProbeIndex, local: Endpoint, after: Duration)
        /// TLS and DTLS: the handshake on the probe's path is complete, or has failed.
        case secured(ProbeIndex, TLSEvidence)
        case sent(ProbeIndex, attempt: Int)
        case answered(ProbeIndex, BindingAnswer)
        /// What arrived and was not believed, counted for each reason when the probe ends.
        case ignored(ProbeIndex, IgnoredReplies)
        case pathError(ProbeIndex, PathTrouble)
        /// The probe is over without a usable answer.
        case failed(ProbeIndex, ProbeFailure)
        /// Something planned was not done, and why.
        case notMeasured(ServerIndex?, NotMeasured)
        /// All that a discovery of NAT behavior saw from one local address.
        case natSeen(NATEvidence)
        /// All that a discovery through relays saw from one local address, with what each relay was to it.
        case natSeenThroughRelays(RelayedNATEvidence, [TURNEvidence])
        /// One mapping of a search was looked at, after it had been left idle for so long.
        case natLifetimeSampled(IPAddress.Family, idle: Duration, NATLifetimeEvidence.Outcome)
        /// All that a search for the lifetime of mappings saw from one local address.
        case natLifetimeSeen(NATLifetimeEvidence)
        /// All that an attempt at a relay saw.
        case turnSeen(TURNEvidence)
        /// All that two relays saw that were to send to each other.
        case relayPairSeen(RelayPairEvidence)
        /// A step of connecting to a peer.
        case connecting(ConnectEvidence.Moment.Happening)
        /// All that connecting to a peer brought to light but its steps.
        case connectionSeen(ConnectEvidence)
        case deadlineReached
        case interrupted
    }
}

/// One question to one address of one server.
package struct Probe: Hashable, Sendable, Codable {
    package enum Role: String, Hashable, Sendable, Codable {
        /// From the address that the system routes to the server from: this is the server's verdict.
        case primary
        /// From another host candidate's base, for its server-reflexive candidate.
        case reflexive
        /// Over TCP, because UDP stayed silent.
        case fallback
    }

    package var server: Observation.ServerIndex
    package var serverAddress: Endpoint
    package var transport: Transport
    package var role: Role
    /// The local address that the probe is sent from; the port is known once the socket is open.
    package var source: IPAddress
    /// The place of its base in ``Plan/bases`` where it is sent from a host candidate's socket.
    package var base: Int?
    /// The number of the request in a `--count` series, from 0.
    package var sequence: Int

    package init(
        server: Observation.ServerIndex, serverAddress: Endpoint, transport: Transport, role: Role,
        source: IPAddress, base: Int? = nil, sequence: Int = 0
    ) {
        self.server = server
        self.serverAddress = serverAddress
        self.transport = transport
        self.role = role
        self.source = source
        self.base = base
        self.sequence = sequence
    }
}

/// A success response that was accepted, as the server said it.
package struct BindingAnswer: Hashable, Sendable, Codable {
    /// XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS of a server that sends no other.
    package var mappedAddress: Endpoint
    /// MAPPED-ADDRESS where it differs from XOR-MAPPED-ADDRESS: something rewrites addresses in payloads.
    package var rewrittenAddress: Endpoint?
    /// Whether only MAPPED-ADDRESS came (an RFC 3489 server, or one that hides behind it).
    package var isLegacy: Bool
    package var localAddress: Endpoint
    package var source: Endpoint
    package var roundTrip: RoundTrip
    package var software: OutsideText?
    package var otherAddress: Endpoint?
    package var responseOrigin: Endpoint?
    /// What is odd about the reply without making it unusable: duplicate attributes, attributes after integrity.
    package var remarks: [String]

    package init(
        mappedAddress: Endpoint, rewrittenAddress: Endpoint? = nil, isLegacy: Bool = false, localAddress: Endpoint,
        source: Endpoint, roundTrip: RoundTrip, software: OutsideText? = nil, otherAddress: Endpoint? = nil,
        responseOrigin: Endpoint? = nil, remarks: [String] = []
    ) {
        self.mappedAddress = mappedAddress
        self.rewrittenAddress = rewrittenAddress
        self.isLegacy = isLegacy
        self.localAddress = localAddress
        self.source = source
        self.roundTrip = roundTrip
        self.software = software
        self.otherAddress = otherAddress
        self.responseOrigin = responseOrigin
        self.remarks = remarks
    }
}

/// How long an answer took.
package struct RoundTrip: Hashable, Sendable, Codable {
    package var duration: Duration
    /// Which transmission the time is measured from, from 1.
    package var attempt: Int
    /// Whether an earlier transmission may be the one that was answered (Karn's problem).
    package var isAmbiguous: Bool
    /// Whether the kernel stamped the arrival.
    package var isKernelTimed: Bool

    package init(duration: Duration, attempt: Int, isAmbiguous: Bool, isKernelTimed: Bool) {
        self.duration = duration
        self.attempt = attempt
        self.isAmbiguous = isAmbiguous
        self.isKernelTimed = isKernelTimed
    }
}

/// Replies that were not believed, for one reason.
package struct IgnoredReplies: Hashable, Sendable, Codable {
    package enum Reason: String, Hashable, Sendable, Codable, CaseIterable {
        case wrongTransactionID = "wrong-transaction-id"
        case wrongSource = "wrong-source"
        case malformed
        case badFingerprint = "bad-fingerprint"
        /// A request, an indication or another method.
        case notAResponse = "not-a-response"
        /// Our own request, sent back.
        case echo
        case duplicate
    }

    package var reason: Reason
    package var count: Int
    /// The first sender.
    package var from: Endpoint
    /// What was wrong with the first, where there is more to say than the reason.
    package var detail: String?

    package init(reason: Reason, count: Int, from: Endpoint, detail: String? = nil) {
        self.reason = reason
        self.count = count
        self.from = from
        self.detail = detail
    }
}

/// A path error as a fact.
package struct PathTrouble: Hashable, Sendable, Codable {
    package var kind: PathError.Kind
    package var origin: PathError.Origin
    package var errno: Int32

    package init(kind: PathError.Kind, origin: PathError.Origin, errno: Int32 = 0) {
        self.kind = kind
        self.origin = origin
        self.errno = errno
    }
}

/// How a probe ended without a usable answer.
package enum ProbeFailure: Hashable, Sendable, Codable {
    /// Every transmission of the schedule was made and waited for.
    case noAnswer
    /// UDP: no answer, where so many requests over TCP to the same address were answered beside it; and the chance, 0
    /// to 1, that all of UDP's were only lost.
    case silentBesideTCP(answered: Int, risk: Double)
    /// From an address of this machine that leads nowhere: none so long, where another address was answered by then.
    case noAnswerBesideOthers(waited: Duration)
    /// The run's deadline came while it still waited.
    case cutShort
    case path(PathTrouble)
    case errorResponse(code: Int, reason: OutsideText)
    /// An error response without a usable ERROR-CODE.
    case brokenErrorResponse(String)
    /// A success response whose attributes this client must not ignore (RFC 8489 s6.3.3).
    case unknownAttributes([UInt16])
    /// A success response without an address, or with one that no host can have.
    case unusableAddress(String)
    /// TLS and DTLS: the handshake failed; ``Observation/Fact/secured(_:_:)`` says how.
    case notSecured
    /// TCP: the connection was never made before the deadline.
    case notConnected
    /// TCP: the peer closed, or stopped, within a message; `needed` is unknown before the header is whole.
    case truncated(received: Int, needed: Int?)
    /// TCP: the peer closed before it sent anything.
    case closedWithoutAnswer
    /// TCP: bytes that are no STUN; the protocol where its first bytes tell.
    case foreignProtocol(name: String?, firstBytes: [UInt8])
}

/// Why a name has no address.
package struct ResolutionFailure: Hashable, Sendable, Codable {
    /// The lookup that failed, such as `AAAA stun.example.org`.
    package var step: String
    /// What happened, in words.
    package var message: String
    /// Whether the name exists and has no record of the type: a name of one family is not at fault. Nil for no.
    package var hasNoRecords: Bool?

    package init(step: String, message: String, hasNoRecords: Bool? = nil) {
        self.step = step
        self.message = message
        self.hasNoRecords = hasNoRecords
    }
}
