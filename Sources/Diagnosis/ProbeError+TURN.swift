import Engines
import Facts
import NetTypes

extension ProbeError {
    /// Why there is no relay, in words.
    init(_ trouble: TURNEvidence.Trouble, of evidence: TURNEvidence) {
        if let path = trouble.path {
            self.init(path, to: evidence.serverAddress, over: evidence.transport)
            return
        }
        if trouble.kind == .notSecured {
            self.init(evidence.tls, over: evidence.transport)
            return
        }
        let (kind, message) = Self.words(trouble, evidence)
        self.init(kind, message, code: trouble.code, reason: trouble.reason)
    }

    private static func words(_ trouble: TURNEvidence.Trouble, _ evidence: TURNEvidence) -> (Kind, String) {
        let request = trouble.stage.request
        let detail = trouble.detail ?? ""
        switch trouble.kind {
        case .errorResponse:
            let code = trouble.code ?? 0
            let unsigned = trouble.isAuthenticated ? "" : ", in an answer that is not authenticated"
            return (.errorResponse, "it refused the \(request) with \(code)\(ErrorNames.suffix(code))\(unsigned)")
        case .credentialsRefused: return (.credentialsRefused, "it refused the credential: 401 to a signed \(request)")
        case .credentialsNeeded: return (.credentialsNeeded, "it asks for a credential, and none was given")
        case .realmKeepsChanging: return (.realmKeepsChanging, "it named another realm with each 401 (\(detail))")
        case .nonceNeverAccepted:
            return (.nonceNeverAccepted, "it never accepted a nonce that it gave itself (\(detail), 438 to each)")
        case .brokenChallenge: return (.brokenChallenge, "its challenge cannot be answered: \(detail)")
        case .possibleDowngrade:
            return (.possibleDowngrade, "its challenge offers less security than it should: \(detail)")
        case .noCommonAlgorithm:
            return (.noCommonAlgorithm, "it takes no password algorithm that is known here, only number \(detail)")
        case .tokenNotTaken: return (.tokenNotTaken, "it takes no access token (no THIRD-PARTY-AUTHORIZATION)")
        case .notAuthenticated:
            let why = "carry no valid MESSAGE-INTEGRITY and were not believed (\(detail))"
            return (.notAuthenticated, "its answers to the \(request) \(why)")
        case .notSecured: return (.tls, "the handshake failed")
        case .noAnswer where trouble.stage == .tls:
            let name = evidence.transport.rawValue.uppercased()
            return (.timeout, "no end of the \(name) handshake within \(Words.duration(evidence.took))")
        case .noAnswer where trouble.stage == .connect:
            return (.timeout, "no answer to the TCP connection request within \(Words.duration(evidence.took))")
        case .noAnswer where trouble.stage == .allocate && evidence.realm != nil:
            return (.signedRequestSilent, "no answer to the signed Allocate, though the first one was answered")
        case .noAnswer:
            let isOpen = evidence.transport.isStream && trouble.stage == .allocate
            return isOpen
                ? (.tcpOpenNoSTUN, "the TCP port is open, and nothing there answers TURN")
                : (.timeout, "no answer to the \(request), sent \(detail == "1" ? "once" : "\(detail) times")")
        case .redirected: return (.redirected, "it sends its clients elsewhere (300): \(detail)")
        case .unusableRelayedAddress:
            return (.unusableRelayedAddress, "the relayed address that it gave is of no use: \(detail)")
        case .unknownAttributes:
            return (
                .unknownAttribute, "its answer has attributes that must be understood and are not known: \(detail)"
            )
        case .malformed: return (.malformed, "its answer to the \(request) makes no sense: \(detail)")
        case .foreignAnswer:
            return (.foreignAnswer, "its answers came with a transaction id that was never sent")
        case .truncated: return (.truncated, "the answer to the \(request) stopped after \(detail)")
        case .closed: return (.connectionClosed, "it closed the connection during the \(request)")
        case .foreignProtocol:
            return (.foreignProtocol, detail.isEmpty ? "what it sends is no TURN" : "this is \(detail)")
        case .path: return (.local, "the path failed")
        case .allocationLost:
            let why = trouble.code == nil ? "ran out, since no Refresh was answered" : "is unknown to the server (437)"
            return (.relayStopped, "after \(Words.duration(evidence.took)) the allocation \(why)")
        case .noData: return (.noData, "no data came through the relay")
        }
    }

    /// Where a connection to a relayed address of TCP died.
    private static func words(_ lane: TURNEvidence.TCPLane) -> String {
        let code = lane.code.map { " (\($0)\(ErrorNames.suffix($0)))" } ?? ""
        return switch lane.reached {
        case .connect: "no TCP connection to the relayed address came about"
        case .announcement:
            "a TCP connection to the relayed address was taken, and the server did not announce it (ConnectionAttempt)"
        case .bind: "the server announced the peer's connection, and ConnectionBind for it did not succeed\(code)"
        case .data:
            "the peer's connection was bound, and of \(Words.count(lane.tally.sent, "message")) through it none came back"
        }
    }

    /// An allocation through which nothing came, or nothing came back.
    init(silenceOf relay: TURNEvidence.Relay) {
        if let soak = relay.soak, let words = soak.stopWords {
            self.init(.relayStopped, words)
            return
        }
        let sent = relay.indications.sent
        let message: String
        if relay.altered > 0 {
            self.init(
                .altered,
                relay.tcp != nil
                    ? "bytes came through the relay that were not those sent"
                    : "\(Words.count(relay.altered, "datagram")) came through the relay with other content")
            return
        }
        if let tcp = relay.tcp {
            self.init(.noData, Self.words(tcp.inbound))
            return
        }
        if relay.indications.arrived == 0 {
            let others = relay.pair == nil ? "" : ", and no data came from relay to relay"
            message = "none of \(Words.count(sent, "datagram")) sent to the relayed address reached the client\(others)"
        } else if relay.indications.roundTrips.isEmpty {
            message =
                "\(relay.indications.arrived) of \(Words.count(sent, "datagram")) came through the relay to the "
                + "client, and none that the client sent back came out of it"
        } else {
            message =
                "data goes both ways in Send and Data indications, and of "
                + "\(Words.count(relay.channel.sent, "datagram")) over the channel none came back"
        }
        self.init(.noData, message)
    }
}

extension TURNEvidence.Relay.Soak {
    /// When and where the data stopped; nil where it did not.
    fileprivate var stopWords: String? {
        if let time = stoppedAfter {
            return "data came through the relay for \(Words.seconds(down: time)) s, and then no more"
        }
        return channelLostAfter.map {
            "the server kept to the channel for \(Words.seconds(down: $0)) s, and then sent data in indications"
        }
    }
}

extension RelayStage {
    /// What the client asked.
    fileprivate var request: String {
        switch self {
        case .resolve, .connect, .tls: "connection"
        case .allocate: "Allocate"
        case .permission: "CreatePermission"
        case .channel: "ChannelBind"
        case .relay: "Refresh"
        }
    }
}
