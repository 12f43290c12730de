import NetTypes
import Testing

@testable import Engines

/// The tables of RFC 8445: how pairs are ranked, frozen, queued, pruned and nominated.
@Suite struct CheckListTests {
    /// A list of pairs, of which each has the place of its candidates as its ends. The priority of the remote candidate
    /// ranks it.
    private final class Script {
        var list: CheckList
        var remotes = 0

        init(_ role: ICERole = .controlling) { list = CheckList(role: role) }

        func add(
            _ foundation: String = "1", priority: UInt32, kind: Candidate.Kind = .host
        ) -> ICEPair.ID {
            remotes += 1
            return list.add(
                CheckList.Ends(sender: 0, remote: remotes), CheckListTests.local,
                CheckListTests.remote(foundation, priority: priority, kind: kind))
        }

        func check(_ pair: ICEPair.ID, at now: Instant = .zero) {
            list.began(CheckList.Turn(pair: pair))
            list.sent(pair, at: now)
        }

        func succeed(_ pair: ICEPair.ID, after trip: Duration = .milliseconds(20), at now: Instant = .zero) {
            list.succeeded(pair, as: CheckListTests.local, after: (trip, false), at: now)
        }

        func changeRole(to role: ICERole) -> Bool { list.changeRole(to: role) }

        func fail(_ pair: ICEPair.ID, _ why: ICECheckFailure) -> Bool { list.fail(pair, why) }

        func nominate(_ pair: ICEPair.ID) -> Bool { list.nominated(pair) }

        var states: [ICEPair.State] { list.pairs.map(\.state) }
        /// The pairs in the order in which they would be checked.
        var order: [ICEPair.ID] {
            var rest = list
            var order: [ICEPair.ID] = []
            while let turn = rest.next(where: { _ in true }) {
                order.append(turn.pair)
                rest.began(turn)
            }
            return order
        }
    }

    private static let local = Candidate(
        .host, foundation: "1", priority: 2_130_706_431, endpoint: Endpoint(IPAddress(192, 0, 2, 1), 5000))

    private static func remote(_ foundation: String, priority: UInt32, kind: Candidate.Kind) -> Candidate {
        Candidate(
            kind, foundation: foundation, priority: priority, endpoint: Endpoint(IPAddress(198, 51, 100, 1), 6000))
    }

    // MARK: Ranking

    /// `2^32 * MIN(G,D) + 2 * MAX(G,D) + (G > D ? 1 : 0)` (RFC 8445 s6.1.2.3).
    @Test(arguments: [
        (ICERole.controlling, UInt32(100), UInt64(433_758_142_463)),
        (.controlled, 100, 433_758_142_462),
        (.controlling, 2_130_706_431, 9_151_314_442_783_293_438),
    ])
    func aPairIsRankedByBothCandidatesAndTheRole(_ role: ICERole, _ priority: UInt32, _ expected: UInt64) {
        let script = Script(role)
        let pair = script.add(priority: priority)
        #expect(script.list[pair].priority == expected)
    }

    @Test func aChangeOfRoleRanksThePairsAnewTwiceAtMost() {
        let script = Script(.controlling)
        let pair = script.add(priority: 100)
        let before = script.list[pair].priority
        for (role, isChanged) in [(ICERole.controlled, true), (.controlling, true), (.controlled, false)] {
            #expect(script.changeRole(to: role) == isChanged)
            #expect(script.list[pair].priority == (script.list.role == .controlling ? before : before - 1))
        }
        #expect(script.list.role == .controlling)
    }

    @Test func aChangeOfRoleTakesTheChoiceBack() {
        let script = Script(.controlling)
        let pair = script.add(priority: 100)
        script.succeed(pair)
        #expect(script.list.choose(isComplete: true, at: .zero) == .nominate(pair))
        #expect(script.list.nominating == pair)
        #expect(script.changeRole(to: .controlled))
        #expect(script.list.nominating == nil)
    }

    // MARK: States

    /// Of each foundation one pair waits, and the others are frozen until it has succeeded (s6.1.2.6, s7.2.5.3.3).
    @Test func pairsOfOneFoundationFreezeUntilOneOfThemWorks() {
        let script = Script()
        let first = script.add("1", priority: 10)
        _ = script.add("1", priority: 30)
        _ = script.add("2", priority: 20)
        #expect(script.states == [.waiting, .frozen, .waiting])
        script.check(first)
        #expect(script.states == [.inProgress, .frozen, .waiting])
        script.succeed(first)
        #expect(script.states == [.succeeded, .waiting, .waiting])
        _ = script.add("1", priority: 5)
        #expect(script.states.last == .waiting, "one that comes later knows it too")
    }

