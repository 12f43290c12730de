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
@testable import Session

/// The session with TURN servers 20 ms away and back: from options to evidence, and nothing is left behind.
@Suite struct TURNSessionTests {
    static let overTCP = "turn:9.9.9.9?transport=tcp"

    static func options(
        _ uris: [String] = ["turn:9.9.9.9"], password: String = "pencil", families: Set<IPAddress.Family> = [.ipv4],
        timeout: Duration? = nil
    ) throws -> Options {
        Options(
            command: .turn, servers: try .init(uris, account: RelayAccount(password: password)), families: families,
            timeout: timeout)
    }

    static func run(
        _ options: Options, seed: UInt64 = 1, interruptAt: Duration? = nil,
        _ configure: (inout SessionLab) throws -> Void = { _ in }
    ) throws -> SessionLab.Run {
        var lab = SessionLab(options)
        lab.seed = seed
        lab.interruptAt = interruptAt
        lab.link.delay = .milliseconds(10)
        lab.relays = [Place.relay]
        try configure(&lab)
        return try lab.run()
    }

    // MARK: Success

    @Test func relayOverUDPCarriesDataInBothLanesAndIsDeleted() throws {
        let run = try Self.run(Self.options())
        let evidence = try #require(run.first)
        #expect(run.evidence.count == 1 && evidence.trouble == nil && !evidence.isCutShort)
        #expect(evidence.allocation?.roundTrips == 2 && evidence.allocation?.elapsed == .milliseconds(40))
        #expect(evidence.relay?.permittedAfter == .milliseconds(20) && evidence.relay?.boundAfter == .milliseconds(20))
        #expect(evidence.relay?.indications.roundTrips == [Duration](repeating: .milliseconds(40), count: 3))
        #expect(evidence.relay?.channel.roundTrips == [Duration](repeating: .milliseconds(40), count: 3))
        #expect(evidence.relay?.peerAddress == evidence.relay?.peerLocalAddress)
        #expect(evidence.deletion == .confirmed && run.log.left == 0)
        // With those of the two relays that sent to each other afterwards.
        #expect(run.log.deletions.count == 3)
        #expect(run.diagnosis.verdict.isOK && run.diagnosis.verdict.best == .relayed)
        #expect(run.findings.isEmpty)
    }

    @Test func runEndsWithTheDeletionAndDoesNotWaitForTheDeadline() throws {
        // Two exchanges, the permission, two lanes of 40 ms and a little, and as much again from relay to relay with
        // the channel's exchange and the deletion.
        #expect(try Self.run(Self.options()).took < 400)
    }

    @Test func relayOverTCPCarriesDataInBothLanesAndIsDeleted() throws {
        let run = try Self.run(Self.options([Self.overTCP]))
        let evidence = try #require(run.first)
        #expect(evidence.trouble == nil && evidence.transport == .tcp)
        #expect(evidence.connectedAfter == .milliseconds(20))
        #expect(evidence.relay?.indications.roundTrips.count == 3 && evidence.relay?.channel.roundTrips.count == 3)
        #expect(evidence.deletion == .confirmed && run.log.left == 0)
    }

    @Test func eachFamilyIsAnAllocationOfItsOwn() throws {
        let run = try Self.run(Self.options(families: [.ipv4, .ipv6]))
        #expect(Set(run.evidence.map(\.relayFamily)) == [.ipv4, .ipv6])
        #expect(run.evidence.allSatisfy { $0.relay?.channel.roundTrips.count == 3 && $0.deletion == .confirmed })
        #expect(run.evidence.first { $0.relayFamily == .ipv6 }?.relay?.relayedAddress.family == .ipv6)
        #expect(run.log.left == 0)
    }

    @Test func relayedAddressOfAFamilyWithoutARouteIsUntriedAndDeleted() throws {
        let run = try Self.run(Self.options(families: [.ipv4, .ipv6])) { $0.addresses = [Place.host] }
        let second = try #require(run.evidence.first { $0.relayFamily == .ipv6 })
        #expect(second.relay?.isUntried == true && second.trouble == nil && second.deletion == .confirmed)
        #expect(run.log.left == 0 && run.diagnosis.verdict.isOK)
    }

