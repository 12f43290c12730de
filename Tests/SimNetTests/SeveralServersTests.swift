import Diagnosis
import Engines
import NetTypes
import SimNet
import Testing

/// The mapping from servers that do not speak RFC 5780: from two addresses, and from two ports of one.
@Suite struct SeveralServersTests {
    private func finding(
        _ mapping: NATDependence, _ uris: [String], loss: Double = 0, seed: UInt64 = 1, _ lie: LyingServer.Lie
    ) throws -> NATFinding<NATDependence> {
        var lab = NATLab(
            middle: .nat(NATBehaviour(mapping: mapping.simulated, allocation: .random)),
            link: Link(delay: .milliseconds(5), loss: loss), seed: seed)
        lab.lie = lie
        lab.uris = uris
        let verdict = try #require(try lab.run().diagnosis.nat.first).verdict
        #expect(verdict.mapping.value == nil || verdict.method == .severalServers)
        return verdict.mapping
    }

    private static let addresses = ["stun:11.0.0.1:3478", "stun:12.0.0.1:3478"]
    /// Its OTHER-ADDRESS is of no use: it is another address with the same port, or the server's own.
    private static let noDiscovery = LyingServer.Lie.otherAddress(Endpoint(IPAddress(11, 0, 0, 1), 3478))
    private static let ports = ["stun:11.0.0.1:3478", "stun:11.0.0.1:3479"]

    @Test(arguments: [0, 0.05, 0.2], NATVerdictTests.dependences)
    func twoAddressesAndTwoPortsTellTheMapping(loss: Double, mapping: NATDependence) throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            let found = try finding(
                mapping, Self.addresses + Self.ports.dropFirst(), loss: loss, seed: seed, Self.noDiscovery)
            #expect(found.value == mapping || (loss > 0.1 && found.value == nil), "seed \(seed): \(found)")
        }
    }

    @Test func twoAddressesTellWhetherItDependsAndSayWhatMoreWouldTell() throws {
        #expect(
            try finding(.endpointIndependent, Self.addresses, Self.noDiscovery).value == .endpointIndependent)
        for mapping in [NATDependence.addressDependent, .addressAndPortDependent] {
            let reason = try finding(mapping, Self.addresses, Self.noDiscovery).reason
            #expect(reason?.contains("depends on the destination's address; a second port") == true, "\(reason ?? "")")
        }
    }

    @Test func oneServerAloneTellsNoMappingAndSaysWhatWould() throws {
        let reason = try finding(.endpointIndependent, [Self.addresses[0]], Self.noDiscovery).reason
        #expect(reason?.hasSuffix("; a second server would tell, or one that speaks RFC 5780") == true)
    }

    @Test func twoPortsOfOneAddressTellWhatDependsOnThePort() throws {
        #expect(
            try finding(.addressAndPortDependent, Self.ports, Self.noDiscovery).value == .addressAndPortDependent)
        let reason = try finding(.addressDependent, Self.ports, Self.noDiscovery).reason
        #expect(reason?.contains("one address is not enough") == true)
    }

    @Test func serverThatShowsOneSocketAtTwoAddressesMakesNoMappingDependent() throws {
        let found = try finding(.endpointIndependent, Self.addresses, .changesItsMind)
        #expect(found.value == nil)
    }
}
