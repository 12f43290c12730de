package import Diagnosis
import Engines
package import JSON
import NetTypes

extension PathRecord {
    package var jsonValue: JSONValue {
        let name: JSONValue
        var hasTURN: JSONValue?
        switch peer {
        case .peerClass(let peerClass):
            name = .string(peerClass.network.id)
            hasTURN = .bool(peerClass.hasTURN)
        case .report(let report): name = .string(OutsideText(report).cleaned())
        }
        return [
            "from": from.map { .string(OutsideText($0).cleaned()) },
            "peer": name,
            "peerTurn": hasTURN,
            "outcome": .string(prediction.outcome.rawValue),
            "possible": prediction.isCertain
                ? nil : [.string(prediction.best.rawValue), .string(prediction.outcome.rawValue)],
            "local": prediction.local?.jsonValue,
            "remote": prediction.remote?.jsonValue,
            "setupMs": prediction.setup.map(JSONValue.milliseconds),
            "why": prediction.why.map(JSONValue.string),
            "dependsOn": prediction.dependsOn.jsonArrayUnlessEmpty(JSONValue.string),
        ]
    }
}

extension PathSide {
    fileprivate var jsonValue: JSONValue {
        ["type": .string(kind.name), "family": .string(family.rawValue)]
    }
}

extension Mesh {
    /// More kinds than this have no matrix: it grows with their square.
    private static let mostInMatrix = 200

    package var jsonValue: JSONValue {
        [
            "machines": .integer(machines),
            "kinds": kinds.jsonArray { kind in
                [
                    "kind": .string(kind.kind.words), "count": .integer(kind.count),
                    "example": .string(OutsideText(kind.example).cleaned()),
                ]
            },
            "outcomes": kinds.count <= Self.mostInMatrix
                ? outcomes.jsonArray { row in row.jsonArray { .string($0.rawValue) } } : nil,
            "pairs": pairs.jsonValue,
            "sameNatPairs": .integer(neighbours),
            "isolated": .integer(isolated),
            "call": call.jsonValue,
            "sfu": star.map { star in
                ["machines": star.jsonValue, "call": starCall?.jsonValue]
            },
        ]
    }
}

extension Mesh.Tally {
    fileprivate var jsonValue: JSONValue {
        [
            "count": .integer(count), "direct": .integer(direct), "relayed": .integer(relayed),
            "none": .integer(none), "uncertain": .integer(uncertain),
        ]
    }
}

extension Mesh.Call {
    fileprivate var jsonValue: JSONValue {
        [
            "participants": .integer(participants),
            "bitrateKbps": .decimal(bitrate),
            "streams": .decimal(streams),
            "relayedStreams": .decimal(relayedStreams),
            "missingStreams": .decimal(missingStreams),
            "relayBandwidthKbps": .decimal(relayBandwidth),
        ]
    }
}
