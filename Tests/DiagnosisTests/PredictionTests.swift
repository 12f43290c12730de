import Diagnosis
import Engines
import NetTypes
import Testing

/// The truth of ICE between two NATs, by RFC 4787's terms: what the model must find by itself.
@Suite("A prediction") struct PredictionTests {
    private static let kinds: [(mapping: NATDependence, filtering: NATDependence)] =
        NATDependence.allCases.dropFirst().flatMap { mapping in
            NATDependence.allCases.dropFirst().map { (mapping, $0) }
        }

    private static func machine(
        _ ipv4: NetworkKind = .absent, _ ipv6: NetworkKind = .absent, _ relays: RelayKind = .none
    ) -> MachineModel { MachineModel(MachineKind(ipv4: ipv4, ipv6: ipv6, relays: relays)) }

    /// Direct where one side can know the other's port, or the other does not look at it: a side whose mapping depends on
    /// the destination comes from a port that its peer's filter has never been sent to.
    private static func isDirect(
        _ one: (mapping: NATDependence, filtering: NATDependence),
        _ other: (mapping: NATDependence, filtering: NATDependence)
    ) -> Bool {
        switch (one.mapping.isDependent, other.mapping.isDependent) {
        case (false, false): true
        case (true, false): other.filtering != .addressAndPortDependent
        case (false, true): one.filtering != .addressAndPortDependent
        // Each is reached at the port that its server saw, by whoever its filter lets in there: it has sent to no one
        // else from that port.
        case (true, true): one.filtering == .endpointIndependent || other.filtering == .endpointIndependent
        }
    }

    @Test("Of the nine kinds of NAT with each other is what their mapping and filtering say")
    func natWithNAT() {
        var predictor = Predictor()
        for one in Self.kinds {
            for other in Self.kinds {
                let (a, b) = (
                    NetworkKind.nat(one.mapping, one.filtering), NetworkKind.nat(other.mapping, other.filtering)
                )
                let plain = predictor.predict(Self.machine(a), Self.machine(b))
                let expected: PathOutcome = Self.isDirect(one, other) ? .direct : .none
                #expect(plain.outcome == expected, "\(one) with \(other)")
                #expect((plain.why == nil) == (expected == .direct))
                let relayed = predictor.predict(Self.machine(a, .absent, .overUDP), Self.machine(b))
                #expect(relayed.outcome == (expected == .direct ? .direct : .relayed), "\(one) with \(other)")
                #expect((relayed.local?.kind == .relayed || relayed.remote?.kind == .relayed) == (expected == .none))
            }
        }
    }
}
