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
        guard transport == .tls || transport == .dtls else { return nil }
        let uri = plan.servers[server].uri
        let identity: SecureClientConfiguration.Identity
        switch (name, uri.host) {
        case (let name?, _): identity = .name(name)
        case (nil, .name(let name)): identity = .name(name.ascii)
        case (nil, .address(let address, _)): identity = .address(address)
        }
        var configuration = SecureClientConfiguration(
            transport == .tls ? .tls : .dtls, identity: identity, wallClock: plan.trust.wallClock, peer: endpoint)
        configuration.applicationProtocols = [uri.scheme.isTURN ? "stun.turn" : "stun.nat-discovery"]
        configuration.trustedPEM = plan.trust.rootsPEM
        configuration.isInsecure = plan.trust.isInsecure
        // Over DTLS the end of the wait says what was heard meanwhile: it is to come before the run's.
        configuration.handshakeLimit = transport == .tls ? plan.timeout : plan.timeout * 9 / 10
        return .client(configuration)
    }

    /// The handshake is complete: the path is open to its user.
    mutating func pathSecured(_ id: PathID, _ facts: SecureFacts, after time: Duration, at now: Instant) {
        guard let path = paths[id], case .securing(let local) = path.state else { return }
        keep(TLSEvidence(facts: facts, handshake: time), of: id, at: now)
        pathUsable(id, local, at: now)
    }

    /// The handshake has failed, or the server has ended what it had agreed to; the path is gone.
    mutating func pathNotSecured(_ id: PathID, _ refusal: SecureRefusal, after time: Duration, at now: Instant) {
        guard let path = paths[id] else { return }
        let evidence = TLSEvidence(
            facts: refusal.facts, failures: refusal.failures, firstBytes: refusal.firstBytes, handshake: time)
        keep(evidence, of: id, at: now)
        paths[id]?.state = .unsecured
        if let place = path.turn { turnPathNotSecured(place, at: now) }
        for index in liveProbes.sorted() where probes[index].path == id {
            end(index, .failed(index, .notSecured), at: now)
        }
        if paths[id] != nil { close(id) }
    }

    private mutating func keep(_ evidence: TLSEvidence, of id: PathID, at now: Instant) {
        for index in liveProbes.sorted() where probes[index].path == id { observe(.secured(index, evidence), at: now) }
    }
}
