import Diagnosis
import Engines
import NetTypes
import SimNet
import Testing

/// `icecheck nat` from plan to verdict on every kind of NAT, over the real server engine.
@Suite struct NATBehaviorTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        var middle: NATLab.Middle
        var mapping: NATDependence
        var filtering: NATDependence
        var testDescription: String { "\(mapping.rawValue) mapping, \(filtering.rawValue) filtering" }
    }

    static let dependences: [NATDependence] = [.endpointIndependent, .addressDependent, .addressAndPortDependent]

    static let kinds: [Kind] =
        [
            Kind(middle: .nothing, mapping: .none, filtering: .none),
            Kind(
                middle: .firewall(.addressAndPortDependent), mapping: .none, filtering: .addressAndPortDependent),
        ]
        + dependences.flatMap { mapping in
            dependences.map { filtering in
                Kind(
                    middle: .nat(NATModel(mapping: mapping, filtering: filtering)), mapping: mapping,
                    filtering: filtering)
            }
        }

    @Test(arguments: kinds, [IPAddress.Family.ipv4, .ipv6]) func isRightOnAPathWithoutLoss(
        kind: Kind, family: IPAddress.Family
    ) throws {
        for milliseconds in [0.05, 10.0, 50, 150] {
            let delay = Duration.nanoseconds(Int64(milliseconds * 1e6 / 2))
            let outcome = try NATLab(middle: kind.middle, family: family, link: Link(delay: delay)).run()
            let record = try #require(outcome.diagnosis.nat.first)
            #expect(record.verdict.mapping.value == kind.mapping, "\(record.verdict.mapping) at \(milliseconds) ms")
            #expect(
                record.verdict.filtering.value == kind.filtering, "\(record.verdict.filtering) at \(milliseconds) ms")
            #expect(outcome.diagnosis.verdict.isOK)
            let roundTrips = record.evidence.endedAt / (delay * 4)
            #expect(roundTrips < 8 || record.evidence.endedAt < .milliseconds(40), "\(roundTrips) round trips")
        }
    }
}
