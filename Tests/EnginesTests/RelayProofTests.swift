import NetTypes
import SimNet
import Testing

@testable import Engines

/// What goes through a relay and when it is enough, with 40 ms for a datagram there and back.
@Suite struct RelayProofTests {
    private static let opening: UInt8 = 0xFF

    private static func run(_ configure: (inout RelayProofHarness) -> Void = { _ in }) -> RelayProofHarness {
        var harness = RelayProofHarness()
        configure(&harness)
        harness.run()
        return harness
    }

    // MARK: The script

    @Test func onlyUncountedDatagramsGoOutUntilThePermissionIsKnown() {
        let harness = Self.run { $0.isLost = { way, _ in way == .relayToClient } }
        let early = harness.sent.filter { $0.at < .zero + RelayProofHarness.roundTrip }
        #expect(early.count == 3)
        #expect(Set(harness.toRelay.prefix(early.count)) == [Self.opening])
        #expect(!harness.toRelay.dropFirst(early.count).contains(Self.opening))
    }

    @Test func firstDatagramThatComesBackOpensTheCountWithoutWordOfThePermission() throws {
        let harness = Self.run { $0.permittedAt = nil }
        let first = try #require(
            harness.sent.first { entry in
                if case .toRelay(let bytes) = entry.outgoing { RelayProofHarness.kind(bytes) == 0 } else { false }
            })
        #expect(first.at == Instant.zero + RelayProofHarness.leg * 4)
        #expect(harness.proof[.indication].roundTrips.count == 3)
    }

    @Test(arguments: [200, 300])
    func whatWasCountedBeforeALatePermissionIsForgotten(milliseconds: Int) {
        // The request was lost: until its retransmission the relay drops everything, as it must.
        let harness = Self.run {
            $0.permittedAt = .zero + .milliseconds(milliseconds)
            $0.admitsFrom = .zero + .milliseconds(milliseconds - 10)
        }
        #expect(harness.proof.hasSucceeded)
        #expect(harness.proof[.indication].sent == 3 && harness.proof.reverse == nil)
    }

    @Test func permissionThatWasThereBeforeTheSocketNeedsNoOpening() {
        let harness = Self.run {
            $0.proof.permitted(at: .zero)
            $0.permittedAt = nil
        }
        #expect(!harness.toRelay.contains(Self.opening))
    }

    @Test func withoutLossEachLaneCarriesTheCountAndTheSecondFollowsTheFirst() {
        let harness = Self.run()
        #expect(harness.toRelay.filter { $0 != Self.opening } == [0, 0, 0, 1, 1, 1])
        for lane in RelayProof.Lane.allCases {
            let tally = harness.proof[lane]
            #expect(tally.sent == 3 && tally.arrived == 3)
            #expect(tally.roundTrips == [Duration](repeating: RelayProofHarness.leg * 4, count: 3))
        }
        #expect(harness.proof.reverse == nil && harness.proof.altered == 0)
    }

    @Test func proofEndsWithTheLastAnswerAndNotWithAWait() {
        // 20 ms to the permission; 40 to the first that comes back and 20 for the channel, which is bound meanwhile the
        // others come; then the second lane, its three datagrams 4 ms apart.
        #expect(Self.run().now == .zero + .milliseconds(20 + 40 + 20 + 48))
    }

    @Test func datagramsHaveTheSizeAndThePaceThatWereAskedFor() {
        var harness = RelayProofHarness(count: 4, size: 333, pace: .milliseconds(15))
        harness.run()
        let counted = harness.sent.filter { entry in
            guard case .toRelay(let bytes) = entry.outgoing else { return false }
            #expect(bytes.count == 333)
            return RelayProofHarness.kind(bytes) == 0
        }
        #expect(counted.map { $0.at - counted[0].at } == [0, 15, 30, 45].map { .milliseconds($0) })
    }

    @Test func channelIsWantedOnceAllIndicationsAreSentAndOneCameBack() {
        var proof = RelayProofHarness(count: 2, pace: .milliseconds(1)).proof
        proof.begin(at: .zero)
        proof.permitted(at: .zero)
        var sent: [[UInt8]] = []
        for millisecond in 0..<2 {
            if case .toRelay(let bytes) = proof.next(at: .zero + .milliseconds(millisecond)) { sent.append(bytes) }
            #expect(!proof.wantsChannel)
        }
        _ = proof.returned(sent[1], from: RelayProofHarness.relayed, at: .zero + .milliseconds(9))
        #expect(proof.wantsChannel)
        proof.channelSettled(isBound: true, at: .zero + .milliseconds(10))
        #expect(!proof.wantsChannel)
    }

    @Test func answerOfTheFirstLaneThatComesLateDoesNotStopTheSecond() {
        var proof = RelayProofHarness(count: 2, pace: .milliseconds(1)).proof
        proof.begin(at: .zero)
        proof.permitted(at: .zero)
        var now = Instant.zero
        var sent: [[UInt8]] = []
        func advance() {
            while let outgoing = proof.next(at: now) {
                if case .toRelay(let bytes) = outgoing { sent.append(bytes) }
            }
            now = now + .milliseconds(1)
            proof.handleTimeout(at: now)
        }
        for _ in 0..<2 { advance() }
        _ = proof.returned(sent[0], from: RelayProofHarness.relayed, at: now)
        proof.channelSettled(isBound: true, at: now)
        while proof[.channel].sent == 0, now < .zero + .seconds(1) { advance() }
        _ = proof.returned(sent[1], from: RelayProofHarness.relayed, at: now)
        while !proof.isOver, now < .zero + .seconds(2) { advance() }
        #expect(proof[.indication].roundTrips.count == 2)
        #expect(proof[.channel].sent == RelayProof.mostUnanswered)
    }

    @Test func channelThatCannotBeBoundEndsTheProofAfterTheFirstLane() {
        let harness = Self.run { $0.bindsAfter = nil }
        #expect(harness.proof[.indication].roundTrips.count == 3)
        #expect(harness.proof[.channel].sent == 0)
    }

    // MARK: Loss

    @Test(arguments: [UInt64(5), 10, 20])
    func lossNeverLooksLikeSilence(percent: UInt64) {
        for seed in UInt64(1)...2000 {
            var harness = RelayProofHarness.losing(percent: percent, seed: seed)
            harness.run()
            for lane in RelayProof.Lane.allCases {
                #expect(!harness.proof[lane].roundTrips.isEmpty, "\(lane), seed \(seed)")
            }
        }
    }

    /// Three quarters of all round trips are lost: 24 together once in 700 times, and there are two lanes.
    @Test func lossOfThirtyPercentOnEachWayLooksLikeSilenceLessThanOnceInAHundredTimes() {
        var silent = 0
        for seed in UInt64(1)...2000 {
            var harness = RelayProofHarness.losing(percent: 30, seed: seed)
            harness.run()
            if RelayProof.Lane.allCases.contains(where: { harness.proof[$0].roundTrips.isEmpty }) { silent += 1 }
        }
        #expect(silent < 20)
    }

    @Test func talliesAddUpUnderAnyLoss() {
        for seed in UInt64(1)...500 {
            var harness = RelayProofHarness.losing(percent: 30, seed: seed)
            harness.run()
            for lane in RelayProof.Lane.allCases {
                let tally = harness.proof[lane]
                #expect(tally.sent <= RelayProof.mostUnanswered, "seed \(seed)")
                #expect(tally.roundTrips.count <= tally.arrived && tally.arrived <= tally.sent, "seed \(seed)")
            }
        }
    }

    @Test func totalLossEndsWithinThePatienceAfterTheLastThatIsSent() {
        let harness = Self.run { $0.isLost = { _, _ in true } }
        #expect(harness.proof.isOver)
        #expect(harness.proof[.indication].sent == RelayProof.mostUnanswered)
        #expect(harness.proof[.indication].arrived == 0 && harness.proof[.channel].sent == 0)
        let last = harness.sent.last?.at ?? .zero
        #expect(harness.now - last <= .milliseconds(100))
        // Two lanes of datagrams, each 8 ms apart at the most, and two patiences.
        #expect(harness.now < .zero + .milliseconds(700))
    }

    @Test func totalLossWithoutWordOfThePermissionEndsToo() {
        let harness = Self.run {
            $0.isLost = { _, _ in true }
            $0.permittedAt = nil
        }
        #expect(harness.proof[.indication].sent == RelayProof.mostUnanswered)
        #expect(harness.now < .zero + .milliseconds(800))
    }

    @Test func channelThatLosesEverythingIsSilentAlone() {
        let harness = Self.run {
            $0.isLost = { way, bytes in way == .clientToRelay && RelayProofHarness.kind(bytes) == 1 }
        }
        #expect(harness.proof[.indication].roundTrips.count == 3)
        #expect(harness.proof[.channel].roundTrips.isEmpty)
        #expect(harness.proof[.channel].sent == RelayProof.mostUnanswered)
        // They came to the client, so that it is the way back that loses them.
        #expect(harness.proof[.channel].arrived == RelayProof.mostUnanswered)
        #expect(harness.proof.reverse == nil)
    }

    @Test func indicationsThatComeAndDoNotComeBackNeedNeitherChannelNorReverse() {
        let harness = Self.run {
            $0.isLost = { way, _ in way == .clientToRelay }
            $0.bindsAfter = .seconds(60)
        }
        #expect(harness.proof[.indication].arrived == RelayProof.mostUnanswered)
        #expect(harness.proof[.channel].sent == 0 && harness.proof.reverse == nil)
    }

    // MARK: The other direction

    @Test func whereNothingComesToTheClientItSendsAndTheSourceIsKept() {
        let outside = Endpoint(IPAddress(203, 0, 113, 99), 50000)
        let harness = Self.run {
            $0.isLost = { way, _ in way == .peerToRelay }
            $0.source = outside
        }
        #expect(harness.proof.reverse?.arrived == 1)
        #expect(harness.proof.reverse?.source == outside)
        #expect(harness.proof.isOver)
    }

    @Test func eachDatagramOfTheOtherDirectionIsPrecededByOneThatOpensTheNAT() {
        let harness = Self.run { $0.isLost = { _, _ in true } }
        let reverse = harness.sent.drop { if case .toRelay = $0.outgoing { true } else { false } }.map(\.outgoing)
        #expect(reverse.count == 2 * RelayProof.mostUnanswered)
        for (index, outgoing) in reverse.enumerated() {
            let isAside = if case .aside = outgoing { true } else { false }
            #expect(isAside == index.isMultiple(of: 2))
        }
        #expect(harness.proof.reverse?.sent == RelayProof.mostUnanswered)
        #expect(harness.proof.reverse?.source == nil)
    }

    @Test func otherDirectionIsLeftOutWhereThePeerIsUnknown() {
        let harness = Self.run {
            $0.isLost = { _, _ in true }
            $0.knowsPeer = false
        }
        #expect(harness.proof.reverse == nil)
        #expect(!harness.sent.contains { if case .toPeer = $0.outgoing { true } else { false } })
    }

    // MARK: What is not ours

    @Test func alteredContentIsCountedAndIsNoAnswer() {
        let harness = Self.run {
            $0.change = { bytes in
                var bytes = bytes
                if RelayProofHarness.kind(bytes) == 0 { bytes[bytes.count - 1] ^= 1 }
                return bytes
            }
            // One byte of filling, so that the change is in the content and not in the number.
            $0.proof = RelayProof(
                relayed: RelayProofHarness.relayed, count: 3, size: RelayPayload.leastSize + 1,
                roundTrip: RelayProofHarness.roundTrip, nonce: 7)
        }
        #expect(harness.proof[.indication].roundTrips.isEmpty)
        #expect(harness.proof.altered == RelayProof.mostUnanswered)
    }

    @Test func alteredContentFromElsewhereIsNotTheRelays() {
        var proof = RelayProofHarness().proof
        proof.begin(at: .zero)
        let fromElsewhere = proof.returned([1, 2, 3], from: Endpoint(IPAddress(203, 0, 113, 1), 9), at: .zero)
        #expect(!fromElsewhere && proof.altered == 0)
        let fromRelay = proof.returned([1, 2, 3], from: RelayProofHarness.relayed, at: .zero)
        #expect(!fromRelay && proof.altered == 1)
    }

    @Test func nonceOfAnotherRunIsNotOurs() throws {
        var other = RelayProofHarness(nonce: 8).proof
        other.begin(at: .zero)
        other.permitted(at: .zero)
        guard case .toRelay(let bytes) = other.next(at: .zero) else {
            Issue.record("nothing to send")
            return
        }
        var ours = RelayProofHarness(nonce: 7).proof
        ours.begin(at: .zero)
        ours.permitted(at: .zero)
        _ = ours.next(at: .zero)
        let answer = ours.arrived(bytes)
        let isOurs = ours.returned(bytes, from: RelayProofHarness.relayed, at: .zero + .milliseconds(1))
        #expect(answer == nil && !isOurs)
        #expect(ours[.indication].arrived == 0 && ours[.indication].roundTrips.isEmpty)
    }

    @Test func doubledAnswersAndNumbersNeverSentCountOnce() {
        var proof = RelayProofHarness(count: 2).proof
        proof.begin(at: .zero)
        proof.permitted(at: .zero)
        guard case .toRelay(let first) = proof.next(at: .zero) else {
            Issue.record("nothing to send")
            return
        }
        var unsent = first
        unsent[unsent.count - 1] = 200
        for bytes in [first, first, unsent] {
            let answer = proof.arrived(bytes)
            let isOurs = proof.returned(bytes, from: RelayProofHarness.relayed, at: .zero + .milliseconds(1))
            #expect(answer == bytes && isOurs)
        }
        #expect(proof[.indication].roundTrips == [.milliseconds(1)])
        #expect(!proof.isOver)
    }

    @Test func anyBytesFromTheNetworkDoNotTrap() {
        var random = SeededGenerator(seed: 3)
        var proof = RelayProofHarness().proof
        proof.begin(at: .zero)
        proof.permitted(at: .zero)
        guard case .toRelay(let ours) = proof.next(at: .zero) else { return }
        for _ in 0..<5000 {
            var bytes = Array(ours.prefix(Int(random.next() % UInt64(ours.count + 1))))
            if !bytes.isEmpty {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = proof.arrived(bytes)
            _ = proof.returned(bytes, from: RelayProofHarness.relayed, at: .zero)
        }
        #expect(proof[.channel].roundTrips.isEmpty)
    }
}
