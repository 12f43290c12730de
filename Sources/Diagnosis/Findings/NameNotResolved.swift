import Engines
import NetTypes

/// A server's name has no address.
enum NameNotResolved: OneKindRule {
    static let kind = FindingKind(
        "name-not-resolved", .error, "A server's name does not resolve",
        meaning: "The lookup of a server's name gave no address.",
        causes: [
            "the name is misspelt or no longer exists",
            "the DNS resolver of this machine does not know the names of this network",
            "the name's DNS records (SRV, NAPTR) say that the service does not exist, or are malformed",
            unreachable,
        ],
        remedy: "Check the name with `getent ahosts NAME`; if that fails for every name, fix /etc/resolv.conf.")
    private static let unreachable = "the DNS resolver of this machine is unreachable or does not work"

    static func findings(in evidence: Evidence) -> [Finding] {
        let unresolved = evidence.contacts(failing: [.nameNotResolved])
        // Of a name about which the resolver never said anything, nothing is known to be wrong.
        let isUnanswered = unresolved.allSatisfy { $0.error?.message.hasSuffix(QueryFailure.timedOut.message) ?? false }
        let causes = kind.causes.filter { $0 != unreachable }
        return kind.findings(
            about: unresolved,
            title: unresolved.count == 1 ? nil : "\(unresolved.count) servers' names do not resolve",
            causes: isUnanswered ? [unreachable] + causes : kind.causes,
            remedy: isUnanswered
                ? "Check the resolver in /etc/resolv.conf: does `getent ahosts NAME` work for any name?" : nil
        ) { "\($0.server): \($0.error?.message ?? "")" }
    }
}