    // MARK: Refusals

    @Test func wrongPasswordIsRefusedOnceAndNothingIsLeft() throws {
        let run = try Self.run(Self.options(password: "wrong"))
        #expect(run.first?.trouble?.kind == .credentialsRefused && run.first?.realm == OutsideText("example.org"))
        #expect(run.log.left == 0 && run.log.most == 0)
        #expect(run.findings == ["turn-credentials-refused"])
        #expect(run.took < 100)
    }

    @Test func fiveTupleInUseOnceIsTriedFromAnotherPort() throws {
        let run = try Self.run(Self.options()) { $0.faults.refuseFirstPort(437) }
        // Two of the attempt, and one of each relay of its pair.
        #expect(Set(run.log.requests(.allocate).map(\.client)).count == 4)
        #expect(run.first?.trouble == nil && run.first?.relay?.channel.roundTrips.count == 3)
        #expect(run.log.left == 0)
    }

    @Test func fiveTupleInUseForEverIsTriedFromTwoPortsAtTheMost() throws {
        let run = try Self.run(Self.options()) { $0.faults.refuse(.allocate, 437) }
        #expect(Set(run.log.requests(.allocate).map(\.client)).count == 2)
        #expect(run.evidence.count == 1 && run.first?.trouble?.code == 437)
        #expect(run.findings == ["turn-five-tuple-in-use"])
    }

    @Test func quotaThatOurOwnAllocationsFillIsWaitedFor() throws {
        var options = try Self.options()
        options.turn.usesAllTransports = true
        let run = try Self.run(options) { $0.configureRelays = { $0.quota = 1 } }
        #expect(run.log.most == 1)
        #expect(run.evidence.count == 2)
        #expect(run.evidence.allSatisfy { $0.trouble == nil && $0.relay?.channel.roundTrips.count == 3 })
        #expect(run.log.left == 0 && run.diagnosis.verdict.isOK)
    }

    @Test func quotaOfOneIsEnoughForEveryTransportAndFamily() throws {
        var options = try Self.options(families: [.ipv4, .ipv6])
        options.turn.usesAllTransports = true
        let run = try Self.run(options) { $0.configureRelays = { $0.quota = 1 } }
        #expect(run.log.most == 1 && run.evidence.count == 4)
        #expect(run.evidence.allSatisfy { $0.trouble == nil })
    }

    /// As coturn does, which clears up once a second.
    @Test func quotaThatDeletedAllocationsStillFillIsWaitedFor() throws {
        var options = try Self.options()
        options.turn.usesAllTransports = true
        let run = try Self.run(options) { $0.faults.limit(to: 1, lag: .seconds(1)) }
        #expect(run.evidence.count == 2 && run.evidence.allSatisfy { $0.trouble == nil })
        #expect(run.diagnosis.verdict.isOK && run.took < 5000)
    }

    @Test func quotaThatOthersFillIsAFailureAtOnce() throws {
        let run = try Self.run(Self.options()) { $0.configureRelays = { $0.quota = 0 } }
        #expect(run.first?.trouble?.code == 486 && run.took < 500)
        #expect(run.findings == ["turn-quota-reached"])
    }

    @Test func refusedPeerEndsTheAttemptAndTheAllocationIsDeleted() throws {
        let run = try Self.run(Self.options()) { $0.faults.refuse(.createPermission, 403) }
        #expect(run.first?.trouble?.stage == .permission && run.first?.trouble?.code == 403)
        #expect(run.first?.deletion == .confirmed && run.log.left == 0)
        #expect(run.findings == ["turn-peer-forbidden"])
    }

    // MARK: Data that dies

    @Test func relayThatLetsNothingInIsToldFromOneThatIsSilentBothWays() throws {
        let ports = try Self.run(Self.options()) { $0.faults.lose(.toRelay) }
        #expect(ports.first?.trouble?.kind == .noData && ports.first?.relay?.reverse?.arrived == 1)
        #expect(ports.findings == ["turn-relay-ports-blocked"])
        let silent = try Self.run(Self.options()) { $0.faults.lose(.toRelay, .fromRelay) }
        #expect(silent.first?.relay?.reverse?.arrived == 0)
        #expect(silent.findings == ["turn-relay-silent"])
        #expect(ports.log.left == 0 && silent.log.left == 0)
    }

