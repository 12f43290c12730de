package import NetTypes
import STUN

/// The client's side of one data connection of a TCP allocation (RFC 6062 s4.3, s5.4): it binds it to a peer's
/// connection, and from then on all bytes are the peer's.
///
/// Its owner opens a connection of its own to the server for it and hands in what arrives, as it arrives: peer data may
/// be glued to the success (T08).
package struct TURNDataConnection: Sendable {
    package enum Event: Hashable, Sendable {
        case bound(TURNRoundTrip)
        case received([UInt8])
        case failed(TURNFailure)
    }

    private enum Phase: Hashable, Sendable {
        /// A request is to be sent.
        case unsent
        case binding
        case bound
        case failed
    }

    package let connectionID: UInt32
    private let configuration: TURNConfiguration
    private var authenticator: LongTermAuthenticator
    private var phase = Phase.unsent
    private var history = LongTermAuthenticator.History()
    private var attempts = 0
    private var startedAt: Instant?
    private var transaction: TURNTransaction?
    private var buffer: [UInt8] = []
    private var outbox: [[UInt8]] = []
    private var events: [Event] = []

    init(_ connectionID: UInt32, _ configuration: TURNConfiguration, _ authenticator: LongTermAuthenticator) {
        self.connectionID = connectionID
        self.configuration = configuration
        self.authenticator = authenticator
    }

    package var isBound: Bool { phase == .bound }
    package var isFinished: Bool { phase == .failed }
    package var nextWake: Instant? { phase == .binding ? transaction?.nextWake : nil }

    /// Sends bytes to the peer; returns false before the connection is bound.
    @discardableResult
    package mutating func send(_ bytes: [UInt8]) -> Bool {
        guard phase == .bound else { return false }
        outbox.append(bytes)
        return true
    }

    package mutating func pollOutput(at now: Instant, using random: inout some RandomNumberGenerator) -> [UInt8]? {
        guard phase == .unsent else { return outbox.isEmpty ? nil : outbox.removeFirst() }
        let id = TransactionID(using: &random)
        let request = TURNRequest.connectionBind(connectionID)
        let bytes = request.bytes(id, configuration, authenticator.signature)
        // RFC 6062 s4.3: the server waits 30 s for it.
        var client = ClientTransaction(
            id: id, request: bytes, schedule: .once(waiting: min(configuration.schedule.total, .seconds(30))), from: now
        )
        client.transmitted(at: now)
        attempts += 1
        let started = startedAt ?? now
        startedAt = started
        transaction = TURNTransaction(
            request, authenticator.signature, history, attempt: attempts, startedAt: started, client,
            holdTime: nil)
        phase = .binding
        return bytes
    }

    package mutating func pollEvent() -> Event? { events.isEmpty ? nil : events.removeFirst() }

    package mutating func handleTimeout(at now: Instant) {
        guard phase == .binding, let failure = transaction?.handleTimeout(at: now) else { return }
        fail(failure)
    }

    /// Takes bytes of the connection.
    package mutating func handle(_ bytes: [UInt8], at now: Instant) {
        switch phase {
        case .bound: if !bytes.isEmpty { events.append(.received(bytes)) }
        case .failed: break
        case .unsent, .binding:
            buffer += bytes
            while phase == .binding, let message = nextMessage() { handle(message, at: now) }
        }
    }

    private mutating func nextMessage() -> Message? {
        guard buffer.count >= Message.headerSize else { return nil }
        let size = Message.headerSize + (Int(buffer[2]) << 8 | Int(buffer[3]))
        guard buffer.count >= size || buffer[0] & 0xC0 != 0 || size % 4 != 0 else { return nil }
        do {
            let message = try Message(decoding: Array(buffer.prefix(size)))
            buffer.removeFirst(size)
            return message
        } catch {
            fail(.malformed(error.description))
            return nil
        }
    }

    private mutating func handle(_ message: Message, at now: Instant) {
        guard var transaction, message.transactionID == transaction.client.id else { return }
        let verdict = transaction.judge(message, at: now)
        self.transaction = transaction
        switch verdict {
        case .discarded, .held: break
        case .failed(let failure): fail(failure)
        case .challenged(let code):
            history = transaction.history
            let used = transaction.signature
            switch authenticator.challenged(by: message, code: code, used: used, &history) {
            case .retry: phase = .unsent
            case .stop(let failure): fail(failure)
            }
        case .succeeded:
            phase = .bound
            events.append(.bound(TURNRoundTrip(transaction.client, at: now)))
            if !buffer.isEmpty { events.append(.received(buffer)) }
            buffer = []
        }
    }

    private mutating func fail(_ failure: TURNFailure) {
        phase = .failed
        buffer = []
        events.append(.failed(failure))
    }
}
