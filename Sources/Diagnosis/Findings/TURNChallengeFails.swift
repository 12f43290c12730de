/// The exchange of credentials does not work out, whatever the credential: the server's challenge is at fault, or none
/// was given.
enum TURNChallengeFails: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        kinds.compactMap { kind, make in
            let results = evidence.turn.filter { $0.error?.kind == kind }
            return results.isEmpty ? nil : make(results.map(\.complaint))
        }
    }

    private static let kinds: [(ProbeError.Kind, @Sendable ([String]) -> Finding)] = [
        (
            .credentialsNeeded,
            { seen in
                Finding(
                    id: "turn-credentials-needed", severity: .error, title: "The TURN server wants a credential",
                    evidence: seen, causes: ["no user and password were given for this server"],
                    remedy: "Give --user with --password or --secret, or an iceServers file that has them.")
            }
        ),
        (
            .nonceNeverAccepted,
            { seen in
                Finding(
                    id: "turn-nonce-never-accepted", severity: .error,
                    title: "The TURN server never accepts its own nonce", evidence: seen,
                    causes: [
                        "a balancer spreads one client's requests over several servers, or changes their source ports",
                        "several servers behind one address do not share their nonces",
                    ],
                    remedy: "Let the balancer keep a client's address and port on one server (source hashing, no SNAT)."
                )
            }
        ),
        (
            .realmKeepsChanging,
            { seen in
                Finding(
                    id: "turn-realm-keeps-changing", severity: .error, title: "Each answer names another realm",
                    evidence: seen,
                    causes: ["servers of different configuration stand behind one address"],
                    remedy: "Give all servers behind the address the same realm, or each its own address.")
            }
        ),
        (
            .brokenChallenge,
            { seen in
                Finding(
                    id: "turn-challenge-broken", severity: .error,
                    title: "The TURN server's challenge cannot be answered", evidence: seen,
                    causes: [
                        "the server has no realm (coturn: realm=), or is no server for long-term credentials",
                        "a device on the way alters STUN messages",
                    ],
                    remedy: "Set a realm and long-term credentials (coturn: lt-cred-mech or use-auth-secret, realm=).")
            }
        ),
        (
            .possibleDowngrade,
            { seen in
                Finding(
                    id: "turn-possible-downgrade", severity: .error,
                    title: "Someone may be weakening the authentication", evidence: seen,
                    causes: [
                        "a device on the way alters STUN messages",
                        "the server's implementation of RFC 8489 is defective",
                    ],
                    remedy: "Ask over TLS (turns:), and compare; no credentials were sent after this challenge.")
            }
        ),
        (
            .noCommonAlgorithm,
            { seen in
                Finding(
                    id: "turn-no-common-algorithm", severity: .error,
                    title: "The TURN server knows no password algorithm of this client", evidence: seen,
                    causes: ["the server is configured for an algorithm that RFC 8489 does not have"],
                    remedy: "Allow MD5 or SHA-256 in the server's configuration.")
            }
        ),
        (
            .notAuthenticated,
            { seen in
                Finding(
                    id: "turn-answer-not-authenticated", severity: .error,
                    title: "The TURN server's answers are not authenticated", evidence: seen,
                    causes: [
                        "something else than the server answers, or alters what it says",
                        "the server signs with another key than the client's: user databases differ between servers",
                        "the server's implementation is defective",
                    ],
                    remedy: "Do not use this relay; ask over TLS (turns:), and compare.")
            }
        ),
    ]
}
