import Diagnosis
import Engines
import Foundation
import NetTypes
import SimNet
import Testing

/// `icecheck nat` from plan to verdict on every kind of NAT, over the real server engine.
@Suite struct NATVerdictTests {
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
                    middle: .nat(NATBehaviour(mapping: mapping.simulated, filtering: filtering.simulated)),
                    mapping: mapping,
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
            let bound = try #require(record.bound)
            #expect(record.evidence.endedAt >= bound.total, "\(bound)")
            #expect(record.evidence.endedAt <= bound.total * 5 / 4, "\(bound), took \(record.evidence.endedAt)")
        }
    }
}

/// How often the verdict is right on paths that lose and delay packets.
@Suite struct NATAccuracyTests {
    struct Tally: CustomStringConvertible {
        var runs = 0
        var wrong: [String] = []
        var unknown: [String] = []
        var slowest = Duration.zero

        var description: String {
            "\(runs) runs, \(wrong.count) wrong, \(unknown.count) unknown, slowest \(slowest.milliseconds) ms"
        }
    }

    /// Seeds of each kind and family: a few where every change is tested, 1,000 by `Benchmarks/nat-accuracy`.
    static let seeds = ProcessInfo.processInfo.environment["ICECHECK_SEEDS"].flatMap(UInt64.init) ?? 10

    private func tally(loss: Double) throws -> Tally {
        var tally = Tally()
        for (place, kind) in NATVerdictTests.kinds.enumerated() {
            for family in [IPAddress.Family.ipv4, .ipv6] {
                for seed in 1...Self.seeds {
                    let (lab, place) = kind.drawn(family, loss: loss, seed: seed, salt: 1009, place)
                    let outcome = try lab.run()
                    tally.runs += 1
                    guard let record = outcome.diagnosis.nat.first else {
                        tally.unknown.append("\(place): no record")
                        continue
                    }
                    tally.slowest = max(tally.slowest, record.evidence.endedAt)
                    let verdict = record.verdict
                    if let mapping = verdict.mapping.value, let filtering = verdict.filtering.value {
                        if mapping != kind.mapping || filtering != kind.filtering {
                            tally.wrong.append("\(place): \(mapping), \(filtering)")
                        }
                    } else {
                        tally.unknown.append("\(place): \(verdict.mapping), \(verdict.filtering)")
                    }
                }
            }
        }
        return tally
    }

    @Test(arguments: [0, 0.05, 0.2]) func isNeverWrongAndSeldomUnknown(loss: Double) throws {
        let tally = try tally(loss: loss)
        print("loss \(Int(loss * 100)) % each way: \(tally)")
        for miss in (tally.wrong + tally.unknown).prefix(20) { print("  \(miss)") }
        #expect(tally.wrong.count <= (loss < 0.2 ? 0 : tally.runs / 1000))
        #expect(tally.unknown.count <= (loss < 0.2 ? 0 : tally.runs / 100))
    }
}

extension NATDependence {
    /// The simulation's word for it; there is none for no NAT.
    var simulated: Dependence { Dependence(rawValue: rawValue) ?? .endpointIndependent }
}

extension NATVerdictTests.Kind {
    /// A lab of this kind at a round trip of 1 to 300 ms, half of it on each of two links and a fifth of it jitter; with it
    /// what was drawn, in words.
    ///
    /// - Parameter place: of the kind among all.
    func drawn(
        _ family: IPAddress.Family, loss: Double, seed: UInt64, salt: UInt64, _ place: Int
    ) -> (lab: NATLab, words: String) {
        var random = SeededGenerator(seed: seed &* salt &+ UInt64(place * 2 + (family == .ipv4 ? 0 : 1)))
        let trip = Double.random(in: 1...300, using: &random)
        let delay = Duration.nanoseconds(Int64(trip * 1e6 / 4))
        let link = Link(delay: delay, jitter: delay / 5, loss: loss)
        let lab = NATLab(middle: middle, family: family, link: link, seed: random.next())
        return (lab, "\(testDescription), \(family.name), round trip \(trip) ms, seed \(seed)")
    }
}
