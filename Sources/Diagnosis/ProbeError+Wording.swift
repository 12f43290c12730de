import Facts
import NetTypes
import STUN

extension ProbeError {
    /// Why a probe has no answer: its own end, seen together with what was ignored on the way.
    init(_ record: RunRecord.ProbeRecord) {
        let probe = record.probe
        let isStream = probe.transport.isStream
        switch record.failure {
        case .path(let trouble): self.init(trouble, to: probe.serverAddress, over: probe.transport)
        case .errorResponse(let code, let reason):
            self.init(
                kind: .errorResponse, message: "it answered with error \(code)\(ErrorNames.suffix(code))", code: code,
                reason: reason)
        case .brokenErrorResponse(let why):
            self.init(kind: .malformed, message: "it answered with an error response that makes no sense: \(why)")
        case .unknownAttributes(let types):
            let names = types.map(ErrorNames.attribute).joined(separator: ", ")
            self.init(
                kind: .unknownAttribute,
                message: "its answer has attributes that must be understood and are not known: \(names)")
        case .unusableAddress(let why): self.init(kind: .unusableAddress, message: "its answer is unusable: \(why)")
        case .truncated(let received, let needed):
            let whole = needed.map { " of \($0)" } ?? ""
            self.init(kind: .truncated, message: "the answer stopped after \(received)\(whole) bytes")
        case .closedWithoutAnswer:
            self.init(kind: .connectionClosed, message: "it closed the connection without an answer")
        case .foreignProtocol(let name, let firstBytes):
            let what = name.map { "this is \($0)" } ?? "what it sends is no STUN"
            let start = OutsideText(bytes: firstBytes).cleaned(limit: 40)
            self.init(kind: .foreignProtocol, message: "\(what); its first bytes are \"\(start)\"")
        case .silentBesideTCP(let answered, let risk):
            self.init(
                kind: .timeout,
                message: Self.silence(record).message + ", where \(answered) over TCP were answered at the same time "
                    + "(\(Words.confidence(risk)))",
                risk: risk)
        case .notSecured: self.init(record.tls, over: probe.transport)
        case .notConnected:
            let waited = Words.duration((record.endedAt ?? .zero) - record.startedAt)
            self.init(kind: .timeout, message: "no answer to the TCP connection request within \(waited)")
        case .noAnswer, .noAnswerBesideOthers, .cutShort, nil:
            if let disbelieved = Self.disbelieved(record) {
                self = disbelieved
            } else if let refusal = Self.refusal(record) {
                self.init(refusal, to: probe.serverAddress, over: probe.transport)
            } else if isStream {
                self.init(
                    kind: .tcpOpenNoSTUN, message: "the TCP port is open, and nothing there answers STUN")
            } else {
                self = Self.silence(record)
            }
        }
    }

    private static func silence(_ record: RunRecord.ProbeRecord) -> ProbeError {
        let waited = (record.endedAt ?? .zero) - (record.sentAt.first ?? .zero)
        return ProbeError(
            kind: .timeout,
            message: "no answer to \(Words.count(record.sentAt.count, "request")) within \(Words.duration(waited))")
    }

    /// Why nothing was sent at all, where this machine refused each transmission.
    private static func refusal(_ record: RunRecord.ProbeRecord) -> PathTrouble? {
        let refusals = record.troubles.filter { $0.origin == .local }
        return refusals.count < max(1, record.sentAt.count) ? nil : refusals.last
    }

    /// The reason where something did answer, and none of it was to be believed.
    private static func disbelieved(_ record: RunRecord.ProbeRecord) -> ProbeError? {
        func first(_ reason: IgnoredReplies.Reason) -> IgnoredReplies? {
            record.ignored.first { $0.reason == reason }
        }
        if let replies = first(.wrongSource) {
            return ProbeError(
                kind: .wrongSource,
                message: "answers came from \(replies.from), not from the address that was asked")
        }
        if let replies = first(.badFingerprint) {
            return ProbeError(
                kind: .badFingerprint,
                message: "\(Words.count(replies.count, "answer")) came with a FINGERPRINT that does not fit")
        }
        if first(.echo) != nil {
            return ProbeError(kind: .echo, message: "it echoes requests: no STUN server is there")
        }
        if let replies = first(.malformed) {
            return ProbeError(
                kind: .malformed,
                message: "what it answers is no valid STUN: \(replies.detail ?? "it cannot be decoded")")
        }
        if let replies = first(.wrongTransactionID) {
            return ProbeError(
                kind: .foreignAnswer,
                message: "\(Words.count(replies.count, "answer")) came with a transaction id that was never sent")
        }
        if let replies = first(.notAResponse) {
            return ProbeError(
                kind: .foreignAnswer, message: "what it sends is no response: \(replies.detail ?? "another message")")
        }
        return nil
    }

