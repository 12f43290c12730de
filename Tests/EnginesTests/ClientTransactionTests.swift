import NetTypes
import STUN
import Testing

@testable import Engines

@Suite struct ClientTransactionTests {
    private func transaction(_ schedule: RetransmissionSchedule = .standard) -> ClientTransaction {
        var random = SystemRandomNumberGenerator()
        let id = TransactionID(using: &random)
        return ClientTransaction(id: id, request: BindingRequest.bytes(id), schedule: schedule, from: .zero)
    }

    /// Drives it without an answer; returns when it sent and when it failed, in milliseconds.
    private func run(_ transaction: inout ClientTransaction) -> (sent: [Int64], failed: Int64?) {
        var sent: [Int64] = []
        var now = Instant.zero
        for _ in 0..<100 {
            if transaction.handleTimeout(at: now) { return (sent, now.nanoseconds / 1_000_000) }
            if transaction.isDue(at: now) {
                transaction.transmitted(at: now)
                sent.append(now.nanoseconds / 1_000_000)
            }
            guard let wake = transaction.nextWake else { return (sent, nil) }
            now = max(now, wake)
        }
        return (sent, nil)
    }

    @Test func persistentScheduleGoesOnOnceASecond() {
        let waits = (1...12).map { RetransmissionSchedule.persistent.wait(after: $0) }
        #expect(waits == [.milliseconds(500)] + Array(repeating: .seconds(1), count: 10) + [.milliseconds(1500)])
    }

    @Test func longestWaitDoesNotShortenTheFirst() {
        var schedule = RetransmissionSchedule.persistent
        schedule.initialTimeout = .seconds(3)
        #expect(schedule.wait(after: 1) == .seconds(3) && schedule.wait(after: 2) == .seconds(3))
    }

    @Test func unansweredRequestIsSentSevenTimesAndFailsAfterThirtyNineAndAHalfSeconds() {
        var transaction = transaction()
        let (sent, failed) = run(&transaction)
        #expect(sent == [0, 500, 1500, 3500, 7500, 15500, 31500])
        #expect(failed == 39500)
    }

    @Test func requestOfASeriesIsSentOnce() {
        var transaction = transaction(.once(waiting: .milliseconds(100)))
        let (sent, failed) = run(&transaction)
        #expect(sent == [0])
        #expect(failed == 100)
    }

    @Test func roundTripIsMeasuredFromTheTransmissionBeforeTheAnswer() throws {
        var transaction = transaction()
        transaction.transmitted(at: .zero)
        let isOver = transaction.handleTimeout(at: .zero + .milliseconds(500))
        #expect(!isOver)
        transaction.transmitted(at: .zero + .milliseconds(500))
        let late = try #require(transaction.roundTrip(arrivingAt: .zero + .milliseconds(520)))
        #expect(late.duration == .milliseconds(20) && late.attempt == 2 && late.isAmbiguous)
        let early = try #require(transaction.roundTrip(arrivingAt: .zero + .milliseconds(30)))
        #expect(early.duration == .milliseconds(30) && early.attempt == 1 && !early.isAmbiguous)
    }

    @Test func answerBeforeTheRequestIsNoAnswer() {
        var transaction = transaction()
        transaction.transmitted(at: .zero + .milliseconds(10))
        #expect(transaction.roundTrip(arrivingAt: .zero) == nil)
    }

    @Test func hastenedRequestIsSentEarlyAndKeepsItsNumberOfTransmissions() {
        var transaction = transaction()
        transaction.transmitted(at: .zero)
        transaction.hasten(to: .zero + .milliseconds(20))
        #expect(transaction.nextWake == .zero + .milliseconds(20))
        let (sent, failed) = run(&transaction)
        #expect(sent.count == 6)
        #expect(sent.first == 20)
        #expect(failed == 39020)
    }
}

@Suite struct DestinationPacerTests {
    @Test func burstOfFortyThenFiftyASecond() {
        var pacer = DestinationPacer()
        let destination = IPAddress(192, 0, 2, 1)
        var now = Instant.zero
        var sent: [Instant] = []
        while sent.count < 140 {
            now = pacer.earliest(to: destination, from: now)
            pacer.book(to: destination, at: now)
            sent.append(now)
        }
        #expect(sent.filter { $0 == .zero }.count == 40)
        #expect(sent.last == .zero + .seconds(2))
        for start in sent.indices.dropLast(50) where start >= 40 {
            #expect(sent[start + 50] - sent[start] >= .seconds(1))
        }
    }

    @Test func oneDestinationDoesNotSlowAnother() {
        var pacer = DestinationPacer(burst: 1, interval: .seconds(1))
        pacer.book(to: IPAddress(192, 0, 2, 1), at: .zero)
        #expect(pacer.earliest(to: IPAddress(192, 0, 2, 1), from: .zero) == .zero + .seconds(1))
        #expect(pacer.earliest(to: IPAddress(192, 0, 2, 2), from: .zero) == .zero)
    }

    @Test func bucketFillsAgainInSilence() {
        var pacer = DestinationPacer(burst: 2, interval: .seconds(1))
        let destination = IPAddress(192, 0, 2, 1)
        pacer.book(to: destination, at: .zero)
        pacer.book(to: destination, at: .zero)
        let later = Instant.zero + .seconds(10)
        pacer.book(to: destination, at: later)
        #expect(pacer.earliest(to: destination, from: later) == later)
    }
}
