import Diagnosis
import Engines
import NetTypes
import Server
import SimNet
import Testing

/// The mapping over TCP, from plan to verdict.
@Suite struct NATStreamTests {
    private func records(_ outcome: NATLab.Outcome) -> (udp: NATRecord?, tcp: NATRecord?) {
        let nat = outcome.diagnosis.nat
        return (nat.first { $0.transport == .udp }, nat.first { $0.transport == .tcp })
    }

    @Test(arguments: NATVerdictTests.kinds, [IPAddress.Family.ipv4, .ipv6])
    func mappingIsRightWithinFiveRoundTrips(_ kind: NATVerdictTests.Kind, _ family: IPAddress.Family) throws {
        for milliseconds in [0.05, 10.0, 50, 150, 300] {
            let delay = Duration.nanoseconds(Int64(milliseconds * 1e6 / 4))
            let outcome = try NATLab(middle: kind.middle, family: family, link: Link(delay: delay)).run()
            let (udp, tcp) = records(outcome)
            let record = try #require(tcp)
            #expect(record.verdict.mapping.value == kind.mapping, "\(record.verdict.mapping) at \(milliseconds) ms")
            // Two for the first endpoint, two for those that it names, one to confirm that it depends.
            #expect(record.evidence.endedAt <= delay * 4 * 5 + .milliseconds(1), "\(record.evidence.endedAt)")
            #expect(record.verdict.filtering.value == nil && record.verdict.portAllocation.value == nil)
            #expect(record.verdict.legacyName == nil)
            let server = Endpoint(NATLab.servers[family]?[0] ?? .unspecified(family), 3478)
            #expect(record.verdict.method == .discovery(server))
            #expect(outcome.diagnosis.nat.first == udp && udp?.verdict.mapping.value == kind.mapping)
        }
    }

    @Test(arguments: [0, 0.05, 0.2]) func isNeverWrong(loss: Double) throws {
        var runs = 0
        var unknown: [String] = []
        for (place, kind) in NATVerdictTests.kinds.enumerated() {
            for family in [IPAddress.Family.ipv4, .ipv6] {
                for seed in 1...NATAccuracyTests.seeds {
                    let (lab, words) = kind.drawn(family, loss: loss, seed: seed, salt: 733, place)
                    let mapping = try #require(records(try lab.run()).tcp).verdict.mapping
                    runs += 1
                    #expect(mapping.value == nil || mapping.value == kind.mapping, "\(words): \(mapping)")
                    if mapping.value == nil { unknown.append("\(words): \(mapping)") }
                }
            }
        }
        print("TCP, loss \(Int(loss * 100)) % each way: \(runs) runs, \(unknown.count) unknown")
        // The model repeats what is lost only as slowly as TCP does without acknowledgments of later segments.
        #expect(unknown.count <= (loss == 0 ? 0 : runs * (loss < 0.2 ? 2 : 33) / 100), "\(unknown.prefix(10))")
    }

    @Test(arguments: NATVerdictTests.kinds) func serverThatRefusesIsSaidToAtOnce(_ kind: NATVerdictTests.Kind) throws {
        let outcome = try NATLab(middle: kind.middle, lie: .answersChangesLate(.zero)).run()
        let (udp, tcp) = records(outcome)
        let record = try #require(tcp)
        #expect(record.verdict.mapping == .unknown("11.0.0.1:3478 refuses TCP"))
        #expect(record.evidence.connections.count == 1 && record.evidence.exchanges.isEmpty)
        #expect(record.evidence.endedAt <= .milliseconds(21))
        #expect(udp?.verdict.mapping.value == kind.mapping && outcome.diagnosis.verdict.isOK)
    }

    @Test func droppedTCPIsUnknownAfterFourAttemptsInTheMeasureOfThePath() throws {
        let (udp, tcp) = records(try NATLab(middle: .firewallOnTCP(.drop)).run())
        let record = try #require(tcp)
        #expect(udp?.verdict.mapping.value == NATDependence.none)
        guard case .unknown(let why) = record.verdict.mapping else {
            Issue.record("\(record.verdict.mapping)")
            return
        }
        #expect(why.hasPrefix("no TCP connection to 11.0.0.1:3478 within "))
        // A round trip takes 20 ms: four times 50 ms, unless UDP takes longer.
        #expect(record.evidence.endedAt <= max(.milliseconds(200), udp?.evidence.endedAt ?? .zero) + .milliseconds(5))
        // Each from another port, as there is nothing to compare with yet.
        #expect(record.evidence.connections.count >= 4)
    }

