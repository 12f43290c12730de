import Facts
import NetTypes
import Planning
import Testing

@testable import Diagnosis

/// The verdict where relays were asked for: one counts only where bytes went through it.
@Suite struct TURNVerdictTests {
    typealias Trouble = TURNEvidence.Trouble
    private static let second = Endpoint(IPAddress(9, 9, 9, 10), 3478)

    private func diagnosis(
        _ uris: [String] = ["turn:9.9.9.9"], command: Options.Command = .turn,
        families: Set<IPAddress.Family> = [.ipv4, .ipv6], _ record: (inout Recording) -> Void
    ) throws -> Diagnosis {
        var recording = try Recording.relays(uris, command: command, families: families)
        record(&recording)
        return Diagnosis(recording.plan, recording.observations)
    }

    // MARK: turn

    @Test func relayThatCarriesDataIsAYesWithItsRoundTrip() throws {
        let verdict = try diagnosis { $0.relay() }.verdict
        #expect(verdict.isOK && verdict.best == .relayed)
        #expect(verdict.summary == "the relay carries data both ways, 50 ms there and back over UDP.")
        #expect(verdict.families.map(\.family) == [.ipv4] && verdict.families.allSatisfy(\.isOK))
    }

    @Test func allocationWithoutDataIsANo() throws {
        let verdict = try diagnosis { $0.relay { $0.relay?.silence() } }.verdict
        #expect(!verdict.isOK && verdict.best == .none)
        #expect(verdict.summary.hasPrefix("no relay: turn:9.9.9.9 at 9.9.9.9:3478 over UDP: none of 24 datagrams"))
    }

    @Test func silentChannelIsANoThoughIndicationsWork() throws {
        let verdict = try diagnosis { $0.relay { $0.relay?.channel = .init(sent: 24) } }.verdict
        #expect(!verdict.isOK && verdict.best == .none)
    }

    @Test func oneOfTwoRelaysIsANoThatStillKnowsOne() throws {
        let verdict = try diagnosis(["turn:9.9.9.9", "turn:9.9.9.10"]) { recording in
            recording.relay()
            recording.refused(.error(486), 1, at: Self.second)
        }.verdict
        #expect(!verdict.isOK && verdict.best == .relayed)
        #expect(verdict.summary.hasPrefix("1 of 2 relays carry data; not turn:9.9.9.10 at"))
    }

    @Test func allRelaysCountTogether() throws {
        let verdict = try diagnosis { recording in
            recording.relay()
            recording.relay(over: .tcp)
        }.verdict
        #expect(verdict.isOK && verdict.summary.hasPrefix("all 2 relays carry data both ways"))
    }

    @Test(arguments: [(440, true), (443, true), (486, false), (400, false)])
    func secondFamilyThatTheServerLacksIsNoFailure(code: Int, isOK: Bool) throws {
        let diagnosis = try diagnosis { recording in
            recording.relay()
            recording.refused(.error(code), relaying: .ipv6)
        }
        #expect(diagnosis.verdict.isOK == isOK && diagnosis.verdict.best == .relayed)
        #expect(diagnosis.findings.contains { $0.id == "turn-family-unsupported" } == false)
        #expect((diagnosis.turn.last?.gap?.reason == .notSupported) == isOK)
    }

    @Test func firstFamilyThatTheServerLacksIsAFailure() throws {
        let diagnosis = try diagnosis { $0.refused(.error(440)) }
        #expect(!diagnosis.verdict.isOK && diagnosis.findings.map(\.id) == ["turn-family-unsupported"])
    }

    @Test func onlyFamilyThatWasAskedForIsNoGift() throws {
        let diagnosis = try diagnosis(["turn:[2600::9]"], families: [.ipv6]) {
            $0.refused(.error(440), at: Recording.server6, relaying: .ipv6)
        }
        #expect(!diagnosis.verdict.isOK && diagnosis.turn.first?.error?.code == 440)
    }

    @Test func relayedAddressOutOfReachIsNoFailureBesideOneThatWorks() throws {
        let both = try diagnosis { recording in
            recording.relay()
            recording.relay(relaying: .ipv6) {
                $0.relay?.silence()
                $0.relay?.isUntried = true
            }
        }
        #expect(both.verdict.isOK && both.turn.last?.gap?.reason == .noRoute)
        let alone = try diagnosis {
            $0.relay {
                $0.relay?.silence()
                $0.relay?.isUntried = true
            }
        }
        #expect(!alone.verdict.isOK && alone.verdict.best == .none)
        #expect(alone.verdict.summary == "no relay could be tried.")
    }

