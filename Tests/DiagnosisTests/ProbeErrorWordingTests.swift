import Facts
import NetTypes
import Testing

@testable import Diagnosis

/// Every way in which a probe fails has its own kind and one sentence of its own.
@Suite struct ProbeErrorWordingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var kind: ProbeError.Kind
        var message: String
        var failure: ProbeFailure
        var transport: Transport = .udp
        var ignored: [IgnoredReplies.Reason] = []
        var testDescription: String { "\(kind.rawValue): \(message)" }
    }

    private static func path(_ kind: PathError.Kind, _ origin: PathError.Origin = .icmp(from: nil)) -> ProbeFailure {
        .path(PathTrouble(kind: kind, origin: origin))
    }

    static let router = IPAddress(10, 0, 0, 1)

    static let cases: [Case] = [
        Case(kind: .timeout, message: "no answer to 4 requests within 5 s", failure: .noAnswer),
        Case(
            kind: .timeout, message: "no answer to the TCP connection request within 5 s", failure: .notConnected,
            transport: .tcp),
        Case(
            kind: .portUnreachable, message: "nothing listens on UDP port 3478; the host itself says so",
            failure: path(.portUnreachable, .icmp(from: Recording.server.address))),
        Case(
            kind: .portUnreachable, message: "a firewall rejects it (as port unreachable); 10.0.0.1 says so",
            failure: path(.portUnreachable, .icmp(from: router))),
        Case(
            kind: .hostUnreachable, message: "the host cannot be reached; 10.0.0.1 says so",
            failure: path(.hostUnreachable, .icmp(from: router))),
        Case(
            kind: .networkUnreachable, message: "the network cannot be reached; 10.0.0.1 says so",
            failure: path(.networkUnreachable, .icmp(from: router))),
        Case(kind: .protocolUnreachable, message: "the host does not speak UDP", failure: path(.protocolUnreachable)),
        Case(
            kind: .administrativelyProhibited,
            message: "a firewall rejects it (administratively prohibited); 10.0.0.1 says so",
            failure: path(.administrativelyProhibited, .icmp(from: router))),
        Case(
            kind: .timeToLiveExceeded,
            message: "the packet went in circles until its time to live was over; 10.0.0.1 says so",
            failure: path(.timeToLiveExceeded, .icmp(from: router))),
        Case(
            kind: .messageTooBig, message: "the packet is too big for the path, whose MTU is 1280 bytes",
            failure: path(.messageTooBig(mtu: 1280))),
        Case(
            kind: .messageTooBig, message: "the packet is too big for the path", failure: path(.messageTooBig(mtu: nil))
        ),
        Case(
            kind: .otherICMP, message: "ICMP type 3 code 7 came back; 10.0.0.1 says so",
            failure: path(.otherICMP(type: 3, code: 7), .icmp(from: router))),
        Case(
            kind: .connectionRefused, message: "nothing listens on TCP port 3478",
            failure: path(.connectionRefused, .peer), transport: .tcp),
        Case(
            kind: .connectionReset, message: "the connection was reset", failure: path(.connectionReset, .peer),
            transport: .tcp),
        Case(
            kind: .connectionTimedOut, message: "the TCP connection timed out",
            failure: path(.connectionTimedOut, .local), transport: .tcp),
        Case(
            kind: .connectionClosed, message: "it closed the connection without an answer",
            failure: .closedWithoutAnswer, transport: .tcp),
        Case(
            kind: .truncated, message: "the answer stopped after 30 of 48 bytes",
            failure: .truncated(received: 30, needed: 48), transport: .tcp),
        Case(
            kind: .truncated, message: "the answer stopped after 3 bytes",
            failure: .truncated(received: 3, needed: nil), transport: .tcp),
        Case(
            kind: .tcpOpenNoSTUN, message: "the TCP port is open, and nothing there answers STUN", failure: .cutShort,
            transport: .tcp),
        Case(
            kind: .foreignProtocol, message: "this is an SSH server; its first bytes are \"SSH-2.0\\u{1b}[2J\"",
            failure: .foreignProtocol(name: "an SSH server", firstBytes: Array("SSH-2.0\u{1b}[2J".utf8)),
            transport: .tcp),
        Case(
            kind: .foreignProtocol, message: "what it sends is no STUN; its first bytes are \"zz\"",
            failure: .foreignProtocol(name: nil, firstBytes: Array("zz".utf8)), transport: .tcp),
        Case(
            kind: .echo, message: "it echoes requests: no STUN server is there", failure: .noAnswer, ignored: [.echo]),
        Case(
            kind: .errorResponse, message: "it answered with error 401 (Unauthenticated)",
            failure: .errorResponse(code: 401, reason: OutsideText("\u{7}go away"))),
        Case(
            kind: .errorResponse, message: "it answered with error 699",
            failure: .errorResponse(code: 699, reason: OutsideText(""))),
        Case(
            kind: .malformed,
            message: "it answered with an error response that makes no sense: it has no ERROR-CODE",
            failure: .brokenErrorResponse("it has no ERROR-CODE")),
        Case(
            kind: .malformed, message: "what it answers is no valid STUN: it cannot be decoded", failure: .noAnswer,
            ignored: [.malformed]),
        Case(
            kind: .unusableAddress, message: "its answer is unusable: the mapped address 0.0.0.0:0 is unspecified",
            failure: .unusableAddress("the mapped address 0.0.0.0:0 is unspecified")),
        Case(
            kind: .unknownAttribute,
            message: "its answer has attributes that must be understood and are not known: 0x7777",
            failure: .unknownAttributes([0x7777])),
        Case(
            kind: .wrongSource, message: "answers came from 9.9.9.8:53, not from the address that was asked",
            failure: .noAnswer, ignored: [.wrongSource]),
        Case(
            kind: .foreignAnswer, message: "2 answers came with a transaction id that was never sent",
            failure: .noAnswer, ignored: [.wrongTransactionID]),
        Case(
            kind: .foreignAnswer, message: "what it sends is no response: another message", failure: .noAnswer,
            ignored: [.notAResponse]),
        Case(
            kind: .badFingerprint, message: "2 answers came with a FINGERPRINT that does not fit", failure: .noAnswer,
            ignored: [.badFingerprint]),
        Case(
            kind: .noRoute, message: "this machine has no route to 9.9.9.9",
            failure: path(.networkUnreachable, .local)),
        Case(kind: .noRoute, message: "this machine has no IPv4", failure: path(.familyNotSupported, .local)),
        Case(
            kind: .notPermitted, message: "this machine does not let it out: a local firewall, or a missing privilege",
            failure: path(.notPermitted, .local)),
        Case(kind: .local, message: "the interface is gone", failure: path(.noSuchInterface, .local)),
        Case(
            kind: .local, message: "this machine is out of sockets or memory", failure: path(.outOfResources, .local)),
        Case(
            kind: .local, message: "the local address is not this machine's any more",
            failure: path(.addressNotAvailable, .local)),
        Case(kind: .local, message: "the local port is in use", failure: path(.addressInUse, .local)),
        Case(kind: .local, message: "the system refused it (errno 71)", failure: path(.system(errno: 71), .local)),
    ]

    @Test(arguments: cases) func saysWhatHappenedInItsOwnWords(_ one: Case) throws {
        var recording = try Recording()
        recording.failed(one.failure, over: one.transport, ignoring: one.ignored)
        let error = try #require(Diagnosis(recording.plan, recording.observations).stun.first?.error)
        #expect(error.kind == one.kind)
        #expect(error.message == one.message)
    }

    @Test func aNameThatDoesNotResolveSaysWhichLookupFailed() {
        let error = ProbeError(ResolutionFailure(step: "A a.example", message: "no such name"))
        #expect(error.kind == .nameNotResolved)
        #expect(error.message == "A a.example: no such name")
    }

    @Test func everyKindHasACaseHere() {
        let covered = Set(Self.cases.map(\.kind)).union([.nameNotResolved, .altered]).union(
            TURNWordingTests.cases.map(\.kind))
        #expect(covered == Set(ProbeError.Kind.allCases))
    }

    @Test func theReasonAndTheReporterAreKeptBesideTheWords() throws {
        var recording = try Recording()
        recording.failed(.errorResponse(code: 500, reason: OutsideText("disk full")), requests: 1, after: 4)
        let refused = Diagnosis(recording.plan, recording.observations).stun.first?.error
        #expect(refused?.code == 500)
        #expect(refused?.reason == OutsideText("disk full"))
        let trouble = PathTrouble(kind: .hostUnreachable, origin: .icmp(from: Self.router))
        #expect(ProbeError(trouble, to: Recording.server, over: .udp).reporter == Self.router)
    }
}
