import NetTypes
import Planning

/// The machine's addresses were others at the end of the run than at its start.
enum NetworkChanged: OneKindRule {
    static let kind = FindingKind(
        "network-changed", .warning, "The network changed during the run",
        meaning: "An address or interface of this machine appeared or disappeared: the results may mix two networks.",
        causes: ["a cable, a wireless network or a VPN was connected or disconnected while icecheck measured"],
        remedy: "Run icecheck again.")

    static func findings(in evidence: Evidence) -> [Finding] {
        guard let after = evidence.interfacesAfter else { return [] }
        let old = addresses(evidence.record.plan.interfaces)
        let new = addresses(after)
        let gone = old.subtracting(new).sorted().map { "\($0) is gone" }
        let come = new.subtracting(old).sorted().map { "\($0) is new" }
        return kind.finding(seen: gone + come)
    }

    private static func addresses(_ interfaces: [NetworkInterface]) -> Set<String> {
        Set(
            interfaces.filter(\.isUp).flatMap { interface in
                interface.addresses.map { "\($0.address) of \(interface.name)" }
            })
    }
}
