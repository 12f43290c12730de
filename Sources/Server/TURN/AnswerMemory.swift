import NetTypes
import STUN

/// The answers to what must not be done twice, for requests that come twice: a retransmission is answered as its
/// request was (RFC 8489 s6.3.1). Bounded in number and in time.
struct AnswerMemory {
    private struct Key: Hashable {
        let client: TURNClient
        let request: [UInt8]
    }

    static let limit = 1024
    /// RFC 8489 s6.3.1.
    static let lifetime = Duration.seconds(40)

    private var answers: [Key: [UInt8]] = [:]
    private var order = Queue<(key: Key, until: Instant)>()

    /// The answer to the same bytes: of another request with this transaction id it is none.
    mutating func answer(to request: [UInt8], from client: TURNClient, at now: Instant) -> [UInt8]? {
        forget(at: now)
        return answers.isEmpty ? nil : answers[Key(client: client, request: request)]
    }

    mutating func remember(_ answer: [UInt8], to request: [UInt8], from client: TURNClient, at now: Instant) {
        forget(at: now)
        if answers.count >= Self.limit, let oldest = order.popFirst() { answers[oldest.key] = nil }
        let key = Key(client: client, request: request)
        guard answers.updateValue(answer, forKey: key) == nil else { return }
        order.append((key, now + Self.lifetime))
    }

    private mutating func forget(at now: Instant) {
        while let oldest = order.first, oldest.until <= now {
            _ = order.popFirst()
            answers[oldest.key] = nil
        }
    }
}
