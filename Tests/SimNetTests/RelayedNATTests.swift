import Diagnosis
import Engines
import Facts
import Foundation
import NetTypes
import Planning
import Server
import SimNet
import Testing

/// `icecheck nat` with the credential of TURN servers that do not speak RFC 5780, on every kind of NAT.
@Suite struct RelayedNATTests {
    /// What can be known of a behaviour where only the ports of one address can be compared.
    private static func byPortsAlone(_ behaviour: NATDependence) -> Set<NATDependence> {
        switch behaviour {
        case .addressAndPortDependent: [behaviour]
        case .none: [.none, .addressDependent]
        case .endpointIndependent, .addressDependent: [.endpointIndependent, .addressDependent]
        }
    }

    @Test(arguments: NATVerdictTests.kinds, NATLab.RelayServers.allCases)
    func knowsWhatTheRelaysShow(kind: NATVerdictTests.Kind, relays: NATLab.RelayServers) throws {
        for family in [IPAddress.Family.ipv4, .ipv6] {
            for milliseconds in [0.05, 10, 150] {
                var lab = NATLab(middle: kind.middle, family: family)
                lab.link = Link(delay: .nanoseconds(Int64(milliseconds * 1e6 / 2)))
                lab.relays = relays
                let outcome = try lab.run()
                let record = try #require(outcome.diagnosis.nat.first)
                let relayed = try #require(record.relayed).verdict
                let comparesAddresses = relays == .twoServers || relays == .elsewhere
                let mapping =
                    comparesAddresses || kind.mapping == .none ? [kind.mapping] : Self.byPortsAlone(kind.mapping)
                let filtering = comparesAddresses ? [kind.filtering] : Self.byPortsAlone(kind.filtering)
                #expect(relayed.mapping.possible == mapping, "\(relayed.mapping) at \(milliseconds) ms")
                #expect(relayed.filtering.possible == filtering, "\(relayed.filtering) at \(milliseconds) ms")
                if comparesAddresses || relays == .besideDiscovery {
                    #expect(record.verdict.mapping.value == kind.mapping)
                    #expect(record.verdict.filtering.value == kind.filtering)
                }
                for server in outcome.relayServers {
                    let counts = try #require(outcome.net.engine(server, as: STUNServer.self)?.allocations)
                    #expect(counts.made > 0 && counts.left == 0, "\(counts)")
                }
            }
        }
    }
}

extension RelayedNATTests {
    private static let twoServers: [NATLab.RelayServers] = [.twoServers, .elsewhere]

    @Test(arguments: NATVerdictTests.kinds, twoServers)
    func aCheckAsksTheRelaysWhereNoServerTells(kind: NATVerdictTests.Kind, relays: NATLab.RelayServers) throws {
        var lab = NATLab(command: .check, middle: kind.middle)
        lab.relays = relays
        let outcome = try lab.run()
        let record = try #require(outcome.diagnosis.nat.first { $0.transport == .udp })
        #expect(record.verdict.mapping.value == kind.mapping, "\(record.verdict.mapping)")
        #expect(record.verdict.filtering.value == kind.filtering, "\(record.verdict.filtering)")
        #expect(record.relayed != nil)
        // The relays of a discovery are no attempts of their own.
        #expect(outcome.diagnosis.turn.count == (relays == .twoServers ? 2 : 1))
        #expect(outcome.diagnosis.turn.filter { !$0.isOK }.isEmpty)
        for server in outcome.relayServers {
            #expect(outcome.net.engine(server, as: STUNServer.self)?.allocations?.left == 0)
        }
    }

    @Test func aCheckAsksNoRelayWhereAServerTells() throws {
        var lab = NATLab(command: .check, middle: .nat(NATBehaviour(mapping: .addressDependent)))
        lab.relays = .besideDiscovery
        let record = try #require(try lab.run().diagnosis.nat.first { $0.transport == .udp })
        #expect(record.verdict.mapping.value == .addressDependent && record.relayed == nil)
    }

