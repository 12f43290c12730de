import Facts
import NetTypes
import Planning
import Testing

@testable import Diagnosis

/// The verdict as a function of what was observed: yes or no, the best path, and the words.
@Suite struct VerdictTests {
    private static let second = Endpoint(IPAddress(9, 9, 9, 10), 3478)
    private static let own = Endpoint(Recording.host, 50000)

    private func verdict(
        _ uris: [String] = ["stun:9.9.9.9"], command: Options.Command = .stun, transports: [Transport] = [.udp],
        count: Int = 1, _ record: (inout Recording) -> Void
    ) throws -> Verdict {
        var recording = try Recording(uris, command: command, transports: transports, count: count)
        record(&recording)
        return Diagnosis(recording.plan, recording.observations).verdict
    }

    @Test func aNATIsNamedWithTheAddressOutside() throws {
        let verdict = try verdict { $0.answered() }
        #expect(verdict.isOK)
        #expect(verdict.best == .serverReflexive)
        #expect(
            verdict.summary
                == "IPv4: behind a NAT, seen from outside as 8.8.4.4:62000 (server-reflexive), 12 ms round trip.")
    }

    @Test func noNATIsSaidWhereTheServerSeesTheOwnAddress() throws {
        let verdict = try verdict { $0.answered(seenAs: Self.own) }
        #expect(verdict.isOK)
        #expect(verdict.best == .host)
        #expect(
            verdict.summary
                == "IPv4: no NAT on the way: servers see this machine's own address 192.168.1.5, 12 ms round trip.")
    }

    @Test func aServerOnThisMachineSaysNothingOfANAT() throws {
        let loopback = Endpoint(IPAddress(127, 0, 0, 1), 3478)
        let verdict = try verdict(["stun:127.0.0.1"]) {
            $0.answered(
                by: loopback, seenAs: Endpoint(loopback.address, 50000), from: Endpoint(loopback.address, 50000))
        }
        #expect(verdict.isOK)
        #expect(verdict.summary.contains("which says nothing of a NAT"))
    }

    @Test func aServerOfTheOwnNetworkDoesNotHideTheNATThatOneBeyondItSees() throws {
        let lan = Endpoint(IPAddress(192, 168, 1, 1), 3478)
        let verdict = try verdict(["stun:192.168.1.1", "stun:9.9.9.9"]) { recording in
            recording.answered(by: lan, seenAs: Self.own)
            recording.answered(1)
        }
        #expect(verdict.best == .serverReflexive)
        #expect(verdict.summary.contains("8.8.4.4:62000"))
    }

    @Test func someDeadServersMakeANoThatSaysHowMany() throws {
        let verdict = try verdict(["stun:9.9.9.9", "stun:9.9.9.10"]) { recording in
            recording.answered()
            recording.failed(.noAnswer, 1, by: Self.second)
        }
        #expect(!verdict.isOK)
        #expect(verdict.best == .serverReflexive)
        #expect(verdict.families.map(\.isOK) == [false])
        #expect(verdict.summary.hasSuffix("1 of 2 servers gave no answer that can be used."))
    }

    @Test func noAnswerAtAllIsANoWithoutAnAddress() throws {
        let verdict = try verdict { $0.failed(.noAnswer) }
        #expect(!verdict.isOK)
        #expect(verdict.best == .none)
        #expect(
            verdict.summary == "IPv4: no STUN server answered, so no address is known that a peer outside could reach.")
    }

    @Test func aSingleNameThatDoesNotResolveIsSaid() throws {
        let verdict = try verdict(["stun:a.example"]) {
            $0.note(.notResolved(0, family: .ipv4, .init(step: "A a.example", message: "no such name")))
        }
        #expect(!verdict.isOK)
        #expect(verdict.summary == "The server gave no answer that can be used.")
    }

    @Test func aMissingIPv6RouteDoesNotSpoilAServerThatAnswersOverIPv4() throws {
        let verdict = try verdict(["stun:a.example"]) { recording in
            recording.answered()
            recording.note(
                .notMeasured(
                    0, NotMeasured(what: "stun:a.example", family: .ipv6, reason: .noRoute, detail: "no route")))
        }
        #expect(verdict.isOK)
        #expect(verdict.families.map(\.family) == [.ipv4])
    }

    @Test func aFamilyThatWasReachedAndStaysSilentSpoilsTheServer() throws {
        let verdict = try verdict(["stun:a.example"]) { recording in
            recording.answered()
            recording.failed(.noAnswer, by: Recording.server6)
        }
        #expect(!verdict.isOK)
        #expect(verdict.best == .serverReflexive)
        #expect(verdict.families.map(\.isOK) == [true, false])
    }

    @Test func onlyTCPIsNoServerReflexiveCandidate() throws {
        let verdict = try verdict(command: .check) { recording in
            recording.note(.baseOpened(base: 1, local: Self.own))
            recording.failed(.noAnswer)
            recording.answered(over: .tcp, role: .fallback)
        }
        #expect(!verdict.isOK)
        #expect(verdict.families.first { $0.family == .ipv4 }?.best == Verdict.Best.none)
        #expect(verdict.summary.contains("only TCP gets an answer, seen from outside as 8.8.4.4:62000"))
    }

    @Test func tcpThatWasAskedForIsAVerdictOfItsOwn() throws {
        let verdict = try verdict(transports: [.tcp]) { $0.answered(over: .tcp) }
        #expect(verdict.isOK)
        #expect(verdict.best == .serverReflexive)
    }

    @Test func aServerThatAnswersOverOneOfTwoTransportsAnswersInPart() throws {
        let verdict = try verdict(["stun:9.9.9.9", "stun:9.9.9.10"], transports: [.udp, .tcp]) { recording in
            recording.answered()
            recording.failed(.notConnected, over: .tcp, requests: 0)
            recording.answered(1, by: Self.second)
            recording.answered(1, by: Self.second, over: .tcp)
        }
        #expect(!verdict.isOK)
        #expect(verdict.summary.contains("1 of 2 servers answered only in part"))
    }

    @Test func anInterruptedRunSaysThatItDidNotAskAndNotThatNoOneAnswered() throws {
        var recording = try Recording(["stun:9.9.9.9", "stun:9.9.9.10"])
        recording.answered()
        recording.failed(.cutShort, 1, by: Self.second, requests: 1, after: 30)
        recording.note(.interrupted, at: 30)
        let diagnosis = Diagnosis(recording.plan, recording.observations)
        #expect(!diagnosis.verdict.isOK)
        #expect(diagnosis.verdict.summary.hasSuffix("1 of 2 servers could not be asked in this run."))
        guard case .notMeasured(let why) = diagnosis.stun.last?.outcome else {
            Issue.record("30 ms of silence are not a failure")
            return
        }
        #expect(why.reason == .interrupted)
    }

    @Test func silenceLongerThanARetransmissionTimeoutIsAFailureThoughTheRunWasCutShort() throws {
        let verdict = try verdict { recording in
            recording.failed(.cutShort, requests: 2, after: 900)
            recording.note(.deadlineReached, at: 900)
        }
        #expect(verdict.summary.contains("no STUN server answered"))
    }

    @Test func aRequestThatNeverLeftIsNotMeasuredHoweverLongItWaited() throws {
        var recording = try Recording()
        recording.failed(.cutShort, requests: 0, after: 5000)
        let diagnosis = Diagnosis(recording.plan, recording.observations)
        #expect(diagnosis.stun.first?.gap?.reason == .deadline)
        #expect(!diagnosis.verdict.isOK)
        #expect(diagnosis.verdict.summary == "The server could not be asked in this run.")
    }

    @Test func anExcludedServerIsNotAYes() throws {
        let verdict = try verdict(["stun:a.example", "stun:9.9.9.9"]) { recording in
            recording.plan.servers[0].excluded = NotMeasured(
                what: "stun:a.example", reason: .notSupported, detail: "not in this version")
            recording.answered(1)
        }
        #expect(!verdict.isOK)
        #expect(verdict.summary.hasSuffix("1 of 2 servers could not be asked in this run."))
    }

    @Test func aSeriesWithLossIsStillAYes() throws {
        let verdict = try verdict(count: 3) { recording in
            recording.answered()
            recording.failed(.noAnswer, sequence: 1, requests: 1)
            recording.answered(sequence: 2, after: 9)
        }
        #expect(verdict.isOK)
    }

    @Test func candidatesWithoutServersSayThatNoneWasAsked() throws {
        let verdict = try verdict([], command: .candidates) { recording in
            for (index, base) in recording.plan.bases.enumerated() {
                recording.note(.baseOpened(base: index, local: Endpoint(base.address.address, 50000)))
            }
        }
        #expect(verdict.isOK)
        #expect(verdict.best == .host)
        #expect(
            verdict.summary
                == "IPv4: 1 host candidate; no server was asked. IPv6: 1 host candidate; no server was asked.")
    }

    @Test func aMachineWithoutAnAddressHasNothingToOffer() throws {
        let recording = try Recording([], command: .candidates, interfaces: [])
        let verdict = Diagnosis(recording.plan, []).verdict
        #expect(!verdict.isOK)
        #expect(verdict.summary == "No address of this machine can be offered to a peer.")
    }
}
