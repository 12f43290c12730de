import Facts
import NetTypes
import Testing

@testable import Diagnosis

@Suite struct RoundTripStatisticsTests {
    @Test(
        arguments: [
            ([7], 7), ([3, 1, 2], 2), ([4, 1, 3, 2], 2.5), ([10, 10, 10, 90], 10), ([1, 100], 50.5),
        ] as [([Int], Double)])
    func medianIsTheMiddleOrTheMeanOfTheTwoInIt(trips: [Int], median: Double) throws {
        let statistics = try #require(RoundTripStatistics(trips.map { .milliseconds($0) }, sent: trips.count))
        #expect(statistics.median.milliseconds == median)
        #expect(statistics.minimum == .milliseconds(trips.min() ?? 0))
        #expect(statistics.maximum == .milliseconds(trips.max() ?? 0))
    }

    @Test(arguments: [([5], 0), ([5, 5, 5], 0), ([1, 3, 2], 1.5), ([10, 20], 10)] as [([Int], Double)])
    func jitterIsTheMeanDifferenceOfNeighboursInTheOrderOfMeasurement(trips: [Int], jitter: Double) throws {
        let statistics = try #require(RoundTripStatistics(trips.map { .milliseconds($0) }, sent: trips.count))
        #expect(statistics.jitter.milliseconds == jitter)
    }

    @Test func lossIsWhatWasSentAndNotAnswered() throws {
        let statistics = try #require(RoundTripStatistics([.milliseconds(1), .milliseconds(2)], sent: 8))
        #expect(statistics.lossRatio == 0.75)
        #expect(RoundTripStatistics([], sent: 8) == nil)
    }

    @Test func seriesCountsLostRequestsAndNotThoseThatTheEndOfTheRunCutShort() throws {
        var recording = try Recording(count: 5)
        recording.answered(after: 10)
        recording.answered(sequence: 1, after: 12)
        recording.failed(.noAnswer, sequence: 2, requests: 1)
        recording.failed(.cutShort, sequence: 3, requests: 1, after: 40)
        let statistics = try #require(Diagnosis(recording.plan, recording.observations).stun.first?.statistics)
        #expect(statistics.sent == 3)
        #expect(statistics.received == 2)
        #expect(statistics.median == .milliseconds(11))
    }
}
