package import Diagnosis
import Engines
package import JSON
import NetTypes
import Session

extension TURNResult {
    package var jsonValue: JSONValue {
        let allocation = evidence?.allocation
        return [
            "server": .string(server),
            "transport": .string(transport.rawValue),
            "family": family.map { .string($0.rawValue) },
            "serverAddress": serverAddress.map(JSONValue.endpoint),
            "ok": .bool(isOK),
            "stage": .string(stage.rawValue),
            "username": username.isEmpty ? nil : .string(username.cleaned()),
            "realm": (evidence?.realm).map { .string($0.cleaned()) },
            "software": (evidence?.software).map { .string($0.cleaned()) },
            "relayedAddress": (relay?.relayedAddress).map(JSONValue.endpoint),
            "relayedFamily": relayFamily.map { .string($0.rawValue) },
            "mappedAddress": (allocation?.mappedAddress).map(JSONValue.endpoint),
            "localAddress": (evidence?.localAddress).map(JSONValue.endpoint),
            "lifetimeS": (allocation?.lifetime).map { .integer(Int($0)) },
            "options": evidence?.options?.jsonArrayUnlessEmpty(\.jsonValue),
            "rttMs": (allocation?.roundTrip).map(JSONValue.milliseconds),
            "connectMs": (evidence?.connectedAfter).map(JSONValue.milliseconds),
            "allocateMs": (allocation?.elapsed).map(JSONValue.milliseconds),
            "allocateRoundTrips": (allocation?.roundTrips).map(JSONValue.integer),
            "permissionMs": (relay?.permittedAfter).map(JSONValue.milliseconds),
            "channelMs": (relay?.boundAfter).map(JSONValue.milliseconds),
            "tookMs": (evidence?.took).map(JSONValue.milliseconds),
            "tls": evidence?.tls?.jsonValue,
            "relay": relayJSON,
            "redirects": evidence?.redirects.jsonArrayUnlessEmpty(JSONValue.endpoint),
            "openToAll": allocation?.isOpenToAll == true ? .bool(true) : nil,
            "deleted": (evidence?.deletion).map { .string($0.reportName) },
            "error": outcome.error?.jsonValue,
            "notMeasured": outcome.notMeasured.map {
                ["reason": .string($0.reason.rawValue), "detail": .string($0.detail)]
            },
        ]
    }

    private var relayJSON: JSONValue? {
        guard let relay, let data, data.sent > 0 || relay.tcp != nil else { return nil }
        return [
            "transport": .string(relay.tcp == nil ? "udp" : "tcp"),
            "sent": .integer(data.sent),
            "received": .integer(data.returned),
            "lossRatio": .decimal(data.lossRatio),
            "rttMs": (data.roundTrips?.median).map(JSONValue.milliseconds),
            "minMs": (data.roundTrips?.minimum).map(JSONValue.milliseconds),
            "p95Ms": (data.roundTrips?.percentile95).map(JSONValue.milliseconds),
            "jitterMs": (data.roundTrips?.jitter).map(JSONValue.milliseconds),
            "overheadMs": (data.roundTrips?.overhead).map(JSONValue.milliseconds),
            "peerAddress": relay.peerAddress.map(JSONValue.endpoint),
            "indications": relay.tcp == nil ? relay.indications.jsonValue : nil,
            "channel": relay.channel.sent > 0 ? relay.channel.jsonValue : nil,
            "soak": relay.soak?.jsonValue,
            "inbound": relay.tcp?.inbound.jsonValue,
            "outbound": relay.tcp?.outbound?.jsonValue,
            "altered": data.altered > 0 ? .integer(data.altered) : nil,
            "reverse": relay.reverse.map {
                [
                    "sent": .integer($0.sent), "arrived": .integer($0.arrived),
                    "from": $0.source.map(JSONValue.endpoint),
                ]
            },
            "pathError": relay.pathTrouble?.jsonValue,
        ]
    }
}

extension AllocationOptionAnswer {
    fileprivate var jsonValue: JSONValue {
        [
            "option": .string(option.rawValue), "outcome": .string(outcome.rawValue),
            "code": code.map(JSONValue.integer),
            "relayedAddress": address.map(JSONValue.endpoint),
        ]
    }
}

extension TURNEvidence.TCPLane {
    fileprivate var jsonValue: JSONValue {
        [
            "reached": .string(reached.rawValue),
            "sent": .integer(tally.sent), "arrived": .integer(tally.arrived),
            "returned": .integer(tally.roundTrips.count),
            "bindMs": boundAfter.map(JSONValue.milliseconds),
            "code": code.map(JSONValue.integer),
            "pathError": pathTrouble?.jsonValue,
        ]
    }
}

extension TURNEvidence.Relay.Tally {
    var jsonValue: JSONValue {
        [
            "sent": .integer(sent), "arrived": .integer(arrived), "returned": .integer(roundTrips.count),
        ]
    }
}

extension TURNEvidence.Relay.Soak {
    fileprivate var jsonValue: JSONValue {
        [
            "lengthMs": .milliseconds(length), "sent": .integer(tally.sent),
            "returned": .integer(tally.roundTrips.count),
            "stoppedAfterMs": stoppedAfter.map(JSONValue.milliseconds),
            "revivedBy": revivedBy.map { .string($0.rawValue) },
            "channelLostAfterMs": channelLostAfter.map(JSONValue.milliseconds), "refreshes": .integer(refreshes),
            "permissionRenewals": .integer(permissions), "channelRenewals": .integer(channels),
            "nonceRenewals": .integer(nonces),
        ]
    }
}

extension TURNEvidence.Deletion {
    /// As scripts compare it.
    var reportName: String {
        switch self {
        case .confirmed: "confirmed"
        case .absent: "absent"
        case .unconfirmed: "unconfirmed"
        }
    }
}
