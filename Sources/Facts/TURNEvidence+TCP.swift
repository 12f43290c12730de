import NetTypes

extension TURNEvidence {
    /// What went through a relay of TCP (RFC 6062).
    package struct TCPRelay: Hashable, Sendable, Codable {
        /// A second socket connected to the relayed address.
        package var inbound: TCPLane
        /// The relay connected to a second socket; nil where a NAT keeps it from trying.
        package var outbound: TCPLane?

        package init(inbound: TCPLane, outbound: TCPLane? = nil) {
            self.inbound = inbound
            self.outbound = outbound
        }

        package var lanes: [TCPLane] { [inbound, outbound].compactMap(\.self) }
    }

    /// One connection between a peer and the client, through the relay.
    package struct TCPLane: Hashable, Sendable, Codable {
        package enum Step: String, Hashable, Sendable, Codable, CaseIterable {
            /// A connection between relay and peer.
            case connect
            /// That the server says so: ConnectionAttempt, or the success of Connect.
            case announcement
            /// The client's second connection to the server, and ConnectionBind on it.
            case bind
            /// Bytes both ways.
            case data
        }

        /// The step that it came to, and died at where nothing came back.
        package var reached = Step.connect
        /// The round trip of ConnectionBind.
        package var boundAfter: Duration?
        package var tally = Relay.Tally()
        /// What Connect or ConnectionBind was refused with.
        package var code: Int?
        /// What the second socket met.
        package var pathTrouble: PathTrouble?

        package init() {}

        package var isSilent: Bool { tally.roundTrips.isEmpty }
    }
}
