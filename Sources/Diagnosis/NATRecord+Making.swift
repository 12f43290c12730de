import Engines
import NetTypes

extension NATRecord {
    /// One for each local address and transport; what relays show is of UDP, whatever the way to their server.
    static func records(of record: RunRecord) -> [NATRecord] {
        let seen = record.nat.filter { !$0.servers.isEmpty }
        var overUDP = seen.filter { $0.transport == .udp }
        for (evidence, _) in record.natThroughRelays where !overUDP.contains(where: { $0.source == evidence.source }) {
            var empty = NATEvidence(source: evidence.source)
            empty.endedAt = evidence.endedAt
            overUDP.append(empty)
        }
        // UDP is what media goes over: it comes first, whichever was done first.
        return overUDP.map { evidence in
            NATRecord(
                evidence, lifetime: record.natLifetimes.first { $0.source == evidence.source },
                relayed: record.natThroughRelays.first { $0.evidence.source == evidence.source }
                    .map { Relayed($0.evidence, $0.relays) })
        } + seen.filter { $0.transport != .udp }.map { NATRecord($0) }
    }
}
