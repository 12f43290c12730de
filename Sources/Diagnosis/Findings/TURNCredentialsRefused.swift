import Engines
import Facts
import NetTypes
import Planning

/// A TURN server does not take the credential: it has expired, is of another realm, or is wrong.
enum TURNCredentialsRefused: FindingRule {
    static let kinds = [expired, otherRealm, refused]
    private static let expired = FindingKind(
        "turn-credential-expired", .error, "The TURN credential has expired",
        meaning: "By this machine's clock, the time in the user name of a temporary credential is over.",
        causes: [
            "the credential was made too long ago, or with too short a lifetime",
            "this machine's clock or the clock of the service that made the credential is wrong",
        ],
        remedy: "Get a new credential; if a new one has also expired, compare the clocks (`timedatectl`) and give a "
            + "longer lifetime.")
    private static let otherRealm = FindingKind(
        "turn-realm-differs", .error, "The server has another realm than the credential",
        meaning: "The realm of the credential, which its key was made for, is not the server's.",
        causes: [
            "the user's key was made for another realm: its hash includes user, realm and password",
            "the request reached another server than the one that knows the user",
        ],
        remedy: "Set the server's realm (coturn: realm=) to the credential's, or make the user's key again for the "
            + "server's realm.")
    static let refused = FindingKind(
        "turn-credentials-refused", .error, "The TURN server refuses the credential",
        meaning:
            "The server answers 401 or 441 to a request that was signed with the credential, or 400 without a reason, as "
            + "pion/turn does (LiveKit, STUNner).",
        causes: [
            "the password is wrong, or the server does not know the user",
            "the user's key was made for another realm than the server's",
            "the server accepts only temporary credentials (coturn: use-auth-secret)",
        ],
        remedy:
            "Compare user, password and realm with the server's configuration (coturn: user=, realm=); --realm gives "
            + "the credential's realm.")

    static func findings(in evidence: Evidence) -> [Finding] {
        let results = evidence.turn.filter {
            $0.isCredentialRefused && $0.access(in: evidence)?.tokenKeySize == nil
        }
        // What explains it goes first: a name that says that it has expired, a realm that is not the credential's.
        let expired = results.filter { $0.secondsSinceExpiry(in: evidence) != nil }
        let foreign = results.filter { !expired.contains($0) && $0.isOfAnotherRealm(in: evidence) }
        let rest = results.filter { !expired.contains($0) && !foreign.contains($0) }
        return Self.expired.findings(
            about: expired, more: [expired.first?.ageWords(in: evidence)].compactMap(\.self), seen: \.complaint)
            + otherRealm.findings(
                about: foreign, more: [foreign.first?.realmWords(in: evidence)].compactMap(\.self), seen: \.complaint)
            + refused(rest)
    }

    private static func refused(_ results: [TURNResult]) -> [Finding] {
        guard let first = results.first else { return [] }
        let realms = Set(results.compactMap { $0.evidence?.realm?.cleaned(limit: 100) }).sorted()
        let isTemporary = TURNREST.expiry(inUsername: first.username) != nil
        return refused.findings(
            about: results, more: realms.map { "realm \"\($0)\", user \(first.username)" },
            causes: isTemporary
                ? [
                    "the shared secret is not the server's (coturn: static-auth-secret=)",
                    "the server does not accept temporary credentials (coturn: use-auth-secret)",
                    "the server's clock is ahead: by that clock the user name has expired",
                ] : nil,
            remedy: isTemporary
                ? "Compare the secret with the server's configuration, byte for byte; then compare the clocks." : nil,
            seen: \.complaint)
    }
}

extension TURNResult {
    func access(in evidence: Evidence) -> Plan.Access? {
        self.evidence.flatMap { evidence.record.plan.servers[$0.server].turn }
    }

    /// Who asked, as the report may show it.
    package var username: String { evidence?.username ?? "" }

    /// By this machine's clock, where the user name says when it expires.
    fileprivate func secondsSinceExpiry(in evidence: Evidence) -> Int64? {
        evidence.wallClock.flatMap { TURNREST.secondsSinceExpiry(ofUsername: username, now: $0) }
    }

    fileprivate func ageWords(in evidence: Evidence) -> String? {
        secondsSinceExpiry(in: evidence).map {
            "the user name \(username) expired \(Words.age($0)) ago by this machine's clock"
        }
    }

    fileprivate func isOfAnotherRealm(in evidence: Evidence) -> Bool {
        guard let own = access(in: evidence)?.realm, let realm = self.evidence?.realm else { return false }
        return Array(own.utf8) != realm.bytes
    }

    fileprivate func realmWords(in evidence: Evidence) -> String {
        "the server's realm is \"\(self.evidence?.realm?.cleaned(limit: 100) ?? "")\", the credential's "
            + "\"\(access(in: evidence)?.realm ?? "")\""
    }
}
