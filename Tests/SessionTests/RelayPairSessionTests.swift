import Engines
import Facts
import NetTypes
import Planning
import STUN
import Server
import SimNet
import TestSupport
import Testing

@testable import Diagnosis

/// Relays that send to each other once each has carried data alone, on a virtual clock.
@Suite struct RelayPairSessionTests {
    private static let two = ["turn:9.9.9.9", "turn:9.9.9.10"]

    private static func run(
        _ uris: [String] = ["turn:9.9.9.9"], families: Set<IPAddress.Family> = [.ipv4], interruptAt: Duration? = nil,
        timeout: Duration? = nil, count: Int? = nil, _ configure: (inout SessionLab) -> Void = { _ in }
    ) throws -> SessionLab.Run {
        var options = try TURNSessionTests.options(uris, families: families, timeout: timeout)
        if let count { options.turn.load.count = count }
        return try TURNSessionTests.run(options, interruptAt: interruptAt) { lab in
            lab.relays = (9..<14).map { Endpoint(IPAddress(9, 9, 9, $0), 3478) } + [Endpoint(Place.relay.address, 80)]
            configure(&lab)
        }
    }

    // MARK: Data

    @Test(arguments: ["turn:9.9.9.9", "turn:9.9.9.9?transport=tcp"])
    func relaysOfOneServerSendToEachOtherInBothLanesAndAreDeleted(uri: String) throws {
        let run = try Self.run([uri])
        let pair = try #require(run.pairs.first)
        #expect(run.pairs.count == 1 && pair.first.server == 0 && pair.second.server == 0)
        #expect(pair.first.relayedAddress != pair.second.relayedAddress)
        #expect(pair.first.trouble == nil && pair.second.trouble == nil && !pair.isCutShort)
        #expect(pair.first.permittedAfter == .milliseconds(20) && pair.second.permittedAfter == .milliseconds(20))
        #expect(pair.second.boundAfter == .milliseconds(20))
        // A way from client to client is 20 ms here.
        #expect(pair.indications.arrived == 2 && pair.indications.roundTrips == [.milliseconds(40), .milliseconds(40)])
        #expect(pair.channel.arrived == 2 && pair.channel.roundTrips == [.milliseconds(40), .milliseconds(40)])
        #expect(pair.second.peerAddress == pair.first.relayedAddress)
        #expect(pair.first.deletion == .confirmed && pair.second.deletion == .confirmed)
        #expect(run.log.left == 0 && run.log.deletions.count == 3)
        let result = try #require(run.diagnosis.relayPairs.first)
        #expect(result.isOK && result.isOneServer && result.data.sent == 4 && result.data.returned == 4)
        #expect(result.data.roundTrips?.median == .milliseconds(40) && result.data.overhead == .zero)
        #expect(run.findings.isEmpty && run.diagnosis.verdict.isOK)
    }

    @Test func pairIsNoAttempt() throws {
        let run = try Self.run()
        #expect(run.evidence.count == 1 && run.diagnosis.turn.count == 1)
    }

    @Test func eachServerIsPairedWithItselfAndWithTheOther() throws {
        let run = try Self.run(Self.two)
        let results = run.diagnosis.relayPairs
        #expect(results.map(\.first) == ["turn:9.9.9.9", "turn:9.9.9.9", "turn:9.9.9.10"])
        #expect(results.map(\.second) == ["turn:9.9.9.9", "turn:9.9.9.10", "turn:9.9.9.10"])
        #expect(results.allSatisfy(\.isOK) && results.map(\.isOneServer) == [true, false, true])
        #expect(run.log.left == 0)
    }

    @Test func eachFamilyOfRelaysHasItsPair() throws {
        let run = try Self.run(families: [.ipv4, .ipv6])
        #expect(run.diagnosis.relayPairs.map(\.evidence.first.relayFamily) == [.ipv4, .ipv6])
        let sixth = try #require(run.diagnosis.relayPairs.last)
        #expect(sixth.isOK && sixth.evidence.second.relayedAddress?.family == .ipv6)
    }

    /// Transports and ports are ways to one server, which has one relay.
    @Test func urisOfOneHostAreOneServer() throws {
        let run = try Self.run(["turn:9.9.9.9", "turn:9.9.9.9?transport=tcp", "turn:9.9.9.9:80"])
        #expect(run.evidence.count == 3 && run.pairs.count == 1)
    }

    @Test func onlyRelaysThatCarryDataAreTried() throws {
        let silent = try Self.run { $0.faults.lose(.toRelay) }
        let refused = try Self.run { $0.faults.refuse(.createPermission, 403) }
        let noChannel = try Self.run { $0.faults.lose(.onChannel) }
        for run in [silent, refused, noChannel] {
            #expect(run.pairs.isEmpty)
        }
    }

