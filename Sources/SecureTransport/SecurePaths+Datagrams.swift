import NetTypes

/// DTLS associations.
extension SecurePaths {
    mutating func received(_ datagram: Datagram, at now: Instant) {
        switch paths[datagram.path] {
        case .association(let association):
            // Nobody else has anything to say here that could be believed.
            guard datagram.source == association.peer else { return }
            association.channel.receive(datagram.bytes, at: now)
            pump(association, datagram.path, datagram, at: now)
        case .associations(let associations): received(datagram, associations, at: now)
        case .stream, .listener, nil: base.handle(.datagram(datagram), at: now)
        }
    }

    private mutating func received(_ datagram: Datagram, _ associations: SecureAssociations, at now: Instant) {
        let source = datagram.source
        let known = associations.peers[source]
        if let known, !known.isTold || !SecureAssociations.isHello(datagram.bytes) {
            known.lastHeard = now
            known.channel.receive(datagram.bytes, at: now)
            return pump(known, associations, datagram.path, source, datagram, at: now)
        }
        guard SecureAssociations.isHello(datagram.bytes) else { return }
        guard let listening = associations.listeningChannel() else { return }
        let made = associations.hear(datagram.bytes, from: source, at: now)
        // Its answer leaves at once: the next may be to somebody else.
        flush(listening, datagram.path, source)
        if let made { pump(made, associations, datagram.path, source, datagram, at: now) }
    }

    mutating func transmit(_ transmit: Transmit, at now: Instant) {
        let association: SecureAssociation
        switch paths[transmit.path] {
        case .association(let own):
            precondition(transmit.destination == own.peer, "a DTLS path has one peer: \(own.peer)")
            association = own
        case .associations(let associations):
            // A client that has gone is one that does not hear.
            guard let peer = associations.peers[transmit.destination] else { return }
            association = peer
        case .stream, .listener, nil: return
        }
        // A datagram that does not fit is lost, as datagrams may be.
        guard association.channel.write(transmit.bytes), association.channel.isSecured else { return }
        while let bytes = association.channel.pollCiphertext() {
            association.remember(bytes, transmit)
            outputs.append(.transmit(Transmit(path: transmit.path, destination: association.peer, bytes: bytes)))
        }
    }

    /// Hands on what a client's association has become, and what came out of it with `datagram`.
    mutating func pump(_ association: SecureAssociation, _ path: PathID, _ datagram: Datagram?, at now: Instant) {
        // What was ready before the socket was waits for it.
        guard let openedAt = association.openedAt else { return }
        flush(association.channel, path, association.peer)
        let duration = (datagram?.arrivedAt ?? now) - openedAt
        if !association.isTold, association.channel.isSecured {
            association.isTold = true
            base.handle(.secured(path, association.channel.facts, after: duration), at: now)
        }
        deliver(association, datagram, at: now)
        switch association.channel.state {
        case .closed:
            paths[path] = nil
            outputs.append(.close(path))
            let end = SecureRefusal(
                failures: [SecureFailure(.alert, "close notify", alert: 0)], facts: association.channel.facts)
            base.handle(.securingFailed(path, end, after: duration), at: now)
        case .failed(let refusal):
            paths[path] = nil
            outputs.append(.close(path))
            base.handle(.securingFailed(path, refusal, after: duration), at: now)
        case .listening, .handshaking, .open: break
        }
    }

    /// The same for one of a server's clients, of which the engine sees the datagrams alone.
    mutating func pump(
        _ association: SecureAssociation, _ associations: SecureAssociations, _ path: PathID, _ peer: Endpoint,
        _ datagram: Datagram?, at now: Instant
    ) {
        flush(association.channel, path, peer)
        if association.channel.isSecured { association.isTold = true }
        deliver(association, datagram, at: now)
        switch association.channel.state {
        case .closed, .failed: associations.forget(peer)
        case .listening, .handshaking, .open: break
        }
    }

    private mutating func deliver(_ association: SecureAssociation, _ datagram: Datagram?, at now: Instant) {
        while let bytes = association.channel.pollPlaintext() {
            guard var plain = datagram else { continue }
            plain.bytes = bytes
            base.handle(.datagram(plain), at: now)
        }
    }

    mutating func flush(_ channel: SecureChannel, _ path: PathID, _ peer: Endpoint) {
        while let bytes = channel.pollCiphertext() {
            outputs.append(.transmit(Transmit(path: path, destination: peer, bytes: bytes)))
        }
    }
}
