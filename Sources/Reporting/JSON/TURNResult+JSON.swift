package import Diagnosis
package import Engines
package import Facts
package import JSON
import NetTypes

extension RelayStage: JSONWord {}
extension TURNEvidence.Relay.Way: JSONWord {}
extension AllocationOption: JSONWord {}
extension AllocationOptionAnswer.Outcome: JSONWord {}

extension TURNResult: JSONRecord {
    package static let shape = Shape<TURNResult>(
        nil,
        "An attempt at a relayed address: one address of one server, one transport, one family of relayed addresses. Exactly "
            + "one of ok, error and notMeasured holds.",
        rules: .outcome()
    ) {
        Field("server", \.server, "As it was named.", .notEmpty)
        Field("transport", \.transport)
        Field("family", \.family, "Of the server's address.")
        Field("serverAddress", \.serverAddress)
        Field("ok", \.isOK, "Whether data went through the relay both ways.")
        Field("stage", \.stage, "The last stage that was reached.")
        Field("username", { $0.username.unlessEmpty.map { OutsideText($0) } }, "Who asked.")
        Field("realm", \.evidence?.realm, "As the server names it.")
        Field("software", \.evidence?.software, "As the server names itself.")
        Field("relayedAddress", \.relay?.relayedAddress)
        Field("relayedFamily", \.relayFamily, "The family of relayed address that was asked for.")
        Field("mappedAddress", \.evidence?.allocation?.mappedAddress, "This machine as the server sees it.")
        Field("localAddress", \.evidence?.localAddress)
        Field("lifetimeS", \.evidence?.allocation?.lifetime, "Of the allocation, as granted.")
        Field.list(
            "options", { $0.evidence?.options ?? [] },
            "What the server made of what was asked beyond a usual allocation. A refusal or a disregard is not a failure of "
                + "the relay.", isKept: false
        ) {
            Field("option", \.option)
            Field("outcome", \.outcome)
            Field("code", \.code, "Of the error response that refuses it.", ["minimum": 300, "maximum": 699])
            Field("relayedAddress", \.address, "Of the reserved port, or of the second family.")
        }
        Field("rttMs", \.evidence?.allocation?.roundTrip, "Of the last request for the allocation.")
        Field("connectMs", \.evidence?.connectedAfter, "TCP: until the connection was there.")
        Field("allocateMs", \.evidence?.allocation?.elapsed, "From the first request to the allocation.")
        Field("allocateRoundTrips", \.evidence?.allocation?.roundTrips, "Requests that were answered until then.")
        Field("permissionMs", \.relay?.permittedAfter, "The round trip of CreatePermission.")
        Field("channelMs", \.relay?.boundAfter, "The round trip of ChannelBind.")
        Field("tookMs", \.evidence?.took, "From the start to the last of the data.")
        Field("tls", \.evidence?.tls)
        Field("relay", \.relayed)
        Field("redirects", \.evidence?.redirects.unlessEmpty, "The servers that 300 led to.")
        Field("openToAll", \.evidence?.allocation?.isOpenToAll.unlessFalse, "The server asked for no credential.")
        Field.deletion(\.evidence?.deletion)
        Field("error", \.outcome.error)
        Field.gap(\.outcome)
    }

    /// Nil where nothing was sent through a relay.
    private var relayed: Relayed? {
        guard let relay, let data, data.sent > 0 || relay.tcp != nil else { return nil }
        return Relayed(relay: relay, data: data)
    }
}

extension Field {
    static func deletion(_ deletion: @escaping @Sendable (Record) -> TURNDeletion?) -> Field {
        Field(
            "deleted", { deletion($0)?.reportName },
            "How the deletion of the allocation ended; absent where there was nothing to delete.",
            ["enum": ["confirmed", "absent", "unconfirmed"]])
    }
}

/// What was sent through a relay.
private struct Relayed: JSONRecord {
    var relay: TURNEvidence.Relay
    var data: TURNResult.RelayedData

