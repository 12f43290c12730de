import Engines
import Facts
import NetTypes
import Planning
import SecureTransport
import Signaling

/// Who begins DTLS, and what the peer's certificate must be.
struct ConnectDTLSRole: Sendable {
    var isClient: Bool
    var fingerprints: [CertificateFingerprint]
}

/// DTLS over the selected pair (RFC 8842, RFC 5763).
extension Connection {
    private static var longestHandshake: Duration { .seconds(10) }
    /// What comes of DTLS before a pair is selected is kept: its sender waits before it sends again.
    private static var mostEarly: Int { 16 }

    /// By `a=setup` of both sides; no DTLS where either has no certificate.
    mutating func chooseDTLSRole(_ peer: SessionDescription) {
        guard configuration.credentials != nil, !peer.ice.fingerprints.isEmpty else { return }
        let isClient: Bool
        if configuration.offers {
            // An answer without a role is active (RFC 4145 s4.1).
            isClient = peer.ice.setup == .passive
        } else {
            isClient = (peer.ice.setup ?? .active).answer == .active
        }
        dtlsRole = ConnectDTLSRole(isClient: isClient, fingerprints: peer.ice.fingerprints)
    }

    mutating func beginSecuring(at now: Instant) {
        guard let role = dtlsRole, let credentials = configuration.credentials else { return }
        enter(.securing, at: now)
        securingSince = now
        let comparable = role.fingerprints.first { $0.algorithm == "sha-256" }
        seen.dtls = ConnectDTLS(
            isClient: role.isClient, signaledFingerprint: "\(comparable ?? role.fingerprints[0])")
        guard comparable != nil else { return fail(.noComparableFingerprint, at: now) }
        do throws(SecureFailure) {
            channelOfDTLS = try makeChannel(role, credentials, at: now)
        } catch {
            return fail(.notSecured(SecureRefusal(failures: [error])), at: now)
        }
        let records = earlyRecords
        earlyRecords = []
        for record in records { channelOfDTLS?.receive(record, at: now) }
        pumpDTLS(at: now)
    }

    private func makeChannel(
        _ role: ConnectDTLSRole, _ credentials: ServerCredentials, at now: Instant
    ) throws(SecureFailure) -> SecureChannel {
        guard role.isClient else {
            var server = SecureServerConfiguration(.dtls, credentials)
            server.requiresClientCertificate = true
            server.trustsPeerAddress = true
            return try SecureChannel(server: server)
        }
        // The fingerprint says who the peer is; its certificate is nobody's but its own.
        var client = SecureClientConfiguration(.dtls, identity: .name(""), wallClock: wallClock)
        client.serverName = nil
        client.trustsSystemRoots = false
        client.isInsecure = true
        client.credentials = credentials
        return try SecureChannel(client: client, at: now)
    }

    /// A record that came over a pair (RFC 7983 s7).
    mutating func arrived(record: [UInt8], at now: Instant) {
        guard let channelOfDTLS else {
            if earlyRecords.count < Self.mostEarly { earlyRecords.append(record) }
            return
        }
        channelOfDTLS.receive(record, at: now)
        pumpDTLS(at: now)
    }

    var securingWake: Instant? {
        guard let channelOfDTLS, phase != .closed else { return nil }
        let limit = phase == .securing ? securingSince.map { $0 + Self.longestHandshake } : nil
        return [channelOfDTLS.nextWake, limit].compactMap(\.self).min()
    }

    mutating func advanceSecuring(to now: Instant) {
        guard let channelOfDTLS else { return }
        channelOfDTLS.handleTimeout(at: now)
        if phase == .securing, let securingSince, now >= securingSince + Self.longestHandshake {
            channelOfDTLS.giveUp()
        }
        pumpDTLS(at: now)
    }

    mutating func pumpDTLS(at now: Instant) {
        guard let channelOfDTLS else { return }
        while let record = channelOfDTLS.pollCiphertext() { _ = agent?.send(record, at: now) }
        // What the peer says inside is SCTP, of which nothing is needed.
        while channelOfDTLS.pollPlaintext() != nil {}
        guard phase == .securing else { return peerClosedDTLS(at: now) }
        switch channelOfDTLS.state {
        case .listening, .handshaking: break
        case .open: secured(channelOfDTLS, at: now)
        case .closed: fail(.notSecured(SecureRefusal(failures: [SecureFailure(.closedDuringHandshake)])), at: now)
        case .failed(let refusal):
            seen.dtls?.facts = refusal.facts
            fail(.notSecured(refusal), at: now)
        }
    }

    private mutating func secured(_ channel: SecureChannel, at now: Instant) {
        let facts = channel.facts
        seen.dtls?.facts = facts
        seen.dtls?.handshake = securingSince.map { now - $0 }
        let shown = facts.chain.first.map { CertificateFingerprint(bytes: $0.fingerprint) }
        seen.dtls?.shownFingerprint = shown.map { "\($0)" }
        guard let shown, let dtlsRole, dtlsRole.fingerprints.contains(shown) else {
            return fail(.otherCertificate, at: now)
        }
        seen.dtls?.isSecured = true
        seen.times.secured = now - startedAt
        beginMeasuring(at: now)
    }

    /// close_notify is the peer's goodbye.
    private mutating func peerClosedDTLS(at now: Instant) {
        if phase == .measuring || phase == .leaving, channelOfDTLS?.state == .closed { peerSaidGoodbye(at: now) }
    }
}
