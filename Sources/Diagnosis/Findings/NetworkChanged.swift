import NetTypes
import Session

/// The machine's addresses were others at the end of the run than at its start.
enum NetworkChanged: FindingRule {
    static func findings(in evidence: Evidence) -> [Finding] {
        guard let after = evidence.interfacesAfter else { return [] }
        let old = addresses(evidence.record.plan.interfaces)
        let new = addresses(after)
        let gone = old.subtracting(new).sorted().map { "\($0) is gone" }
        let come = new.subtracting(old).sorted().map { "\($0) is new" }
        guard !(gone + come).isEmpty else { return [] }
        return [
            Finding(
                id: "network-changed", severity: .warning, title: "The network changed during the run",
                evidence: gone + come,
                causes: ["a cable, a wireless network or a VPN came or went while icecheck measured"],
                remedy: "Run icecheck again: what was measured may be a mixture of two networks.")
        ]
    }

    private static func addresses(_ interfaces: [NetworkInterface]) -> Set<String> {
        Set(
            interfaces.filter(\.isUp).flatMap { interface in
                interface.addresses.map { "\($0.address) of \(interface.name)" }
            })
    }
}
