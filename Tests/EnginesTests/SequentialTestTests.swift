import Testing

@testable import Engines

@Suite struct SequentialTestTests {
    /// What becomes of the test on a path that nothing filters and that loses each exchange with chance `loss`,
    /// computed exactly: every number of failed controls after every round, with its chance.
    ///
    /// - Parameter others: requests of other sockets to the same endpoint, before the rounds.
    private func outcome(loss: Double, rounds: Int, others: Int = 0) -> (wrong: Double, decided: Double) {
        var open: [Int: Double] = [0: 1]
        for _ in 0..<others {
            var next: [Int: Double] = [:]
            for (failed, chance) in open {
                next[failed, default: 0] += chance * (1 - loss)
                next[failed + 1, default: 0] += chance * loss
            }
            open = next
        }
        var wrong = 0.0
        var decided = 0.0
        for round in 1...rounds {
            var next: [Int: Double] = [:]
            for (failed, chance) in open {
                next[failed, default: 0] += chance * (1 - loss)
                next[failed + 1, default: 0] += chance * loss
            }
            var silent = 1.0
            for _ in 0..<round { silent *= loss }
            open = [:]
            for (failed, chance) in next {
                let test = SequentialTest(
                    answeredControls: round + others - failed, failedControls: failed, silentProbes: round)
                if test.isDecided {
                    wrong += chance * silent
                    decided += chance
                } else {
                    open[failed] = chance
                }
            }
        }
        return (wrong, decided)
    }

    @Test(arguments: [0, 0.05, 0.0975, 0.2, 0.36, 0.5, 0.6, 0.75])
    func isWronglyNegativeInFewerThanOneOfAThousandRunsWhateverThePathLoses(loss: Double) {
        let outcome = outcome(loss: loss, rounds: 60)
        #expect(outcome.wrong < 0.001, "\(outcome)")
    }

    @Test(arguments: [0, 0.05, 0.0975, 0.2, 0.36, 0.5, 0.6, 0.75], [3, 5, 8, 12, 20])
    func staysSoWhereOtherSocketsShowTheLossToo(loss: Double, others: Int) {
        let outcome = outcome(loss: loss, rounds: 60, others: others)
        #expect(outcome.wrong < (loss < 0.1 ? 1e-6 : 0.001), "\(outcome)")
    }

    @Test func twoNegativesTogetherStayBelowOneInAThousandAtTwentyPercentLossEachWay() {
        let outcome = outcome(loss: 1 - 0.8 * 0.8, rounds: 60)
        #expect(2 * outcome.wrong < 0.0005)
        #expect(outcome.decided > 0.9999)
    }

    @Test(arguments: [(6, 6, false), (7, 7, true), (7, 6, true), (6, 20, false), (7, 20, true), (2, 40, false)])
    func withoutLossSevenProbesAndSevenControlsDecideAndNoFewer(silent: Int, controls: Int, isDecided: Bool) {
        let test = SequentialTest(answeredControls: controls, failedControls: 0, silentProbes: silent)
        #expect(test.isDecided == isDecided, "\(test.risk)")
    }

    @Test func silenceOfTheControlsTooDecidesNothing() {
        #expect(!SequentialTest(answeredControls: 0, failedControls: 0, silentProbes: 60).isDecided)
        #expect(!SequentialTest(answeredControls: 0, failedControls: 60, silentProbes: 60).isDecided)
        #expect(!SequentialTest(answeredControls: 3, failedControls: 57, silentProbes: 60).isDecided)
    }
}
