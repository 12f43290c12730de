package import Diagnosis
import Engines
package import JSON
import NetTypes

extension NATRecord {
    package var jsonValue: JSONValue {
        [
            "family": .string(family.rawValue),
            "transport": .string(transport.rawValue),
            "sourceAddress": .address(evidence.source),
            "mappedAddress": mappedAddress.map(JSONValue.endpoint),
            "mapping": verdict.mapping.jsonValue(
                by: verdict.method, possible: relayed?.verdict.mapping.possible
            ) { .string($0.rawValue) },
            "filtering": verdict.filtering.jsonValue(
                by: verdict.filteringMethod, possible: relayed?.verdict.filtering.possible
            ) { .string($0.rawValue) },
            "portPreservation": verdict.portPreservation.jsonValue { .bool($0) },
            "portAllocation": verdict.portAllocation.jsonValue { .string($0.name) },
            "portStep": verdict.portAllocation.value?.step.map { .integer($0) },
            "addressPooling": verdict.pairedPooling.jsonValue { .string($0 ? "paired" : "arbitrary") },
            "hairpin": verdict.hairpinning.jsonValue { .string($0.rawValue) },
            "alg": verdict.payloadRewriting.jsonValue { .bool($0) },
            "mappingLifetime": lifetime?.jsonValue,
            "legacyName": verdict.legacyName.map(JSONValue.string),
            "method": verdict.method.map { .string($0.name) },
            "servers": .array(
                zip(evidence.servers, verdict.capabilities).map {
                    $1.jsonValue(of: $0, silence: transport == .tcp ? evidence.silence(of: $0) : nil)
                }),
            "throughRelays": relayed?.jsonValue,
            "requests": .integer(requests),
            "answers": .integer(answers),
            "rttMs": roundTrip.map(JSONValue.milliseconds),
            "durationMs": .milliseconds(evidence.endedAt),
            "bound": bound?.jsonValue,
        ]
    }
}

extension NATRecord.Relayed {
    fileprivate var jsonValue: JSONValue {
        [
            "mapping": verdict.mapping.jsonValue,
            "filtering": verdict.filtering.jsonValue,
            "relays": evidence.relays.indices.jsonArray { place in
                let relay = evidence.relays[place]
                return [
                    "serverAddress": .endpoint(relay.server),
                    "relayedAddress": relay.relayedAddress.map(JSONValue.endpoint),
                    "reason": reason(place).map(JSONValue.string),
                ]
            },
            "sent": .integer(evidence.exchanges.count),
            "received": .integer(evidence.exchanges.count { $0.outcome != nil }),
            "durationMs": .milliseconds(evidence.endedAt),
        ]
    }
}

extension RelayedNATVerdict.Estimate {
    fileprivate var jsonValue: JSONValue { finding.jsonValue(possible: possible) { .string($0.rawValue) } }
}

extension JSONValue {
    /// The chance of being right: in steps of 1 in 1,000, and never 1 where it is not certain.
    static func confidence(_ risk: Double) -> JSONValue { .decimal(((1 - risk) * 1000).rounded(.down) / 1000) }
}

extension NATBound {
    fileprivate var jsonValue: JSONValue {
        ["roundTrips": .integer(roundTrips), "silenceMs": .milliseconds(silence), "durationMs": .milliseconds(total)]
    }
}

extension NATFinding {
    /// The value with the chance that it is right, or `unknown` with the reason.
    ///
    /// - Parameters:
    ///   - method: how it was found out, where there are several ways.
    ///   - possible: what may be where it is unknown; not shown where all may.
    fileprivate func jsonValue(
        by method: NATVerdict.Method? = nil, possible: Set<NATDependence>? = nil, _ name: (Value) -> JSONValue
    ) -> JSONValue {
        switch self {
        case .known(let value, let risk):
            return ["value": name(value), "confidence": .confidence(risk), "method": method.map { .string($0.name) }]
        case .unknown(let why):
            let known = possible.flatMap { $0.count < NATDependence.allCases.count ? $0 : nil }
            return [
                "value": .string("unknown"), "confidence": .decimal(0), "reason": .string(why),
                "possible": known.map { known in
                    NATDependence.allCases.filter(known.contains).jsonArray { .string($0.rawValue) }
                },
            ]
        }
    }
}

extension NATVerdict.PortAllocation {
    var name: String {
        switch self {
        case .preserving: "preserving"
        case .sequential: "sequential"
        case .random: "random"
        }
    }

    fileprivate var step: Int? {
        if case .sequential(let step) = self { return step }
        return nil
    }
}

extension NATVerdict.Method {
    fileprivate var name: String {
        switch self {
        case .discovery: "rfc5780"
        case .severalServers: "several-servers"
        case .relay: "relay"
        }
    }
}

extension NATServerCapability {
    /// - Parameter silence: why it is silent, where that is known.
    fileprivate func jsonValue(of server: Endpoint, silence: String?) -> JSONValue {
        let (name, other, reason): (String, Endpoint?, String?) =
            switch self {
            case .silent: ("silent", nil, silence)
            case .mapsOnly(let why): ("mapping", nil, why)
            case .unusable(let why): ("unusable", nil, why)
            case .discovers(let other): ("discovery", other, nil)
            }
        return [
            "serverAddress": .endpoint(server), "use": .string(name), "otherAddress": other.map(JSONValue.endpoint),
            "reason": reason.map(JSONValue.string),
        ]
    }
}
