package import Engines
package import NetTypes

/// Which of two relays that send to each other: the first one sends, the second one sends back.
package enum RelayPairEnd: String, Hashable, Sendable, Codable, CaseIterable {
    case first
    case second

    package var other: RelayPairEnd { self == .first ? .second : .first }
}

/// What two allocations showed that were to send to each other's relayed addresses, as two peers of which each has a
/// relay do. Facts alone; what they mean is for the diagnosis to say.
package struct RelayPairEvidence: Hashable, Sendable, Codable {
    /// The place among the pairs of the run, in the order in which they were made.
    package var pair: Int
    package var first: End
    package var second: End
    /// Those that went in Send and Data indications, and over a channel of the second: sent by the first, arrived at
    /// the second, and back at the first.
    package var indications = TURNEvidence.Relay.Tally()
    package var channel = TURNEvidence.Relay.Tally()
    /// Those whose content had changed.
    package var altered = 0
    /// From the second to the first alone, tried where nothing came to the second.
    package var reverse: TURNEvidence.Relay.Reverse?
    /// From the start to the last of the data.
    package var took: Duration = .zero
    package var isCutShort = false

    package init(pair: Int, first: End, second: End) {
        self.pair = pair
        self.first = first
        self.second = second
    }

    /// Of two allocations that are over.
    package init(pair: Int, _ first: TURNEvidence, _ second: TURNEvidence) {
        self.init(pair: pair, first: End(first), second: End(second))
        took = max(first.took, second.took)
        isCutShort = first.isCutShort || second.isCutShort
    }

    /// Whether data came through both ways, unaltered, over the channel as well where there is one.
    package var hasCarriedData: Bool {
        altered == 0 && !indications.roundTrips.isEmpty && (second.boundAfter == nil || !channel.roundTrips.isEmpty)
    }

    package subscript(end: RelayPairEnd) -> End { end == .first ? first : second }

    /// One of the two allocations.
    package struct End: Hashable, Sendable, Codable {
        package var server: Observation.ServerIndex
        package var serverAddress: Endpoint
        package var transport: Transport
        /// The family of relayed address that was asked for.
        package var relayFamily: IPAddress.Family
        package var relayedAddress: Endpoint?
        /// Of the last request for the allocation.
        package var roundTrip: Duration?
        /// The round trip of the CreatePermission for the other end, and of the second's ChannelBind to the first; nil
        /// where it did not succeed.
        package var permittedAfter: Duration?
        package var boundAfter: Duration?
        /// Where the other end's datagrams came from, as this server sees them (XOR-PEER-ADDRESS); nil where none came.
        package var peerAddress: Endpoint?
        /// What ended it, or went wrong first.
        package var trouble: TURNEvidence.Trouble?
        package var deletion: TURNDeletion?

        package init(
            server: Observation.ServerIndex, serverAddress: Endpoint, transport: Transport,
            relayFamily: IPAddress.Family
        ) {
            self.server = server
            self.serverAddress = serverAddress
            self.transport = transport
            self.relayFamily = relayFamily
        }

        init(_ attempt: TURNEvidence) {
            self.init(
                server: attempt.server, serverAddress: attempt.serverAddress, transport: attempt.transport,
                relayFamily: attempt.relayFamily)
            relayedAddress = attempt.relay?.relayedAddress
            roundTrip = attempt.allocation?.roundTrip
            permittedAfter = attempt.relay?.permittedAfter
            boundAfter = attempt.relay?.boundAfter
            peerAddress = attempt.relay?.peerAddress
            trouble = attempt.trouble
            deletion = attempt.deletion
        }
    }
}
