import NetTypes
import Testing

@testable import Engines

/// What a recorded search means.
@Suite struct NATLifetimeVerdictTests {
    typealias Exchange = NATLifetimeEvidence.Exchange

    static let server = Endpoint(IPAddress(11, 0, 0, 1), 3478)
    static let outside = IPAddress(14, 0, 0, 1)

    static func exchange(
        _ kind: NATLifetimeEvidence.Kind, at milliseconds: Int, mapped: Endpoint? = nil, after: Int = 20
    ) -> Exchange {
        Exchange(
            kind: kind, sentAt: .milliseconds(milliseconds),
            answer: mapped.map { .init(after: .milliseconds(after), mappedAddress: $0) })
    }

    /// A search with samples that were opened at 1 s and asked about when their time was over.
    ///
    /// - Parameter fates: whether each sample's mapping was there; nil for one that was not asked about.
    static func evidence(
        idle: [Int], _ fates: [Bool?], method: NATLifetimeEvidence.Method = .responsePort, controls: Int = 12
    ) -> NATLifetimeEvidence {
        var evidence = NATLifetimeEvidence(source: IPAddress(192, 168, 0, 9), idleTimes: idle.map { .seconds($0) })
        var server = NATLifetimeEvidence.Server(endpoint: Self.server, addedAt: .zero)
        server.freshLocal = Endpoint(IPAddress(192, 168, 0, 9), 5000)
        let fresh = Endpoint(outside, 6000)
        server.exchanges = [
            exchange(.refresh, at: 0, mapped: fresh),
            exchange(.introduction, at: 0, mapped: Endpoint(outside, 6001)),
            exchange(.control, at: 20, mapped: Endpoint(outside, 6001)),
        ]
        evidence.servers = [server]
        evidence.choice = .init(server: 0, method: method, at: .milliseconds(40))
        for (place, fate) in fates.enumerated() {
            let mapped = Endpoint(outside, UInt16(7000 + place))
            var sample = NATLifetimeEvidence.Sample()
            sample.opening = [exchange(.own, at: 1000, mapped: mapped)]
            let due = 1020 + idle[place] * 1000
            switch (fate, method) {
            case (nil, _): break
            case (true, .responsePort): sample.test = [exchange(.probe, at: due, mapped: Endpoint(outside, 6001))]
            case (false, .responsePort):
                sample.test = [exchange(.probe, at: due), exchange(.refresh, at: due, mapped: fresh)]
                for round in 0..<controls {
                    sample.test += [
                        exchange(.probe, at: due + 30 + round * 4),
                        exchange(.control, at: due + 30 + round * 4, mapped: Endpoint(outside, 6001)),
                    ]
                }
            case (true, .sameSocket): sample.test = [exchange(.own, at: due, mapped: mapped)]
            case (false, .sameSocket):
                let other = Endpoint(outside, UInt16(8000 + place))
                sample.test = [exchange(.own, at: due, mapped: other), exchange(.own, at: due + 20, mapped: other)]
            }
            evidence.samples.append(sample)
        }
        evidence.endedAt = .seconds(1000)
        return evidence
    }

    @Test func theBoundsAreWhatTheMappingSurelyOutlivedAndWhatItSurelyDidNot() throws {
        let verdict = NATLifetimeVerdict(Self.evidence(idle: [13, 14, 15, 16], [true, true, false, nil]))
        guard case .within(let alive, let expired, let risk) = verdict.lifetime else {
            Issue.record("\(verdict.lifetime)")
            return
        }
        // Idle since the answer came in at the latest, and since its request went out at the soonest.
        #expect(alive == .seconds(14))
        // The last probe went out 74 ms after the first, and had 40 ms to be answered.
        #expect(expired == .seconds(15) + .milliseconds(20 + 74 + 40))
        #expect(risk > 0 && risk < 1 / 1000)
        #expect(verdict.keepalive == .seconds(7))
        #expect(verdict.method == .responsePort && verdict.server == Self.server)
    }

    @Test(arguments: [(1, nil), (2, 1), (3, 1), (14, 7), (31, 15), (360, 180)] as [(Int, Int?)])
    func theKeepaliveComesTwiceWithinWhatTheMappingOutlived(alive: Int, keepalive: Int?) {
        let verdict = NATLifetimeVerdict(Self.evidence(idle: [alive, alive + 1], [true, false]))
        #expect(verdict.keepalive == keepalive.map { .seconds($0) })
    }

