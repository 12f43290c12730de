import Diagnosis
import Engines
import Facts
import NetTypes
import Planning
import STUN
import SimNet
import TestSupport
import Testing

@testable import Session

/// The session with STUN servers over UDP, from options to diagnosis.
@Suite struct SessionTests {
    static func options(
        _ uris: [String] = ["stun:198.51.100.1"], command: Options.Command = .stun, transports: [Transport] = [.udp],
        timeout: Duration? = nil, count: Int = 1
    ) throws -> Options {
        Options(
            command: command, servers: try .init(uris), families: [.ipv4, .ipv6], transports: transports,
            timeout: timeout, count: count)
    }

    static func run(
        _ options: Options, _ configure: (inout SessionLab) -> Void = { _ in }
    ) throws -> SessionLab.Run {
        var lab = SessionLab(options)
        configure(&lab)
        return try lab.run()
    }

    /// A server that answers as it should, so long after each request.
    private static func run(
        _ options: Options, at places: [Endpoint] = [Place.server], answeredAfter milliseconds: Int,
        _ configure: (inout SessionLab) -> Void = { _ in }
    ) throws -> SessionLab.Run {
        try run(options) { lab in
            lab.respond(at: places) { [(.milliseconds(milliseconds), .bytes(MessageBuilder.success($0.bytes)))] }
            configure(&lab)
        }
    }

    // MARK: UDP

    @Test func answeredServerGivesItsAddressAndRoundTripAndEndsTheRunAtOnce() throws {
        let run = try Self.run(Self.options(), answeredAfter: 12)
        let result = try #require(run.diagnosis.stun.first)
        #expect(result.isOK && result.attempts == 1)
        #expect(result.answer?.mappedAddress == Place.mapped)
        #expect(result.answer?.roundTrip.duration == .milliseconds(12))
        #expect(run.net.now == .zero + .milliseconds(12))
        #expect(run.diagnosis.verdict.isOK && run.diagnosis.verdict.best == .serverReflexive)
    }

    @Test func silentServerIsAskedOnTheScheduleUntilTheDeadline() throws {
        let run = try Self.run(Self.options())
        #expect(run.sent.map { $0.at.nanoseconds / 1_000_000 } == [0, 500, 1500, 3500])
        #expect(run.net.now == .zero + .seconds(5))
        #expect(run.failure?.kind == .timeout)
        #expect(!run.diagnosis.verdict.isOK)
    }

    @Test func longDeadlineEndsWithTheScheduleOfTheRFC() throws {
        let run = try Self.run(Self.options(timeout: .seconds(60)))
        #expect(run.sent.count == 7)
        #expect(run.net.now == .zero + .milliseconds(39500))
        #expect(run.failure?.kind == .timeout)
    }

    @Test func transactionIdsAreNeverUsedTwice() throws {
        let uris = (1...20).map { "stun:198.51.100.\($0)" }
        let run = try Self.run(Self.options(uris, timeout: .milliseconds(100)))
        #expect(Set(run.sent.map { Array($0.transmit.bytes[8..<20]) }).count == 20)
    }

    struct Disbelieved: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: ProbeError.Kind
        var from = Place.server
        let reply: @Sendable ([UInt8]) -> [UInt8]

