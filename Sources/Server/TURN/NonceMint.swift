import NetTypes
import STUN

/// Makes nonces and knows them again without remembering one: each holds its time, and a digest of that, of the
/// client's address and of what it says of the server (RFC 8489 s9.2.4).
///
/// A nonce is good for any port of its client's address, so that a data connection or a new socket can use it, and for
/// no other address: what is overheard cannot be sent again from a forged source.
struct NonceMint {
    enum Judgement { case valid, stale }

    /// A challenge must stay below three times the shortest request, so no byte is spent in vain: with these and a
    /// realm of 12 bytes, it just does. Who guesses a digest gains no more than a nonce.
    static let stampLength = 4
    static let digestLength = 7

    private let key: [UInt8]
    private let start: Instant
    private let lifetime: Duration

    init(lifetime: Duration, from start: Instant, using random: inout some RandomNumberGenerator) {
        key = random.bytes(32)
        self.lifetime = lifetime
        self.start = start
    }

    /// - Parameter features: nil makes a nonce of RFC 5389, which says none.
    func make(for client: IPAddress, _ features: NonceCookie.Features?, at now: Instant) -> [UInt8] {
        nonce(ticks(at: now), client, features.map { NonceCookie($0).bytes } ?? [])
    }

    /// Anything that is not this server's own and fresh is stale: the client gets a new one and loses a round trip.
    func judge(_ nonce: [UInt8], from client: IPAddress, at now: Instant) -> Judgement {
        let tail = Self.stampLength + Self.digestLength
        let cookie = nonce.prefix(max(0, nonce.count - tail))
        guard nonce.count >= tail, let made = Self.number(nonce[cookie.count..<cookie.count + Self.stampLength]),
            nonce == self.nonce(made, client, Array(cookie))
        else { return .stale }
        let age = (ticks(at: now) - made) & Self.stampMask
        return Self.tick * Int(age) < lifetime ? .valid : .stale
    }

    // MARK: Form

    /// In 24 bits, which come round after 48 days.
    private static let tick = Duration.milliseconds(250)
    private static let stampMask: Int64 = 1 << 24 - 1
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private func ticks(at now: Instant) -> Int64 { (now - start).nanoseconds / Self.tick.nanoseconds & Self.stampMask }

    private func nonce(_ ticks: Int64, _ client: IPAddress, _ cookie: [UInt8]) -> [UInt8] {
        let stamp = (0..<Self.stampLength).map { Self.alphabet[Int(ticks >> (6 * Int64($0)) & 0x3F)] }
        let digest = HMAC.sha256((cookie + stamp + client.canonical.bytes)[...], key: key)
        return cookie + stamp + digest.prefix(Self.digestLength).map { Self.alphabet[Int($0 & 0x3F)] }
    }

    private static func number(_ characters: ArraySlice<UInt8>) -> Int64? {
        var number: Int64 = 0
        for character in characters.reversed() {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            number = number << 6 | Int64(value)
        }
        return number
    }
}

extension RandomNumberGenerator {
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in next() } }
}
