package import NetTypes
import STUN

/// What TLS or DTLS showed on a path.
package struct TLSEvidence: Hashable, Sendable, Codable {
    /// As far as the handshake got.
    package var facts: SecureFacts
    /// Why it was not completed, the most specific first; empty where it was.
    package var failures: [SecureFailure]
    /// The peer's first bytes where they are no TLS.
    package var firstBytes: [UInt8]
    /// How long it took, beyond the connection.
    package var handshake: Duration
    /// What a handshake without SNI failed of, empty where it was fine; nil where none was made to compare.
    package var failuresWithoutServerName: [SecureFailure]?
    /// DTLS: how many were begun until then, each from a port of its own; the first that was complete is this one.
    package var handshakesBegun: Int

    package init(
        facts: SecureFacts, failures: [SecureFailure] = [], firstBytes: [UInt8] = [], handshake: Duration,
        handshakesBegun: Int = 1
    ) {
        self.facts = facts
        self.failures = failures
        self.firstBytes = firstBytes
        self.handshake = handshake
        self.handshakesBegun = handshakesBegun
    }
}

extension Session {
    /// How a path to `endpoint` is secured; nil where `transport` is not.
    ///
    /// - Parameter name: whom the certificate must name instead of the URI's host (ALTERNATE-DOMAIN).
    func security(
        over transport: Transport, _ server: Observation.ServerIndex, _ endpoint: Endpoint, name: String? = nil
    ) -> PathSecurity? {
        plan.security(over: transport, to: server, at: endpoint, name: name)
    }

    /// The handshake has failed, or the server has ended what it had agreed to; the path is gone.
    mutating func pathNotSecured(_ id: PathID, _ refusal: SecureRefusal, after time: Duration, at now: Instant) {
        guard let path = paths[id] else { return }
        if path.state.isOpen, let place = path.turn { return turnPathEnded(place, at: now) }
        let evidence = TLSEvidence(
            facts: refusal.facts, failures: refusal.failures, firstBytes: refusal.firstBytes, handshake: time)
        keep(evidence, of: id)
        if leavesRace(id, refusal) { return close(id) }
        paths[id]?.state = .unsecured
        if let place = path.turn { turnPathNotSecured(place, refusal, at: now) }
        if paths[id] != nil { close(id) }
    }

    mutating func keep(_ evidence: TLSEvidence, of id: PathID) {
        if case .client(let run) = paths[id]?.turn {
            var evidence = evidence
            evidence.handshakesBegun = turnRuns[run].race.begun
            turnRuns[run].evidence.tls = evidence
        }
    }
}
