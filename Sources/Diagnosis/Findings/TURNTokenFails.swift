import Engines
import NetTypes
import Session

/// A TURN server does not take the access token of a third party (RFC 7635), or not as the RFC says.
enum TURNTokenFails: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let asked = evidence.turn.filter { $0.access(in: evidence)?.tokenKeySize != nil }
        let untaken = evidence.turn.filter { $0.error?.kind == .tokenNotTaken }
        let refused = asked.filter(\.isCredentialRefused)
        let expired = refused.filter { $0.secondsSinceTokenExpiry(in: evidence) != nil }
        let rest = refused.filter { !expired.contains($0) }
        let cut = asked.filter { $0.evidence?.allocation != nil && $0.evidence?.token?.truncatesKey == true }
        return [
            self.expired(expired, evidence), self.refused(rest, evidence), notTaken(untaken), self.cut(cut),
        ].compactMap(\.self)
    }

    private static func expired(_ results: [TURNResult], _ evidence: Evidence) -> Finding? {
        guard let first = results.first, let seconds = first.secondsSinceTokenExpiry(in: evidence) else { return nil }
        return Finding(
            id: "turn-token-expired", severity: .error, title: "The access token has expired",
            evidence: results.map(\.complaint) + [
                "the token of key id \(first.username) expired \(Words.age(seconds)) ago by this machine's clock"
            ],
            causes: [
                "the token was issued too long ago, or with too short a lifetime",
                "this machine's clock or the clock of the authorization server is wrong",
            ],
            remedy: "Get a new token from the authorization server; where a new one has expired as well, compare the "
                + "clocks (`timedatectl`).")
    }

    private static func refused(_ results: [TURNResult], _ evidence: Evidence) -> Finding? {
        guard let first = results.first else { return nil }
        let names = Set(results.compactMap { $0.evidence?.token?.serverName?.cleaned(limit: 100) }).sorted()
        var seen = results.map(\.complaint) + ["key id (kid) \(first.username)"]
        seen += names.map { "the server takes tokens made for the name \"\($0)\" (THIRD-PARTY-AUTHORIZATION)" }
        if results.contains(where: { $0.evidence?.token?.truncatesKey == true }) {
            seen.append("tried with the whole key, and with its first 16 bytes, which is how coturn uses it")
        }
        var causes = [
            "the token has expired, or the clocks of server and authorization server differ",
            "the server does not know the key id, or its key for it is another or has expired (coturn: oauth_key)",
            "the token was made for another server name than the one that the server goes by (coturn: server-name)",
            "the key given with the token is not the one inside it",
        ]
        switch first.access(in: evidence)?.tokenKeySize {
        case nil, 20: break
        case 32: causes.insert("the key has 32 bytes, and the server takes keys of 20 alone, as coturn does", at: 0)
        case let size?:
            causes.insert("the key has \(size) bytes, where HMAC-SHA-1 takes 20: is its base64 whole?", at: 0)
        }
        return Finding(
            id: "turn-token-refused", severity: .error, title: "The TURN server refuses the access token",
            evidence: seen, causes: causes,
            remedy: "Get a new token and try at once; where that is refused too, compare key id, key and server name "
                + "between the authorization server and the TURN server.")
    }

    private static func notTaken(_ results: [TURNResult]) -> Finding? {
        guard !results.isEmpty else { return nil }
        return Finding(
            id: "turn-token-not-taken", severity: .error, title: "The TURN server takes no access tokens",
            evidence: results.map(\.complaint),
            causes: [
                "third-party authorization is off at the server (coturn: oauth)",
                "the request reached another server than the one that the token is for",
            ],
            remedy: "Turn it on (coturn: oauth, and a key in its table oauth_key), or give a user and a password.")
    }

    private static func cut(_ results: [TURNResult]) -> Finding? {
        guard !results.isEmpty else { return nil }
        return Finding(
            id: "turn-token-key-cut", severity: .warning,
            title: "The server uses only the first 16 bytes of the token's key",
            evidence: results.map {
                "\($0.place): 401 with the whole key, and a relay with its first 16 bytes"
            },
            causes: ["a defect of the server that coturn is known for (4.6 has it)"],
            remedy:
                "Clients that sign with the whole key, as RFC 7635 says, are refused there: have the server mended, or "
                + "use another way to authenticate.")
    }
}

extension TURNResult {
    /// The server knows the credential for none that it takes.
    var isCredentialRefused: Bool { error?.kind == .credentialsRefused || error?.code == 441 }

    /// By this machine's clock, where it is known when the token expires.
    fileprivate func secondsSinceTokenExpiry(in evidence: Evidence) -> Int64? {
        guard let now = evidence.wallClock, let expiry = access(in: evidence)?.tokenExpiry, expiry <= now else {
            return nil
        }
        return now - expiry
    }
}
