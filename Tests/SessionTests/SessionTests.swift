import Diagnosis
import Engines
import NetTypes
import STUN
import SimNet
import Testing

@testable import Session

/// The session on a virtual clock, from plan to results.
@Suite struct SessionTests {
    static let server = Endpoint(IPAddress(198, 51, 100, 1), 3478)
    static let mapped = Endpoint(IPAddress(203, 0, 113, 7), 4242)
    static let interfaces = [
        NetworkInterface(
            name: "eth0", index: 2, kind: .ethernet,
            addresses: [.init(VirtualNetwork.host, prefixLength: 24), .init(VirtualNetwork.host6, prefixLength: 64)])
    ]

    static func plan(
        _ uris: [String] = ["stun:198.51.100.1"], command: Options.Command = .stun, transports: [Transport] = [.udp],
        timeout: Duration? = nil, count: Int = 1, families: Set<IPAddress.Family> = [.ipv4, .ipv6]
    ) throws -> Plan {
        let entries = try uris.map { ICEServers.Entry(uri: try ServerURI(parsing: $0)) }
        return try Plan(
            Options(
                command: command, servers: entries, families: families, transports: transports, timeout: timeout,
                count: count), interfaces: interfaces)
    }

    static func success(
        _ request: [UInt8], _ address: Endpoint = mapped, with more: (inout MessageBuilder) -> Void = { _ in }
    ) -> [UInt8] {
        guard let id = TransactionID(inMessage: request) else { return [] }
        var builder = MessageBuilder(.successResponse, .binding, id)
        builder.append(.xorMappedAddress, address)
        more(&builder)
        return builder.bytes
    }

    private func run(
        _ plan: Plan, seed: UInt64 = 1, _ configure: (inout VirtualNetwork) -> Void
    ) -> (diagnosis: Diagnosis, network: VirtualNetwork, observations: [Observation]) {
        var network = VirtualNetwork()
        configure(&network)
        var session = Session(plan, random: SeededGenerator(seed: seed), from: .zero)
        let observations = network.run(&session)
        return (Diagnosis(plan, observations), network, observations)
    }

    private func failure(_ diagnosis: Diagnosis) -> ProbeError? {
        guard case .failed(let error) = diagnosis.stun.first?.outcome else { return nil }
        return error
    }

    // MARK: UDP

    @Test func answeredServerGivesItsAddressAndRoundTripAndEndsTheRunAtOnce() throws {
        let (diagnosis, network, _) = run(try Self.plan()) { network in
            network.respond = { transmit, _, _ in
                [(.milliseconds(12), .datagram(from: transmit.destination, Self.success(transmit.bytes)))]
            }
        }
        let result = try #require(diagnosis.stun.first)
        #expect(result.isOK && result.attempts == 1)
        #expect(result.answer?.mappedAddress == Self.mapped)
        #expect(result.answer?.roundTrip.duration == .milliseconds(12))
        #expect(network.now == .zero + .milliseconds(12))
        #expect(diagnosis.verdict.isOK && diagnosis.verdict.best == .serverReflexive)
    }

    @Test func silentServerIsAskedOnTheScheduleUntilTheDeadline() throws {
        let (diagnosis, network, _) = run(try Self.plan()) { _ in }
        #expect(network.sent.map { $0.at.nanoseconds / 1_000_000 } == [0, 500, 1500, 3500])
        #expect(network.now == .zero + .seconds(5))
        #expect(failure(diagnosis)?.kind == .timeout)
        #expect(!diagnosis.verdict.isOK)
    }

    @Test func longDeadlineEndsWithTheScheduleOfTheRFC() throws {
        let (diagnosis, network, _) = run(try Self.plan(timeout: .seconds(60))) { _ in }
        #expect(network.sent.count == 7)
        #expect(network.now == .zero + .milliseconds(39500))
        #expect(failure(diagnosis)?.kind == .timeout)
    }

