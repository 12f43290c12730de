import Engines
import NetTypes
import STUN
import SimNet
import Testing

/// What an agent does beside finding a pair: roles, restarts, consent, kinds, TCP, and peers that are late or lite.
@Suite struct ICEBehaviourTests {
    private static let symmetric = ICEDuel.Middle.nat(.addressAndPortDependent, .addressAndPortDependent)

    private func changesOfRole(_ duel: ICEDuel, _ number: Int) -> Int {
        duel.events(number).reduce(0) { if case .roleChanged = $1.fact { $0 + 1 } else { $0 } }
    }

    @Test(arguments: [ICERole.controlling, .controlled])
    func twoOfOneRoleSettleWhoDecides(_ role: ICERole) throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            var duel = try ICEDuel([.init(), .init()], seed: seed)
            for number in 0...1 { duel.command(number) { agent, _ in agent.setRole(role) } }
            duel.run()
            #expect(duel.isConnected && duel.agree, "seed \(seed)\n\(duel.dump())")
            #expect(Set((0...1).map { duel.agent($0).role }) == [.controlling, .controlled])
            // RFC 8445 s7.3.1.1: the larger tie-breaker controls, and one change is enough.
            let larger = duel.agent(0).tieBreaker >= duel.agent(1).tieBreaker ? 0 : 1
            #expect(duel.agent(larger).role == .controlling, "seed \(seed)")
            #expect(changesOfRole(duel, 0) + changesOfRole(duel, 1) == 1, "seed \(seed)")
        }
    }

    @Test func candidatesThatComeLateAreCheckedAlthoughAllOthersHaveFailed() throws {
        var duel = try ICEDuel([.init(middle: Self.symmetric, hasTURN: true), .init(middle: Self.symmetric)], seed: 3)
        duel.signals = false
        duel.advance(.seconds(2))
        // All but the relayed candidate, which alone works.
        let credentials = (0...1).map { duel.agent($0).localCredentials }
        let candidates = (0...1).map { duel.agent($0).localCandidates }
        for number in 0...1 {
            duel.command(number) { agent, now in
                agent.setRemote(credentials[1 - number], at: now)
                for candidate in candidates[1 - number] where candidate.kind != .relayed {
                    agent.addRemote(candidate, at: now)
                }
                agent.endRemoteCandidates(at: now)
            }
        }
        #expect(duel.agent(0).state == .checking)
        duel.advance(.seconds(60))
        // The first side's relay still tries, and the second does not know of it.
        #expect(duel.agent(1).state == .failed || duel.agent(1).state == .connected)
        for candidate in candidates[0] where candidate.kind == .relayed {
            duel.command(1) { agent, now in agent.addRemote(candidate, at: now) }
        }
        duel.advance(.seconds(60))
        #expect(duel.agent(1).state == .connected, "\(duel.dump())")
    }

    @Test func aRestartMakesNewCredentialsAndASelectionWhileDataGoesOn() throws {
        var duel = try ICEDuel([.init(), .init()], seed: 5)
        duel.run()
        let before = duel.agent(0).localCredentials
        duel.command(0) { agent, now in agent.restart(at: now) }
        #expect(duel.agent(0).localCredentials != before)
        // The peer does not know of it yet: the old pair carries.
        let isCarryingMeanwhile = duel.exchange()
        #expect(isCarryingMeanwhile)
        let restarted = duel.net.now
        for _ in 0..<200 {
            duel.signal()
            duel.advance(.milliseconds(5))
        }
        for number in 0...1 {
            let selections = duel.events(number).filter {
                if case .selected = $0.fact { $0.at >= restarted } else { false }
            }
            #expect(selections.count == 1, "\(duel.dump())")
        }
        #expect(duel.agree)
        let isCarrying = duel.exchange()
        #expect(isCarrying)
    }

    @Test func consentOfAPeerThatIsGoneRunsOutAfterHalfAMinute() throws {
        var duel = try ICEDuel([.init(), .init()], seed: 6)
        duel.run()
        duel.advance(.seconds(60))
        #expect(duel.agent(0).state == .connected)
        let gone = duel.net.now
        duel.net.stop(duel.ids[1])
        duel.net.advance(to: gone + .seconds(60))
        let agent = duel.agent(0)
        #expect(agent.state == .disconnected)
        let lost = duel.events(0).first { if case .consentLost(_, .expired) = $0.fact { true } else { false } }
        let after = lost.map { $0.at - gone } ?? .zero
        #expect(after > .seconds(23) && after <= .seconds(30), "\(after)")
        var isSent = true
        duel.command(0) { agent, now in isSent = agent.send([0x80], at: now) }
        #expect(!isSent)
    }

    @Test func consentIsAskedEveryFiveSecondsOrSo() throws {
        var duel = try ICEDuel([.init(), .init()], seed: 7)
        duel.run()
        duel.advance(.seconds(100))
        let times = duel.events(0).compactMap { event -> Instant? in
            if case .consentRefreshed = event.fact { event.at } else { nil }
        }
        #expect((17...25).contains(times.count), "\(times.count)")
        for (first, second) in zip(times, times.dropFirst()) {
            #expect((.seconds(4) ... .seconds(6)).contains(second - first))
        }
    }

    @Test(arguments: [Candidate.Kind.host, .serverReflexive, .relayed])
    func oneKindAloneIsTestedWhereThatIsAsked(_ kind: Candidate.Kind) throws {
        let full = ICEDuel.Middle.nat(.endpointIndependent, .endpointIndependent)
        for middle in [ICEDuel.Middle.nothing, full] {
            var duel = try ICEDuel(
                [.init(middle: middle, hasTURN: true, change: { $0.kinds = [kind] }), .init(hasTURN: true)], seed: 10)
            duel.run()
            duel.settle()
            // Without a NAT there is no server-reflexive candidate, behind one no host candidate is reached.
            let works = kind == .relayed || (kind == .host) == (middle == .nothing)
            #expect(duel.isConnected == works, "\(kind) \(middle)\n\(duel.dump())")
            if works {
                let selected = duel.agent(0).selectedPair?.kinds.local
                #expect(selected == kind || kind == .serverReflexive && selected == .peerReflexive)
            }
            #expect(duel.agent(0).localCandidates.allSatisfy { $0.kind == kind })
        }
    }

    @Test func tcpConnectsWhereUDPIsBlocked() throws {
        let firewall = Router.Behaviour.firewall(FirewallBehaviour(outboundUDP: .drop))
        let blocked = ICEDuel.Middle.router(firewall)
        for (first, second) in [(blocked, ICEDuel.Middle.nothing), (.nothing, blocked)] {
            var duel = try ICEDuel(
                [first, second].map { .init(middle: $0, change: { $0.usesTCP = true }) }, seed: 11)
            duel.run()
            #expect(duel.isConnected && duel.agree, "\(duel.dump())")
            #expect(duel.agent(0).selectedPair?.local.transport == .tcp)
            let isCarrying = duel.exchange()
            #expect(isCarrying)
        }
    }

    @Test func sixIsPreferredAndFourIsThereWhereSixIsNot() throws {
        for (usesSix, expected) in [(true, IPAddress.Family.ipv6), (false, .ipv4)] {
            var duel = try ICEDuel(
                [
                    .init(
                        usesIPv6: true,
                        change: {
                            $0.bases.reverse(); rank(&$0)
                        }),
                    .init(
                        usesIPv6: usesSix,
                        change: {
                            $0.bases.reverse(); rank(&$0)
                        }),
                ], seed: 12)
            duel.run()
            #expect(duel.isConnected && duel.agree)
            #expect(duel.selected(0).first?.family == expected, "\(duel.dump())")
        }
        func rank(_ configuration: inout ICEConfiguration) {
            for index in configuration.bases.indices {
                configuration.bases[index].localPreference = UInt16(65535 - index)
            }
        }
    }

    @Test func everyPairIsCheckedToItsEndWhereThatIsAsked() throws {
        let middle = ICEDuel.Middle.nat(.endpointIndependent, .addressAndPortDependent)
        var duel = try ICEDuel(
            (0...1).map { _ in
                .init(middle: middle, hasTURN: true, change: { $0.checksAllPairs = true })
            }, seed: 13)
        duel.run()
        duel.advance(.seconds(30))
        for number in 0...1 {
            for pair in duel.agent(number).pairs {
                #expect(pair.state == .succeeded || pair.state == .failed && pair.failure != .superseded)
            }
        }
        let working = duel.agent(0).pairs.filter(\.isValid)
        #expect(working.contains { $0.isRelayed } && working.contains { !$0.isRelayed }, "\(duel.dump())")
    }

    @Test func theFirstCheckOfARelayGetsThrough() throws {
        var duel = try ICEDuel([.init(middle: Self.symmetric, hasTURN: true), .init(middle: Self.symmetric)], seed: 15)
        duel.signals = false
        duel.advance(.seconds(2))
        let start = duel.net.now
        duel.signals = true
        duel.run()
        let first = duel.agent(1).pairs.filter { $0.remote.kind == .relayed }.compactMap(\.succeededAt).min()
        // A retransmission would come after 500 ms.
        #expect(duel.isRelayed && first.map { $0 - start < .milliseconds(200) } == true, "\(duel.dump())")
    }

    @Test func closingDeletesEveryAllocation() throws {
        var duel = try ICEDuel([.init(hasTURN: true), .init(hasTURN: true)], seed: 14)
        duel.run()
        for number in 0...1 { duel.command(number) { agent, now in agent.close(at: now) } }
        duel.advance(.milliseconds(1500))
        #expect((0...1).allSatisfy { duel.agent($0).isFinished })
        #expect(duel.allocationsLeft == 0)
    }
}
