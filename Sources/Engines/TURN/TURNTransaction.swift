import NetTypes
import STUN

/// One signed or unsigned TURN request and the judgement of what answers it.
///
/// A success counts only with a valid integrity. An error without one counts only after another retransmission
/// timeout in which no signed answer came, and says that it is unauthenticated: coturn signs few of its errors, and
/// without them a clear refusal would look like silence (A06, A07).
struct TURNTransaction: Sendable {
    let request: TURNRequest
    let signature: LongTermAuthenticator.Signature?
    var history: LongTermAuthenticator.History
    /// Which request of this purpose it is, from 1.
    let attempt: Int
    /// When the first request of this purpose was sent.
    let startedAt: Instant
    var client: ClientTransaction
    /// How long an unsigned error waits for a better answer; nil over a stream, which brings one answer, and in order:
    /// there waiting would only cost time.
    let holdTime: Duration?
    private var held: (failure: TURNFailure, until: Instant)?
    private(set) var unauthenticated = 0

    enum Verdict {
        case discarded(TURNDiscard)
        case held
        case challenged(code: Int)
        case succeeded
        case failed(TURNFailure)
    }

    init(
        _ request: TURNRequest, _ signature: LongTermAuthenticator.Signature?,
        _ history: LongTermAuthenticator.History, attempt: Int, startedAt: Instant,
        _ client: ClientTransaction, holdTime: Duration?
    ) {
        self.request = request
        self.signature = signature
        self.history = history
        self.attempt = attempt
        self.startedAt = startedAt
        self.client = client
        self.holdTime = holdTime
        self.history.sent(with: signature)
    }

    // MARK: Time

    func isDue(at now: Instant) -> Bool { held == nil && client.isDue(at: now) }

    var nextWake: Instant? { held?.until ?? client.nextWake }

    /// Why the request has failed at `now`, nil while it has not.
    mutating func handleTimeout(at now: Instant) -> TURNFailure? {
        if let held { return held.until <= now ? held.failure : nil }
        guard client.handleTimeout(at: now) else { return nil }
        return unauthenticated > 0
            ? .notAuthenticated(discarded: unauthenticated, transmissions: client.attempts)
            : .noAnswer(transmissions: client.attempts)
    }

    // MARK: Replies

    /// Judges a message with this transaction's id.
    mutating func judge(_ message: Message, at now: Instant) -> Verdict {
        guard message.method == request.method else { return .discarded(.noResponse) }
        switch message.messageClass {
        case .request, .indication: return .discarded(.noResponse)
        case .successResponse: return success(message)
        case .errorResponse: return error(message, at: now)
        }
    }

    private mutating func success(_ message: Message) -> Verdict {
        if let signature, signature.verify(message) != .valid {
            unauthenticated += 1
            return .discarded(.unauthenticatedSuccess)
        }
        let unknown = message.unknownComprehensionRequired
        return unknown.isEmpty ? .succeeded : .failed(.unknownAttributes(unknown))
    }

    private mutating func error(_ message: Message, at now: Instant) -> Verdict {
        let integrity = signature?.verify(message) ?? .absent
        let code: ErrorCode?
        var problem = "the error response has no ERROR-CODE"
        do {
            code = try message.value(.errorCode)
        } catch {
            code = nil
            problem = error.description
        }
        // Who sends 401 knows no key of ours, and who sends 438 may not have looked it up: neither need be signed
        // (RFC 8489 s9.2.4).
        if let code, code.code == 401 || code.code == 438 { return .challenged(code: code.code) }
        guard integrity != .invalid else {
            unauthenticated += 1
            return .discarded(.wrongIntegrity)
        }
        let failure: TURNFailure =
            switch code {
            case nil: .malformed(problem)
            case let code? where code.code == 300: .redirected(redirect(message, integrity == .valid))
            case let code?:
                .errorResponse(
                    TURNErrorResponse(
                        code: code.code, reason: code.reason, method: request.method,
                        isAuthenticated: integrity == .valid, answersSigned: signature != nil, attempt: attempt,
                        unknownAttributes: (try? message.value(.unknownAttributes)) ?? []))
            }
        guard signature != nil, integrity != .valid, let holdTime else { return .failed(failure) }
        if held == nil { held = (failure, now + holdTime) }
        return .held
    }

    private func redirect(_ message: Message, _ isAuthenticated: Bool) -> TURNRedirect {
        TURNRedirect(
            server: (try? message.value(.alternateServer)) ?? nil, domain: message.rawValue(.alternateDomain),
            isAuthenticated: isAuthenticated)
    }
}