    @Test func aMappingThatIsGoneAtTheFirstLookHasNoLowerBound() throws {
        let verdict = NATLifetimeVerdict(Self.evidence(idle: [1, 2], [false, nil]))
        #expect(verdict.alive == .zero)
        #expect(verdict.keepalive == nil)
        let expired = try #require(verdict.expired)
        #expect(expired < .milliseconds(1200))
    }

    @Test func silenceIsNotBelievedWithoutEnoughControls() {
        for controls in 0..<7 {
            let verdict = NATLifetimeVerdict(Self.evidence(idle: [1, 2], [true, false], controls: controls))
            #expect(verdict.expired == nil, "\(controls) controls")
            #expect(verdict.alive == .seconds(1))
        }
    }

    @Test func aSearchOfManySamplesAsksForMoreOfEach() {
        let few = Self.evidence(idle: [1, 2], [true, false])
        var many = few
        many.idleTimes = (1...90).map { .seconds($0) }
        #expect(few.mostRiskEach > many.mostRiskEach * 44)
        // Eight rounds settle one of two samples and not one of ninety.
        #expect(NATLifetimeVerdict(Self.evidence(idle: [1, 2], [true, false], controls: 8)).expired != nil)
        var undecided = Self.evidence(idle: [1, 2], [true, false], controls: 8)
        undecided.idleTimes = many.idleTimes
        #expect(NATLifetimeVerdict(undecided).expired == nil)
    }

    @Test func withoutAnUpperBoundItIsAtLeastWhatWasSeen() {
        var evidence = Self.evidence(idle: [1, 2, 3], [true, true, true])
        #expect(NATLifetimeVerdict(evidence).lifetime == .atLeast(.seconds(3), "no mapping was left idle for longer"))
        evidence.isCutShort = true
        #expect(NATLifetimeVerdict(evidence).lifetime == .atLeast(.seconds(3), "the run ended before more was seen"))
    }

    @Test func socketsWithSeveralExternalAddressesTellNothingOfEachOther() {
        var evidence = Self.evidence(idle: [1, 2], [true, false])
        evidence.samples[1].opening[0].answer?.mappedAddress.address = IPAddress(14, 0, 0, 2)
        guard case .unknown(let why) = NATLifetimeVerdict(evidence).lifetime else {
            Issue.record("a verdict from a probe that went elsewhere")
            return
        }
        #expect(why.contains("different addresses"))
    }

    @Test func theSameSocketTellsByANewPortAndByNoPortThatStays() {
        let verdict = NATLifetimeVerdict(Self.evidence(idle: [14, 15], [true, false], method: .sameSocket))
        #expect(
            verdict.lifetime == .within(alive: .seconds(14), expired: .seconds(15) + .milliseconds(40), risk: 0))
        let staying = NATLifetimeVerdict(Self.evidence(idle: [14, 15], [true, true], method: .sameSocket))
        #expect(staying.alive == nil)
    }

    @Test func aServerThatSeesOneSocketAtTwoPortsTellsNothing() {
        var evidence = Self.evidence(idle: [14, 15], [true, false], method: .sameSocket)
        evidence.samples[1].test[1].answer?.mappedAddress.port += 1
        #expect(NATLifetimeVerdict(evidence).expired == nil)
    }

    @Test func whatComesInLateStartsTheIdleTimeAfresh() {
        var evidence = Self.evidence(idle: [14, 15], [true, false])
        evidence.samples[0].lastHeardAt = .seconds(4)
        #expect(evidence.outcome(ofSample: 0, at: evidence.endedAt) == .alive(after: .milliseconds(11_020)))
    }

    @Test func aMappingThatOutlivesOneThatIsGoneIsNoLifetime() {
        let verdict = NATLifetimeVerdict(Self.evidence(idle: [14, 30], [false, true]))
        #expect(verdict.alive == nil)
    }
}

/// The idle times, and what the search does with what comes in.
@Suite struct NATLifetimeTests {
    @Test func theLadderHasThePrecisionThatIsSaid() {
        let times = NATLifetimeLadder.idleTimes(upTo: .seconds(360))
        #expect(times.first == .seconds(1) && times.last == .seconds(360) && times.count == 90)
        for (shorter, longer) in zip(times, times.dropFirst()) {
            #expect(longer > shorter && longer - shorter <= max(.seconds(1), shorter / 20), "\(shorter)")
        }
        #expect(NATLifetimeLadder.idleTimes(upTo: .seconds(7)).last == .seconds(7))
        #expect(NATLifetimeLadder.idleTimes(upTo: .milliseconds(900)).isEmpty)
        #expect(NATLifetimeLadder.idleTimes(upTo: .seconds(3600)).last == .seconds(360))
    }

