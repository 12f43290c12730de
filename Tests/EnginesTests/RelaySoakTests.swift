import NetTypes
import Testing

@testable import Engines

/// A relay that is used for minutes, in virtual time: 10 ms to the client, 10 ms back.
@Suite struct RelaySoakTests {
    private static let leg = Duration.milliseconds(10)

    private struct Run {
        var soak: RelaySoak
        var took: Duration = .zero
        var sent = 0
        var renewals: [RelaySoak.Renewal] = []
    }

    /// A proof that has succeeded, over a channel.
    private static func proof() -> RelayProof {
        var harness = RelayProofHarness()
        harness.run()
        return harness.proof
    }

    /// - Parameters:
    ///   - arrives: whether the datagram of this number comes to the client; it comes back where `returns`.
    ///   - cure: what lets them arrive again.
    ///   - isOverChannel: whether it comes over the channel.
    private static func run(
        for length: Duration, arrives: (Int) -> Bool = { _ in true }, returns: (Int) -> Bool = { _ in true },
        isOverChannel: (Int) -> Bool = { _ in true }, cure: RelaySoak.Renewal? = nil
    ) throws -> Run {
        let proof = proof()
        try #require(proof.hasSucceeded)
        var run = Run(soak: RelaySoak(after: proof, for: length, roundTrip: leg * 2, at: .zero))
        var now = Instant.zero
        while !run.soak.isOver, let wake = run.soak.nextWake {
            now = max(now, wake)
            run.soak.handleTimeout(at: now)
            if let renewal = run.soak.takeRenewal() { run.renewals.append(renewal) }
            while let bytes = run.soak.next(at: now) {
                let number = run.sent
                run.sent += 1
                guard arrives(number) || run.renewals.last == cure && cure != nil else { continue }
                run.soak.arrived(bytes, overChannel: isOverChannel(number), at: now + leg)
                guard returns(number) else { continue }
                let isOwn = run.soak.returned(bytes, at: now + leg * 2)
                #expect(isOwn)
            }
        }
        run.took = now - .zero
        return run
    }

    @Test func goesOnTwiceASecondForItsTime() throws {
        let run = try Self.run(for: .seconds(660))
        #expect(run.sent == 1321 && run.soak.tally.roundTrips.count == 1321 && run.soak.length == .seconds(660))
        #expect(run.soak.stoppedAfter == nil && run.soak.channelLostAfter == nil)
        #expect(run.soak.tally.roundTrips.allSatisfy { $0 == .milliseconds(20) })
        #expect(run.took <= .milliseconds(660_100))
    }

    @Test func lossIsNoEnd() throws {
        let run = try Self.run(for: .seconds(60), returns: { $0 % 20 < 3 })
        #expect(run.soak.stoppedAfter == nil && run.sent == 122 && run.soak.tally.arrived == 122)
    }

    @Test func endOfTheDataIsSeenAndEndsTheSoak() throws {
        let run = try Self.run(for: .seconds(660), arrives: { $0 <= 600 })
        #expect(run.soak.stoppedAfter == .seconds(300))
        // And two renewals, of which none helps.
        #expect(run.sent == 601 + RelayProof.mostUnanswered * 3 && run.took < .seconds(320))
        #expect(run.soak.revivedBy == nil && run.renewals == [.permission, .channel])
    }

    @Test(arguments: [RelaySoak.Renewal.permission, .channel])
    func whatBringsTheDataBackIsKnown(cure: RelaySoak.Renewal) throws {
        let run = try Self.run(for: .seconds(60), arrives: { $0 < 20 }, cure: cure)
        #expect(run.soak.stoppedAfter == .milliseconds(9500) && run.soak.revivedBy == cure)
        #expect(run.renewals.last == cure && run.took < .seconds(26))
    }

    @Test func dataThatStopsShortlyBeforeTheEndIsFollowedToTheEnd() throws {
        let run = try Self.run(for: .seconds(30), arrives: { $0 < 52 })
        #expect(run.soak.stoppedAfter == .milliseconds(25_500))
        #expect(run.took > .seconds(37) && run.took <= .seconds(30) + RelaySoak.longestRest)
        let back = try Self.run(for: .seconds(30), arrives: { $0 < 52 || $0 > 70 })
        #expect(back.soak.stoppedAfter == nil && back.sent == 73)
    }

    @Test func channelThatIsLeftIsSeenAndTheDataGoOn() throws {
        let run = try Self.run(for: .seconds(30), isOverChannel: { $0 < 20 })
        #expect(run.soak.channelLostAfter == .milliseconds(10_010))
        #expect(run.soak.stoppedAfter == nil && run.sent == 61)
    }

    @Test func relayWithoutAChannelHasNoneToLose() throws {
        let run = try Self.run(for: .seconds(10), isOverChannel: { _ in false })
        #expect(run.soak.channelLostAfter == nil && run.soak.stoppedAfter == nil)
    }

    @Test func datagramsOfTheProofAndOfOthersAreNotOfTheSoak() throws {
        var soak = RelaySoak(after: Self.proof(), for: .seconds(1), roundTrip: Self.leg, at: .zero)
        let first = soak.next(at: .zero)
        let own = try #require(first)
        func isOwn(_ bytes: [UInt8], after time: Duration = .zero) -> Bool { soak.returned(bytes, at: .zero + time) }
        let foreign = [
            isOwn([1, 2, 3]), isOwn(RelayPayload(nonce: 7, size: 100).bytes(0, 0)),
            isOwn(RelayPayload(nonce: 8, size: 100).bytes(2, 0)),
        ]
        #expect(foreign == [false, false, false])
        // A number that was never sent, and one that comes twice.
        let ours = [
            isOwn(RelayPayload(nonce: 7, size: RelayPayload.leastSize).bytes(2, 9)), isOwn(own, after: Self.leg),
            isOwn(own, after: Self.leg * 3),
        ]
        #expect(ours == [true, true, true] && soak.tally.roundTrips == [Self.leg])
    }
}
