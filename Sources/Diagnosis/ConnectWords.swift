package import Engines
package import Facts
package import NetTypes

/// What happened between two ends, in words. What came from outside is quoted so that it is safe to show.
package enum ConnectWords {
    // MARK: Checks

    /// Why a pair failed, in a few words.
    package static func failure(_ failure: ICECheckFailure) -> String {
        switch failure {
        case .noAnswer(let count): "no answer to \(Words.count(count, "check"))"
        case .notSymmetric(let source): "the answer came from \(source)"
        case .errorResponse(let code, let reason):
            "refused with \(code)" + (reason.isEmpty ? "" : " \"\(OutsideText(bytes: reason).cleaned())\"")
        case .roleConflict: "a role conflict that did not end (487)"
        case .unusableAnswer(let why): "an answer of no use: \(why)"
        case .path(let kind, let reporter): path(kind) + (reporter.map { " (told by \($0))" } ?? "")
        case .relay: "the relay gives no permission, or is gone"
        case .otherKind(let kind): "it works as \(kind.name) alone, which was left out"
        case .superseded: "not checked to its end: another was nominated"
        }
    }

    /// Stable: what JSON calls it.
    package static func name(_ failure: ICECheckFailure) -> String {
        switch failure {
        case .noAnswer: "no-answer"
        case .notSymmetric: "not-symmetric"
        case .errorResponse: "error-response"
        case .roleConflict: "role-conflict"
        case .unusableAnswer: "unusable-answer"
        case .path: "path-error"
        case .relay: "relay-failed"
        case .otherKind: "other-kind"
        case .superseded: "superseded"
        }
    }

    package static func path(_ kind: PathError.Kind) -> String {
        switch kind {
        case .portUnreachable: "the port is closed"
        case .hostUnreachable: "the host is not reached"
        case .networkUnreachable: "the network is not reached"
        case .administrativelyProhibited: "a firewall rejects it"
        case .timeToLiveExceeded: "it goes round in circles"
        case .messageTooBig: "it is too large for the path"
        case .protocolUnreachable, .otherICMP: "the path refuses it"
        case .connectionRefused: "the connection is refused"
        case .connectionReset: "the connection is reset"
        case .connectionTimedOut: "the connection times out"
        case .addressNotAvailable: "the local address is gone"
        case .addressInUse: "the local address is in use"
        case .familyNotSupported: "this machine has no such address family"
        case .notPermitted: "this machine's own firewall refuses it"
        case .outOfResources: "this machine is out of sockets or memory"
        case .noSuchInterface: "the interface is gone"
        case .system(let errno): "the system refuses it (errno \(errno))"
        }
    }

    // MARK: Gathering

    package static func place(_ source: ICEGatheringFailure.Source) -> String {
        switch source {
        case .base(let address): "\(address)"
        case .stunServer(let server, let base): "STUN server \(server) from \(base)"
        case .turnServer(let server, let transport): "TURN server \(server) over \(transport.rawValue.uppercased())"
        }
    }

    package static func reason(_ reason: ICEGatheringFailure.Reason) -> String {
        switch reason {
        case .path(let kind): path(kind)
        case .noAnswer(let count): "no answer to \(Words.count(count, "request"))"
        case .errorResponse(let code): "it refused with \(code)\(ErrorNames.suffix(code))"
        case .unusableAnswer(let why): "an answer of no use: \(why)"
        case .allocation(let failure): allocation(failure)
        case .security: "TLS or DTLS failed"
        case .closed: "it closed the connection"
        }
    }

    private static func allocation(_ failure: TURNFailure) -> String {
        switch failure {
        case .errorResponse(let response): "it refused with \(response.code)\(ErrorNames.suffix(response.code))"
        case .credentialsRefused: "it refused the credential (401)"
        case .credentialsNeeded: "it asks for a credential"
        case .noAnswer(let count): "no answer to \(Words.count(count, "request"))"
        case .notAuthenticated: "its answers are not authenticated"
        case .redirected: "it sends its clients elsewhere (300)"
        case .unusableRelayedAddress: "the relayed address that it gave is of no use"
        default: "it gave no relay; icecheck turn says why"
        }
    }

    // MARK: The whole

    package static func pair(_ pair: ICEPair) -> String {
        let kinds = pair.kinds
        return
            "\(place(pair.validLocal ?? pair.local)) (\(kinds.local.name)) to \(place(pair.remote)) (\(kinds.remote.name))"
    }

    package static func place(_ candidate: Candidate) -> String {
        switch candidate.address {
        case .address(let address): "\(Endpoint(address, candidate.port))"
        case .name(let name): "\(OutsideText(name).cleaned()):\(candidate.port)"
        }
    }

    package static func failure(_ failure: ConnectFailure) -> String {
        switch failure {
        case .deadline(let phase):
            switch phase {
            case .resolving, .signaling: "time was over before the other side's description came"
            case .checking: "time was over while pairs were checked"
            case .securing: "time was over during the DTLS handshake"
            case .measuring, .leaving, .closed: "time was over"
            }
        case .interrupted: "interrupted"
        case .signalingEnded: "the channel ended before the other side's description came"
        case .signalingFailed(let errno): "the channel cannot be used (errno \(errno))"
        case .noCandidates: "this side has no candidate to connect with"
        case .noPath: "none of the pairs works"
        case .peerLeft: "the other side left before there was a connection"
        case .consentLost: "the connection broke: the other side's consent was lost"
        case .notSecured: "the DTLS handshake failed"
        case .otherCertificate: "the other side showed another certificate than its description told of"
        case .noComparableFingerprint: "the other side told of no SHA-256 fingerprint to compare its certificate with"
        }
    }

    package static func name(_ failure: ConnectFailure) -> String {
        switch failure {
        case .deadline: "deadline"
        case .interrupted: "interrupted"
        case .signalingEnded: "signaling-ended"
        case .signalingFailed: "signaling-failed"
        case .noCandidates: "no-candidates"
        case .noPath: "no-path"
        case .peerLeft: "peer-left"
        case .consentLost: "consent-lost"
        case .notSecured: "not-secured"
        case .otherCertificate: "other-certificate"
        case .noComparableFingerprint: "no-comparable-fingerprint"
        }
    }
}

extension Verdict {
    /// The verdict of `connect`.
    init(connect evidence: ConnectEvidence) {
        let pair = evidence.selectedPair
        let best: Best =
            switch evidence.isConnected ? pair?.kinds.local : nil {
            case .host: .host
            case .serverReflexive, .peerReflexive: .serverReflexive
            case .relayed: .relayed
            case nil: .none
            }
        var summary: String
        if let failure = evidence.failure {
            summary = "Not connected: \(ConnectWords.failure(failure))."
        } else if let pair, evidence.isConnected {
            summary = "Connected: \(ConnectWords.pair(pair))"
            if let trips = evidence.data?.summary { summary += ", RTT \(Words.duration(trips.median))" }
            if let data = evidence.data, data.sent > 0 { summary += ", \(data.lost) of \(data.sent) lost" }
            summary += evidence.dtls == nil ? "." : ", DTLS complete."
        } else {
            summary = "Not connected."
        }
        self.init(isOK: evidence.isConnected, best: best, summary: summary, families: [])
    }
}