    @Test func aPairWhoseFoundationHasOnlyFailedBegins() {
        let script = Script()
        let first = script.add("1", priority: 10)
        #expect(script.fail(first, .noAnswer(transmissions: 5)))
        #expect(!script.fail(first, .superseded), "the first failure stands")
        _ = script.add("1", priority: 20)
        #expect(script.states == [.failed, .waiting])
        #expect(script.list[first].failure == .noAnswer(transmissions: 5))
    }

    @Test func whatIsLearnedOfACandidateCountsForTheFreezing() {
        let script = Script()
        let first = script.add("1", priority: 10)
        let second = script.add("2", priority: 20)
        _ = script.add("2", priority: 5)
        script.list.change(
            remote: script.list.ends[first.number].remote, to: Self.remote("2", priority: 1000, kind: .host))
        script.check(second)
        script.succeed(first)
        #expect(script.states == [.succeeded, .inProgress, .waiting])
        #expect(script.list[first].priority < script.list[second].priority, "its pair keeps its priority")
    }

    // MARK: Turns

    /// s6.1.4.2: triggered checks in their order, then waiting pairs by priority, then frozen ones whose foundation no
    /// check is under way for.
    @Test func triggeredChecksGoFirstThenWaitingPairsThenFrozenOnes() {
        let script = Script()
        let low = script.add("1", priority: 10)
        let frozen = script.add("1", priority: 40)
        let high = script.add("2", priority: 30)
        let middle = script.add("3", priority: 20)
        #expect(script.order == [high, middle, low], "a frozen pair waits while one of its foundation is checked")
        script.list.trigger(low)
        script.list.trigger(middle)
        script.list.trigger(low)
        #expect(script.list.upcoming == [low, middle, high])
        #expect(script.order == [low, middle, high])
        for pair in [low, high, middle] { _ = script.list.fail(pair, .superseded) }
        #expect(script.order == [frozen])
    }

    @Test func aDestinationThatMustWaitHoldsUpNoTriggeredCheckOfAnother() {
        let script = Script()
        let first = script.add("1", priority: 20)
        let second = script.add("2", priority: 10)
        for pair in [first, second] { script.list.trigger(pair) }
        #expect(script.list.next { $0 != first } == CheckList.Turn(pair: second))
        script.list.began(CheckList.Turn(pair: first))
        script.list.began(CheckList.Turn(pair: second))
        let third = script.add("3", priority: 5)
        #expect(script.list.next { $0 != third } == nil)
        #expect(script.list.next { $0 == third } == CheckList.Turn(pair: third, isTriggered: false))
    }

    @Test func ofEqualPrioritiesTheFirstPairIsNext() {
        let script = Script()
        let pairs = ["1", "2", "3"].map { script.add($0, priority: 10) }
        #expect(script.order == pairs)
    }

    @Test func aCheckOfThePeersTakesUpAFailedPair() {
        let script = Script()
        let pair = script.add(priority: 10)
        _ = script.list.fail(pair, .noAnswer(transmissions: 5))
        #expect(script.list.isExhausted)
        script.list.trigger(pair)
        #expect(!script.list.isExhausted)
        #expect(script.list[pair].state == .waiting)
        #expect(script.list[pair].failure == nil)
        #expect(script.list.busyCount == 1)
    }

    // MARK: Pruning

    /// s6.1.2.5: of more than 100 pairs the lowest goes, but none that was tried.
    @Test func aFullListGivesUpItsLowestUntriedPair() {
        let script = Script()
        for number in 0..<ICEConfiguration.mostPairs { _ = script.add("\(number)", priority: UInt32(1000 + number)) }
        script.check(ICEPair.ID(0))
        let table: [(priority: UInt32, hasRoom: Bool, superseded: ICEPair.ID?)] = [
            // The lowest that is untried has 1001.
            (1000, false, nil), (2000, true, ICEPair.ID(1)),
            // What has failed takes no place.
            (1, true, nil),
        ]
        for (priority, hasRoom, superseded) in table {
            let room = script.list.makeRoom(Self.local, Self.remote("x", priority: priority, kind: .host))
            #expect(room.hasRoom == hasRoom && room.superseded == superseded)
        }
        #expect(script.list[ICEPair.ID(1)].failure == .superseded)
    }

    @Test func aPairStandsOnceUnlessItsConnectionIsAnother() {
        var list = CheckList(role: .controlling)
        let ends = CheckList.Ends(sender: 0, remote: 1)
        let pair = list.add(ends, Self.local, Self.remote("1", priority: 10, kind: .host))
        #expect(list.pair(of: ends) == pair)
        #expect(list.pair(of: CheckList.Ends(sender: 0, remote: 1, connection: PathID(7))) == nil)
        #expect(list.pair(of: CheckList.Ends(sender: 1, remote: 1)) == nil)
    }

    // MARK: What checks measure

