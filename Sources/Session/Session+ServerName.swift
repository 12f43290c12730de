import NetTypes

/// A server that many names lead to picks its certificate by the one that the client gives (SNI, RFC 6066 s3), and
/// sends another where none is given. Where the certificate is for other names, or the name is refused, a handshake
/// without SNI shows whether that choice is what is wrong.
extension Session {
    /// Begins the second handshake where it would tell something; the attempt, which has failed, waits for it.
    mutating func comparesWithoutServerName(_ run: Int, at now: Instant) -> Bool {
        let evidence = turnRuns[run].evidence
        guard !isConcluded, turnRuns[run].namelessPath == nil,
            evidence.tls?.failures.contains(where: \.isOfName) == true,
            case .client(var configuration)? = security(
                over: evidence.transport, evidence.server, evidence.serverAddress, name: turnRuns[run].alternateDomain),
            configuration.serverName != nil
        else { return false }
        configuration.serverName = nil
        let kind: PathSpecification.Kind =
            evidence.transport.isStream ? .connection(to: evidence.serverAddress) : .datagram
        let path = open(kind, from: evidence.source, security: .client(configuration))
        paths[path]?.turn = .nameless(run: run)
        turnRuns[run].namelessPath = path
        turnRuns[run].evidence.trouble = TURNEvidence.Trouble(.tls, .notSecured)
        return true
    }

    /// - Parameter failures: empty where the handshake was fine; nil where it did not come to an end.
    mutating func namelessHandshakeEnded(_ run: Int, _ failures: [SecureFailure]?, at now: Instant) {
        guard !turnRuns[run].isReported else { return }
        turnRuns[run].evidence.tls?.failuresWithoutServerName = failures
        lose(run, TURNEvidence.Trouble(.tls, .notSecured), at: now)
    }
}

extension SecureFailure {
    /// unrecognized_name and handshake_failure, which servers send who know no such name (RFC 8446 s6.2).
    private static let nameAlerts: [UInt8] = [112, 40]

    /// Whether it may be for the name that was given.
    fileprivate var isOfName: Bool {
        kind == .wrongName || kind == .alert && alert.map(Self.nameAlerts.contains) == true
    }
}
