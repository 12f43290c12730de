import Diagnosis
import Engines
import Facts
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
                let lifetime = try #require(try lab.run().diagnosis.nat.first?.lifetime)
                let said = "\(lifetime.verdict.lifetime), truth \(seconds) s, round trip \(trip) ms"
                guard case .within(let alive, let expired, let risk) = lifetime.verdict.lifetime else {
                    Issue.record("\(said)")
                    continue
                }
                #expect(alive <= .seconds(seconds) && .seconds(seconds) <= expired, "\(said)")
                let roundTrips = Duration.milliseconds(trip) * 8 + .milliseconds(50)
                let step = max(.seconds(1), .seconds(seconds) / 20)
                #expect(expired - alive <= step + roundTrips, "\(said)")
                #expect(risk > 0 && risk <= 1 / 1000, "\(said)")
                #expect(lifetime.verdict.method == .responsePort)
                // As long as the mapping lives: the openings, one step and some round trips more.
                #expect(lifetime.evidence.endedAt <= .seconds(seconds + 3) + step + roundTrips, "\(said)")
            }
        }
    }

    /// Seeds of each loss: a few where every change is tested.
    static let seeds = ProcessInfo.processInfo.environment["ICECHECK_SEEDS"].flatMap(UInt64.init) ?? 10

    @Test(arguments: [0, 0.05, 0.2]) func lossNeverShortensALifetime(loss: Double) throws {
        var runs = 0
        var unknown: [String] = []
        for (place, kind) in Self.kinds.enumerated() {
            for seed in 1...Self.seeds {
                var random = SeededGenerator(seed: seed &* 1009 &+ UInt64(place))
                let trip = Double.random(in: 1...300, using: &random)
                let delay = Duration.nanoseconds(Int64(trip * 1e6 / 4))
                let seconds = Self.lifetimes[Int(random.next() % UInt64(Self.lifetimes.count))]
                let lab = Self.lab(kind.middle(.seconds(seconds))) {
                    $0.link = Link(delay: delay, jitter: delay / 5, loss: loss)
                    $0.seed = random.next()
                }
                let lifetime = try #require(try lab.run().diagnosis.nat.first?.lifetime)
                runs += 1
                let said =
                    "\(lifetime.verdict.lifetime), truth \(seconds) s, \(kind), round trip \(trip) ms, seed \(seed)"
                guard case .within(let alive, let expired, _) = lifetime.verdict.lifetime else {
                    unknown.append(said)
                    continue
                }
                #expect(alive <= .seconds(seconds) && .seconds(seconds) <= expired, "\(said)")
            }
        }
        for said in unknown { print(said) }
        #expect(unknown.count <= runs / 100)
    }

    @Test func aMappingThatOutlivesTheLadderIsSaidToLiveForAtLeastThat() throws {
        let verdict = try verdict(Self.lab(.nat(NATBehaviour(lifetime: .seconds(7200)))))
        guard case .atLeast(let alive, _) = verdict.lifetime else {
            Issue.record("\(verdict.lifetime)")
            return
        }
        #expect(alive >= .seconds(360) && alive < .seconds(361))
        #expect(verdict.keepalive == .seconds(180))
    }

    @Test func withoutANATOrAFirewallAllSamplesLive() throws {
        let verdict = try verdict(Self.lab(.nothing) { $0.timeout = .seconds(20) })
        guard case .atLeast(let alive, _) = verdict.lifetime else {
            Issue.record("\(verdict.lifetime)")
            return
        }
        #expect(alive >= .seconds(15) && alive < .seconds(16))
    }

    @Test func thePathThatTheRunEndsOnKeepsWhatWasSeen() throws {
        // What is lost on the way makes the last sample take longer than the run has.
        let lab = Self.lab(.nat(NATBehaviour(lifetime: .seconds(120)))) {
            $0.timeout = .seconds(20)
        }
        let outcome = try lab.run()
        let verdict = try #require(outcome.diagnosis.nat.first?.lifetime).verdict
        #expect(try #require(verdict.alive) >= .seconds(15))
        #expect(verdict.expired == nil)
        #expect(outcome.diagnosis.verdict.isOK)
    }

    @Test(arguments: [NATBehaviour.Allocation.random, .sequential(step: 1)])
    func aServerThatIgnoresResponsePortShowsItByANewPort(allocation: NATBehaviour.Allocation) throws {
        let lab = Self.lab(.nat(NATBehaviour(allocation: allocation, lifetime: .seconds(30)))) {
            $0.lie = .ignoresResponsePort
        }
        let verdict = try verdict(lab)
        guard case .within(let alive, let expired, let risk) = verdict.lifetime else {
            Issue.record("\(verdict.lifetime)")
            return
        }
        #expect(verdict.method == .sameSocket && risk == 0)
        #expect(alive <= .seconds(30) && .seconds(30) <= expired && expired - alive < .milliseconds(1100))
    }

    @Test(arguments: [LyingServer.Lie.ignoresResponsePort, .refusesResponsePort, .dropsResponsePort])
    func wherePortsArePreservedSuchAServerSaysNothing(lie: LyingServer.Lie) throws {
        let outcome = try Self.lab(.nat(NATBehaviour(lifetime: .seconds(30)))) { $0.lie = lie }.run()
        let lifetime = try #require(outcome.diagnosis.nat.first?.lifetime)
        guard case .unknown(let why) = lifetime.verdict.lifetime else {
            Issue.record("\(lifetime.verdict.lifetime)")
            return
        }
        #expect(why.contains("RESPONSE-PORT") && why.contains("would tell"), "\(why)")
        // It is known at once that nothing can be known.
        #expect(lifetime.evidence.endedAt < .seconds(2))
        #expect(!outcome.diagnosis.verdict.isOK)
    }

    @Test func aServerThatRewritesPortsIsNotTakenForNewMappings() throws {
        let verdict = try verdict(
            Self.lab(.nat(NATBehaviour(allocation: .random, lifetime: .seconds(300)))) {
                $0.lie = .rewritesPorts
                $0.timeout = .seconds(30)
            })
        #expect(verdict.expired == nil, "\(verdict.lifetime)")
    }

    @Test func aServerThatFallsSilentIsNotAMappingThatIsGone() throws {
        for limit in [10, 20, 40, 60] {
            let verdict = try verdict(
                Self.lab(.nat(NATBehaviour(lifetime: .seconds(120)))) {
                    $0.lie = .stopsAfter(limit)
                    $0.timeout = .seconds(40)
                })
            #expect(verdict.expired == nil, "\(verdict.lifetime)")
        }
    }

    @Test func socketsWithSeveralExternalAddressesAreNotComparedWithEachOther() throws {
        for seed in 1...10 as ClosedRange<UInt64> {
            let verdict = try verdict(
                Self.lab(.nat(NATBehaviour(pooling: .arbitrary, lifetime: .seconds(120)))) {
                    $0.seed = seed
                    $0.timeout = .seconds(20)
                })
            guard case .unknown(let why) = verdict.lifetime else {
                Issue.record("\(verdict.lifetime), seed \(seed)")
                continue
            }
            #expect(why.contains("different addresses"), "\(why), seed \(seed)")
        }
    }

    @Test func theFirstServerThatCanIsTaken() throws {
        let outcome = try Self.lab(.nat(NATBehaviour(lifetime: .seconds(15)))) {
            $0.uris = ["stun:13.0.0.1", "stun:11.0.0.1"]
        }.run()
        let verdict = try #require(outcome.diagnosis.nat.first?.lifetime).verdict
        #expect(verdict.server == Endpoint(IPAddress(11, 0, 0, 1), 3478))
        #expect(try #require(verdict.alive) >= .seconds(14))
    }

    @Test(
        arguments: [(8, "warning"), (15, "warning"), (29, "warning"), (60, "note"), (300, nil)] as [(Int64, String?)])
    func aLifetimeThatIsShorterThanTwoMinutesIsAFinding(seconds: Int64, severity: String?) throws {
        let outcome = try Self.lab(.nat(NATBehaviour(lifetime: .seconds(seconds)))).run()
        let finding = outcome.diagnosis.findings.first { $0.id == "nat-lifetime-short" }
        #expect(finding?.severity.rawValue == severity)
        guard let finding else { return }
        #expect(finding.remedy.contains("every \((seconds - 1) / 2) s"), "\(finding.remedy)")
        #expect(finding.remedy.contains("RFC 7675") == (severity == "warning"), "\(finding.remedy)")
        #expect(
            finding.remedy.contains("keep the mapping") == (seconds > 12 && seconds < 30), "\(finding.remedy)")
    }

    @Test func eachSampleIsAFactAsSoonAsItIsSettled() throws {
        let outcome = try Self.lab(.nat(NATBehaviour(lifetime: .seconds(15)))).run()
        var idle: [Duration] = []
        for observation in outcome.observations {
            guard case .natLifetimeSampled(_, let time, .alive(_)) = observation.fact else { continue }
            idle.append(time)
            #expect(observation.at >= time && observation.at < time + .seconds(1))
        }
        #expect(idle == (1...14).map { .seconds($0) })
    }
}
