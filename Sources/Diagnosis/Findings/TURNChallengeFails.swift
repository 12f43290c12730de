/// The exchange of credentials does not work out, whatever the credential: the server's challenge is at fault, or none
/// was given.
enum TURNChallengeFails: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        rules.compactMap { rule in
            let results = evidence.turn.filter { $0.error?.kind == rule.kind }
            guard !results.isEmpty else { return nil }
            return Finding(
                id: rule.id, severity: .error, title: rule.title, evidence: results.map(\.complaint),
                causes: rule.causes, remedy: rule.remedy)
        }
    }

    private struct Rule {
        var kind: ProbeError.Kind
        var id: String
        var title: String
        var causes: [String]
        var remedy: String
    }

    private static let rules = [
        Rule(
            kind: .credentialsNeeded, id: "turn-credentials-needed", title: "The TURN server wants a credential",
            causes: ["no user and password were given for this server"],
            remedy: "Give --user with --password or --secret, or an iceServers file that has them."),
        Rule(
            kind: .nonceNeverAccepted, id: "turn-nonce-never-accepted",
            title: "The TURN server never accepts its own nonce",
            causes: [
                "a balancer spreads one client's requests over several servers, or changes their source ports",
                "several servers behind one address do not share their nonces",
            ],
            remedy: "Let the balancer keep a client's address and port on one server (source hashing, no SNAT)."),
        Rule(
            kind: .realmKeepsChanging, id: "turn-realm-keeps-changing", title: "Each answer names another realm",
            causes: ["servers of different configuration stand behind one address"],
            remedy: "Give all servers behind the address the same realm, or each its own address."),
        Rule(
            kind: .brokenChallenge, id: "turn-challenge-broken",
            title: "The TURN server's challenge cannot be answered",
            causes: [
                "the server has no realm (coturn: realm=), or is no server for long-term credentials",
                "a device on the way alters STUN messages",
            ],
            remedy: "Set a realm and long-term credentials (coturn: lt-cred-mech or use-auth-secret, realm=)."),
        Rule(
            kind: .possibleDowngrade, id: "turn-possible-downgrade",
            title: "Someone may be weakening the authentication",
            causes: [
                "a device on the way alters STUN messages",
                "the server's implementation of RFC 8489 is defective",
            ],
            remedy: "Ask over TLS (turns:), and compare; no credentials were sent after this challenge."),
        Rule(
            kind: .noCommonAlgorithm, id: "turn-no-common-algorithm",
            title: "The TURN server knows no password algorithm of this client",
            causes: ["the server is configured for an algorithm that RFC 8489 does not have"],
            remedy: "Allow MD5 or SHA-256 in the server's configuration."),
        Rule(
            kind: .notAuthenticated, id: "turn-answer-not-authenticated",
            title: "The TURN server's answers are not authenticated",
            causes: [
                "something else than the server answers, or alters what it says",
                "the server signs with another key than the client's: user databases differ between servers",
                "the server's implementation is defective",
            ],
            remedy: "Do not use this relay; ask over TLS (turns:), and compare."),
    ]
}
