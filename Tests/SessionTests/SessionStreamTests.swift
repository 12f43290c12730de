import Facts
import NetTypes
import Planning
import STUN
import SimNet
import TestSupport
import Testing

@testable import Diagnosis
@testable import Session

/// Requests over TCP, and TCP in UDP's place, 5 ms from the server and back.
@Suite struct SessionStreamTests {
    typealias Reply = (after: Duration, reply: Responder.Reply)

    private static func run(
        _ options: Options, roundTrip: Duration = .milliseconds(5), system: Machine<Session>.System? = nil,
        listens: Bool = true, _ answer: Responder.Answer?
    ) throws -> SessionLab.Run {
        try SessionTests.run(options) { lab in
            lab.link.delay = roundTrip / 2
            if let system { lab.system = system }
            if let answer { lab.respond(listens: listens, answer) }
        }
    }

    private static func tcp(count: Int = 1) throws -> Options {
        try SessionTests.options(transports: [.tcp], timeout: .seconds(2), count: count)
    }

    /// What a server does that is as it should be.
    private static func success(_ request: Responder.Request) -> [Reply] {
        [(.zero, .bytes(MessageBuilder.success(request.bytes)))]
    }

    @Test func answerMayComeOneBytePerSegment() throws {
        let run = try Self.run(Self.tcp()) { request in
            MessageBuilder.success(request.bytes).enumerated().map { (.milliseconds($0 + 1), .bytes([$1])) }
        }
        #expect(run.diagnosis.verdict.isOK)
        #expect(run.diagnosis.stun.first?.answer?.mappedAddress == Place.mapped)
        #expect(run.net.now == .zero + .milliseconds(5 + 5 + 32))
    }

    @Test func seriesOverTCPKeepsItsConnection() throws {
        let run = try Self.run(Self.tcp(count: 10), Self.success)
        #expect(run.machine.opened.count == 1)
        #expect(run.diagnosis.stun.first?.statistics?.received == 10)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: ProbeError.Kind
        /// Whether there is a host, and what listens on it.
        var hasHost = true
        var listens = true
        var answer: @Sendable ([UInt8]) -> [(after: Duration, reply: Responder.Reply)] = { _ in [] }
        var isReset = false
    }

    private static let soon = Duration.milliseconds(1)

    @Test(arguments: [
        Fault(testDescription: "closed port", kind: .connectionRefused, listens: false),
        Fault(testDescription: "no answer to SYN", kind: .timeout, hasHost: false),
        Fault(testDescription: "open and silent", kind: .tcpOpenNoSTUN),
        Fault(testDescription: "closed at once", kind: .connectionClosed, answer: { _ in [(soon, .ended)] }),
        Fault(testDescription: "reset", kind: .connectionReset, isReset: true),
        Fault(
            testDescription: "SSH", kind: .foreignProtocol,
            answer: { _ in [(soon, .bytes(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)))] }),
        Fault(
            testDescription: "half a message, then FIN", kind: .truncated,
            answer: { [(soon, .bytes(Array(MessageBuilder.success($0).prefix(24)))), (soon * 2, .ended)] }),
        Fault(
            testDescription: "half a message, then nothing", kind: .truncated,
            answer: { [(soon, .bytes(Array(MessageBuilder.success($0).prefix(24))))] }),
        Fault(
            testDescription: "zeros for ever", kind: .foreignProtocol,
            answer: { _ in (1...50).map { (soon * $0, .bytes([UInt8](repeating: 0, count: 1000))) } }),
        Fault(testDescription: "echo", kind: .echo, answer: { [(soon, .bytes($0))] }),
    ])
    func streamFaultHasItsOwnName(_ fault: Fault) throws {
        let run = try Self.run(
            Self.tcp(),
            system: { output, _ in
                guard fault.isReset, case .write(let path, _) = output else { return [] }
                return [(Self.soon, .reset(path))]
            },
            listens: fault.listens, fault.hasHost ? { fault.answer($0.bytes) } : nil)
        #expect(run.failure?.kind == fault.kind)
        #expect(!run.diagnosis.verdict.isOK)
        #expect(run.net.now <= .zero + .seconds(2))
    }

    @Test func truncatedAnswerSaysHowMuchCame() throws {
        let run = try Self.run(Self.tcp()) {
            [(.zero, .bytes(Array(MessageBuilder.success($0.bytes).prefix(24)))), (Self.soon, .ended)]
        }
        #expect(run.failure?.message.contains("24 of 32 bytes") == true)
    }

    // MARK: Fallback

    @Test func blockedUDPIsToldFromADeadServerByTCP() throws {
        let run = try Self.run(SessionTests.options(command: .check)) { $0.isStream ? Self.success($0) : [] }
        #expect(run.findings == ["udp-blocked"])
        #expect(!run.diagnosis.verdict.isOK && run.diagnosis.verdict.best == .none)
        #expect(run.diagnosis.stun.map(\.transport) == [.udp, .tcp])
        let error = try #require(run.failure)
        #expect(error.risk.map { $0 <= 0.0005 } == true && error.message.contains("over TCP"))
        // TCP is tried after 250 ms and answers after 5 + 5 ms; the test needs seven rounds of 2 ms and a wait of 10 ms.
        #expect(run.net.now < .zero + .milliseconds(290))
    }

    /// After the third answer: nothing, the end, or something that is not STUN.
    @Test(arguments: [[], [(soon, .ended)], [(soon, .bytes(Array("HTTP/1.1 400".utf8)))]] as [[Reply]])
    func silenceOfUDPIsNoVerdictWhereTCPDoesNotGoOn(last: [Reply]) throws {
        let run = try Self.run(SessionTests.options(command: .check)) {
            $0.isStream ? $0.number > 3 ? last : Self.success($0) : []
        }
        #expect(run.failure?.risk == nil)
        #expect(run.net.now == .zero + .seconds(5))
    }

    @Test func lateUDPAnswerDuringTheTestEndsIt() throws {
        let run = try Self.run(SessionTests.options(command: .check)) {
            $0.isStream || $0.at > .zero + .milliseconds(262) ? Self.success($0) : []
        }
        #expect(run.diagnosis.verdict.isOK && !run.findings.contains("udp-blocked"))
        #expect(run.net.now < .zero + .milliseconds(300))
    }

    @Test func answeredUDPIsNotTriedOverTCP() throws {
        let run = try Self.run(
            SessionTests.options(command: .check), roundTrip: .milliseconds(12), listens: false, Self.success)
        // The answer, and those to the questions about the NAT.
        #expect(run.net.now == .zero + .milliseconds(24))
        #expect(run.diagnosis.stun.map(\.transport) == [.udp])
        #expect(run.diagnosis.nat.map(\.transport) == [.udp, .tcp])
    }

    @Test func lateUDPAnswerEndsTheTCPAttempt() throws {
        let run = try Self.run(
            SessionTests.options(command: .check), roundTrip: .milliseconds(12), listens: false
        ) { $0.number == 1 ? [] : Self.success($0) }
        #expect(run.net.now == .zero + .milliseconds(524))
        #expect(run.diagnosis.stun.map(\.transport) == [.udp])
        #expect(run.diagnosis.verdict.isOK)
    }
}