    @Test func aRoundTripIsTheLastThatIsCertain() {
        let script = Script()
        let pair = script.add(priority: 10)
        for (trip, isAmbiguous, expected) in [(30, true, 30), (20, false, 20), (90, true, 20), (25, false, 25)] {
            script.list.succeeded(
                pair, as: Self.local, after: (.milliseconds(trip), isAmbiguous), at: .zero + .milliseconds(trip))
            #expect(script.list[pair].roundTrip == .milliseconds(expected))
        }
        #expect(script.list[pair].succeededAt == .zero + .milliseconds(30))
        #expect(script.list.firstValidAt == .zero + .milliseconds(30))
    }

    // MARK: Nomination

    /// How long a better pair holds up the nomination of one that works, in milliseconds; nil where it does not.
    @Test(arguments: [
        // Not sent yet, or frozen: two seconds.
        (Candidate.Kind.host, 0, false, 2000), (.host, 0, true, 2000),
        // Sent at 5 ms: twice the round trip of 20 ms that works, and 10 ms.
        (.host, 1, false, 55),
        // One that works over a relay waits for two transmissions of a direct one.
        (.relayed, 1, false, 2000), (.relayed, 2, false, 55),
    ])
    func aBetterPairHasItsChance(_ kind: Candidate.Kind, _ transmissions: Int, _ isFrozen: Bool, _ end: Int) {
        let script = Script()
        let works = script.add("1", priority: 10, kind: kind)
        if isFrozen { _ = script.add("2", priority: 5) }
        let better = script.add("2", priority: 20)
        for _ in 0..<transmissions { script.check(better, at: .zero + .milliseconds(5)) }
        script.succeed(works)
        let until = Instant.zero + .milliseconds(end)
        #expect(script.list.choose(isComplete: true, at: .zero) == .wait(until: until))
        #expect(script.list.choose(isComplete: true, at: until) == .nominate(works))
        #expect(script.list.upcoming.first == works)
        #expect(script.list.next { _ in true } == CheckList.Turn(pair: works, nominates: true))
        #expect(script.list.choose(isComplete: true, at: until) == .none, "it is chosen once")
    }

    @Test func aRelayedPairWaitsForCandidatesThatMayCome() {
        let table: [(Candidate.Kind, isComplete: Bool, waits: Bool)] = [
            (.relayed, false, true), (.relayed, true, false), (.host, false, false),
        ]
        for (kind, isComplete, waits) in table {
            let script = Script()
            let pair = script.add(priority: 10, kind: kind)
            #expect(script.list.choose(isComplete: isComplete, at: .zero) == .none)
            script.succeed(pair)
            let choice = script.list.choose(isComplete: isComplete, at: .zero)
            #expect(choice == (waits ? .wait(until: .zero + .seconds(2)) : .nominate(pair)))
        }
    }

    @Test func aNominatedPairThatFailsFreesTheChoice() {
        let script = Script()
        let best = script.add("1", priority: 20)
        let other = script.add("2", priority: 10)
        for pair in [best, other] { script.succeed(pair) }
        #expect(script.list.choose(isComplete: true, at: .zero) == .nominate(best))
        _ = script.list.fail(best, .noAnswer(transmissions: 5))
        #expect(script.list.choose(isComplete: true, at: .zero) == .nominate(other))
        #expect(script.nominate(other))
        #expect(!script.nominate(other))
        #expect(script.list.bestNominated?.id == other)
        #expect(script.list.nominating == nil)
    }

    @Test func ofSeveralNominatedPairsTheHighestValidOneCounts() {
        let script = Script(.controlled)
        let high = script.add("1", priority: 20)
        let low = script.add("2", priority: 10)
        script.list.peerNominated(high)
        #expect(script.list.isNominatedByPeer(high) && !script.list.isNominatedByPeer(low))
        for pair in [low, high] {
            script.succeed(pair)
            #expect(script.nominate(pair))
            #expect(script.list.bestNominated?.id == pair)
        }
        _ = script.list.fail(high, .path(.networkUnreachable, from: nil))
        #expect(script.list.bestNominated?.id == low)
    }

    /// s8.1.2: with a selected pair no other is checked, but where the peer decides it may still take one under way.
    @Test(arguments: [ICERole.controlling, .controlled])
    func whatIsNotThroughIsGivenUp(_ role: ICERole) {
        let script = Script(role)
        let chosen = script.add("1", priority: 30)
        let through = script.add("2", priority: 10)
        let waiting = script.add("3", priority: 20)
        let worse = script.add("4", priority: 5)
        let better = script.add("5", priority: 40)
        for pair in [chosen, through] { script.succeed(pair) }
        for pair in [worse, better] { script.check(pair) }
        for pair in [waiting, through] { script.list.trigger(pair) }
        let others = script.list.giveUpOthers(than: chosen)
        #expect(others.failed == (role == .controlling ? [waiting, worse, better] : [waiting]))
        #expect(others.calledOff == (role == .controlling ? [] : [worse]))
        #expect(script.list[through].state == .succeeded)
        #expect(script.list.next { _ in true } == nil)
    }
}
