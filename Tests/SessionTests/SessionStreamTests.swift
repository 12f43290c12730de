import Diagnosis
import NetTypes
import STUN
import SimNet
import Testing

@testable import Session

/// Probes over TCP, and TCP in UDP's place, on a virtual clock.
@Suite struct SessionStreamTests {
    private func run(
        _ plan: Plan, _ configure: (inout VirtualNetwork) -> Void
    ) -> (diagnosis: Diagnosis, network: VirtualNetwork) {
        var network = VirtualNetwork()
        configure(&network)
        var session = Session(plan, random: SeededGenerator(seed: 1), from: .zero)
        let observations = network.run(&session)
        return (Diagnosis(plan, observations), network)
    }

    private func tcpPlan(count: Int = 1) throws -> Plan {
        try SessionTests.plan(transports: [.tcp], timeout: .seconds(2), count: count)
    }

    private func failure(_ diagnosis: Diagnosis) -> ProbeError? {
        guard case .failed(let error) = diagnosis.stun.first?.outcome else { return nil }
        return error
    }

    static let connected: @Sendable (Endpoint) -> [(Duration, VirtualNetwork.StreamReply)] = { _ in
        [(.milliseconds(5), .connected)]
    }

    @Test func answerMayComeOneBytePerSegment() throws {
        let (diagnosis, network) = run(try tcpPlan()) { network in
            network.connect = Self.connected
            network.write = { request, _ in
                SessionTests.success(request).enumerated().map { (.milliseconds($0.offset + 1), .bytes([$0.element])) }
            }
        }
        #expect(diagnosis.verdict.isOK)
        #expect(diagnosis.stun.first?.answer?.mappedAddress == SessionTests.mapped)
        #expect(network.now == .zero + .milliseconds(5 + 32))
    }

    @Test func seriesOverTCPKeepsItsConnection() throws {
        nonisolated(unsafe) var connections = 0
        let (diagnosis, _) = run(try tcpPlan(count: 10)) { network in
            network.connect = { _ in
                connections += 1
                return [(.milliseconds(5), .connected)]
            }
            network.write = { request, _ in [(.milliseconds(30), .bytes(SessionTests.success(request)))] }
        }
        #expect(connections == 1)
        #expect(diagnosis.stun.first?.statistics?.received == 10)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: ProbeError.Kind
        let connect: @Sendable (Endpoint) -> [(Duration, VirtualNetwork.StreamReply)]
        let write: @Sendable ([UInt8]) -> [(Duration, VirtualNetwork.StreamReply)]
    }