    @Test func commandThatIsNotAboutRelaysMakesNoPairs() throws {
        var options = try TURNSessionTests.options()
        options.command = .check
        let run = try TURNSessionTests.run(options)
        #expect(run.first?.relay?.channel.roundTrips.count == 3 && run.pairs.isEmpty)
    }

    @Test func pairsAreSixAtTheMostAndTheRestIsSaid() throws {
        let uris = (0..<5).map { "turn:9.9.9.\($0 + 9)" }
        let run = try Self.run(uris)
        #expect(run.pairs.count == 6)
        let left = run.diagnosis.notMeasured.filter { $0.what == "data from relay to relay" }
        #expect(left.count == 1 && left.first?.reason == .limit)
        #expect(run.diagnosis.verdict.isOK && run.log.left == 0)
    }

    @Test func countIsForPairsToo() throws {
        let run = try Self.run(count: 20)
        #expect(run.pairs.first?.indications.roundTrips.count == 20)
        #expect(run.pairs.first?.channel.roundTrips.count == 20)
        #expect(try Self.run(count: 300).pairs.first?.channel.sent == 100)
    }

    @Test func oneServersRelayAndItsPairStayWithinTheBurst() throws {
        let run = try Self.run()
        #expect(run.sent.filter { $0.destination.address == Place.relay.address }.count <= 40)
        #expect(run.took < 400)
    }

    // MARK: Where data dies

    @Test func relayThatDoesNotReachItselfIsAHairpinThatFails() throws {
        let run = try Self.run { $0.faults.loseBetweenRelays() }
        let pair = try #require(run.pairs.first)
        #expect(pair.indications.sent == RelayProof.mostUnanswered && pair.indications.arrived == 0)
        #expect(pair.reverse?.arrived == 0 && pair.second.boundAfter == nil)
        #expect(run.findings == ["turn-relay-hairpin-fails"])
        // The relay itself does what was asked.
        #expect(run.diagnosis.verdict.isOK && run.diagnosis.verdict.summary.hasSuffix("No data from relay to relay."))
        #expect(run.log.left == 0)
    }

    @Test func serversThatDoNotReachEachOtherAreToldFromAHairpin() throws {
        let run = try Self.run(Self.two) { $0.faults.loseBetweenRelays { $0 != $1 } }
        #expect(run.findings == ["turn-relay-to-relay-blocked"])
        #expect(run.diagnosis.relayPairs.map(\.isOK) == [true, false, true])
        #expect(run.diagnosis.verdict.summary.hasSuffix("No data from relay to relay in 1 of 3 pairs."))
    }

    @Test(arguments: [(9, RelayPairEnd.second), (10, .first)] as [(UInt8, RelayPairEnd)])
    func directionThatIsClosedIsNamed(from last: UInt8, to end: RelayPairEnd) throws {
        let run = try Self.run(Self.two) {
            $0.faults.loseBetweenRelays { $0 != $1 && $0 == IPAddress(9, 9, 9, last) }
        }
        #expect(run.findings == ["turn-relay-to-relay-one-way"])
        let failed = try #require(run.diagnosis.relayPairs.first { !$0.isOK })
        #expect(failed.death == .towards(end))
        #expect(failed.evidence.reverse?.arrived == (end == .second ? 1 : nil))
    }

    @Test func channelThatIsDroppedBetweenRelaysIsSilentAlone() throws {
        let run = try Self.run { lab in
            // From the pair's ChannelBind on: the attempt's is the first.
            lab.faults.carry = { relayed, log in
                relayed.way == .onChannel && log.requests(.channelBind).count > 1 ? nil : relayed.bytes
            }
        }
        #expect(run.pairs.first?.indications.roundTrips.count == 2)
        #expect(run.findings == ["turn-relay-to-relay-channel-silent"])
    }

    // MARK: Refusals

    /// The first permission is the attempt's, the first channel too.
    @Test(arguments: [(Method.createPermission, 1), (.channelBind, 1)])
    func relayThatMayBeNoPeerIsNamedWithItsAddress(method: Method, first: Int) throws {
        let run = try Self.run { $0.faults.refuse(403) { $0.method == method && $1.requests(method).count > first } }
        #expect(run.findings == ["turn-relay-peer-refused"])
        let pair = try #require(run.pairs.first)
        let result = try #require(run.diagnosis.relayPairs.first)
        #expect(result.trouble?.trouble.code == 403 && result.outcome.error?.code == 403)
        let refused = try #require(result.trouble?.end)
        let peer = try #require(pair[refused.other].relayedAddress)
        #expect(run.diagnosis.findings.first?.evidence.first?.hasSuffix("for the relay \(peer)") == true)
        #expect(pair.first.deletion == .confirmed && pair.second.deletion == .confirmed)
        #expect(run.log.left == 0 && run.diagnosis.verdict.isOK && run.took < 400)
    }

