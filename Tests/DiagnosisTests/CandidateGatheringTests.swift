import Engines
import Facts
import NetTypes
import Planning
import Testing

@testable import Diagnosis

/// From bases and answers to candidates (RFC 8445 s5.1).
@Suite struct CandidateGatheringTests {
    private static let second = Endpoint(IPAddress(9, 9, 9, 10), 3478)
    private static let mappedElsewhere = Endpoint(IPAddress(8, 8, 4, 4), 62001)

    /// A run on the sample machine, with every base bound that a browser would offer.
    private func recording(interfaces: [NetworkInterface] = [Recording.ethernet]) throws -> Recording {
        var recording = try Recording(["stun:9.9.9.9", "stun:9.9.9.10"], command: .candidates, interfaces: interfaces)
        for (index, base) in recording.plan.bases.enumerated() where base.withheld == nil {
            recording.note(.baseOpened(base: index, local: Endpoint(base.address.address, 50000)))
        }
        return recording
    }

    private func candidates(_ recording: Recording) -> [CandidateRecord] {
        Diagnosis(recording.plan, recording.observations).candidates
    }

    private func ipv4Base(_ recording: Recording) throws -> Int {
        try #require(recording.plan.bases.firstIndex { $0.address.address == Recording.host })
    }

    @Test func everyBaseGivesAUDPCandidateAndAnActiveTCPOneOnPort9() throws {
        let hosts = candidates(try recording())
        #expect(hosts.filter { $0.transport == .udp }.map(\.endpoint.port) == [50000, 50000])
        let active = hosts.filter { $0.transport == .tcp }
        #expect(active.map(\.endpoint.port) == [9, 9])
        #expect(
            active.allSatisfy {
                $0.candidate.tcpType == .active && $0.candidate.description.hasSuffix("tcptype active")
            })
    }

    @Test func prioritiesFallStrictlyEvenWhereOneBaseIsSeenAtTwoAddresses() throws {
        var recording = try recording()
        let base = try ipv4Base(recording)
        recording.answered(base: base)
        recording.answered(1, by: Self.second, seenAs: Self.mappedElsewhere, base: base)
        let priorities = candidates(recording).filter { $0.withheld == nil }.map(\.candidate.priority)
        #expect(priorities.count == 6)
        #expect(zip(priorities, priorities.dropFirst()).allSatisfy { $0 > $1 })
    }

    @Test func aReflexiveCandidateThatIsItsHostCandidateIsRedundant() throws {
        var recording = try recording()
        recording.answered(seenAs: Endpoint(Recording.host, 50000), base: try ipv4Base(recording))
        #expect(candidates(recording).allSatisfy { $0.candidate.kind == .host })
    }

    @Test func aReflexiveCandidateThatTwoServersTellIsOne() throws {
        var recording = try recording()
        let base = try ipv4Base(recording)
        recording.answered(base: base)
        recording.answered(1, by: Self.second, base: base)
        let reflexive = candidates(recording).filter { $0.candidate.kind == .serverReflexive }
        #expect(reflexive.map(\.server) == ["stun:9.9.9.9"])
        #expect(reflexive.first?.base == Endpoint(Recording.host, 50000))
        #expect(reflexive.first?.candidate.description.contains("raddr 192.168.1.5 rport 50000") == true)
    }

    @Test func anAnswerOverTCPGivesNoCandidate() throws {
        var recording = try recording()
        recording.answered(over: .tcp, base: try ipv4Base(recording))
        #expect(candidates(recording).allSatisfy { $0.candidate.kind == .host })
    }

    @Test func foundationsDifferByTypeBaseServerAndTransport() throws {
        var recording = try recording()
        let base = try ipv4Base(recording)
        recording.answered(base: base)
        recording.answered(1, by: Self.second, seenAs: Self.mappedElsewhere, base: base)
        let all = candidates(recording)
        #expect(Set(all.map(\.candidate.foundation)).count == all.count)
    }

    @Test func foundationsAreEqualForOneTypeBaseServerAddressAndTransport() throws {
        var recording = try recording()
        let base = try ipv4Base(recording)
        // Another port of the same server: RFC 8445 s5.1.1.3 looks at its IP address.
        recording.answered(base: base)
        recording.answered(1, by: Endpoint(Recording.server.address, 19302), seenAs: Self.mappedElsewhere, base: base)
        let reflexive = candidates(recording).filter { $0.candidate.kind == .serverReflexive }
        #expect(reflexive.count == 2)
        #expect(Set(reflexive.map(\.candidate.foundation)).count == 1)
    }

    @Test func whatABrowserWouldNotOfferComesLastWithTheReasonAndKeepsItsFlags() throws {
        var address = NetworkInterface.Address(Recording.host6, prefixLength: 64)
        address.isDeprecated = true
        var temporary = NetworkInterface.Address(IPAddress(v6: 0x2600 << 112 | 77), prefixLength: 64)
        temporary.isTemporary = true
        var interface = Recording.ethernet
        interface.addresses = [
            address, temporary, .init(IPAddress(v6: 0xFE80 << 112 | 5, zone: 2), prefixLength: 64),
        ]
        let all = candidates(try recording(interfaces: [interface]))
        let offered = all.filter { $0.withheld == nil }
        #expect(offered.map(\.isTemporary) == [true, true])
        #expect(all.firstIndex { $0.withheld != nil } == offered.count)
        let deprecated = try #require(all.first { $0.endpoint.address == Recording.host6 })
        #expect(deprecated.isDeprecated)
        #expect(deprecated.withheld == "deprecated: its preferred lifetime is over")
        #expect(all.contains { $0.withheld == "link-local: reaches this link only" })
        #expect(all.allSatisfy { !$0.candidate.description.contains("%") })
    }

    @Test(
        arguments: [
            (.addressInUse, "no socket could be bound to it, since the local port is in use"),
            (.familyNotSupported, "no socket could be bound to it, since this machine has no IPv6"),
        ] as [(PathError.Kind, String)])
    func aBaseThatCannotBeBoundIsWithheldWithTheCause(kind: PathError.Kind, reason: String) throws {
        var recording = try Recording(command: .candidates)
        let base = try #require(recording.plan.bases.firstIndex { $0.address.address == Recording.host6 })
        recording.note(.baseFailed(base: base, .path(PathTrouble(kind: kind, origin: .local))))
        let failed = candidates(recording).first { $0.endpoint.address == Recording.host6 }
        #expect(failed?.withheld == reason)
    }

    @Test func aBaseThatWasNotBoundInTimeIsWithheld() throws {
        let unbound = candidates(try Recording(command: .candidates))
        #expect(unbound.count == 2)
        #expect(unbound.allSatisfy { $0.withheld == "no socket could be bound to it before the run ended" })
    }

    @Test func theSTUNCommandGathersNone() throws {
        #expect(candidates(try Recording()).isEmpty)
    }
}