    @Test func rejectedTCPIsUnknownAtOnce() throws {
        let lab = NATLab(middle: .firewallOnTCP(.reject(.administrativelyProhibited)))
        let record = try #require(records(try lab.run()).tcp)
        #expect(
            record.verdict.mapping
                == .unknown("no TCP connection to 11.0.0.1:3478: it is rejected on the way"))
        #expect(record.evidence.connections.count == 1)
    }

    @Test func withoutUDPTheSummaryTellsWhatTCPTells() throws {
        let outcome = try NATLab(middle: .firewallOnUDP(.drop)).run()
        let (udp, tcp) = records(outcome)
        #expect(udp?.verdict.mapping.value == nil && tcp?.verdict.mapping.value == NATDependence.none)
        let verdict = outcome.diagnosis.verdict
        #expect(!verdict.isOK)
        #expect(verdict.summary.contains("the NAT's mapping is unknown"))
        #expect(verdict.summary.contains("over TCP there is no NAT, seen from outside as 14.0.0.9"))
    }

    @Test func serverThatIsNamedForTCPIsAskedOverTCPAlone() throws {
        let nat = NATLab.Middle.nat(NATBehaviour(mapping: .addressDependent, filtering: .endpointIndependent))
        let outcome = try NATLab(middle: nat, uris: ["turn:11.0.0.1?transport=tcp"]).run()
        #expect(outcome.diagnosis.nat.map(\.transport) == [.tcp])
        #expect(outcome.diagnosis.verdict.isOK)
        #expect(outcome.diagnosis.verdict.summary.contains("over TCP, a NAT with address-dependent mapping"))
        let overUDP = try NATLab(middle: nat, uris: ["turn:11.0.0.1?transport=udp"]).run()
        #expect(overUDP.diagnosis.nat.map(\.transport) == [.udp])
    }

    @Test(arguments: NATVerdictTests.kinds) func severalServersAreCompared(_ kind: NATVerdictTests.Kind) throws {
        let addresses = [IPAddress(11, 0, 0, 7), IPAddress(12, 0, 0, 7)]
        let outcome = try NATLab(middle: kind.middle, uris: addresses.map { "stun:\($0)" }).run { net in
            for address in addresses {
                let host = net.addHost(addresses: [address], link: Link(delay: .milliseconds(5)))
                _ = net.start(
                    STUNServer(configuration: STUNServerConfiguration(addresses: [.init(primary: address)])), on: host)
            }
        }
        let record = try #require(records(outcome).tcp)
        #expect(record.verdict.mapping.value == (kind.mapping.isDependent ? nil : kind.mapping))
        #expect(record.verdict.method == (kind.mapping.isDependent ? nil : .severalServers))
        // Both at once: their answers are there after two round trips.
        #expect(record.evidence.endedAt <= .milliseconds(41))
        #expect(Set(record.evidence.connections.map(\.destination.address)) == Set(addresses))
    }

    @Test(
        arguments: LyingServerTests.cases.filter { one in
            switch one.lie {
            case .otherAddress, .responseOrigin, .mappedAddressOnly, .legacy, .mappedAddress: true
            default: false
            }
        })
    func lieLeadsToNoWrongMapping(_ one: LyingServerTests.Case) throws {
        for kind in NATVerdictTests.kinds {
            var lab = NATLab(middle: kind.middle, lie: one.lie)
            lab.liesOverTCP = true
            let record = try #require(records(try lab.run()).tcp)
            let mapping = record.verdict.mapping.value
            #expect(mapping == nil || mapping == kind.mapping && one.isBelieved, "\(record.verdict.mapping)")
            #expect((record.mappedAddress != nil) == one.isBelieved)
            let words = "\(record.verdict.capabilities) \(record.verdict.mapping)"
            #expect(words.contains(one.said), "\(kind.testDescription): \(words)")
            // An address that only the server named may be a third party's.
            let elsewhere = record.evidence.connections.count { $0.destination.address != LyingServerTests.own.address }
            #expect(elsewhere <= 7)
        }
    }

    @Test(arguments: NATVerdictTests.kinds) func serverThatStopsAnsweringTakesTheVerdictWithIt(
        _ kind: NATVerdictTests.Kind
    ) throws {
        for limit in 0...30 {
            var lab = NATLab(middle: kind.middle, lie: .stopsAfter(limit))
            lab.liesOverTCP = true
            let mapping = try #require(records(try lab.run()).tcp).verdict.mapping.value
            #expect(mapping == nil || mapping == kind.mapping, "after \(limit)")
        }
    }

    @Test(arguments: Dependence.allCases) func modelMapsConnectionsFromOnePortAsItMapsDatagrams(_ mapping: Dependence) {
        var net = SimNet(seed: 5)
        let router = net.addRouter(
            .nat(NATBehaviour(mapping: mapping, filtering: .endpointIndependent)),
            externalAddresses: [IPAddress(14, 0, 0, 1)])
        let client = net.addHost(addresses: [IPAddress(192, 168, 0, 9)], behind: router)
        let remotes = [(11, 80), (11, 81), (12, 80)].map { Endpoint(IPAddress($0, 0, 0, 1), $1) }
        var servers: [EngineID] = []
        for address in [IPAddress(11, 0, 0, 1), IPAddress(12, 0, 0, 1)] {
            let host = net.addHost(addresses: [address])
            let script = remotes.enumerated().filter { $1.address == address }
            servers.append(
                net.start(Probe(script.map { (.zero, .listen(UInt32($0.offset), at: $0.element)) }), on: host))
        }
        let local = Endpoint(IPAddress(192, 168, 0, 9), 50_000)
        let connections = remotes.enumerated().map { place, remote -> (at: Instant, output: Output) in
            (
                .zero,
                .open(
                    PathID(UInt32(place)),
                    PathSpecification(.connection(to: remote), family: .ipv4, local: local, sharesPort: true))
            )
        }
        var probe = Probe(connections, until: .ms(100))
        _ = net.run(&probe, on: client)
        #expect(probe.errors.isEmpty && probe.locals.values.allSatisfy { $0 == local } && probe.locals.count == 3)
        var seen: [Endpoint: Endpoint] = [:]
        for server in servers {
            let engine: Probe? = net.engine(server)
            for event in engine?.streams ?? [] {
                if case .accepted(_, let at, let from) = event.kind { seen[at] = from }
            }
        }
        let expected = [Dependence.endpointIndependent: 1, .addressDependent: 2, .addressAndPortDependent: 3]
        #expect(seen.count == 3 && Set(seen.values).count == expected[mapping])
        #expect(mapping != .addressDependent || seen[remotes[0]] == seen[remotes[1]])
    }
}
