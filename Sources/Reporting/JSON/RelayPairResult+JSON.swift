package import Diagnosis
package import JSON
import NetTypes
import Session

extension RelayPairResult {
    package var jsonValue: JSONValue {
        [
            "first": json(of: .first),
            "second": json(of: .second),
            "relayedFamily": .string(evidence.first.relayFamily.rawValue),
            "sameServer": .bool(isOneServer),
            "ok": .bool(isOK),
            "relay": relayJSON,
            "tookMs": evidence.took > .zero ? .milliseconds(evidence.took) : nil,
            "error": outcome.error?.jsonValue,
            "notMeasured": outcome.notMeasured.map {
                ["reason": .string($0.reason.rawValue), "detail": .string($0.detail)]
            },
        ]
    }

    private func json(of end: RelayPairEnd) -> JSONValue {
        let seen = evidence[end]
        return [
            "server": .string(end == .first ? first : second),
            "transport": .string(seen.transport.rawValue),
            "serverAddress": .endpoint(seen.serverAddress),
            "relayedAddress": seen.relayedAddress.map(JSONValue.endpoint),
            "peerAddress": seen.peerAddress.map(JSONValue.endpoint),
            "rttMs": seen.roundTrip.map(JSONValue.milliseconds),
            "permissionMs": seen.permittedAfter.map(JSONValue.milliseconds),
            "channelMs": seen.boundAfter.map(JSONValue.milliseconds),
            "deleted": seen.deletion.map { .string($0.reportName) },
            "errorCode": (seen.trouble?.code).map(JSONValue.integer),
        ]
    }

    private var relayJSON: JSONValue? {
        guard data.sent > 0 else { return nil }
        return [
            "sent": .integer(data.sent),
            "received": .integer(data.returned),
            "lossRatio": .decimal(data.lossRatio),
            "rttMs": (data.roundTrips?.median).map(JSONValue.milliseconds),
            "minMs": (data.roundTrips?.minimum).map(JSONValue.milliseconds),
            "p95Ms": (data.roundTrips?.percentile95).map(JSONValue.milliseconds),
            "jitterMs": (data.roundTrips?.jitter).map(JSONValue.milliseconds),
            "overheadMs": (data.roundTrips?.overhead).map(JSONValue.milliseconds),
            "indications": evidence.indications.jsonValue,
            "channel": evidence.channel.sent > 0 ? evidence.channel.jsonValue : nil,
            "altered": data.altered > 0 ? .integer(data.altered) : nil,
            "reverse": evidence.reverse.map { ["sent": .integer($0.sent), "arrived": .integer($0.arrived)] },
        ]
    }
}