    static let shape = Shape<Relayed>(
        nil,
        "Datagrams from a second socket to the relayed address, or messages on TCP connections through it (RFC 6062), "
            + "which the client sent back through the relay."
    ) {
        Field(
            "transport", { $0.relay.tcp == nil ? "udp" : "tcp" }, "Between relay and peer.", ["enum": ["udp", "tcp"]])
        Field(
            "way", \.relay.way,
            "How data came through both ways: from a second socket of this machine, or between two relays of the server; "
                + "absent where it did not.")
        Field("sent", \.data.sent)
        Field("received", \.data.returned, "Those that came back.")
        Field("lossRatio", { Ratio($0.data.lossRatio) }, "Lost of sent, after both ways.")
        Field(
            "rttMs", \.data.roundTrips?.median,
            "The median, there and back: four ways between this machine and the server.")
        Field("minMs", \.data.roundTrips?.minimum)
        Field("p95Ms", \.data.roundTrips?.percentile95)
        Field("jitterMs", \.data.roundTrips?.jitter)
        Field("overheadMs", \.data.overhead, "The median beyond two round trips to the server.")
        Field("peerAddress", \.relay.peerAddress, "The second socket as the relay sees it (XOR-PEER-ADDRESS).")
        Field(
            "indications", { $0.relay.tcp == nil ? $0.relay.indications : nil },
            "Those of the second socket, in Send and Data indications.")
        Field("channel", \.relay.channel.unlessUnused, "Those of the second socket, over a channel.")
        Field("soak", \.relay.soak)
        Field("inbound", \.relay.tcp?.inbound, "TCP: a second socket that connected to the relayed address.")
        Field(
            "outbound", \.relay.tcp?.outbound,
            "TCP: the relay connected to a second socket; absent where a NAT keeps it from that.")
        Field("altered", \.data.altered.unlessZero, "Those whose content had changed.", ["minimum": 1])
        Field.object(
            "reverse", \.relay.reverse,
            "Only the other direction, tried where nothing came: from the client through the relay to the second socket."
        ) {
            Field("sent", \.sent)
            Field("arrived", \.arrived)
            Field("from", \.source, "Where the relay sends from.")
        }
        Field("pathError", \.relay.pathTrouble, "What the second socket met on its way to the relayed address.")
    }
}

extension Int {
    /// Nil where it is 0: the key is left out.
    var unlessZero: Int? { self > 0 ? self : nil }
}

extension TURNEvidence.Relay.Tally: JSONRecord {
    package static let shape = Shape<Self>("relayed") {
        Field("sent", \.sent)
        Field("arrived", \.arrived, "At the client.")
        Field("returned", \.roundTrips.count, "At the second socket.")
    }

    var unlessUnused: Self? { sent > 0 ? self : nil }
}

extension TURNEvidence.TCPLane: JSONRecord {
    package static let shape = Shape<Self>(
        "relayedConnection", "A TCP connection between a peer and the client, through the relay."
    ) {
        Field(
            "reached", \.reached.rawValue, "The last step of it.",
            ["enum": ["connect", "announcement", "bind", "data"]])
        Field("sent", \.tally.sent, "Messages.")
        Field("arrived", \.tally.arrived, "Those that came to the client.")
        Field("returned", \.tally.roundTrips.count, "Those that came back.")
        Field("bindMs", \.boundAfter, "The round trip of ConnectionBind.")
        Field("code", \.code, "With which Connect or ConnectionBind was refused.")
        Field("pathError", \.pathTrouble, "What a socket of it met.")
    }
}

extension TURNEvidence.Relay.Soak: JSONRecord {
    package static let shape = Shape<Self>(
        nil, "With --soak: the relay kept alive for minutes, a datagram each half second."
    ) {
        Field("lengthMs", \.length)
        Field("sent", \.tally.sent)
        Field("returned", \.tally.roundTrips.count)
        Field("stoppedAfterMs", \.stoppedAfter, "How long data had come through when it stopped.")
        Field(
            "revivedBy", \.revivedBy?.rawValue, "Which of the two, asked for once more, brought the data back.",
            ["enum": ["permission", "channel"]])
        Field(
            "channelLostAfterMs", \.channelLostAfter,
            "When data of the peer came in an indication again, though the channel was renewed.")
        Field("refreshes", \.refreshes)
        Field("permissionRenewals", \.permissions)
        Field("channelRenewals", \.channels)
        Field("nonceRenewals", \.nonces)
    }
}

extension TURNDeletion {
    /// As scripts compare it.
    var reportName: String {
        switch self {
        case .confirmed: "confirmed"
        case .absent: "absent"
        case .unconfirmed: "unconfirmed"
        }
    }
}