    /// An error of the path, in words that say who reported it.
    init(_ trouble: PathTrouble, to destination: Endpoint, over transport: Transport) {
        var reporter: IPAddress?
        var by = ""
        if case .icmp(let from) = trouble.origin {
            reporter = from
            by =
                from.map {
                    $0.withoutZone == destination.address.withoutZone ? "; the host itself says so" : "; \($0) says so"
                } ?? ""
        }
        var (kind, message) = Self.words(trouble, to: destination, over: transport)
        if trouble.kind == .portUnreachable, let reporter, reporter.withoutZone != destination.address.withoutZone {
            // Of a port only its own host knows: what another says of it is a packet filter's rejection.
            message = "a firewall rejects it (as port unreachable)"
        }
        self.init(kind: kind, message: message + by, reporter: reporter)
    }

    private static func words(
        _ trouble: PathTrouble, to destination: Endpoint, over transport: Transport
    ) -> (Kind, String) {
        let isLocal = trouble.origin == .local
        switch trouble.kind {
        case .portUnreachable:
            return (
                .portUnreachable, "nothing listens on \(transport.isStream ? "TCP" : "UDP") port \(destination.port)"
            )
        case .hostUnreachable: return (.hostUnreachable, "the host cannot be reached")
        case .networkUnreachable:
            return isLocal
                ? (.noRoute, "this machine has no route to \(destination.address)")
                : (.networkUnreachable, "the network cannot be reached")
        case .administrativelyProhibited:
            return (.administrativelyProhibited, "a firewall rejects it (administratively prohibited)")
        case .timeToLiveExceeded:
            return (.timeToLiveExceeded, "the packet went in circles until its time to live was over")
        case .messageTooBig(let mtu):
            return (
                .messageTooBig, "the packet is too big for the path\(mtu.map { ", whose MTU is \($0) bytes" } ?? "")"
            )
        case .protocolUnreachable:
            return (.protocolUnreachable, "the host does not speak \(transport.rawValue.uppercased())")
        case .connectionRefused: return (.connectionRefused, "nothing listens on TCP port \(destination.port)")
        case .connectionReset: return (.connectionReset, "the connection was reset")
        case .connectionTimedOut: return (.connectionTimedOut, "the TCP connection timed out")
        case .addressNotAvailable: return (.local, "the local address is not this machine's any more")
        case .addressInUse: return (.local, "the local port is in use")
        case .familyNotSupported: return (.noRoute, "this machine has no \(destination.family.name)")
        case .notPermitted:
            return (.notPermitted, "this machine does not let it out: a local firewall, or a missing privilege")
        case .outOfResources: return (.local, "this machine is out of sockets or memory")
        case .noSuchInterface: return (.local, "the interface is gone")
        case .otherICMP(let type, let code): return (.otherICMP, "ICMP type \(type) code \(code) came back")
        case .system(let errno): return (.local, "the system refused it (errno \(errno))")
        }
    }

    /// A handshake that failed.
    init(_ tls: TLSEvidence?, over transport: Transport) {
        let first = tls?.failures.first
        if first?.kind == .notTLS {
            let start = OutsideText(bytes: tls?.firstBytes ?? []).cleaned(limit: 40)
            let what = ForeignProtocol.identify(tls?.firstBytes ?? []).map { "this is \($0.name)" }
            self.init(
                kind: .foreignProtocol,
                message: "\(what ?? "it does not speak TLS"); its first bytes are \"\(start)\"")
            return
        }
        let why = first.map(Words.failure) ?? "it was not completed"
        self.init(kind: .tls, message: "the \(transport.rawValue.uppercased()) handshake failed: \(why)")
    }

    /// A name without an address.
    init(_ failure: ResolutionFailure) {
        self.init(kind: .nameNotResolved, message: "\(failure.step): \(failure.message)")
    }
}
