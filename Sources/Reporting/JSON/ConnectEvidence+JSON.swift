import Diagnosis
package import Engines
package import Facts
package import JSON
import NetTypes

extension ConnectEvidence: JSONRecord {
    package static let shape = Shape<ConnectEvidence>(nil, "A connection to another end, by icecheck connect.") {
        Field("connected", \.isConnected, "Whether a pair carried data, and DTLS was completed where there is any.")
        Field("failure", { $0.failure.map { OpenWord(ConnectWords.name($0)) } }, "Why it is not connected.")
        Field(
            "signaling", { $0.usesSDP ? "sdp" : "line" }, "line: icecheck's own, at both ends.",
            ["enum": ["line", "sdp"]])
        Field("role", \.role?.rawValue, "RFC 8445 s6.1.1.", ["enum": ["controlling", "controlled"]])
        Field("phase", { OpenWord($0.phase.rawValue) }, "How far it came.")
        Field("localCandidates", \.localCandidates)
        Field("remoteCandidates", \.remoteCandidates)
        Field.list("refusedCandidates", \.refused, "Candidates of the peer that gave no pair.", isKept: false) {
            Field("candidate", \.candidate)
            Field("reason", { OpenWord($0.reason.rawValue) })
        }
        Field.list("notGathered", \.notGathered, "What gave no candidate, and why.", isKept: false) {
            Field("source", { ConnectWords.place($0.source) })
            Field("reason", { ConnectWords.reason($0.reason) })
        }
        Field.list("pairs", \.sortedPairs, "The highest priority first.") {
            Field("id", \.pair.id.number)
            Field("local", { $0.pair.validLocal ?? $0.pair.local })
            Field("remote", \.pair.remote)
            Field("state", { OpenWord($0.pair.state.rawValue) }, "RFC 8445 s6.1.2.6.")
            Field("works", \.pair.isValid, "Whether a check of it succeeded.")
            Field("nominated", \.pair.isNominated)
            Field("selected", \.isSelected)
            Field("checks", \.pair.transmissions, "Requests that were sent, retransmissions included.")
            Field("rttMs", \.pair.roundTrip)
            Field.object("failure", \.pair.failure) {
                Field("kind", { OpenWord(ConnectWords.name($0)) })
                Field("message", { ConnectWords.failure($0) })
            }
        }
        Field("selectedPair", \.selected?.number, "Its id.")
        Field.object("timesMs", \.times, "After the start; without what did not happen.") {
            Field("gathered", \.gathered, "All candidates of this side.")
            Field("described", \.described, "This side's description went out.")
            Field("peerDescribed", \.peerDescribed, "The peer's came in.")
            Field("firstSuccess", \.firstSuccess, "The first check that succeeded.")
            Field("nominated", \.nominated)
            Field("secured", \.secured, "DTLS was complete.")
        }
        Field("timeline", \.timeline)
        Field("omittedEvents", \.omittedMoments.unlessZero, "How many more events there were.", ["minimum": 1])
        Field.object("data", \.data, "Data over the selected pair.") {
            Field("method", { OpenWord($0.method.rawValue) })
            Field("sent", \.sent)
            Field("returned", \.returned, "Those that came back.")
            Field("lost", \.lost)
            Field("lostThere", \.lostThere, "On the way to the peer, where the peer tells.")
            Field("lostBack", \.lostBack, "On the way back, where the peer tells.")
            Field("received", \.received, "Of the peer's own.")
            Field.object("rttMs", \.summary) {
                Field("min", \.minimum)
                Field("median", \.median)
                Field("max", \.maximum)
            }
            Field("jitterMs", \.jitter)
        }
        Field.object("throughput", \.throughput, "With --throughput.") {
            Field("sentBitsPerSecond", { $0.sendingRate.map { Int($0) } })
            Field("receivedBitsPerSecond", { $0.receivingRate.map { Int($0) } })
            Field("sent", \.sent, "Datagrams.")
            Field("lost", \.lost)
        }
        Field(
            "consent", \.consent.name, "Consent to send (RFC 7675).",
            ["enum": ["not-needed", "kept", "expired", "revoked", "path-lost"]])
        Field.object("dtls", \.dtls) {
            Field("secured", \.isSecured, "Whether the handshake was completed.")
            Field("role", { $0.isClient ? "client" : "server" }, "", ["enum": ["client", "server"]])
            Field("handshakeMs", \.handshake)
            Field("version", \.facts?.version.unlessEmpty)
            Field("cipher", \.facts?.cipher.unlessEmpty)
            Field("signaledFingerprint", \.signaledFingerprint, "Of the certificate that the peer's description names.")
            Field("shownFingerprint", \.shownFingerprint, "Of the certificate that the peer showed.")
        }
        Field("signalingProblems", \.signalingProblems.unlessEmpty, "What of the peer's signaling was unreadable.")
        Field.object("prediction", \.prediction, "What ICE in a model of the two machines does.") {
            Field("outcome", \.outcome, "The best that is certain.", .pathOutcome)
            Field("best", \.best, "The best that is possible.", .pathOutcome)
            Field("localType", \.localKind)
            Field("remoteType", \.remoteKind)
            Field("agrees", \.agrees, "Whether what happened is what was predicted.")
            Field("dependsOn", \.dependsOn.unlessEmpty, "The unknowns that it depends on.")
        }
    }

    private var sortedPairs: [(pair: ICEPair, isSelected: Bool)] {
        pairs.sorted { $0.priority > $1.priority }.map { ($0, $0.id == selected) }
    }
}

extension JSONValue {
    fileprivate static let pathOutcome: JSONValue = ["enum": ["direct", "relayed", "none"]]
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

extension Candidate.Kind: JSONWord {
    package var jsonWord: String { name }
}

extension Candidate.Transport: JSONWord {}
extension Candidate.TCPType: JSONWord {}

extension Candidate: JSONRecord {
    package static let shape = Shape<Candidate>("iceCandidate", "A candidate, without what only its own side knows.") {
        Field("type", \.kind, "RFC 8445 s5.1.1.")
        Field("transport", \.transport)
        Field("tcpType", \.tcpType, "RFC 6544 s4.5.")
        Field("address", { OutsideText("\($0.address)") }, "An address, or a name of mDNS.")
        Field("port", \.port)
        Field("priority", \.priority)
        Field("foundation", \.foundation)
    }
}

extension ConnectEvidence.Moment: JSONRecord {
    package static let shape = Shape<ConnectEvidence.Moment> {
        Field("atMs", \.at)
        Field("event", { OpenWord($0.event) })
        Field("detail", \.detail)
        Field("pair", \.pair, "The id of the pair that it happened to.")
    }

    private var event: String {
        switch happening {
        case .phase: "phase"
        case .signalingProblem: "signaling-problem"
        case .described: "described"
        case .ice(let fact): fact.name
        }
    }

    private var detail: String? {
        switch happening {
        case .phase(let phase): phase.rawValue
        case .signalingProblem(let problem): problem
        case .described, .ice: nil
        }
    }

    private var pair: Int? { if case .ice(let fact) = happening { fact.pair?.number } else { nil } }
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