        /// The places of a server that may answer from elsewhere.
        static let places = [Place.server, Place.elsewhere, otherPort]
        static let otherPort = Endpoint(Place.server.address, 3479)
    }

    @Test(arguments: [
        Disbelieved(testDescription: "another transaction id", kind: .foreignAnswer) { request in
            var bytes = MessageBuilder.success(request)
            bytes[10] ^= 1
            return bytes
        },
        Disbelieved(testDescription: "another source", kind: .wrongSource, from: Place.elsewhere) {
            MessageBuilder.success($0)
        },
        Disbelieved(testDescription: "another port", kind: .wrongSource, from: Disbelieved.otherPort) {
            MessageBuilder.success($0)
        },
        Disbelieved(testDescription: "our own bytes", kind: .echo) { $0 },
        Disbelieved(testDescription: "a bad fingerprint", kind: .badFingerprint) { request in
            var bytes = MessageBuilder.success(request) { $0.appendFingerprint() }
            bytes[bytes.count - 1] ^= 1
            return bytes
        },
        Disbelieved(testDescription: "half a message", kind: .malformed) { MessageBuilder.success($0).dropLast(4) },
        Disbelieved(testDescription: "nothing", kind: .malformed) { _ in [] },
        Disbelieved(testDescription: "an indication", kind: .foreignAnswer) { request in
            var bytes = request
            bytes[1] |= 0x10
            return bytes
        },
    ])
    func disbelievedReplyNeverShowsAnAddressAndDoesNotEndTheWait(_ fault: Disbelieved) throws {
        let run = try Self.run(Self.options()) { lab in
            lab.respond(at: Disbelieved.places) {
                [(.milliseconds(5), .bytes(fault.reply($0.bytes), from: fault.from))]
            }
        }
        #expect(run.diagnosis.stun.first?.answer == nil)
        #expect(run.failure?.kind == fault.kind)
        #expect(run.sent.count == 4)
        #expect(run.diagnosis.stun.first?.ignored.first?.count == 4)
    }

    @Test(arguments: [
        Disbelieved(testDescription: "another transaction id", kind: .foreignAnswer) { request in
            var bytes = MessageBuilder.success(request, Place.elsewhere)
            bytes[10] ^= 1
            return bytes
        },
        Disbelieved(testDescription: "another source", kind: .wrongSource, from: Place.elsewhere) {
            MessageBuilder.success($0, Place.elsewhere)
        },
        Disbelieved(testDescription: "garbage", kind: .malformed) { _ in [1, 2, 3] },
    ])
    func goodReplyAfterDisbelievedOnesIsTaken(_ fault: Disbelieved) throws {
        let run = try Self.run(Self.options()) { lab in
            lab.respond(at: Disbelieved.places) { request in
                let bad = (1...20).map {
                    (Duration.milliseconds($0), Responder.Reply.bytes(fault.reply(request.bytes), from: fault.from))
                }
                return bad + [(.milliseconds(30), .bytes(MessageBuilder.success(request.bytes)))]
            }
        }
        #expect(run.diagnosis.stun.first?.answer?.mappedAddress == Place.mapped)
        #expect(run.diagnosis.stun.first?.ignored.first?.count == 20)
    }

    @Test func lossOfThirtyPercentNeverChangesTheVerdict() throws {
        // Four transmissions of a request and its reply: the chance that none gets through is 0.51^4 = 7 %, and then
        // the verdict is "no answer"; a wrong address or another cause is never given.
        var silent = 0
        for seed in UInt64(1)...1000 {
            let run = try Self.run(Self.options(), answeredAfter: 80) {
                $0.link.loss = 0.3
                $0.seed = seed
            }
            if run.diagnosis.verdict.isOK {
                #expect(run.diagnosis.stun.first?.answer?.mappedAddress == Place.mapped, "seed \(seed)")
            } else {
                #expect(run.failure?.kind == .timeout, "seed \(seed)")
                silent += 1
            }
        }
        #expect((40...100).contains(silent))
    }

    // MARK: ICMP

    @Test func portUnreachableTwiceEndsTheProbeEarlyWithItsName() throws {
        let run = try Self.run(Self.options()) {
            $0.add(nil, at: Place.server.address)
            $0.link.delay = .microseconds(1500)
        }
        #expect(run.failure?.kind == .portUnreachable)
        #expect(run.sent.count == 2)
        #expect(run.net.now == .zero + .milliseconds(26))
    }

    /// An error about the first request only.
    private static func oneError(_ kind: PathError.Kind, from router: IPAddress) -> Machine<Session>.System {
        { output, now in
            guard case .transmit(let transmit) = output, now == .zero else { return [] }
            return [(.milliseconds(1), .icmp(kind, from: router, about: transmit))]
        }
    }

    @Test func singleForgedErrorDoesNotEndATestThatIsAnswered() throws {
        let run = try Self.run(Self.options(), answeredAfter: 200) {
            $0.system = Self.oneError(.portUnreachable, from: Place.server.address)
        }
        #expect(run.diagnosis.verdict.isOK)
        #expect(run.diagnosis.stun.first?.answer?.mappedAddress == Place.mapped)
    }

    @Test func singleErrorAndSilenceEndAfterOneRetransmissionTimeoutWithTheRouter() throws {
        let router = IPAddress(10, 0, 0, 1)
        let run = try Self.run(Self.options()) {
            $0.system = Self.oneError(.administrativelyProhibited, from: router)
        }
        #expect(run.failure?.kind == .administrativelyProhibited)
        #expect(run.failure?.reporter == router)
        #expect(run.net.now == .zero + .milliseconds(501))
        #expect(run.findings == ["firewall-rejects"])
    }

    // MARK: Servers and families

    @Test func deadServerDoesNotDelayTheOthersNorPassForAlive() throws {
        let places = (1...20).map { Endpoint(IPAddress(198, 51, 100, $0), 3478) }
        let alive = places.filter { $0.address.value % 2 == 0 }
        let run = try Self.run(
            Self.options(places.map { "stun:\($0)" }, timeout: .seconds(3)), at: alive, answeredAfter: 10)
        #expect(run.net.now == .zero + .seconds(3))
        #expect(run.diagnosis.stun.filter(\.isOK).count == 10)
        #expect(run.diagnosis.stun.filter { !$0.isOK }.count == 10)
        #expect(!run.diagnosis.verdict.isOK)
    }

    @Test func deadResolverCostsOnlyItsOwnServer() throws {
        let options = try Self.options(["stun:dead.example:3478", "stun:198.51.100.1"], timeout: .seconds(2))
        let run = try Self.run(options, answeredAfter: 10) { $0.names.unanswered = ["dead.example"] }
        let answeredAt = run.observations.first { if case .answered = $0.fact { true } else { false } }?.at
        #expect(answeredAt == .milliseconds(10))
        #expect(run.diagnosis.stun.last?.isOK == true)
        guard case .notMeasured(let why) = run.diagnosis.stun.first?.outcome else {
            Issue.record("a name that was not resolved in time is not measured")
            return
        }
        #expect(why.reason == .deadline && why.detail.contains("dead.example"))
        #expect(!run.diagnosis.verdict.isOK)
    }

    @Test func nameIsLookedUpOncePerRun() throws {
        let run = try Self.run(Self.options(["stun:a.example:3478", "stun:a.example:3479"])) {
            $0.names.addresses["a.example"] = [Place.server.address]
        }
        #expect(run.machine.queries.filter { $0 == .addresses(name: "a.example", family: .ipv4) }.count == 1)
    }

    @Test func everyAddressOfANameIsTriedAndTheVerdictIsPerFamily() throws {
        let six = IPAddress(v6: 0x2001_0DB8 << 96 | 99)
        let run = try Self.run(Self.options(["stun:a.example:3478"]), at: [Place.elsewhere], answeredAfter: 9) {
            $0.names.addresses["a.example"] = [Place.server.address, Place.elsewhere.address, six]
        }
        #expect(run.diagnosis.stun.count == 3)
        let families = run.diagnosis.verdict.families
        #expect(families.map(\.family) == [.ipv4, .ipv6])
        #expect(families.map(\.isOK) == [true, false])
        #expect(!run.diagnosis.verdict.isOK)
    }

    @Test func familyWithoutARouteIsNotMeasuredAndNoFailure() throws {
        let run = try Self.run(Self.options(["stun:a.example:3478"]), answeredAfter: 9) {
            $0.names.addresses["a.example"] = [Place.server.address, IPAddress(v6: 0x2001_0DB8 << 96 | 99)]
            $0.addresses = [Place.host]
        }
        #expect(run.diagnosis.verdict.isOK)
        #expect(
            run.diagnosis.stun.contains {
                if case .notMeasured(let why) = $0.outcome { why.reason == .noRoute } else { false }
            })
    }

    // MARK: Series

    @Test func seriesIsPacedAndItsLossIsCounted() throws {
        let run = try Self.run(Self.options(count: 50)) { lab in
            lab.respond { request in
                if request.number == 10 || request.number == 20 { return [] }
                let delay = Duration.milliseconds(request.number % 2 == 0 ? 10 : 12)
                return [(delay, .bytes(MessageBuilder.success(request.bytes)))]
            }
        }
        let statistics = try #require(run.diagnosis.stun.first?.statistics)
        #expect(statistics.sent == 50 && statistics.received == 48)
        #expect(statistics.minimum == .milliseconds(10) && statistics.maximum == .milliseconds(12))
        #expect(statistics.jitter > .milliseconds(1) && statistics.jitter <= .milliseconds(2))
        #expect(run.findings == ["answers-lost"])
        for (earlier, later) in zip(run.sent, run.sent.dropFirst()) {
            #expect(later.at - earlier.at >= .milliseconds(20))
        }
    }

    @Test func seriesOfADeadServerSendsOnlyTheFirstRequest() throws {
        let run = try Self.run(Self.options(count: 50))
        #expect(Set(run.sent.map { Array($0.transmit.bytes[8..<20]) }).count == 1)
    }

    @Test func oneDestinationGetsABurstOfFortyAndFiftyASecond() throws {
        let uris = (0..<200).map { "stun:198.51.100.1:\(10000 + $0)" }
        let sent = try Self.run(Self.options(uris, timeout: .seconds(3))).sent
        for start in sent.indices {
            let end = sent[start].at + .seconds(1)
            #expect(sent[start...].prefix { $0.at < end }.count <= 90)
        }
        #expect(sent.filter { $0.at == .zero }.count == 40)
    }

    @Test func secondAnswerToAnAnsweredRequestIsNotHeldAgainstTheNext() throws {
        let run = try Self.run(Self.options(count: 5)) { lab in
            lab.respond { request in
                [5, 30].map { (.milliseconds($0), .bytes(MessageBuilder.success(request.bytes))) }
            }
        }
        #expect(run.diagnosis.stun.first?.statistics?.received == 5)
        #expect(run.diagnosis.stun.first?.ignored == [])
    }

    @Test func questionsToTheResolverAreManyAndNotAnyNumber() throws {
        let options = try Self.options((1...250).map { "stun:host\($0).example:3478" }, timeout: .seconds(2))
        let plan = try Plan(options, interfaces: SessionLab.interfaces)
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
        let run = try Self.run(Self.options(["stun:198.51.100.1", "stun:198.51.100.2"]), answeredAfter: 9) {
            $0.interruptAt = .milliseconds(100)
        }
        #expect(run.diagnosis.stun.map(\.isOK) == [true, false])
        guard case .notMeasured(let why) = run.diagnosis.stun[1].outcome else {
            Issue.record("a server that was asked for 100 ms only is not measured")
            return
        }
        #expect(why.reason == .interrupted)
    }
}