    /// As where the ways to the servers part: the servers' answers of one NAT, what relays show of another.
    @Test func serversAndRelaysThatContradictEachOtherAreAFinding() throws {
        func run(_ mapping: Dependence) throws -> NATLab.Outcome {
            var lab = NATLab(middle: .nat(NATBehaviour(mapping: mapping)))
            lab.relays = .besideDiscovery
            return try lab.run()
        }
        let one = try run(.endpointIndependent)
        let other = try run(.addressAndPortDependent)
        for outcome in [one, other] {
            #expect(!outcome.diagnosis.findings.contains { $0.id == "nat-methods-disagree" })
        }
        let servers = one.observations.filter { if case .natSeen = $0.fact { true } else { false } }
        let relays = other.observations.filter { if case .natSeenThroughRelays = $0.fact { true } else { false } }
        let diagnosis = Diagnosis(try #require(one.plan), servers + relays)
        let finding = try #require(diagnosis.findings.first { $0.id == "nat-methods-disagree" })
        #expect(
            finding.evidence.count == 1
                && finding.evidence[0].contains("mapping: endpoint-independent according to"))
        #expect(diagnosis.nat.first?.verdict.mapping.value == .endpointIndependent)
    }
}

/// How often the verdict through relays is right on paths that lose and delay packets.
@Suite struct RelayedNATAccuracyTests {
    private func tally(loss: Double, _ relays: NATLab.RelayServers) throws -> NATAccuracyTests.Tally {
        var tally = NATAccuracyTests.Tally()
        for (place, kind) in NATVerdictTests.kinds.enumerated() {
            for seed in 1...max(2, NATAccuracyTests.seeds / 3) {
                let family = seed % 2 == 0 ? IPAddress.Family.ipv6 : .ipv4
                var random = SeededGenerator(seed: seed &* 1013 &+ UInt64(place))
                let trip = Double.random(in: 1...300, using: &random)
                let delay = Duration.nanoseconds(Int64(trip * 1e6 / 4))
                var lab = NATLab(
                    middle: kind.middle, family: family, link: Link(delay: delay, jitter: delay / 5, loss: loss),
                    seed: random.next())
                lab.relays = relays
                let outcome = try lab.run()
                let description = "\(kind.testDescription), round trip \(trip) ms, seed \(seed)"
                tally.runs += 1
                guard let relayed = outcome.diagnosis.nat.first?.relayed else {
                    tally.unknown.append("\(description): no record")
                    continue
                }
                tally.slowest = max(tally.slowest, relayed.evidence.endedAt)
                let (mapping, filtering) = (relayed.verdict.mapping, relayed.verdict.filtering)
                if !mapping.possible.contains(kind.mapping) || !filtering.possible.contains(kind.filtering) {
                    tally.wrong.append("\(description): \(mapping), \(filtering)")
                } else if mapping.possible.count + filtering.possible.count > 4 {
                    tally.unknown.append("\(description): \(mapping), \(filtering)")
                }
                let verdict = outcome.diagnosis.nat.first?.verdict
                if let value = verdict?.mapping.value, value != kind.mapping {
                    tally.wrong.append("\(description): \(value)")
                }
                if let value = verdict?.filtering.value, value != kind.filtering {
                    tally.wrong.append("\(description): \(value)")
                }
                let findings = outcome.diagnosis.findings.map(\.id)
                if findings.contains("nat-methods-disagree") { tally.wrong.append("\(description): methods disagree") }
            }
        }
        return tally
    }

    @Test(arguments: [0, 0.05, 0.2], NATLab.RelayServers.allCases)
    func isNeverWrong(loss: Double, relays: NATLab.RelayServers) throws {
        let tally = try tally(loss: loss, relays)
        print("loss \(Int(loss * 100)) % each way, \(relays.rawValue): \(tally)")
        for miss in (tally.wrong + tally.unknown).prefix(20) { print("  \(miss)") }
        #expect(tally.wrong.count <= (loss < 0.2 ? 0 : tally.runs / 1000))
        #expect(tally.unknown.count <= (loss < 0.2 ? 0 : tally.runs / 20 + 1))
    }
}
