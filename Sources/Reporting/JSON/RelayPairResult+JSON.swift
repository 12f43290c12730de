package import Diagnosis
import Facts
package import JSON

extension RelayPairResult: JSONRecord {
    package static let shape = Shape<RelayPairResult>(
        nil,
        "Data from one relay to another, as two peers with a relay each need it: the client of the first sends, that of the "
            + "second sends back. Exactly one of ok, error and notMeasured holds.",
        rules: .outcome()
    ) {
        Field("first", { RelayPairSide(server: $0.first, seen: $0.evidence.first) })
        Field("second", { RelayPairSide(server: $0.second, seen: $0.evidence.second) })
        Field("relayedFamily", \.evidence.first.relayFamily, "Of both relayed addresses.")
        Field("sameServer", \.isOneServer, "Whether both are of the server that one URI names.")
        Field("ok", \.isOK, "Whether data went from relay to relay both ways.")
        Field.object(
            "relay", { $0.data.sent > 0 ? $0 : nil }, "Datagrams of the first, which the second sent back."
        ) {
            Field<RelayPairResult>("sent", \.data.sent)
            Field("received", \.data.returned, "Those that came back.")
            Field("lossRatio", { Ratio($0.data.lossRatio) }, "Lost of sent, after both ways.")
            Field("rttMs", \.data.roundTrips?.median, "The median, there and back: through both relays, twice.")
            Field("minMs", \.data.roundTrips?.minimum)
            Field("p95Ms", \.data.roundTrips?.percentile95)
            Field("jitterMs", \.data.roundTrips?.jitter)
            Field(
                "overheadMs", \.data.overhead, "The median beyond a round trip to each of the two servers.")
            Field("indications", \.evidence.indications, "Of these, in Send and Data indications.")
            Field("channel", \.evidence.channel.unlessUnused, "Of these, over a channel of the second.")
            Field("altered", \.data.altered.unlessZero, "Those whose content had changed.", ["minimum": 1])
            Field.object(
                "reverse", \.evidence.reverse, "Only from the second to the first, tried where nothing came."
            ) {
                Field("sent", \.sent)
                Field("arrived", \.arrived)
            }
        }
        Field(
            "tookMs", { $0.evidence.took > .zero ? $0.evidence.took : nil },
            "From the start to the last of the data.")
        Field("error", \.outcome.error)
        Field.gap(\.outcome)
    }
}

private struct RelayPairSide: JSONRecord {
    var server: String
    var seen: RelayPairEvidence.End

    static let shape = Shape<RelayPairSide>("relayPairEnd") {
        Field("server", \.server, "As it was named.", .notEmpty)
        Field("transport", \.seen.transport)
        Field("serverAddress", \.seen.serverAddress)
        Field("relayedAddress", \.seen.relayedAddress)
        Field(
            "peerAddress", \.seen.peerAddress,
            "Where the other's data comes from, as this server sees it (XOR-PEER-ADDRESS).")
        Field("rttMs", \.seen.roundTrip, "Of the last request for the allocation.")
        Field("permissionMs", \.seen.permittedAfter, "The round trip of CreatePermission for the other.")
        Field("channelMs", \.seen.boundAfter, "The round trip of ChannelBind to the other.")
        Field.deletion(\.seen.deletion)
        Field(
            "errorCode", \.seen.trouble?.code, "With which the server refused.", ["minimum": 300, "maximum": 699])
    }
}
