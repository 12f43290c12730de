import Diagnosis
import Engines
import NetTypes
import SimNet
import Testing

/// `--hairpin`: what a NAT does with what is sent from inside to its own outside.
@Suite struct HairpinTests {
    private func finding(
        _ middle: NATLab.Middle, hairpin: Bool = true, link: Link = Link(delay: .milliseconds(5)), seed: UInt64 = 1,
        family: IPAddress.Family = .ipv4, _ lie: LyingServer.Lie? = nil
    ) throws -> NATFinding<NATHairpinning> {
        var lab = NATLab(middle: middle, family: family, link: link, seed: seed)
        lab.asksHairpin = hairpin
        lab.lie = lie
        return try #require(try lab.run().diagnosis.nat.first).verdict.hairpinning
    }

    private static func nat(_ mapping: NATDependence, _ filtering: NATDependence, hairpins: Bool) -> NATLab.Middle {
        .nat(NATBehaviour(mapping: mapping.simulated, filtering: filtering.simulated, hairpins: hairpins))
    }

    @Test(arguments: NATVerdictTests.dependences, NATVerdictTests.dependences)
    func isFoundWhereTheFilterLetsItIn(_ mapping: NATDependence, _ filtering: NATDependence) throws {
        for family in [IPAddress.Family.ipv4, .ipv6] {
            let found = try finding(Self.nat(mapping, filtering, hairpins: true), family: family)
            let isFiltered = mapping != .endpointIndependent && filtering != .endpointIndependent
            #expect(found.value == (isFiltered ? nil : .externalSource), "\(found)")
        }
    }

    @Test(arguments: NATVerdictTests.dependences, NATVerdictTests.dependences)
    func itsAbsenceIsBelievedWhereNothingElseExplainsIt(_ mapping: NATDependence, _ filtering: NATDependence) throws {
        let found = try finding(Self.nat(mapping, filtering, hairpins: false))
        let isFiltered = mapping != .endpointIndependent && filtering != .endpointIndependent
        guard !isFiltered else {
            #expect(found.reason?.contains("its mapping and its filtering explain") == true)
            return
        }
        #expect(found.value == NATHairpinning.none && found.risk > 0 && found.risk <= 0.0005)
    }

    @Test(arguments: [0.0, 0.05, 0.2])
    func lossMakesNoDifference(_ loss: Double) throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            for hairpins in [true, false] {
                let found = try finding(
                    Self.nat(.endpointIndependent, .addressAndPortDependent, hairpins: hairpins),
                    link: Link(delay: .milliseconds(20), jitter: .milliseconds(5), loss: loss), seed: seed)
                let expected = hairpins ? NATHairpinning.externalSource : NATHairpinning.none
                #expect(found.value == expected || (loss > 0.1 && found.value == nil), "seed \(seed): \(found)")
            }
        }
    }

    @Test func withoutNATThereIsNothingToTurnBack() throws {
        #expect(try finding(.nothing).reason == "there is no NAT")
        #expect(try finding(.firewall(.addressAndPortDependent)).reason == "there is no NAT")
    }

    @Test func isNotAskedUnlessItIsWanted() throws {
        var lab = NATLab(middle: Self.nat(.endpointIndependent, .endpointIndependent, hairpins: true))
        lab.asksHairpin = false
        let evidence = try #require(try lab.run().diagnosis.nat.first).evidence
        #expect(
            evidence.exchanges.allSatisfy {
                evidence.servers[0].address == $0.destination.address || $0.socket == .mapping
            })
        #expect(
            try finding(Self.nat(.endpointIndependent, .endpointIndependent, hairpins: true), hairpin: false)
                .reason == "not asked; --hairpin asks")
    }

    @Test func serverThatCannotBeBelievedTellsNothingOfIt() throws {
        let found = try finding(
            Self.nat(.endpointIndependent, .endpointIndependent, hairpins: true), .mappedAddress(IPAddress(10, 0, 0, 1))
        )
        #expect(found.value == nil)
    }
}