    @Test func relayThatGivesNothingOutIsOneWay() throws {
        let run = try Self.run(Self.options()) { $0.faults.lose(.fromRelay) }
        #expect(run.findings == ["turn-relay-one-way"])
    }

    @Test func channelThatIsDroppedOnTheWayIsSilentAlone() throws {
        let run = try Self.run(Self.options()) { $0.faults.lose(.onChannel) }
        #expect(run.first?.relay?.indications.roundTrips.count == 3)
        #expect(run.findings == ["turn-channel-silent"])
        #expect(run.first?.deletion == .confirmed)
    }

    // MARK: Redirects

    private static func redirected(
        _ options: Options, _ last: UInt8...
    ) throws -> (run: SessionLab.Run, chain: [Endpoint]) {
        let chain = last.map { Endpoint(IPAddress(9, 9, 9, $0), 3478) }
        let run = try run(options) { lab in
            lab.relays = chain.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
            lab.faults.redirect(Dictionary(zip(chain, chain.dropFirst()), uniquingKeysWith: { first, _ in first }))
        }
        return (run, chain)
    }

    @Test func redirectIsFollowedAndSaid() throws {
        let (run, chain) = try Self.redirected(Self.options(), 9, 10, 11)
        #expect(run.first?.redirects == Array(chain.dropFirst()) && run.first?.serverAddress == chain.last)
        #expect(run.first?.trouble == nil && run.first?.relay?.channel.roundTrips.count == 3)
        #expect(run.findings == ["turn-redirect-followed"] && run.diagnosis.verdict.isOK)
        #expect(run.log.left == 0)
    }

    @Test func redirectIsFollowedForTheRelaysOfBothFamilies() throws {
        let (run, chain) = try Self.redirected(Self.options(families: [.ipv4, .ipv6]), 9, 10)
        #expect(run.evidence.map(\.relayFamily).sorted { $0.name < $1.name } == [.ipv4, .ipv6])
        #expect(run.evidence.allSatisfy { $0.redirects == [chain[1]] && $0.trouble?.kind != .redirected })
    }

    @Test func redirectFromPublicToPrivateIsRefusedAndNothingIsSentThere() throws {
        let inside = Endpoint(IPAddress(10, 0, 0, 1), 3478)
        func lab(_ lab: inout SessionLab) {
            lab.relays = [Place.relay, inside]
            lab.faults.redirect([Place.relay: inside])
        }
        let run = try Self.run(Self.options(), lab)
        #expect(run.first?.trouble?.kind == .redirected)
        #expect(run.first?.trouble?.detail == "to 10.0.0.1:3478, which is not public (private), as the server is")
        #expect(!run.sent.contains { $0.destination.address == inside.address })
        var options = try Self.options()
        options.turn.redirects = .anywhere
        let willing = try Self.run(options, lab)
        #expect(willing.first?.redirects == [inside] && willing.first?.relay?.channel.roundTrips.count == 3)
    }

    @Test func redirectsInACircleEndAndNoServerIsAskedTwice() throws {
        let (run, chain) = try Self.redirected(Self.options(), 9, 10, 9)
        #expect(run.first?.trouble?.detail?.contains("they go in a circle") == true)
        #expect(run.log.requests(.allocate).map(\.server) == Array(chain.prefix(2)))
    }

    @Test func tooManyRedirectsEnd() throws {
        let (run, chain) = try Self.redirected(Self.options(), 9, 10, 11, 12, 13, 14)
        #expect(run.first?.trouble?.detail?.contains("after 3 redirects already") == true)
        #expect(run.log.requests(.allocate).map(\.server) == Array(chain.prefix(4)))
        #expect(run.findings == ["turn-redirected"])
    }

    @Test func redirectIsNotFollowedWhereTheOptionsSayNo() throws {
        var options = try Self.options()
        options.turn.redirects = .never
        let (run, _) = try Self.redirected(options, 9, 10)
        #expect(run.first?.trouble?.kind == .redirected && run.log.requests(.allocate).count == 1)
    }