    private let server = NATLifetimeVerdictTests.server

    /// A search whose server has just shown that it honours RESPONSE-PORT, with its sample's question.
    private func search() throws -> (NATLifetime, NATLifetime.ExchangeID) {
        var search = NATLifetime(source: IPAddress(192, 168, 0, 9), idleTimes: [.seconds(1)], at: .zero)
        for socket in search.add(server: server, at: .zero) {
            search.opened(socket, Endpoint(IPAddress(192, 168, 0, 9), 5000), at: .zero)
        }
        var now = Instant.zero
        for _ in 0..<3 {
            let (at, question) = try #require(search.nextQuestion)
            now = max(now, at)
            let id = search.sent(question, at: now)
            now = now + .milliseconds(10)
            answer(&search, id, on: id.target, port: question.socket == .asker(server: 0) ? 6001 : 6000, at: now)
        }
        #expect(search.takeSocketsToOpen() == [.sample(0)])
        search.opened(.sample(0), Endpoint(IPAddress(192, 168, 0, 9), 5001), at: now)
        let (_, opening) = try #require(search.nextQuestion)
        let opened = search.sent(opening, at: now)
        now = now + .milliseconds(10)
        answer(&search, opened, on: .sample(0), port: 7000, at: now)
        let (due, question) = try #require(search.nextQuestion)
        #expect(due == now + .seconds(1))
        #expect(question.socket == .asker(server: 0) && question.responsePort == 7000)
        let probe = search.sent(question, at: due)
        return (search, probe)
    }

    private func answer(
        _ search: inout NATLifetime, _ id: NATLifetime.ExchangeID, on socket: NATLifetimeSocket, port: UInt16,
        at now: Instant
    ) {
        search.answered(
            id, on: socket, mappedAddress: Endpoint(NATLifetimeVerdictTests.outside, port), isLegacy: false,
            arrivedAt: now, at: now)
    }

    @Test func anAnswerThatGetsInShowsThatTheMappingLives() throws {
        var (search, probe) = try search()
        answer(&search, probe, on: .sample(0), port: 6001, at: .zero + .seconds(2))
        #expect(search.isOver)
        #expect(search.takeNews().map(\.outcome) == [.alive(after: .seconds(1))])
        #expect(search.takeSocketsToClose().contains(.sample(0)))
    }

    @Test func anAnswerAtAnotherSocketIsNotTheSamples() throws {
        var (search, probe) = try search()
        // The NAT has given the port of the mapping that is gone to another socket.
        answer(&search, probe, on: .fresh(server: 0), port: 6001, at: .zero + .seconds(2))
        answer(&search, probe, on: .asker(server: 0), port: 6001, at: .zero + .seconds(2))
        #expect(!search.isOver && search.takeNews().isEmpty)
    }

    @Test func aServerWhoseSocketCannotBeOpenedHoldsNothingUp() {
        var search = NATLifetime(source: IPAddress(192, 168, 0, 9), idleTimes: [.seconds(1)], at: .zero)
        _ = search.add(server: server, at: .zero)
        search.failed(.asker(server: 0), at: .zero)
        #expect(!search.isOver)
        search.allServersAdded(at: .zero)
        #expect(search.isOver)
    }

    @Test func aServerIsNotSilentBeforeItWasAsked() throws {
        var search = NATLifetime(source: IPAddress(192, 168, 0, 9), idleTimes: [.seconds(1)], at: .zero)
        for socket in search.add(server: server, at: .zero) {
            search.opened(socket, Endpoint(IPAddress(192, 168, 0, 9), 5000), at: .zero)
        }
        search.allServersAdded(at: .zero)
        // The rate of its destination has held everything back.
        var now = Instant.zero + .seconds(3)
        search.handleTimeout(at: now)
        var requests = 0
        while let (at, question) = search.nextQuestion {
            now = max(now, at)
            search.handleTimeout(at: now)
            _ = search.sent(question, at: now)
            if question.socket == .fresh(server: 0) { requests += 1 }
        }
        #expect(requests == 10 && !search.isOver)
        search.handleTimeout(at: try #require(search.nextWait))
        #expect(search.isOver)
    }

    @Test func aSampleIsNotAskedAboutBeforeItWasIdleForItsTime() throws {
        let (search, _) = try search()
        let sample = try #require(search.evidence.samples.first)
        let opened = try #require(sample.opening.first?.answer).after + (try #require(sample.opening.first)).sentAt
        #expect(try #require(sample.test.first).sentAt == opened + .seconds(1))
    }
}
