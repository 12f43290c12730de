import Engines
import NetTypes
import Session

/// A TURN server does not take the credential: it has expired, is of another realm, or is wrong.
enum TURNCredentialsRefused: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let refused = evidence.turn.filter {
            $0.isCredentialRefused && $0.access(in: evidence)?.tokenKeySize == nil
        }
        // What explains it goes first: a name that says that it has expired, a realm that is not the credential's.
        let expired = refused.filter { $0.secondsSinceExpiry(in: evidence) != nil }
        let foreign = refused.filter { !expired.contains($0) && $0.isOfAnotherRealm(in: evidence) }
        let rest = refused.filter { !expired.contains($0) && !foreign.contains($0) }
        return [
            self.expired(expired, evidence), self.foreign(foreign, evidence), self.refused(rest),
        ].compactMap(\.self)
    }

    private static func expired(_ results: [TURNResult], _ evidence: Evidence) -> Finding? {
        guard let first = results.first, let seconds = first.secondsSinceExpiry(in: evidence) else { return nil }
        return Finding(
            id: "turn-credential-expired", severity: .error, title: "The TURN credential has expired",
            evidence: results.map(\.complaint) + [
                "the user name \(first.username) expired \(Words.age(seconds)) ago by this machine's clock"
            ],
            causes: [
                "the credential was made too long ago, or with too short a lifetime",
                "this machine's clock or the clock of the service that made it is wrong",
            ],
            remedy: "Get a new credential; where a new one has expired as well, compare the clocks (`timedatectl`) and "
                + "give a longer lifetime.")
    }

    private static func foreign(_ results: [TURNResult], _ evidence: Evidence) -> Finding? {
        guard let first = results.first, let realm = first.evidence?.realm else { return nil }
        let own = first.access(in: evidence)?.realm ?? ""
        return Finding(
            id: "turn-realm-differs", severity: .error, title: "The server has another realm than the credential",
            evidence: results.map(\.complaint) + [
                "the server's realm is \"\(realm.cleaned(limit: 100))\", the credential's \"\(own)\""
            ],
            causes: [
                "the user's key was made for another realm: its hash holds user, realm and password",
                "the request reached another server than the one that knows the user",
            ],
            remedy: "Set the server's realm (coturn: realm=) to the credential's, or make the user's key again for the "
                + "server's realm.")
    }

    private static func refused(_ results: [TURNResult]) -> Finding? {
        guard let first = results.first else { return nil }
        let realms = Set(results.compactMap { $0.evidence?.realm?.cleaned(limit: 100) }).sorted()
        let isTemporary = TURNREST.expiry(inUsername: first.username) != nil
        return Finding(
            id: "turn-credentials-refused", severity: .error, title: "The TURN server refuses the credential",
            evidence: results.map(\.complaint) + realms.map { "realm \"\($0)\", user \(first.username)" },
            causes: isTemporary
                ? [
                    "the shared secret is not the server's (coturn: static-auth-secret=)",
                    "the server does not take temporary credentials (coturn: use-auth-secret)",
                    "the server's clock is ahead: by it the user name has expired",
                ]
                : [
                    "the password is wrong, or the user is not known there",
                    "the user's key was made for another realm than the server's",
                    "the server takes temporary credentials only (coturn: use-auth-secret)",
                ],
            remedy: isTemporary
                ? "Compare the secret with the server's configuration, byte for byte; then the clocks."
                : "Compare user, password and realm with the server's configuration (coturn: user=, realm=); icecheck "
                    + "takes the credential's realm with --realm.")
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

    fileprivate func isOfAnotherRealm(in evidence: Evidence) -> Bool {
        guard let own = access(in: evidence)?.realm, let realm = self.evidence?.realm else { return false }
        return Array(own.utf8) != realm.bytes
    }

    /// The place and what went wrong there.
    var complaint: String { "\(place): \(error?.message ?? "no relay")" }
}