    @Test(arguments: [true, false]) func whatTheEndOfTheRunCutShortIsNotMeasuredAndNoYes(isInterrupted: Bool) throws {
        let diagnosis = try diagnosis(["turn:9.9.9.9", "turn:9.9.9.10"]) { recording in
            recording.relay()
            recording.relay(1, at: Self.second) {
                $0.relay?.silence()
                $0.isCutShort = true
            }
            recording.note(isInterrupted ? .interrupted : .deadlineReached)
        }
        #expect(diagnosis.turn.last?.gap?.reason == (isInterrupted ? .interrupted : .deadline))
        #expect(!diagnosis.verdict.isOK && diagnosis.verdict.best == .relayed)
    }

    @Test func dataThatCameBeforeTheEndStays() throws {
        let diagnosis = try diagnosis { recording in
            recording.relay {
                $0.relay?.channel = .init()
                $0.relay?.boundAfter = nil
                $0.isCutShort = true
            }
            recording.note(.interrupted)
        }
        #expect(diagnosis.turn.first?.isOK == true && diagnosis.turn.first?.data?.returned == 3)
    }

    @Test func resultsComeInTheOrderOfTheirStart() throws {
        let diagnosis = try diagnosis { recording in
            recording.relay(over: .tcp) { $0.attempt = 1 }
            recording.relay(over: .udp) { $0.attempt = 0 }
        }
        #expect(diagnosis.turn.map(\.transport) == [.udp, .tcp])
    }

    @Test func lossRoundTripsAndOverheadAreOfBothLanes() throws {
        let diagnosis = try diagnosis { recording in
            recording.relay {
                $0.relay?.indications = .init(
                    sent: 4, arrived: 4, roundTrips: [.milliseconds(50), .milliseconds(40), .milliseconds(60)])
                $0.relay?.channel = .init(sent: 4, arrived: 3, roundTrips: [.milliseconds(50), .milliseconds(90)])
            }
        }
        let data = try #require(diagnosis.turn.first?.data)
        #expect(data.sent == 8 && data.returned == 5 && data.lossRatio == 0.375)
        let trips = try #require(data.roundTrips)
        #expect(trips.minimum == .milliseconds(40) && trips.median == .milliseconds(50))
        #expect(trips.percentile95 == .milliseconds(90))
        // Twice 20 ms to the server are the least that a round trip through it takes.
        #expect(data.overhead == .milliseconds(10))
    }

    @Test func factsAboutAServerThatThePlanDoesNotHaveAreLeftOut() throws {
        let diagnosis = try diagnosis { recording in
            recording.relay { $0.server = 7 }
            recording.relay { $0.server = -1 }
        }
        #expect(diagnosis.turn.isEmpty)
    }

    // MARK: check

    private func check(_ record: (inout Recording) -> Void) throws -> Verdict {
        try diagnosis(command: .check) { recording in
            recording.note(.baseOpened(base: 0, local: Endpoint(Recording.host, 50000)))
            record(&recording)
        }.verdict
    }

    @Test func relayThatWorksLeavesTheMoreDirectPathTheBest() throws {
        let verdict = try check { recording in
            recording.answered()
            recording.relay()
        }
        #expect(verdict.isOK && verdict.best == .serverReflexive)
        #expect(verdict.summary.contains("TURN: the relay carries data both ways"))
    }

    @Test func relayIsTheBestWhereNothingElseWorksAndTheServerThatFailedIsStillANo() throws {
        let verdict = try check { recording in
            recording.failed(.noAnswer)
            recording.relay(over: .tcp)
        }
        #expect(verdict.best == .relayed && !verdict.isOK)
        #expect(verdict.families.first { $0.family == .ipv4 }?.best == .relayed)
    }

    @Test func relayThatCarriesNothingIsNotTheBestAndNoYes() throws {
        let without = try check { recording in
            recording.failed(.noAnswer)
            recording.relay { $0.relay?.silence() }
        }
        #expect(without.best == .none && !without.isOK)
        let beside = try check { recording in
            recording.answered()
            recording.relay { $0.relay?.silence() }
        }
        #expect(beside.best == .serverReflexive && !beside.isOK)
    }

    @Test func relayFamilyThatTheServerLacksIsNoFailureOfACheck() throws {
        let verdict = try check { recording in
            recording.answered()
            recording.relay()
            recording.refused(.error(440), relaying: .ipv6)
        }
        #expect(verdict.isOK)
    }
}
