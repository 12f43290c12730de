package import Facts
package import NetTypes
package import Planning

/// What is known of one address of one STUN server over one transport, or of a server that has no address.
package struct STUNResult: Hashable, Sendable, ServerResult {
    /// The server as it was named.
    package var server: String
    package var transport: Transport
    /// Nil where the name did not resolve at all.
    package var family: IPAddress.Family?
    package var serverAddress: Endpoint?
    package var outcome: Outcome
    package var localAddress: Endpoint?
    /// Requests that were sent, retransmissions included.
    package var attempts = 0
    /// Of the first answer.
    package var answer: BindingAnswer?
    /// Of a `--count` series.
    package var statistics: RoundTripStatistics?
    package var ignored: [IgnoredReplies] = []
    /// Path errors that did not end the probe.
    package var pathTroubles: [PathTrouble] = []
    /// TLS and DTLS.
    package var tls: TLSEvidence?

    package enum Outcome: Hashable, Sendable {
        case answered
        case failed(ProbeError)
        case notMeasured(NotMeasured)

        /// The error that ended it, where one did.
        package var error: ProbeError? { if case .failed(let error) = self { error } else { nil } }

        /// Why it was not measured, where it was not.
        package var notMeasured: NotMeasured? { if case .notMeasured(let why) = self { why } else { nil } }

        static func notMeasured(
            _ what: some CustomStringConvertible, _ reason: NotMeasured.Reason, _ detail: String,
            family: IPAddress.Family? = nil
        ) -> Outcome {
            .notMeasured(NotMeasured(what: what.description, family: family, reason: reason, detail: detail))
        }
    }
}

/// What is known of one thing that was asked for.
package protocol Judged {
    var outcome: STUNResult.Outcome { get }
}

extension Judged {
    /// Whether all of it works.
    package var isOK: Bool { outcome == .answered }
    package var error: ProbeError? { outcome.error }
    /// Why it was not measured, where it was not.
    package var gap: NotMeasured? { outcome.notMeasured }
}

/// What one address of one server did over one transport.
package protocol ServerResult: Judged {
    var server: String { get }
    var transport: Transport { get }
    var family: IPAddress.Family? { get }
    var serverAddress: Endpoint? { get }
}

extension ServerResult {
    /// `stun:stun.example.org at 192.0.2.1:3478 over UDP`.
    var place: String {
        let address = serverAddress.map { " at \($0)" } ?? ""
        return "\(server)\(address) over \(transport.rawValue.uppercased())"
    }

    var scope: FindingScope { FindingScope(servers: [server], family: family, transport: transport) }
}

/// Why a probe has no answer, in words.
package struct ProbeError: Hashable, Sendable {
    /// A word that scripts can compare; see the schema for all of them.
    package var kind: Kind
    /// One sentence: what was seen, where from, what it means.
    package var message: String
    /// Of an error response.
    package var code: Int?
    package var reason: OutsideText?
    /// The router or host whose ICMP message it was.
    package var reporter: IPAddress?
    /// The chance, 0 to 1, that it was loss, where that was measured.
    package var risk: Double?

    init(
        _ kind: Kind, _ message: String, code: Int? = nil, reason: OutsideText? = nil, reporter: IPAddress? = nil,
        risk: Double? = nil
    ) {
        self.kind = kind
        self.message = message
        self.code = code
        self.reason = reason
        self.reporter = reporter
        self.risk = risk
    }

    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case timeout
        case portUnreachable = "port-unreachable"
        case hostUnreachable = "host-unreachable"
        case networkUnreachable = "network-unreachable"
        case protocolUnreachable = "protocol-unreachable"
        case administrativelyProhibited = "administratively-prohibited"
        case timeToLiveExceeded = "time-to-live-exceeded"
        case messageTooBig = "message-too-big"
        case otherICMP = "other-icmp"
        case connectionRefused = "connection-refused"
        case connectionReset = "connection-reset"
        case connectionTimedOut = "connection-timed-out"
        case connectionClosed = "connection-closed"
        case truncated
        case tcpOpenNoSTUN = "tcp-open-no-stun"
        case foreignProtocol = "foreign-protocol"
        case echo
        /// TURN: the first request was answered, and not the one that carries the credential.
        case signedRequestSilent = "signed-request-silent"
        case errorResponse = "error-response"
        case malformed
        case unusableAddress = "unusable-address"
        case unknownAttribute = "unknown-attribute"
        case wrongSource = "wrong-source"
        case foreignAnswer = "foreign-answer"
        case badFingerprint = "bad-fingerprint"
        case noRoute = "no-route"
        case nameNotResolved = "name-not-resolved"
        /// TLS or DTLS: the handshake.
        case tls
        // Of a TURN server.
        case credentialsRefused = "credentials-refused"
        case credentialsNeeded = "credentials-needed"
        case realmKeepsChanging = "realm-keeps-changing"
        case nonceNeverAccepted = "nonce-never-accepted"
        case brokenChallenge = "broken-challenge"
        case possibleDowngrade = "possible-downgrade"
        case noCommonAlgorithm = "no-common-algorithm"
        case tokenNotTaken = "token-not-taken"
        case notAuthenticated = "not-authenticated"
        case redirected
        case unusableRelayedAddress = "unusable-relayed-address"
        case noData = "no-data"
        /// Data came through the relay at first, and then no more.
        case relayStopped = "relay-stopped"
        case altered
        case notPermitted = "not-permitted"
        case local
    }
}

/// The round trips of a `--count` series, or of datagrams through a relay.
package struct RoundTripStatistics: Hashable, Sendable {
    /// Requests, each counted once however often it was sent.
    package var sent: Int
    package var received: Int
    package var minimum: Duration
    package var median: Duration
    /// Nineteen of twenty are not longer.
    package var percentile95: Duration
    package var maximum: Duration
    /// The mean difference of neighbouring round trips (RFC 3550 s6.4.1 without its smoothing).
    package var jitter: Duration

    /// Lost of sent, 0 to 1.
    package var lossRatio: Double { sent == 0 ? 0 : Double(sent - received) / Double(sent) }
}
