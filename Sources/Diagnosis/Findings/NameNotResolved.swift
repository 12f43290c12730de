/// A server's name has no address.
enum NameNotResolved: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        let unresolved = evidence.contacts.filter { $0.error?.kind == .nameNotResolved }
        guard !unresolved.isEmpty else { return [] }
        return [
            Finding(
                id: "name-not-resolved", severity: .error,
                title: unresolved.count == 1
                    ? "A server's name does not resolve" : "\(unresolved.count) servers' names do not resolve",
                evidence: unresolved.map { "\($0.server): \($0.error?.message ?? "")" },
                causes: [
                    "the name is misspelt or no longer exists",
                    "this machine's resolver does not work, or does not know the names of this network",
                    "its DNS records (SRV, NAPTR) say that the service is not there, or make no sense",
                ],
                remedy:
                    "Check the name with `getent ahosts NAME`; where that fails for every name, mend /etc/resolv.conf.")
        ]
    }
}
