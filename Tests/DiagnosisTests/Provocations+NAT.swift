import Facts
import NetTypes
import Planning
import STUN

@testable import Diagnosis
@testable import Engines

extension Provocation {
    private static let local = Endpoint(Recording.host, 50000)
    private static let servers = [
        Recording.server, Endpoint(IPAddress(9, 9, 9, 10), 3478), Endpoint(Recording.server.address, 3479),
    ]

    private static func mapped(_ port: UInt16) -> Endpoint { Endpoint(Recording.mapped.address, port) }

    private static func nat(
        _ id: String, _ record: @escaping @Sendable (inout Recording) -> Void
    ) -> Provocation {
        Provocation(id) {
            var recording = try Recording(["stun:9.9.9.9", "stun:9.9.9.10"], command: .nat)
            for server in 0..<2 { recording.note(.resolved(server, [servers[server]])) }
            record(&recording)
            return Diagnosis(recording.plan, recording.observations)
        }
    }

    /// Servers that each see one socket twice, at this port.
    private static func seen(_ ports: [UInt16], isLegacy: Bool = false) -> NATEvidence {
        var evidence = NATEvidence(source: Recording.host, servers: Array(servers.prefix(ports.count)))
        evidence.localEndpoints[.mapping] = local
        for round in 0..<2 {
            for (server, port) in ports.enumerated() {
                var exchange = NATExchange(
                    socket: .mapping, server: server, destination: servers[server], change: .none,
                    sentAt: .milliseconds(round * 50))
                exchange.answer = .init(
                    after: .milliseconds(20), source: servers[server], mappedAddress: mapped(port),
                    isLegacy: isLegacy && server == 1)
                evidence.exchanges.append(exchange)
            }
        }
        evidence.endedAt = .seconds(1)
        return evidence
    }

    /// Two relays at one address that each see one socket twice, at another port each.
    private static var seenDifferently: RelayedNATEvidence {
        var evidence = RelayedNATEvidence(source: Recording.host)
        evidence.localEndpoints[.mapping] = local
        for relay in 0..<2 {
            var one = RelayedNATEvidence.Relay(server: Recording.server)
            one.relayedAddress = Endpoint(Recording.server.address, 51000 + UInt16(relay))
            evidence.relays.append(one)
            for round in 0..<2 {
                var exchange = RelayedNATExchange(
                    socket: .mapping, way: .contacted(relay: relay), sentAt: .milliseconds(round * 50))
                exchange.outcome = .init(after: .milliseconds(20), endpoint: mapped(40000 + UInt16(relay)))
                evidence.exchanges.append(exchange)
            }
        }
        evidence.endedAt = .seconds(1)
        return evidence
    }

    /// A socket that was there after 14 s, and another that had another port after 15 s.
    private static var short: NATLifetimeEvidence {
        typealias Exchange = NATLifetimeEvidence.Exchange
        func answered(_ kind: NATLifetimeEvidence.Kind, at milliseconds: Int, _ port: UInt16) -> Exchange {
            Exchange(
                kind: kind, sentAt: .milliseconds(milliseconds),
                answer: .init(after: .milliseconds(20), mappedAddress: mapped(port)))
        }
        var evidence = NATLifetimeEvidence(source: Recording.host, idleTimes: [.seconds(14), .seconds(15)])
        var server = NATLifetimeEvidence.Server(endpoint: Recording.server, addedAt: .zero)
        server.freshLocal = local
        server.exchanges = [answered(.refresh, at: 0, 6000), answered(.introduction, at: 0, 6001)]
        evidence.servers = [server]
        evidence.choice = .init(server: 0, method: .sameSocket, at: .milliseconds(40))
        for (place, due) in [15_020, 16_020].enumerated() {
            var sample = NATLifetimeEvidence.Sample()
            let port = 7000 + UInt16(place)
            sample.opening = [answered(.own, at: 1000, port)]
            let seen = place == 0 ? port : port + 1000
            sample.test = [answered(.own, at: due, seen), answered(.own, at: due + 20, seen)]
            evidence.samples.append(sample)
        }
        evidence.endedAt = .seconds(100)
        return evidence
    }

    static let ofNATs = [
        nat("nat-mapping-dependent") { $0.note(.natSeen(seen([41000, 42000, 43000]))) },
        nat("nat-server-unusable") { $0.note(.natSeen(seen([41000, 41000], isLegacy: true))) },
        nat("nat-methods-disagree") { recording in
            recording.note(.natSeen(seen([41000, 41000, 41000])))
            recording.note(.natSeenThroughRelays(seenDifferently, []))
        },
        nat("nat-lifetime-short") { recording in
            recording.note(.natSeen(seen([41000, 41000])))
            recording.note(.natLifetimeSeen(short))
        },
    ]
}