    @Test func transactionIdsAreNeverUsedTwice() throws {
        let uris = (1...20).map { "stun:198.51.100.\($0)" }
        let (_, network, _) = run(try Self.plan(uris, timeout: .milliseconds(100))) { _ in }
        #expect(Set(network.sent.map { Array($0.transmit.bytes[8..<20]) }).count == 20)
    }

    struct Disbelieved: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: ProbeError.Kind
        let reply: @Sendable ([UInt8]) -> (from: Endpoint, bytes: [UInt8])
    }

    static let elsewhere = Endpoint(IPAddress(198, 51, 100, 99), 3478)

    @Test(arguments: [
        Disbelieved(testDescription: "another transaction id", kind: .foreignAnswer) { request in
            var bytes = SessionTests.success(request)
            bytes[10] ^= 1
            return (SessionTests.server, bytes)
        },
        Disbelieved(testDescription: "another source", kind: .wrongSource) { request in
            (SessionTests.elsewhere, SessionTests.success(request))
        },
        Disbelieved(testDescription: "another port", kind: .wrongSource) { request in
            (Endpoint(SessionTests.server.address, 3479), SessionTests.success(request))
        },
        Disbelieved(testDescription: "our own bytes", kind: .echo) { (SessionTests.server, $0) },
        Disbelieved(testDescription: "a bad fingerprint", kind: .badFingerprint) { request in
            var bytes = SessionTests.success(request) { $0.appendFingerprint() }
            bytes[bytes.count - 1] ^= 1
            return (SessionTests.server, bytes)
        },
        Disbelieved(testDescription: "half a message", kind: .malformed) { request in
            (SessionTests.server, Array(SessionTests.success(request).dropLast(4)))
        },
        Disbelieved(testDescription: "nothing", kind: .malformed) { _ in (SessionTests.server, []) },
        Disbelieved(testDescription: "an indication", kind: .foreignAnswer) { request in
            var bytes = request
            bytes[1] |= 0x10
            return (SessionTests.server, Array(bytes))
        },
    ])
    func disbelievedReplyNeverShowsAnAddressAndDoesNotEndTheWait(_ fault: Disbelieved) throws {
        let (diagnosis, network, _) = run(try Self.plan()) { network in
            network.respond = { transmit, _, _ in
                let (from, bytes) = fault.reply(transmit.bytes)
                return [(.milliseconds(5), .datagram(from: from, bytes))]
            }
        }
        #expect(diagnosis.stun.first?.answer == nil)
        #expect(failure(diagnosis)?.kind == fault.kind)
        #expect(network.sent.count == 4)
        #expect(diagnosis.stun.first?.ignored.first?.count == 4)
    }

    @Test(arguments: [
        Disbelieved(testDescription: "another transaction id", kind: .foreignAnswer) { request in
            var bytes = SessionTests.success(request, SessionTests.elsewhere)
            bytes[10] ^= 1
            return (SessionTests.server, bytes)
        },
        Disbelieved(testDescription: "another source", kind: .wrongSource) { request in
            (SessionTests.elsewhere, SessionTests.success(request, SessionTests.elsewhere))
        },
        Disbelieved(testDescription: "garbage", kind: .malformed) { _ in (SessionTests.server, [1, 2, 3]) },
    ])
    func goodReplyAfterDisbelievedOnesIsTaken(_ fault: Disbelieved) throws {
        let (diagnosis, _, _) = run(try Self.plan()) { network in
            network.respond = { transmit, _, _ in
                let (from, bytes) = fault.reply(transmit.bytes)
                let bad = (0..<20).map {
                    (Duration.milliseconds($0 + 1), VirtualNetwork.Reply.datagram(from: from, bytes))
                }
                return bad + [(.milliseconds(30), .datagram(from: Self.server, Self.success(transmit.bytes)))]
            }
        }
        #expect(diagnosis.stun.first?.answer?.mappedAddress == Self.mapped)
        #expect(diagnosis.stun.first?.ignored.first?.count == 20)
    }

    @Test func lossOfThirtyPercentNeverChangesTheVerdict() throws {
        // Four transmissions of a request and its reply: the chance that none gets through is 0.51^4 = 7 %, and then
        // the verdict is "no answer"; a wrong address or another cause is never given.
        var silent = 0
        for seed in UInt64(1)...1000 {
            var random = SeededGenerator(seed: seed)
            let losses = (0..<20).map { _ in random.next() % 100 < 51 }
            let (diagnosis, _, _) = run(try Self.plan(), seed: seed) { network in
                network.respond = { transmit, _, now in
                    let attempt = [0, 500, 1500, 3500].firstIndex(of: now.nanoseconds / 1_000_000) ?? 0
                    return losses[attempt]
                        ? [] : [(.milliseconds(80), .datagram(from: Self.server, Self.success(transmit.bytes)))]
                }
            }
            if diagnosis.verdict.isOK {
                #expect(diagnosis.stun.first?.answer?.mappedAddress == Self.mapped, "seed \(seed)")
            } else {
                #expect(failure(diagnosis)?.kind == .timeout, "seed \(seed)")
                silent += 1
            }
        }
        #expect((40...100).contains(silent))
    }

    // MARK: ICMP

    @Test func portUnreachableTwiceEndsTheProbeEarlyWithItsName() throws {
        let (diagnosis, network, _) = run(try Self.plan()) { network in
            network.respond = { _, _, _ in [(.milliseconds(3), .icmp(.portUnreachable, from: Self.server.address))] }
        }
        #expect(failure(diagnosis)?.kind == .portUnreachable)
        #expect(network.sent.count == 2)
        #expect(network.now == .zero + .milliseconds(26))
    }

    @Test func singleForgedErrorDoesNotEndATestThatIsAnswered() throws {
        let (diagnosis, _, _) = run(try Self.plan()) { network in
            network.respond = { transmit, _, now in
                var replies: [(Duration, VirtualNetwork.Reply)] = [
                    (.milliseconds(200), .datagram(from: Self.server, Self.success(transmit.bytes)))
                ]
                if now == .zero {
                    replies.append((.milliseconds(1), .icmp(.portUnreachable, from: Self.server.address)))
                }
                return replies
            }
        }
        #expect(diagnosis.verdict.isOK)
        #expect(diagnosis.stun.first?.answer?.mappedAddress == Self.mapped)
    }

    @Test func singleErrorAndSilenceEndAfterOneRetransmissionTimeoutWithTheRouter() throws {
        let router = IPAddress(10, 0, 0, 1)
        let (diagnosis, network, _) = run(try Self.plan()) { network in
            network.respond = { _, _, now in
                now == .zero ? [(.milliseconds(1), .icmp(.administrativelyProhibited, from: router))] : []
            }
        }
        #expect(failure(diagnosis)?.kind == .administrativelyProhibited)
        #expect(failure(diagnosis)?.reporter == router)
        #expect(network.now == .zero + .milliseconds(501))
        #expect(diagnosis.findings.map(\.id) == ["firewall-rejects"])
    }

    // MARK: Servers and families

    @Test func deadServerDoesNotDelayTheOthersNorPassForAlive() throws {
        let uris = (1...20).map { "stun:198.51.100.\($0)" }
        let (diagnosis, network, _) = run(try Self.plan(uris, timeout: .seconds(3))) { network in
            network.respond = { transmit, _, _ in
                guard transmit.destination.address.value % 2 == 0 else { return [] }
                return [(.milliseconds(10), .datagram(from: transmit.destination, Self.success(transmit.bytes)))]
            }
        }
        #expect(network.now == .zero + .seconds(3))
        #expect(diagnosis.stun.filter(\.isOK).count == 10)
        #expect(diagnosis.stun.filter { !$0.isOK }.count == 10)
        #expect(!diagnosis.verdict.isOK)
    }

    @Test func deadResolverCostsOnlyItsOwnServer() throws {
        let plan = try Self.plan(["stun:dead.example:3478", "stun:198.51.100.1"], timeout: .seconds(2))
        let (diagnosis, _, observations) = run(plan) { network in
            let answer = network.answer
            network.answer = { query in
                if case .addresses = query { return nil }
                return answer(query)
            }
            network.respond = { transmit, _, _ in
                [(.milliseconds(10), .datagram(from: transmit.destination, Self.success(transmit.bytes)))]
            }
        }
        let answeredAt = observations.first { if case .answered = $0.fact { true } else { false } }?.at
        #expect(answeredAt == .milliseconds(10))
        #expect(diagnosis.stun.last?.isOK == true)
        guard case .notMeasured(let why) = diagnosis.stun.first?.outcome else {
            Issue.record("a name that was not resolved in time is not measured")
            return
        }
        #expect(why.reason == .deadline && why.detail.contains("dead.example"))
        #expect(!diagnosis.verdict.isOK)
    }

    @Test func nameIsLookedUpOncePerRun() throws {
        let plan = try Self.plan(["stun:a.example:3478", "stun:a.example:3479"])
        nonisolated(unsafe) var lookups = 0
        _ = run(plan) { network in
            let answer = network.answer
            network.answer = { query in
                if case .addresses(_, .ipv4) = query {
                    lookups += 1
                    return (.milliseconds(1), .addresses([Self.server.address]))
                }
                return answer(query)
            }
        }
        #expect(lookups == 1)
    }

    @Test func everyAddressOfANameIsTriedAndTheVerdictIsPerFamily() throws {
        let six = IPAddress(v6: 0x2001_0DB8 << 96 | 99)
        let (diagnosis, _, _) = run(try Self.plan(["stun:a.example:3478"])) { network in
            let answer = network.answer
            network.answer = { query in
                switch query {
                case .addresses(_, .ipv4):
                    (.milliseconds(1), .addresses([Self.server.address, Self.elsewhere.address]))
                case .addresses(_, .ipv6): (.milliseconds(1), .addresses([six]))
                default: answer(query)
                }
            }
            network.respond = { transmit, _, _ in
                transmit.destination.address == Self.elsewhere.address
                    ? [(.milliseconds(9), .datagram(from: transmit.destination, Self.success(transmit.bytes)))] : []
            }
        }
        #expect(diagnosis.stun.count == 3)
        let families = diagnosis.verdict.families
        #expect(families.map(\.family) == [.ipv4, .ipv6])
        #expect(families.map(\.isOK) == [true, false])
        #expect(!diagnosis.verdict.isOK)
    }

    @Test func familyWithoutARouteIsNotMeasuredAndNoFailure() throws {
        let (diagnosis, _, _) = run(try Self.plan(["stun:a.example:3478"])) { network in
            let answer = network.answer
            network.answer = { query in
                switch query {
                case .addresses(_, .ipv4): (.milliseconds(1), .addresses([Self.server.address]))
                case .addresses(_, .ipv6): (.milliseconds(1), .addresses([VirtualNetwork.host6]))
                case .source(let endpoint, _) where endpoint.family == .ipv6:
                    (.zero, .failed(.noRoute(errno: 101)))
                default: answer(query)
                }
            }
            network.respond = { transmit, _, _ in
                [(.milliseconds(9), .datagram(from: transmit.destination, Self.success(transmit.bytes)))]
            }
        }
        #expect(diagnosis.verdict.isOK)
        #expect(
            diagnosis.stun.contains {
                if case .notMeasured(let why) = $0.outcome { why.reason == .noRoute } else { false }
            })
    }

    // MARK: Series

    @Test func seriesIsPacedAndItsLossIsCounted() throws {
        nonisolated(unsafe) var number = 0
        let (diagnosis, network, _) = run(try Self.plan(count: 50)) { network in
            network.respond = { transmit, _, _ in
                number += 1
                if number == 10 || number == 20 { return [] }
                return [
                    (
                        .milliseconds(number % 2 == 0 ? 10 : 12),
                        .datagram(from: transmit.destination, Self.success(transmit.bytes))
                    )
                ]
            }
        }
        let statistics = try #require(diagnosis.stun.first?.statistics)
        #expect(statistics.sent == 50 && statistics.received == 48)
        #expect(statistics.minimum == .milliseconds(10) && statistics.maximum == .milliseconds(12))
        #expect(statistics.jitter > .milliseconds(1) && statistics.jitter <= .milliseconds(2))
        #expect(diagnosis.findings.map(\.id) == ["answers-lost"])
        for (earlier, later) in zip(network.sent, network.sent.dropFirst()) {
            #expect(later.at - earlier.at >= .milliseconds(20))
        }
    }

    @Test func seriesOfADeadServerSendsOnlyTheFirstRequest() throws {
        let (_, network, _) = run(try Self.plan(count: 50)) { _ in }
        #expect(Set(network.sent.map { Array($0.transmit.bytes[8..<20]) }).count == 1)
    }

    @Test func oneDestinationGetsABurstOfFortyAndFiftyASecond() throws {
        let uris = (0..<200).map { "stun:198.51.100.1:\(10000 + $0)" }
        let (_, network, _) = run(try Self.plan(uris, timeout: .seconds(3))) { _ in }
        for start in network.sent.indices {
            let end = network.sent[start].at + .seconds(1)
            #expect(network.sent[start...].prefix { $0.at < end }.count <= 90)
        }
        #expect(network.sent.filter { $0.at == .zero }.count == 40)
    }

    @Test func secondAnswerToAnAnsweredRequestIsNotHeldAgainstTheNext() throws {
        let (diagnosis, _, _) = run(try Self.plan(count: 5)) { network in
            network.respond = { transmit, _, _ in
                [5, 30].map { (.milliseconds($0), .datagram(from: transmit.destination, Self.success(transmit.bytes))) }
            }
        }
        #expect(diagnosis.stun.first?.statistics?.received == 5)
        #expect(diagnosis.stun.first?.ignored == [])
    }

    @Test func questionsToTheResolverAreManyAndNotAnyNumber() throws {
        let plan = try Self.plan((1...250).map { "stun:host\($0).example:3478" }, timeout: .seconds(2))
        var session = Session(plan, random: SeededGenerator(seed: 1), from: .zero)
        var asked = 0
        while case .query? = session.pollOutput(at: .zero) { asked += 1 }
        #expect(asked == 256)
        session.handle(.answer(QueryID(1), .failed(.noSuchName)), at: .zero)
        guard case .query? = session.pollOutput(at: .zero) else {
            Issue.record("the next question takes the answered one's place")
            return
        }
    }

    // MARK: Interruption

    @Test func interruptedRunKeepsWhatItMeasured() throws {
        let plan = try Self.plan(["stun:198.51.100.1", "stun:198.51.100.2"])
        var network = VirtualNetwork()
        network.respond = { transmit, _, _ in
            transmit.destination == Self.server
                ? [(.milliseconds(9), .datagram(from: transmit.destination, Self.success(transmit.bytes)))] : []
        }
        var session = Session(plan, random: SeededGenerator(seed: 1), from: .zero)
        let observations = network.run(&session, interruptAt: .zero + .milliseconds(100))
        let diagnosis = Diagnosis(plan, observations)
        #expect(diagnosis.stun.map(\.isOK) == [true, false])
        guard case .notMeasured(let why) = diagnosis.stun[1].outcome else {
            Issue.record("a server that was asked for 100 ms only is not measured")
            return
        }
        #expect(why.reason == .interrupted)
    }
}
