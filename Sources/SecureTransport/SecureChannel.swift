import COpenSSL
package import NetTypes

/// One side of a TLS connection or a DTLS association: bytes in, bytes out, no socket and no clock.
///
/// After each call the owner drains ``pollCiphertext()`` and ``pollPlaintext()``. The timer of DTLS is OpenSSL's own and
/// runs on the wall clock: ``nextWake`` says when to call ``handleTimeout(at:)``.
package final class SecureChannel {
    package enum State: Hashable, Sendable {
        /// A DTLS server that has not seen its cookie again: it knows nothing and keeps nothing.
        case listening
        case handshaking
        case open
        /// The peer said that it is done (close_notify), or this side closed.
        case closed
        case failed(SecureRefusal)
    }

    package private(set) var state: State
    package private(set) var nextWake: Instant?
    /// Whether the handshake was completed, and the certificate verified, whatever has come since.
    package private(set) var isSecured = false
    let handle: OpaquePointer
    let context: SecureContext
    /// What the certificate must name; nil for a server.
    let identity: SecureClientConfiguration.Identity?
    let wallClock: Int64
    private(set) var firstBytes: [UInt8] = []
    private var hasHeard = false
    /// Bytes of the largest datagram of the peer's.
    private var largestHeard = 0
    private var plaintexts: [[UInt8]] = []
    private var unencrypted: [[UInt8]] = []
    private var unencryptedCount = 0

    /// What may wait for the end of the handshake, in bytes; more is a failure of the owner's.
    package static let mostUnencrypted = 1 << 18
    /// A TLS record's plaintext (RFC 8446 s5.1), and so the most of a datagram.
    package static let mostInARecord = 1 << 14

    /// A client, which has its first flight ready.
    package init(
        client configuration: SecureClientConfiguration, context: SecureContext? = nil, at now: Instant
    ) throws(SecureFailure) {
        let context = if let context { context } else { try SecureContext(client: configuration) }
        self.context = context
        identity = configuration.identity
        wallClock = configuration.wallClock
        var options = copenssl_channel_options()
        options.is_insecure = configuration.isInsecure ? 1 : 0
        options.now = configuration.wallClock
        options.retransmission_timeout = Self.microseconds(configuration.retransmissionTimeout)
        options.link_mtu = UInt32(clamping: max(256, configuration.linkMTU))
        var name: String?
        var address: [UInt8] = []
        switch configuration.identity {
        case .name(let expected): name = expected
        case .address(let expected): address = expected.bytes
        }
        let made = withOptionalCString(configuration.serverName) { serverName in
            withOptionalCString(name) { name in
                address.withUnsafeBufferPointer { address in
                    options.server_name = serverName
                    options.expected_name = name
                    options.expected_address = address.baseAddress
                    options.expected_address_size = address.count
                    return copenssl_channel_make(context.handle, &options)
                }
            }
        }
        guard let made else { throw SecureFailure(.unusableConfiguration, "the server's name cannot be asked for") }
        handle = made
        state = .handshaking
        advance(at: now)
    }

    /// A server for one client; `peer` is what a DTLS cookie is bound to.
    package init(
        server configuration: SecureServerConfiguration, context: SecureContext? = nil
    ) throws(SecureFailure) {
        let context = if let context { context } else { try SecureContext(server: configuration) }
        self.context = context
        identity = nil
        wallClock = 0
        var options = copenssl_channel_options()
        options.is_insecure = configuration.requiresClientCertificate ? 1 : 0
        options.retransmission_timeout = Self.microseconds(configuration.retransmissionTimeout)
        options.link_mtu = UInt32(clamping: max(256, configuration.linkMTU))
        guard let made = copenssl_channel_make(context.handle, &options) else {
            throw SecureFailure(.unusableConfiguration, "memory is out")
        }
        handle = made
        state = configuration.kind == .dtls && !configuration.trustsPeerAddress ? .listening : .handshaking
    }

    deinit { copenssl_channel_free(handle) }

    /// DTLS server: who is about to be heard, while it listens.
    package func setPeer(_ peer: Endpoint) {
        let bytes = peer.address.bytes + [UInt8(peer.port >> 8), UInt8(truncatingIfNeeded: peer.port)]
        copenssl_channel_set_peer(handle, bytes, bytes.count)
    }

    /// Takes bytes of the connection, or one datagram.
    package func receive(_ bytes: [UInt8], at now: Instant) {
        guard !bytes.isEmpty, takesMore, looksSecure(bytes) else { return }
        // What does not fit is lost: a datagram may be, and a stream's buffer takes what memory there is.
        guard copenssl_channel_receive(handle, bytes, bytes.count) != 0 else { return }
        advance(at: now)
    }

    /// The peer's side of the connection has ended (FIN).
    package func receiveEnd() {
        switch state {
        case .listening, .handshaking: fail([SecureFailure(.closedDuringHandshake)])
        case .open: state = .closed
        case .closed, .failed: break
        }
    }

    /// Encrypts bytes, or keeps them until the handshake is complete. False where they cannot be sent.
    @discardableResult
    package func write(_ plaintext: [UInt8]) -> Bool {
        if context.kind == .dtls, plaintext.count > Self.mostInARecord { return false }
        switch state {
        case .listening, .handshaking:
            guard unencryptedCount + plaintext.count <= Self.mostUnencrypted else { return false }
            unencrypted.append(plaintext)
            unencryptedCount += plaintext.count
            return true
        case .open: return copenssl_channel_write(handle, plaintext, plaintext.count) == Int32(COPENSSL_DONE.rawValue)
        case .closed, .failed: return false
        }
    }

    /// The next bytes for the peer: of the stream, or one datagram.
    package func pollCiphertext() -> [UInt8]? {
        let count = copenssl_channel_take(handle, context.buffer.baseAddress, context.buffer.count)
        return count > 0 ? Array(context.buffer.prefix(count)) : nil
    }

    package func pollPlaintext() -> [UInt8]? { plaintexts.isEmpty ? nil : plaintexts.removeFirst() }

    /// DTLS: sends the last flight again where it is due.
    package func handleTimeout(at now: Instant) {
        guard let wake = nextWake, wake <= now, takesMore else { return }
        if copenssl_channel_handle_timeout(handle) == 0 { fail([stall]) }
        schedule(at: now)
    }

    /// The owner's time for the handshake is over.
    package func giveUp() {
        guard state == .handshaking || state == .listening else { return }
        fail([stall])
    }

    /// Says that this side is done (close_notify).
    package func close() {
        if state == .open { copenssl_channel_shut_down(handle) }
        if takesMore { state = .closed }
        nextWake = nil
    }

    private var takesMore: Bool {
        switch state {
        case .listening, .handshaking, .open: true
        case .closed, .failed: false
        }
    }

    private var stall: SecureFailure {
        if largestHeard > 0 {
            return SecureFailure(.flightLost, "\(largestHeard) bytes")
        }
        if firstBytes.isEmpty { return SecureFailure(.stalled, hasHeard ? "" : "nothing came back") }
        return SecureFailure(.notTLS, OutsideText(bytes: firstBytes))
    }

    /// Whether bytes may be TLS or DTLS. On a stream the first tell; a datagram that is none (RFC 7983 s7) is
    /// nobody's, and remembered for the case that nothing else comes.
    private func looksSecure(_ bytes: [UInt8]) -> Bool {
        if context.kind == .dtls {
            let isSecure = (20...63).contains(bytes[0])
            if !isSecure, firstBytes.isEmpty { firstBytes = Array(bytes.prefix(64)) }
            hasHeard = hasHeard || isSecure
            if isSecure { largestHeard = max(largestHeard, bytes.count) }
            return isSecure
        }
        guard !hasHeard else { return true }
        hasHeard = true
        if (20...23).contains(bytes[0]), bytes.count < 2 || bytes[1] == 3 { return true }
        firstBytes = Array(bytes.prefix(64))
        fail([SecureFailure(.notTLS, OutsideText(bytes: firstBytes))])
        return false
    }

    private func advance(at now: Instant) {
        defer { schedule(at: now) }
        if state == .listening {
            guard copenssl_channel_listen(handle) == Int32(COPENSSL_DONE.rawValue) else { return }
            state = .handshaking
        }
        if state == .handshaking {
            switch copenssl_channel_handshake(handle) {
            case Int32(COPENSSL_DONE.rawValue):
                state = .open
                isSecured = true
                for plaintext in unencrypted { _ = copenssl_channel_write(handle, plaintext, plaintext.count) }
                unencrypted = []
            case Int32(COPENSSL_WAITING.rawValue): return
            case Int32(COPENSSL_CLOSED.rawValue): return fail([SecureFailure(.closedDuringHandshake)])
            default: return fail(handshakeFailures)
            }
        }
        while state == .open {
            let count = copenssl_channel_read(handle, context.buffer.baseAddress, context.buffer.count)
            switch count {
            case 1...: plaintexts.append(Array(context.buffer.prefix(Int(count))))
            case Int32(COPENSSL_WAITING.rawValue): return
            case Int32(COPENSSL_CLOSED.rawValue): state = .closed
            default: fail(handshakeFailures)
            }
        }
    }

    private func schedule(at now: Instant) {
        let left = takesMore ? copenssl_channel_timeout(handle) : -1
        nextWake = left < 0 ? nil : now + .microseconds(left)
    }

    private func fail(_ failures: [SecureFailure]) {
        unencrypted = []
        nextWake = nil
        state = .failed(SecureRefusal(failures: failures, facts: facts, firstBytes: firstBytes))
    }

    private static func microseconds(_ duration: Duration) -> UInt32 {
        UInt32(clamping: max(1000, duration.nanoseconds / 1000))
    }
}
