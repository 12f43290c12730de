/// The exchange of credentials does not work out, whatever the credential: the server's challenge is at fault, or none
/// was given.
enum TURNChallengeFails: FindingRule {
    static let kinds = [
        needed, nonceNeverAccepted, realmKeepsChanging, broken, downgrade, noCommonAlgorithm, notAuthenticated,
    ]
    private static let needed = FindingKind(
        "turn-credentials-needed", .error, "The TURN server requires a credential",
        meaning: "The server answers 401 to a request without a credential, and none was given.",
        causes: ["no user and password were given for this server"],
        remedy: "Give --user with --password-file or --secret-file, or an iceServers file that has them.")
    private static let nonceNeverAccepted = FindingKind(
        "turn-nonce-never-accepted", .error, "The TURN server never accepts its own nonces",
        meaning: "The server answers 438 (Stale Nonce) to each nonce, although it issued the nonce itself.",
        causes: [
            "a balancer spreads one client's requests over several servers, or changes their source ports",
            "several servers behind one address do not share their nonces",
        ],
        remedy: "Let the balancer keep a client's address and port on one server (source hashing, no source NAT).")
    private static let realmKeepsChanging = FindingKind(
        "turn-realm-keeps-changing", .error, "Each answer of the TURN server names another realm",
        meaning: "Each 401 of the server has another realm, so that no key fits.",
        causes: ["servers with different configurations stand behind one address"],
        remedy: "Give all servers behind the address the same realm, or each server its own address.")
    private static let broken = FindingKind(
        "turn-challenge-broken", .error, "The TURN server's challenge cannot be answered",
        meaning: "The server's 401 lacks REALM or NONCE, or has one that cannot be sent back.",
        causes: [
            "the server has no realm (coturn: realm=), or does not use long-term credentials",
            "a device on the path alters STUN messages",
        ],
        remedy: "Set a realm and long-term credentials (coturn: lt-cred-mech or use-auth-secret, realm=).")
    private static let downgrade = FindingKind(
        "turn-possible-downgrade", .error, "Someone may be weakening the authentication",
        meaning: "The server's challenge lacks a security feature that the nonce in it promises (RFC 8489 s9.2).",
        causes: [
            "a device on the path alters STUN messages", "the server's implementation of RFC 8489 is defective",
        ],
        remedy: "Compare over TLS (turns:). No credential was sent after this challenge.")
    private static let noCommonAlgorithm = FindingKind(
        "turn-no-common-algorithm", .error, "The TURN server and this client have no password algorithm in common",
        meaning: "The server offers only password algorithms that RFC 8489 does not define.",
        causes: ["the server is configured for an algorithm that RFC 8489 does not define"],
        remedy: "Allow MD5 or SHA-256 in the server's configuration.")
    private static let notAuthenticated = FindingKind(
        "turn-answer-not-authenticated", .error, "The TURN server's answers are not authenticated",
        meaning: "Answers to signed requests carry no valid MESSAGE-INTEGRITY, and are not believed.",
        causes: [
            "something other than the server answers, or alters what the server says",
            "the server signs with another key than the client's: user databases differ between servers",
            "the server's implementation is defective",
        ],
        remedy: "Do not use this relay; compare over TLS (turns:).")

    private static let kindOfError: [ProbeError.Kind: FindingKind] = [
        .credentialsNeeded: needed, .nonceNeverAccepted: nonceNeverAccepted, .realmKeepsChanging: realmKeepsChanging,
        .brokenChallenge: broken, .possibleDowngrade: downgrade, .noCommonAlgorithm: noCommonAlgorithm,
        .notAuthenticated: notAuthenticated,
    ]

    static func findings(in evidence: Evidence) -> [Finding] {
        findings(about: evidence.turn, kind: { $0.error.flatMap { kindOfError[$0.kind] } }, seen: \.complaint)
    }
}