    // MARK: The end of the run

    /// In milliseconds: before the challenge, while the signed Allocate is under way, with an allocation, with a
    /// permission, between the lanes.
    @Test(arguments: [10, 25, 45, 65, 110, 130], ["turn:9.9.9.9", overTCP])
    func interruptionDeletesWhatTheServerHoldsInOneRoundTrip(at milliseconds: Int, uri: String) throws {
        let run = try Self.run(Self.options([uri]), interruptAt: .milliseconds(milliseconds))
        #expect(run.log.left == 0)
        #expect(run.log.deletions.count == (run.log.most > 0 ? 1 : 0))
        #expect(run.took <= Int64(milliseconds) + 40)
        #expect(run.evidence.count == 1 && run.first?.isCutShort == true)
        #expect(run.observations.contains { if case .interrupted = $0.fact { true } else { false } })
    }

    @Test func whatWasMeasuredBeforeTheInterruptionStays() throws {
        let run = try Self.run(Self.options(), interruptAt: .milliseconds(120))
        let relay = try #require(run.first?.relay)
        #expect(relay.indications.roundTrips.count == 3 && relay.permittedAfter == .milliseconds(20))
        #expect(relay.channel.roundTrips.count < 3)
        #expect(run.first?.allocation?.elapsed == .milliseconds(40) && run.first?.deletion == .confirmed)
        #expect(run.first?.trouble == nil)
    }

    @Test func deadlineDeletesWhatTheServerHolds() throws {
        let run = try Self.run(Self.options(timeout: .milliseconds(70)))
        #expect(run.log.deletions.map(\.at) == [.zero + .milliseconds(80)])
        #expect(run.log.left == 0 && run.first?.deletion == .confirmed && run.took == 90)
        #expect(run.diagnosis.turn.first?.gap?.reason == .deadline)
    }

    @Test(arguments: ["turn:9.9.9.9", overTCP])
    func deletionWithoutAnAnswerEndsWithinItsLimitAndIsSaid(uri: String) throws {
        let run = try Self.run(Self.options([uri]), interruptAt: .milliseconds(90)) {
            $0.faults.drop(.refresh)
        }
        let limit = Plan.cleanupLimitAfterSignal.nanoseconds / 1_000_000
        #expect(run.took <= 90 + limit)
        guard case .unconfirmed = run.first?.deletion else {
            Issue.record("\(String(describing: run.first?.deletion))")
            return
        }
        #expect(run.findings.contains("turn-allocation-left"))
    }

    @Test func silentServerIsNoAnswerAtTheDeadlineAndNothingIsLeftToDelete() throws {
        let run = try Self.run(Self.options(timeout: .seconds(4))) { $0.faults.drop() }
        #expect(run.took == 4000)
        #expect(run.first?.trouble?.kind == .noAnswer && run.first?.trouble?.detail == "5")
        #expect(run.log.deletions.isEmpty)
    }

    @Test func signedAllocateWithoutAnAnswerIsDeletedAllTheSame() throws {
        let run = try Self.run(Self.options(timeout: .seconds(2))) {
            $0.faults.drop { request, _ in request.method == .allocate && request.isSigned }
        }
        #expect(!run.log.deletions.isEmpty)
        #expect(run.first?.trouble?.kind == .noAnswer)
    }

    @Test func attemptThatWaitsForTheQuotaEndsWithTheRun() throws {
        var options = try Self.options()
        options.turn.usesAllTransports = true
        let run = try Self.run(options, interruptAt: .milliseconds(90)) { $0.configureRelays = { $0.quota = 1 } }
        #expect(run.evidence.count == 2 && run.log.left == 0)
        #expect(run.took <= 130)
    }

    // MARK: The path

    @Test func oneICMPMessageIsNoEnd() throws {
        let run = try Self.run(Self.options()) {
            $0.faults.drop { $1.requests.count == 1 }
            $0.system = { output, now in
                guard case .transmit(let transmit) = output, now == .zero else { return [] }
                return [(.milliseconds(5), .icmp(.portUnreachable, from: Place.relay.address, about: transmit))]
            }
        }
        #expect(run.first?.trouble == nil && run.first?.relay?.channel.roundTrips.count == 3)
    }

