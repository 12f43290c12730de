import Facts
import NetTypes
import STUN

extension ProbeError {
    /// Why a probe has no answer: its own end, seen together with what was ignored on the way.
    init(_ record: RunRecord.ProbeRecord) {
        let probe = record.probe
        switch record.failure {
        case .path(let trouble): self.init(trouble, to: probe.serverAddress, over: probe.transport)
        case .errorResponse(let code, let reason):
            self.init(
                .errorResponse, "it answered with error \(code)\(ErrorNames.suffix(code))", code: code, reason: reason)
        case .brokenErrorResponse(let why):
            self.init(.malformed, "it answered with an error response that makes no sense: \(why)")
        case .unknownAttributes(let types):
            let names = types.map { AttributeType(rawValue: $0).description }.joined(separator: ", ")
            self.init(
                .unknownAttribute, "its answer has attributes that must be understood and are not known: \(names)")
        case .unusableAddress(let why): self.init(.unusableAddress, "its answer is unusable: \(why)")
        case .truncated(let received, let needed):
            let whole = needed.map { " of \($0)" } ?? ""
            self.init(.truncated, "the answer stopped after \(received)\(whole) bytes")
        case .closedWithoutAnswer: self.init(.connectionClosed, "it closed the connection without an answer")
        case .foreignProtocol(let name, let firstBytes):
            let what = name.map { "this is \($0)" } ?? "what it sends is no STUN"
            self.init(.foreignProtocol, Self.foreign(what, firstBytes))
        case .silentBesideTCP(let answered, let risk):
            let others = "where \(answered) over TCP were answered at the same time (\(Words.confidence(risk)))"
            self.init(.timeout, "\(Self.silence(record)), \(others)", risk: risk)
        case .notSecured: self.init(record.tls, over: probe.transport)
        case .notConnected:
            let waited = Words.duration((record.endedAt ?? .zero) - record.startedAt)
            self.init(.timeout, "no answer to the TCP connection request within \(waited)")
        case .noAnswer, .noAnswerBesideOthers, .cutShort, nil:
            if let disbelieved = Self.disbelieved(record) {
                self = disbelieved
            } else if let refusal = Self.refusal(record) {
                self.init(refusal, to: probe.serverAddress, over: probe.transport)
            } else if probe.transport.isStream {
                self.init(.tcpOpenNoSTUN, "the TCP port is open, and nothing there answers STUN")
            } else {
                self.init(.timeout, Self.silence(record))
            }
        }
    }

    private static func silence(_ record: RunRecord.ProbeRecord) -> String {
        let waited = (record.endedAt ?? .zero) - (record.sentAt.first ?? .zero)
        return "no answer to \(Words.count(record.sentAt.count, "request")) within \(Words.duration(waited))"
    }

    private static func foreign(_ what: String, _ firstBytes: [UInt8]) -> String {
        "\(what); its first bytes are \"\(OutsideText(bytes: firstBytes).cleaned(limit: 40))\""
    }

    /// Why nothing was sent at all, where this machine refused each transmission.
    private static func refusal(_ record: RunRecord.ProbeRecord) -> PathTrouble? {
        let refusals = record.troubles.filter { $0.origin == .local }
        return refusals.count < max(1, record.sentAt.count) ? nil : refusals.last
    }

    /// The reason where something did answer, and none of it was to be believed: the first of these.
    private static func disbelieved(_ record: RunRecord.ProbeRecord) -> ProbeError? {
        let order: [IgnoredReplies.Reason] = [
            .wrongSource, .badFingerprint, .echo, .malformed, .wrongTransactionID, .notAResponse,
        ]
        let first = order.lazy.compactMap { reason in record.ignored.first { $0.reason == reason } }.first
        guard let first else { return nil }
        let answers = Words.count(first.count, "answer")
        return switch first.reason {
        case .wrongSource:
            ProbeError(.wrongSource, "answers came from \(first.from), not from the address that was asked")
        case .badFingerprint: ProbeError(.badFingerprint, "\(answers) came with a FINGERPRINT that does not fit")
        case .echo: ProbeError(.echo, "it echoes requests: no STUN server is there")
        case .malformed:
            ProbeError(.malformed, "what it answers is no valid STUN: \(first.detail ?? "it cannot be decoded")")
        case .wrongTransactionID:
            ProbeError(.foreignAnswer, "\(answers) came with a transaction id that was never sent")
        case .notAResponse:
            ProbeError(.foreignAnswer, "what it sends is no response: \(first.detail ?? "another message")")
        case .duplicate: nil
        }
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
        self.init(kind, message + by, reporter: reporter)
    }

    private static func words(
        _ trouble: PathTrouble, to destination: Endpoint, over transport: Transport
    ) -> (Kind, String) {
        let isLocal = trouble.origin == .local
        switch trouble.kind {
        case .portUnreachable:
            let name = transport.isStream ? "TCP" : "UDP"
            return (.portUnreachable, "nothing listens on \(name) port \(destination.port)")
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
            let size = mtu.map { ", whose MTU is \($0) bytes" } ?? ""
            return (.messageTooBig, "the packet is too big for the path\(size)")
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
            let bytes = tls?.firstBytes ?? []
            let what = ForeignProtocol.identify(bytes).map { "this is \($0.name)" } ?? "it does not speak TLS"
            self.init(.foreignProtocol, Self.foreign(what, bytes))
        } else {
            let why = first.map(Words.failure) ?? "it was not completed"
            self.init(.tls, "the \(transport.rawValue.uppercased()) handshake failed: \(why)")
        }
    }

    /// A name without an address.
    init(_ failure: ResolutionFailure) {
        self.init(.nameNotResolved, "\(failure.step): \(failure.message)")
    }
}
