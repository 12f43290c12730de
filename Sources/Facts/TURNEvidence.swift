package import Engines
package import NetTypes

/// What one attempt at a relay showed: one address of one server over one transport. Facts alone; what they mean is for
/// the diagnosis to say.
package struct TURNEvidence: Hashable, Sendable, Codable {
    /// The place among the attempts of the run, in the order in which they were begun.
    package var attempt: Int
    package var server: Observation.ServerIndex
    package var serverAddress: Endpoint
    package var transport: Transport
    package var source: IPAddress
    /// The family of relayed address that was asked for.
    package var relayFamily: IPAddress.Family
    /// Who asked; empty where no credentials were given.
    package var username: String
    package var localAddress: Endpoint?
    /// TCP: how long the connection took.
    package var connectedAfter: Duration?
    /// TLS and DTLS: what the handshake showed.
    package var tls: TLSEvidence?
    /// As the server names itself in its challenge, and in its answer.
    package var realm: OutsideText?
    package var software: OutsideText?
    /// Where the request was signed with the key of a third party's token.
    package var token: Token?
    package var allocation: Allocation?
    /// What the server made of what was asked of the allocation beyond the usual; nil where nothing was.
    package var options: [AllocationOptionAnswer]?
    /// What was sent through the relayed address; nil where there is none.
    package var relay: Relay?
    /// What ended it, or went wrong first.
    package var trouble: Trouble?
    package var deletion: TURNDeletion?
    /// From its start to the last of its bytes, the deletion aside.
    package var took: Duration = .zero
    package var isCutShort = false
    /// The servers that 300 led to, in their order.
    package var redirects: [Endpoint] = []

    package init(
        attempt: Int, server: Observation.ServerIndex, serverAddress: Endpoint, transport: Transport, source: IPAddress,
        relayFamily: IPAddress.Family, username: String
    ) {
        self.attempt = attempt
        self.server = server
        self.serverAddress = serverAddress
        self.transport = transport
        self.source = source
        self.relayFamily = relayFamily
        self.username = username
    }

    /// What the server showed of third-party authorization (RFC 7635).
    package struct Token: Hashable, Sendable, Codable {
        /// THIRD-PARTY-AUTHORIZATION: the name for which the server's tokens are made.
        package var serverName: OutsideText?
        /// Whether only the first 16 bytes of the key were used in the end, the whole key being refused.
        package var truncatesKey: Bool
    }

    /// An allocation as the server described it.
    package struct Allocation: Hashable, Sendable, Codable {
        package var mappedAddress: Endpoint?
        /// Seconds, as granted; nil where the server did not say.
        package var lifetime: UInt32?
        /// Requests that were answered until it was there.
        package var roundTrips: Int
        package var elapsed: Duration
        package var roundTrip: Duration
        /// Whether the server asked for no credentials.
        package var isOpenToAll: Bool
    }

    /// Datagrams from a second socket to a relayed address, and back the same way.
    package struct Relay: Hashable, Sendable, Codable {
        package var relayedAddress: Endpoint
        package var peerLocalAddress: Endpoint?
        /// The second socket as the relay saw it.
        package var peerAddress: Endpoint?
        /// The round trip of the CreatePermission and of the ChannelBind; nil where it did not succeed.
        package var permittedAfter: Duration?
        package var boundAfter: Duration?
        /// In Send and Data indications, and over a channel.
        package var indications = Tally()
        package var channel = Tally()
        /// For minutes; nil where that was not asked, or it did not come so far.
        package var soak: Soak?
        /// Those whose content had changed.
        package var altered = 0
        /// The other direction alone, tried where nothing came.
        package var reverse: Reverse?
        /// What the second socket met on its way to the relayed address.
        package var pathTrouble: PathTrouble?
        /// Whether this machine has no way to send to it.
        package var isUntried = false
        /// Where it relays TCP.
        package var tcp: TCPRelay?
        /// What the server said where it admits none of this machine's addresses as a peer (403).
        package var refusal: Trouble?
        /// Two more allocations like this one, which sent to each other: tried where nothing came from the second socket.
        package var pair: RelayPairEvidence?

        package init(relayedAddress: Endpoint) { self.relayedAddress = relayedAddress }

        /// How data came through both ways; nil where it did not.
        package var way: Way? {
            if !isSilent { return .secondSocket }
            // Where the other direction is open, it is the way to the relayed address that is closed: a pair on one
            // server does not take it.
            guard let pair, pair.hasCarriedData, reverse?.arrived ?? 0 == 0 else { return nil }
            return .relayToRelay
        }

        /// How data went through a relay.
        package enum Way: String, Hashable, Sendable, CaseIterable {
            case secondSocket = "second-socket"
            case relayToRelay = "relay-to-relay"
        }

        /// Whether nothing came back to the second socket, in indications or over a bound channel.
        package var isSilent: Bool {
            if let tcp { return tcp.inbound.isSilent }
            return indications.roundTrips.isEmpty || boundAfter != nil && channel.roundTrips.isEmpty
        }

        package struct Tally: Hashable, Sendable, Codable {
            package var sent = 0
            /// Those that came to the client.
            package var arrived = 0
            /// Those that came back to the second socket, and how long each took in all.
            package var roundTrips: [Duration] = []

            package init(sent: Int = 0, arrived: Int = 0, roundTrips: [Duration] = []) {
                self.sent = sent
                self.arrived = arrived
                self.roundTrips = roundTrips
            }
        }

        /// A relay that is kept alive for minutes, with data each half second.
        package struct Soak: Hashable, Sendable, Codable {
            package var tally = Tally()
            /// From its first datagram to its last.
            package var length: Duration = .zero
            /// How long data had come through when it stopped to; nil where it did not stop.
            package var stoppedAfter: Duration?
            /// What brought the data back then, of what the client asked for once more.
            package var revivedBy: RelaySoak.Renewal?
            /// When data of the peer came in an indication again, though the channel was kept; nil where it never did.
            package var channelLostAfter: Duration?
            /// What was renewed in that time.
            package var refreshes = 0
            package var permissions = 0
            package var channels = 0
            package var nonces = 0

            package init() {}

            /// Whether the data ended, or left its channel.
            package var isBroken: Bool { stoppedAfter != nil || channelLostAfter != nil }
        }

        /// From the client through the relay to the second socket.
        package struct Reverse: Hashable, Sendable, Codable {
            package var sent: Int
            package var arrived: Int
            /// Where they came from.
            package var source: Endpoint?

            package init(sent: Int, arrived: Int, source: Endpoint? = nil) {
                self.sent = sent
                self.arrived = arrived
                self.source = source
            }
        }
    }

    package struct Trouble: Hashable, Sendable, Codable {
        package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
            case errorResponse = "error-response"
            case credentialsRefused = "credentials-refused"
            case credentialsNeeded = "credentials-needed"
            case realmKeepsChanging = "realm-keeps-changing"
            case nonceNeverAccepted = "nonce-never-accepted"
            case brokenChallenge = "broken-challenge"
            case possibleDowngrade = "possible-downgrade"
            case noCommonAlgorithm = "no-common-algorithm"
            case tokenNotTaken = "token-not-taken"
            case notAuthenticated = "not-authenticated"
            case noAnswer = "no-answer"
            case redirected
            case unusableRelayedAddress = "unusable-relayed-address"
            case unknownAttributes = "unknown-attributes"
            case malformed
            /// Answers with a transaction id that was never sent.
            case foreignAnswer = "foreign-answer"
            /// TCP: the answer stopped within a message.
            case truncated
            /// The path itself: ICMP, a refused connection, an error of this machine.
            case path
            /// The server ended the connection.
            case closed
            /// The handshake failed: ``TURNEvidence/tls`` says how.
            case notSecured = "not-secured"
            /// What came over the connection is no TURN.
            case foreignProtocol = "foreign-protocol"
            /// An allocation in use is no more: its lifetime ran out with no Refresh answered, or the server knows of none
            /// (437).
            case allocationLost = "allocation-lost"
            /// A relay through which no datagram came, or none back.
            case noData = "no-data"
        }

        package var stage: RelayStage
        package var kind: Kind
        /// Of an error response.
        package var code: Int?
        package var reason: OutsideText?
        /// Whether an error response was signed with the credential's key.
        package var isAuthenticated = false
        package var path: PathTrouble?
        /// The relayed addresses that are of no use; nil where it is not about these.
        package var unusable: [TURNUnusableAddress]?
        /// What there is to say beyond the kind, such as where a redirect leads.
        package var detail: String?

        package init(_ stage: RelayStage, _ kind: Kind, detail: String? = nil) {
            self.stage = stage
            self.kind = kind
            self.detail = detail
        }

        /// Whether the server had no room for another allocation, of this user or at all (RFC 8656 s19).
        package var isForWantOfRoom: Bool { stage == .allocate && (code == 486 || code == 508) }
    }
}
