import NetTypes
import Testing

@testable import Engines

@Suite struct SilenceTestTests {
    /// Runs rounds on a path with this round trip; gives when the silence was decided, if it was.
    private func decided(
        after roundTrip: Duration, rounds: Int = SilenceTest.mostRounds, controlAnswer: (Int) -> Duration?
    ) -> Duration? {
        var test = SilenceTest(roundTrip: roundTrip, from: .zero)
        var probes: [Instant] = []
        var answers: [(at: Instant, place: Int)] = []
        var now = Instant.zero
        while true {
            for answer in answers where answer.at <= now { test.controlAnswered(answer.place, at: answer.at) }
            answers.removeAll { $0.at <= now }
            if test.look(at: probes, at: now).isDecided { return now - .zero }
            if let round = test.nextRound, round <= now {
                let place = test.controlSent(at: now)
                probes.append(now)
                if let after = controlAnswer(place) { answers.append((now + after, place)) }
            }
            guard let next = [test.nextWake, answers.map(\.at).min()].compactMap({ $0 }).filter({ $0 > now }).min()
            else { return nil }
            now = next
        }
    }

    @Test(arguments: [(1, 22), (5, 22), (20, 64), (100, 320), (300, 960)])
    func withoutLossSevenRoundsAndOneWaitDecide(roundTrip: Int, milliseconds: Int) {
        #expect(
            decided(after: .milliseconds(roundTrip)) { _ in .milliseconds(roundTrip) } == .milliseconds(milliseconds))
    }

    @Test func lostControlsTakeMoreRounds() throws {
        let clean = try #require(decided(after: .milliseconds(10)) { _ in .milliseconds(10) })
        let lossy = try #require(
            decided(after: .milliseconds(10)) { $0 % 3 == 0 ? .milliseconds(210) : .milliseconds(10) })
        #expect(lossy > clean)
    }

    @Test func whereControlsComeTooLateOrNeverNothingIsDecided() {
        #expect(decided(after: .milliseconds(10)) { _ in nil } == nil)
        #expect(decided(after: .milliseconds(10)) { _ in .milliseconds(21) } == nil)
        #expect(decided(after: .milliseconds(10)) { $0 < 2 ? .milliseconds(10) : nil } == nil)
    }

    @Test func requestsFromBeforeTheTestProveNothing() {
        var test = SilenceTest(roundTrip: .milliseconds(1), from: .zero + .seconds(1))
        let early = (0..<50).map { Instant.zero + .milliseconds($0) }
        for _ in 0..<10 {
            let place = test.controlSent(at: .zero + .seconds(1))
            test.controlAnswered(place, at: .zero + .milliseconds(1001))
        }
        #expect(test.look(at: early, at: .zero + .seconds(2)).silentProbes == 0)
    }
}