    @Test(arguments: [
        Fault(
            testDescription: "closed port", kind: .connectionRefused, connect: { _ in [(.milliseconds(5), .refused)] },
            write: { _ in [] }),
        Fault(testDescription: "no answer to SYN", kind: .timeout, connect: { _ in [] }, write: { _ in [] }),
        Fault(testDescription: "open and silent", kind: .tcpOpenNoSTUN, connect: connected, write: { _ in [] }),
        Fault(
            testDescription: "closed at once", kind: .connectionClosed, connect: connected,
            write: { _ in [(.milliseconds(1), .ended)] }),
        Fault(
            testDescription: "reset", kind: .connectionReset, connect: connected,
            write: { _ in [(.milliseconds(1), .reset)] }),
        Fault(
            testDescription: "SSH", kind: .foreignProtocol, connect: connected,
            write: { _ in [(.milliseconds(1), .bytes(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)))] }),
        Fault(
            testDescription: "half a message, then FIN", kind: .truncated, connect: connected,
            write: {
                [(.milliseconds(1), .bytes(Array(SessionTests.success($0).prefix(24)))), (.milliseconds(2), .ended)]
            }
        ),
        Fault(
            testDescription: "half a message, then nothing", kind: .truncated, connect: connected,
            write: { [(.milliseconds(1), .bytes(Array(SessionTests.success($0).prefix(24))))] }),
        Fault(
            testDescription: "zeros for ever", kind: .foreignProtocol, connect: connected,
            write: { _ in (1...50).map { (.milliseconds($0), .bytes([UInt8](repeating: 0, count: 1000))) } }),
        Fault(
            testDescription: "echo", kind: .echo, connect: connected, write: { [(.milliseconds(1), .bytes($0))] }),
    ])
    func streamFaultHasItsOwnName(_ fault: Fault) throws {
        let (diagnosis, network) = run(try tcpPlan()) { network in
            network.connect = fault.connect
            network.write = { bytes, _ in fault.write(bytes) }
        }
        #expect(failure(diagnosis)?.kind == fault.kind)
        #expect(!diagnosis.verdict.isOK)
        #expect(network.now <= .zero + .seconds(2))
    }

    @Test func truncatedAnswerSaysHowMuchCame() throws {
        let (diagnosis, _) = run(try tcpPlan()) { network in
            network.connect = Self.connected
            network.write = { request, _ in
                [
                    (.milliseconds(1), .bytes(Array(SessionTests.success(request).prefix(24)))),
                    (.milliseconds(2), .ended),
                ]
            }
        }
        #expect(failure(diagnosis)?.message.contains("24 of 32 bytes") == true)
    }

    // MARK: Fallback

    @Test func blockedUDPIsToldFromADeadServerByTCP() throws {
        let (diagnosis, network) = run(try SessionTests.plan(command: .check)) { network in
            network.connect = Self.connected
            network.write = { request, _ in [(.milliseconds(5), .bytes(SessionTests.success(request)))] }
        }
        #expect(diagnosis.findings.map(\.id) == ["udp-blocked"])
        #expect(!diagnosis.verdict.isOK && diagnosis.verdict.best == .none)
        #expect(diagnosis.stun.map(\.transport) == [.udp, .tcp])
        let error = try #require(failure(diagnosis))
        #expect(error.risk.map { $0 <= 0.0005 } == true && error.message.contains("over TCP"))
        // TCP is tried after 250 ms and answers after 1 + 5 ms; the test needs seven rounds of 2 ms and a wait of 10 ms.
        #expect(network.now < .zero + .milliseconds(290))
    }

    @Test func silenceOfUDPIsNoVerdictWhereTCPGoesSilentToo() throws {
        nonisolated(unsafe) var requests = 0
        let (diagnosis, network) = run(try SessionTests.plan(command: .check)) { network in
            network.connect = Self.connected
            network.write = { request, _ in
                requests += 1
                return requests > 3 ? [] : [(.milliseconds(5), .bytes(SessionTests.success(request)))]
            }
        }
        #expect(failure(diagnosis)?.risk == nil)
        #expect(network.now == .zero + .seconds(5))
    }

    @Test func connectionThatEndsOrTurnsToNonsenseLeavesUDPToItsSchedule() throws {
        for last in [VirtualNetwork.StreamReply.ended, .bytes(Array("HTTP/1.1 400".utf8))] {
            nonisolated(unsafe) var requests = 0
            let (diagnosis, network) = run(try SessionTests.plan(command: .check)) { network in
                network.connect = Self.connected
                network.write = { request, _ in
                    requests += 1
                    return [(.milliseconds(5), requests > 3 ? last : .bytes(SessionTests.success(request)))]
                }
            }
            #expect(failure(diagnosis)?.risk == nil)
            #expect(network.now == .zero + .seconds(5))
        }
    }

    @Test func lateUDPAnswerDuringTheTestEndsIt() throws {
        let (diagnosis, network) = run(try SessionTests.plan(command: .check)) { network in
            network.connect = Self.connected
            network.write = { request, _ in [(.milliseconds(5), .bytes(SessionTests.success(request)))] }
            network.respond = { transmit, _, now in
                now < .zero + .milliseconds(262)
                    ? []
                    : [(.milliseconds(3), .datagram(from: transmit.destination, SessionTests.success(transmit.bytes)))]
            }
        }
        #expect(diagnosis.verdict.isOK && !diagnosis.findings.contains { $0.id == "udp-blocked" })
        #expect(network.now < .zero + .milliseconds(300))
    }

    @Test func answeredUDPIsNotTriedOverTCP() throws {
        let (diagnosis, network) = run(try SessionTests.plan(command: .check)) { network in
            network.connect = { _ in [(.milliseconds(12), .refused)] }
            network.respond = { transmit, _, _ in
                [(.milliseconds(12), .datagram(from: transmit.destination, SessionTests.success(transmit.bytes)))]
            }
        }
        // The answer, and those to the questions about the NAT.
        #expect(network.now == .zero + .milliseconds(24))
        #expect(diagnosis.stun.map(\.transport) == [.udp])
        #expect(diagnosis.nat.map(\.transport) == [.udp, .tcp])
    }

    @Test func lateUDPAnswerEndsTheTCPAttempt() throws {
        let (diagnosis, network) = run(try SessionTests.plan(command: .check)) { network in
            network.connect = { _ in [(.milliseconds(12), .refused)] }
            network.respond = { transmit, _, now in
                now == .zero
                    ? []
                    : [(.milliseconds(12), .datagram(from: transmit.destination, SessionTests.success(transmit.bytes)))]
            }
        }
        #expect(network.now == .zero + .milliseconds(524))
        #expect(diagnosis.stun.map(\.transport) == [.udp])
        #expect(diagnosis.verdict.isOK)
    }
}
