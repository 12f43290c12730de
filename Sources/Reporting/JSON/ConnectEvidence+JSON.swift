import Diagnosis
import Engines
package import JSON
import NetTypes
package import Session

extension ConnectEvidence {
    package var jsonValue: JSONValue {
        [
            "connected": .bool(isConnected),
            "failure": failure.map { .string(ConnectWords.name($0)) },
            "signaling": .string(usesSDP ? "sdp" : "line"),
            "role": role.map { .string($0.rawValue) },
            "phase": .string(phase.rawValue),
            "localCandidates": localCandidates.jsonArray(\.connectJSON),
            "remoteCandidates": remoteCandidates.jsonArray(\.connectJSON),
            "refusedCandidates": refused.jsonArrayUnlessEmpty {
                ["candidate": $0.candidate.connectJSON, "reason": .string($0.reason.rawValue)]
            },
            "notGathered": notGathered.jsonArrayUnlessEmpty {
                ["source": .string(ConnectWords.place($0.source)), "reason": .string(ConnectWords.reason($0.reason))]
            },
            "pairs": pairs.sorted { $0.priority > $1.priority }.jsonArray { $0.json(selected: selected) },
            "selectedPair": selected.map { .integer($0.number) },
            "timesMs": times.jsonValue,
            "timeline": timeline.jsonArray(\.jsonValue),
            "omittedEvents": omittedMoments > 0 ? .integer(omittedMoments) : nil,
            "data": data?.jsonValue,
            "throughput": throughput?.jsonValue,
            "consent": .string(consent.name),
            "dtls": dtls?.jsonValue,
            "signalingProblems": signalingProblems.jsonArrayUnlessEmpty(JSONValue.string),
            "prediction": prediction?.jsonValue,
        ]
    }
}

extension ConnectEvidence.Consent {
    fileprivate var name: String {
        switch self {
        case .notNeeded: "not-needed"
        case .kept: "kept"
        case .lost(.expired): "expired"
        case .lost(.revoked): "revoked"
        case .lost(.path): "path-lost"
        }
    }
}

extension ConnectEvidence.Times {
    fileprivate var jsonValue: JSONValue {
        [
            "gathered": gathered.map(JSONValue.milliseconds), "described": described.map(JSONValue.milliseconds),
            "peerDescribed": peerDescribed.map(JSONValue.milliseconds),
            "firstSuccess": firstSuccess.map(JSONValue.milliseconds),
            "nominated": nominated.map(JSONValue.milliseconds), "secured": secured.map(JSONValue.milliseconds),
        ]
    }
}

extension ConnectEvidence.Prediction {
    fileprivate var jsonValue: JSONValue {
        [
            "outcome": .string(outcome), "best": .string(best), "localType": localKind.map { .string($0.name) },
            "remoteType": remoteKind.map { .string($0.name) }, "agrees": .bool(agrees),
            "dependsOn": dependsOn.isEmpty ? nil : .array(dependsOn.map(JSONValue.string)),
        ]
    }
}

extension Candidate {
    fileprivate var connectJSON: JSONValue {
        [
            "type": .string(kind.name), "transport": .string(transport.rawValue),
            "tcpType": tcpType.map { .string($0.rawValue) },
            "address": .string(OutsideText("\(address)").cleaned()), "port": .integer(Int(port)),
            "priority": .integer(Int(priority)), "foundation": .string(foundation),
        ]
    }
}

extension ICEPair {
    fileprivate func json(selected: ICEPair.ID?) -> JSONValue {
        [
            "id": .integer(id.number),
            "local": (validLocal ?? local).connectJSON,
            "remote": remote.connectJSON,
            "state": .string(state.rawValue),
            "works": .bool(isValid),
            "nominated": .bool(isNominated),
            "selected": .bool(id == selected),
            "checks": .integer(transmissions),
            "rttMs": roundTrip.map(JSONValue.milliseconds),
            "failure": failure.map {
                ["kind": .string(ConnectWords.name($0)), "message": .string(ConnectWords.failure($0))]
            },
        ]
    }
}

extension ConnectData {
    fileprivate var jsonValue: JSONValue {
        let trips = summary
        return [
            "method": .string(method.rawValue), "sent": .integer(sent), "returned": .integer(returned),
            "lost": .integer(lost), "lostThere": lostThere.map(JSONValue.integer),
            "lostBack": lostBack.map(JSONValue.integer), "received": .integer(received),
            "rttMs": trips.map {
                [
                    "min": .milliseconds($0.minimum), "median": .milliseconds($0.median),
                    "max": .milliseconds($0.maximum),
                ]
            },
            "jitterMs": jitter.map(JSONValue.milliseconds),
        ]
    }
}

extension ConnectThroughput {
    fileprivate var jsonValue: JSONValue {
        [
            "sentBitsPerSecond": sendingRate.map { .integer(Int($0)) },
            "receivedBitsPerSecond": receivingRate.map { .integer(Int($0)) },
            "sent": .integer(sent), "lost": .integer(lost),
        ]
    }
}

extension ConnectDTLS {
    fileprivate var jsonValue: JSONValue {
        [
            "secured": .bool(isSecured), "role": .string(isClient ? "client" : "server"),
            "handshakeMs": handshake.map(JSONValue.milliseconds),
            "version": facts.flatMap { $0.version.isEmpty ? nil : .string($0.version) },
            "cipher": facts.flatMap { $0.cipher.isEmpty ? nil : .string($0.cipher) },
            "signaledFingerprint": .string(signaledFingerprint),
            "shownFingerprint": shownFingerprint.map(JSONValue.string),
        ]
    }
}

extension ConnectEvidence.Moment {
    fileprivate var jsonValue: JSONValue {
        switch happening {
        case .phase(let phase):
            ["atMs": .milliseconds(at), "event": .string("phase"), "detail": .string(phase.rawValue)]
        case .signalingProblem(let problem):
            ["atMs": .milliseconds(at), "event": .string("signaling-problem"), "detail": .string(problem)]
        case .described: ["atMs": .milliseconds(at), "event": .string("described")]
        case .ice(let fact):
            ["atMs": .milliseconds(at), "event": .string(fact.name), "pair": fact.pair.map { .integer($0.number) }]
        }
    }
}

extension ICEEvent.Fact {
    fileprivate var name: String {
        switch self {
        case .stateChanged(let state): "state-\(state.rawValue)"
        case .gathered: "gathered"
        case .notGathered: "not-gathered"
        case .gatheringFinished: "gathering-finished"
        case .remoteAdded: "remote-added"
        case .remoteRefused: "remote-refused"
        case .remoteResolved: "remote-resolved"
        case .pairFormed: "pair-formed"
        case .checkSent: "check-sent"
        case .checkSucceeded: "check-succeeded"
        case .checkFailed: "check-failed"
        case .checkReceived: "check-received"
        case .requestRefused: "request-refused"
        case .peerReflexiveRemote: "peer-reflexive-remote"
        case .peerReflexiveLocal: "peer-reflexive-local"
        case .roleChanged(let role): "role-\(role.rawValue)"
        case .nominated: "nominated"
        case .selected: "selected"
        case .consentRefreshed: "consent-refreshed"
        case .consentLost: "consent-lost"
        case .restarted: "restarted"
        case .received: "received"
        }
    }

    fileprivate var pair: ICEPair.ID? {
        switch self {
        case .pairFormed(let id), .checkSent(let id, _), .checkSucceeded(let id, _), .checkFailed(let id, _),
            .nominated(let id), .selected(let id), .consentRefreshed(let id, _), .consentLost(let id, _):
            id
        case .checkReceived(_, let id, _): id
        default: nil
        }
    }
}