    @Test func quotaOfOneLeavesNoPairAndIsNoFailure() throws {
        let run = try Self.run { $0.configureRelays = { $0.quota = 1 } }
        #expect(run.log.most == 1 && run.log.left == 0)
        #expect(run.diagnosis.relayPairs.first?.outcome.notMeasured?.reason == .limit)
        #expect(run.findings.isEmpty && run.diagnosis.verdict.isOK)
    }

    /// Pairs that fill each other's quota are tried again one by one.
    @Test(arguments: 2...5)
    func quotaOfTwoIsEnoughForEveryPair(quota: Int) throws {
        let run = try Self.run(Self.two) { $0.faults.limit(to: quota) }
        #expect(run.log.most <= quota && run.log.left == 0)
        #expect(run.evidence.count == 2 && run.evidence.allSatisfy { $0.trouble == nil })
        #expect(run.diagnosis.relayPairs.count == 3 && run.diagnosis.relayPairs.allSatisfy(\.isOK))
    }

    @Test func deletedAllocationsThatStillCountAreWaitedFor() throws {
        let run = try Self.run { $0.faults.limit(to: 2, lag: .seconds(1)) }
        #expect(run.diagnosis.relayPairs.allSatisfy(\.isOK) && run.diagnosis.relayPairs.count == 1)
        #expect(run.took < 2000)
    }

    @Test func laterAllocationThatFailsIsItsOwnFinding() throws {
        let run = try Self.run { $0.faults.refuse(500) { $0.method == .allocate && $1.most > 0 } }
        #expect(run.findings == ["turn-second-allocation-fails"] && run.diagnosis.verdict.isOK)
    }

    // MARK: The end of the run

    /// In milliseconds: while the two are asked for, permitted, and send.
    @Test(arguments: [190, 205, 225, 245, 265, 285, 305, 325], ["turn:9.9.9.9", "turn:9.9.9.9?transport=tcp"])
    func interruptionDeletesBothRelays(at milliseconds: Int, uri: String) throws {
        let run = try Self.run([uri], interruptAt: .milliseconds(milliseconds))
        #expect(run.log.left == 0 && run.took <= Int64(milliseconds) + 40)
        #expect(run.pairs.count == 1 && run.evidence.count == 1)
        #expect(run.findings.isEmpty)
        let result = try #require(run.diagnosis.relayPairs.first)
        #expect(result.isOK || result.outcome.notMeasured?.reason == .interrupted)
    }

    @Test func pairThatTheDeadlineCutsShortIsNotMeasured() throws {
        let run = try Self.run(timeout: .milliseconds(260))
        #expect(run.diagnosis.relayPairs.first?.outcome.notMeasured?.reason == .deadline)
        #expect(run.findings.isEmpty && run.diagnosis.verdict.isOK && run.log.left == 0)
    }

    @Test func pairsThatWaitForRoomWhenTheRunEndsAreSaid() throws {
        let run = try Self.run(Self.two, interruptAt: .milliseconds(300)) { $0.faults.limit(to: 2) }
        #expect(run.diagnosis.relayPairs.allSatisfy { $0.outcome.notMeasured != nil || $0.isOK })
        #expect(run.pairs.count == 3 && run.log.left == 0)
    }

    @Test func lostConnectionOfOneEndIsTheEndOfThePair() throws {
        let run = try Self.run([TURNSessionTests.overTCP]) { lab in
            // The attempt's permission is the first.
            lab.faults.judge = { $1.requests(.createPermission).count > 2 ? .closed : .served }
        }
        #expect(run.pairs.count == 1 && run.took < 1000)
        #expect(run.diagnosis.relayPairs.first?.outcome.error?.kind == .connectionClosed)
    }

    @Test func lossOfTwentyPercentIsNeverAFinding() throws {
        var working = 0
        for seed in UInt64(1)...200 {
            let run = try TURNSessionTests.run(TURNSessionTests.options(), seed: seed) { $0.link.loss = 0.2 }
            let pairs = run.diagnosis.relayPairs
            let ids = run.findings.filter { $0.hasPrefix("turn-relay-") || $0.hasPrefix("turn-second-") }
            #expect(
                pairs.allSatisfy { $0.outcome.error == nil } && ids.isEmpty, "seed \(seed): \(pairs.map(\.outcome))")
            working += pairs.filter(\.isOK).count
        }
        #expect(working > 180)
    }
}
