import Diagnosis
import Engines
import Foundation
import NetTypes
import SimNet
import Testing

/// `icecheck nat --lifetime` from plan to verdict, in virtual time.
@Suite struct NATLifetimeTests {
    static let lifetimes: [Int64] = [3, 15, 30, 120, 300]

    struct Kind: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var middle: @Sendable (_ lifetime: Duration) -> NATLab.Middle
    }

    static let kinds = [
        Kind(testDescription: "masquerade") { .nat(NATBehaviour(lifetime: $0, inboundRefreshes: true)) },
        Kind(testDescription: "full cone, outbound refreshes only") {
            .nat(NATBehaviour(filtering: .endpointIndependent, allocation: .random, lifetime: $0))
        },
        Kind(testDescription: "symmetric, sequential ports") {
            .nat(
                NATBehaviour(
                    mapping: .addressAndPortDependent, allocation: .sequential(step: 2), lifetime: $0,
                    inboundRefreshes: true))
        },
        Kind(testDescription: "firewall") { .firewall(.addressDependent, lifetime: $0) },
    ]

    private static func lab(_ middle: NATLab.Middle, _ change: (inout NATLab) -> Void = { _ in }) -> NATLab {
        var lab = NATLab(middle: middle)
        lab.measuresLifetime = true
        change(&lab)
        return lab
    }

    private func verdict(_ lab: NATLab) throws -> NATLifetimeVerdict {
        try #require(try lab.run().diagnosis.nat.first?.lifetime).verdict
    }

    @Test(arguments: kinds, [IPAddress.Family.ipv4, .ipv6]) func theLifetimeLiesWithinWhatIsSaid(
        kind: Kind, family: IPAddress.Family
    ) throws {
        for seconds in Self.lifetimes {
            for trip in [1, 40, 300] {
                let lab = Self.lab(kind.middle(.seconds(seconds))) {
                    $0.family = family
                    $0.link = Link(delay: .microseconds(trip * 250))
                }
                let outcome = try lab.run()
                let lifetime = try #require(outcome.diagnosis.nat.first?.lifetime)
                let said = "\(lifetime.verdict.lifetime), truth \(seconds) s, round trip \(trip) ms"
                guard case .within(let alive, let expired, let risk) = lifetime.verdict.lifetime else {
                    Issue.record("\(said)")
                    continue
                }
                #expect(alive <= .seconds(seconds) && .seconds(seconds) <= expired, "\(said)")
                let roundTrip = Duration.milliseconds(trip)
                #expect(
                    expired - alive <= max(.seconds(1), .seconds(seconds) / 20) + roundTrip * 8 + .milliseconds(50),
                    "\(said)")
                #expect(risk > 0 && risk <= 1 / 1000, "\(said)")
                #expect(lifetime.verdict.method == .responsePort)
                print(kind.testDescription, family, said, lifetime.evidence.endedAt)
            }
        }
    }
}