    /// A host on which no server runs.
    private static func withoutServer(_ lab: inout SessionLab) {
        lab.relays = []
        lab.add(nil, at: Place.relay.address)
    }

    @Test func secondICMPMessageIsTheEndLongBeforeTheDeadline() throws {
        let run = try Self.run(Self.options(), Self.withoutServer)
        #expect(run.first?.trouble?.path?.kind == .portUnreachable && run.took < 500)
        #expect(run.diagnosis.turn.first?.error?.kind == .portUnreachable)
        #expect(run.sent.count == 2)
    }

    @Test func refusedConnectionIsToldAtOnce() throws {
        let run = try Self.run(Self.options([Self.overTCP]), Self.withoutServer)
        #expect(run.first?.trouble?.stage == .connect && run.first?.trouble?.path?.kind == .connectionRefused)
        #expect(run.took == 20)
    }

    @Test func connectionThatSpeaksAnotherProtocolIsNamed() throws {
        let run = try Self.run(Self.options([Self.overTCP])) { lab in
            lab.relays = []
            lab.respond(at: [Place.relay], listens: true) { _ in
                [(.zero, .bytes(Array("HTTP/1.1 400 Bad Request\r\n".utf8)))]
            }
        }
        #expect(run.first?.trouble?.kind == .foreignProtocol)
        #expect(run.first?.trouble?.detail?.contains("HTTP") == true)
    }

    @Test func connectionThatIsClosedBeforeAnAnswerIsSaid() throws {
        let run = try Self.run(Self.options([Self.overTCP])) { lab in
            lab.relays = []
            lab.respond(at: [Place.relay], listens: true) { _ in [(.zero, .ended)] }
        }
        #expect(run.first?.trouble?.kind == .closed && run.first?.trouble?.stage == .allocate)
    }

    // MARK: Limits

    private static func sixtyFour(interruptAt: Duration? = nil) throws -> SessionLab.Run {
        let places = (0..<64).map { Endpoint(Place.relay.address, 3478 + $0) }
        return try run(options(places.map { "turn:\($0)" }), interruptAt: interruptAt) { $0.relays = places }
    }

    @Test func sixtyFourServersOnOneAddressGetNoMoreThanABurstAndFiftyASecond() throws {
        let run = try Self.sixtyFour()
        let times = run.sent.filter { $0.destination.address == Place.relay.address }.map(\.at)
        #expect(times.count > 500)
        let pacer = DestinationPacer()
        for (index, end) in times.enumerated() {
            let start = times[max(0, index - 200)]
            let count = times.filter { $0 >= start && $0 <= end }.count
            guard count <= pacer.most(within: end - start) else {
                Issue.record("\(count) datagrams from \(start) to \(end)")
                return
            }
        }
        #expect(run.log.left == 0)
        // Whom there was no time to ask in did not fail.
        #expect(run.evidence.count == 64 && run.evidence.allSatisfy { $0.trouble == nil })
    }

    @Test func interruptionDeletesSixtyFourAllocationsWithinTheLimit() throws {
        let run = try Self.sixtyFour(interruptAt: .seconds(3))
        #expect(run.log.left == 0)
        #expect(run.took <= 3000 + Plan.cleanupLimitAfterSignal.nanoseconds / 1_000_000)
    }

    @Test func lossOfTwentyPercentIsNoAnswerAtTheWorstAndNeverAnotherCause() throws {
        var unanswered = 0
        for seed in UInt64(1)...200 {
            let run = try Self.run(Self.options(), seed: seed) { $0.link.loss = 0.2 }
            // Five transmissions within the deadline are lost together once in 165 times; what comes late is cut short.
            if run.first?.trouble?.kind == .noAnswer || run.first?.isCutShort == true {
                unanswered += 1
                continue
            }
            #expect(run.first?.trouble == nil, "seed \(seed)")
            #expect(run.first?.relay?.channel.roundTrips.isEmpty == false, "seed \(seed)")
            #expect((run.first?.took ?? .zero) < .seconds(10), "seed \(seed)")
        }
        #expect(unanswered < 6)
    }
}
