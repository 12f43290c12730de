import Facts
import NetTypes
import Planning
import STUN

/// An address of this machine from which nothing is answered, where another one is: the bridge of a container, a dead VPN.
enum AddressLeadsNowhere: OneKindRule {
    static let kind = FindingKind(
        "address-leads-nowhere", .note, "An address of this machine leads nowhere",
        meaning: "From an address that browsers also offer, no server was reached that another address reached.",
        causes: [
            "the interface belongs to a container bridge or a virtual machine and has no route to the Internet",
            "the VPN behind the interface is down, or does not carry the server's address",
        ],
        remedy: "Nothing to do for this run; ICE checks in vain from such an address until its interface is removed.")

    static func findings(in evidence: Evidence) -> [Finding] {
        let record = evidence.record
        var scopes: [FindingScope] = []
        var seen: [String] = []
        for (place, base) in record.plan.bases.enumerated() {
            let probes = record.probes.filter { $0.probe.base == place }
            guard let waited = probes.compactMap({ $0.failure?.waitedBesideOthers }).max(),
                probes.allSatisfy({ $0.answer == nil })
            else { continue }
            let servers = Set(probes.map(\.probe.server)).sorted().map { record.plan.servers[$0].uri.text }
            scopes.append(FindingScope(servers: servers, family: base.address.address.family, transport: .udp))
            seen.append(
                "\(base.address.address) (\(base.interface)): no answer from \(Words.count(servers.count, "server")) "
                    + "within \(Words.duration(waited)), where another address had one")
        }
        return kind.finding(about: scopes, seen: seen)
    }
}

extension ProbeFailure {
    fileprivate var waitedBesideOthers: Duration? {
        if case .noAnswerBesideOthers(let waited) = self { waited } else { nil }
    }
}
