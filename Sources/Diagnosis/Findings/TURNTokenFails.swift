import Engines
import Facts
import NetTypes
import Planning

/// A TURN server does not take the access token of a third party (RFC 7635), or not as the RFC says.
enum TURNTokenFails: FindingRule {
    static let kinds = [expired, refused, notTaken, keyCut]
    private static let expired = FindingKind(
        "turn-token-expired", .error, "The access token has expired",
        meaning: "By this machine's clock, the time in expires_at of the access token is over.",
        causes: [
            "the token was issued too long ago, or with too short a lifetime",
            "this machine's clock or the clock of the authorization server is wrong",
        ],
        remedy: "Get a new token from the authorization server; if a new one has also expired, compare the clocks "
            + "(`timedatectl`).")
    private static let refused = FindingKind(
        "turn-token-refused", .error, "The TURN server refuses the access token",
        meaning: "The server answers 401 to a request that was signed with the key of the access token.",
        causes: [
            "the token has expired, or the clocks of TURN server and authorization server differ",
            "the server does not know the key id, or has another or an expired key for it (coturn: oauth_key)",
            "the token was made for another server name than the server's own (coturn: server-name)",
            "the key given with the token is not the one inside it",
        ],
        remedy: "Get a new token and try at once; if that is also refused, compare key id, key and server name between "
            + "the authorization server and the TURN server.")
    private static let notTaken = FindingKind(
        "turn-token-not-taken", .error, "The TURN server accepts no access tokens",
        meaning: "The server's 401 has no THIRD-PARTY-AUTHORIZATION (RFC 7635).",
        causes: [
            "third-party authorization is off at the server (coturn: oauth)",
            "the request reached another server than the one that the token is for",
        ],
        remedy:
            "Turn on third-party authorization (coturn: oauth, and a key in its table oauth_key), or give a user and "
            + "a password.")
    private static let keyCut = FindingKind(
        "turn-token-key-cut", .warning, "The server uses only the first 16 bytes of the token's key",
        meaning: "The server refuses a signature with the token's whole key, but accepts one with its first 16 bytes.",
        causes: ["a known defect of coturn (4.6 has it)"],
        remedy:
            "Have the server fixed, or authenticate in another way: clients that sign with the whole key, as RFC 7635 "
            + "says, are refused there.")

    static func findings(in evidence: Evidence) -> [Finding] {
        let asked = evidence.turn.filter { $0.access(in: evidence)?.tokenKeySize != nil }
        let refused = asked.filter(\.isCredentialRefused)
        let expired = refused.filter { $0.secondsSinceTokenExpiry(in: evidence) != nil }
        let cut = asked.filter { $0.evidence?.allocation != nil && $0.evidence?.token?.truncatesKey == true }
        return Self.expired.findings(
            about: expired, more: [expired.first?.tokenAgeWords(in: evidence)].compactMap(\.self), seen: \.complaint)
            + self.refused(refused.filter { !expired.contains($0) }, evidence)
            + notTaken.findings(about: evidence.turn.filter { $0.error?.kind == .tokenNotTaken }, seen: \.complaint)
            + keyCut.findings(about: cut) { "\($0.place): 401 with the whole key, a relay with its first 16 bytes" }
    }

    private static func refused(_ results: [TURNResult], _ evidence: Evidence) -> [Finding] {
        guard let first = results.first else { return [] }
        let names = Set(results.compactMap { $0.evidence?.token?.serverName?.cleaned(limit: 100) }).sorted()
        var more = ["key id (kid) \(first.username)"]
        more += names.map { "the server accepts tokens made for the name \"\($0)\" (THIRD-PARTY-AUTHORIZATION)" }
        if results.contains(where: { $0.evidence?.token?.truncatesKey == true }) {
            more.append("tried with the whole key, and with its first 16 bytes, as coturn uses it")
        }
        var causes = refused.causes
        switch first.access(in: evidence)?.tokenKeySize {
        case nil, 20: break
        case 32: causes.insert("the key has 32 bytes, but the server accepts only keys of 20, as coturn does", at: 0)
        case let size?:
            causes.insert(
                "the key has \(size) bytes, but HMAC-SHA-1 needs 20: check that its base64 is complete", at: 0)
        }
        return refused.findings(about: results, more: more, causes: causes, seen: \.complaint)
    }
}

extension TURNResult {
    /// The server refused the credential itself.
    var isCredentialRefused: Bool { error?.kind == .credentialsRefused || error?.code == 441 || isRefusedBare }

    /// As pion/turn refuses a wrong password: the signed request gets 400, without a word.
    private var isRefusedBare: Bool {
        guard error?.kind == .errorResponse, error?.code == 400, stage == .allocate else { return false }
        return evidence?.realm != nil && error?.reason?.bytes.isEmpty ?? true
    }

    /// By this machine's clock, where it is known when the token expires.
    fileprivate func secondsSinceTokenExpiry(in evidence: Evidence) -> Int64? {
        guard let now = evidence.wallClock, let expiry = access(in: evidence)?.tokenExpiry, expiry <= now else {
            return nil
        }
        return now - expiry
    }

    fileprivate func tokenAgeWords(in evidence: Evidence) -> String? {
        secondsSinceTokenExpiry(in: evidence).map {
            "the token of key id \(username) expired \(Words.age($0)) ago by this machine's clock"
        }
    }
}
