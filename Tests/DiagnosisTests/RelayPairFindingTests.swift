import Engines
import Facts
import NetTypes
import Planning
import Testing

@testable import Diagnosis

/// What data from relay to relay means: where it died, by evidence, and what stays silent beside it.
@Suite struct RelayPairFindingTests {
    typealias Trouble = TURNEvidence.Trouble
    private static let other = Endpoint(IPAddress(9, 9, 9, 10), 3478)

    private static func diagnosis(
        between second: Int = 0, _ change: (inout RelayPairEvidence) -> Void = { _ in }
    ) throws -> Diagnosis {
        var recording = try Recording.relays(["turn:9.9.9.9", "turn:9.9.9.10"])
        recording.relay()
        recording.relay(1, at: other)
        recording.pair(with: second, change)
        return Diagnosis(recording.plan, recording.observations)
    }

    @Test func pairThatWorksHasItsFiguresAndNoFinding() throws {
        let diagnosis = try Self.diagnosis()
        let pair = try #require(diagnosis.relayPairs.first)
        #expect(pair.isOK && pair.death == nil && diagnosis.findings.isEmpty && diagnosis.verdict.isOK)
        #expect(pair.data.sent == 4 && pair.data.returned == 4 && pair.data.lossRatio == 0)
        #expect(pair.data.roundTrips?.minimum == .milliseconds(48))
        #expect(pair.data.roundTrips?.median == .milliseconds(49))
        // Beyond a round trip of 20 ms to each server.
        #expect(pair.data.overhead == .milliseconds(9))
    }

    @Test(
        arguments: [
            (0, 0, 0, "turn-relay-hairpin-fails"), (1, 0, 0, "turn-relay-to-relay-blocked"),
            (0, 0, 1, "turn-relay-to-relay-one-way"), (1, 0, 1, "turn-relay-to-relay-one-way"),
            (0, 3, nil, "turn-relay-to-relay-one-way"), (1, 3, nil, "turn-relay-to-relay-one-way"),
        ] as [(Int, Int, Int?, String)])
    func whereItDiedDecidesTheFinding(second: Int, arrived: Int, reverse: Int?, id: String) throws {
        let diagnosis = try Self.diagnosis(between: second) { $0.silence(arrived: arrived, reverse: reverse) }
        let finding = try #require(diagnosis.findings.first)
        #expect(diagnosis.findings.count == 1 && finding.id == id && finding.severity == .warning)
        #expect(!finding.causes.isEmpty && finding.evidence.count == 1)
        // Each relay does what was asked of it.
        #expect(diagnosis.verdict.isOK && diagnosis.verdict.best == .relayed)
        #expect(diagnosis.verdict.summary.hasSuffix(". No data from relay to relay."))
    }

    @Test(arguments: [RelayStage.permission, .channel], [403, 400])
    func refusalNamesTheServerTheCodeAndTheRelay(stage: RelayStage, code: Int) throws {
        let diagnosis = try Self.diagnosis(between: 1) { pair in
            pair.silence()
            pair.second.trouble = .error(code, stage, reason: "no\u{1b}[31m")
        }
        #expect(diagnosis.findings.map(\.id) == ["turn-relay-peer-refused"])
        let seen = try #require(diagnosis.findings.first?.evidence.first)
        #expect(seen.contains("turn:9.9.9.10: it refused") && seen.contains("\(code)"))
        #expect(seen.hasSuffix("for the relay 9.9.9.9:50000") && !seen.contains("\u{1b}"))
    }

    @Test func silentChannelIsAFindingOnlyWhereItWasBound() throws {
        let silent = try Self.diagnosis { $0.channel = .init(sent: 24) }
        #expect(silent.findings.map(\.id) == ["turn-relay-to-relay-channel-silent"])
        let unbound = try Self.diagnosis {
            $0.channel = .init()
            $0.second.boundAfter = nil
        }
        #expect(unbound.findings.isEmpty)
    }

    @Test func alteredDataIsAnError() throws {
        let diagnosis = try Self.diagnosis { $0.altered = 2 }
        #expect(diagnosis.findings.map(\.id) == ["turn-relay-to-relay-altered"])
        #expect(diagnosis.relayPairs.first?.outcome.error?.kind == .altered)
    }

    @Test(arguments: [486, 508])
    func serverWithoutRoomForTwoIsNotMeasured(code: Int) throws {
        let diagnosis = try Self.diagnosis {
            $0.silence()
            $0.second.trouble = .error(code)
        }
        #expect(diagnosis.relayPairs.first?.outcome.notMeasured?.reason == .limit)
        #expect(diagnosis.findings.isEmpty && !diagnosis.verdict.summary.contains("relay to relay"))
    }

    @Test func laterAllocationThatFailsIsTold() throws {
        let diagnosis = try Self.diagnosis {
            $0.silence()
            $0.first.trouble = Trouble(.allocate, .noAnswer, detail: "7")
        }
        #expect(diagnosis.findings.map(\.id) == ["turn-second-allocation-fails"])
    }

    /// What was cut short showed nothing, whatever it waited for.
    @Test(arguments: [nil, Trouble(.allocate, .noAnswer), Trouble(.permission, .noAnswer)])
    func pairThatWasCutShortIsNotMeasured(trouble: Trouble?) throws {
        let diagnosis = try Self.diagnosis {
            $0.silence()
            $0.isCutShort = true
            $0.second.trouble = trouble
        }
        #expect(diagnosis.relayPairs.first?.outcome.notMeasured?.reason == .deadline && diagnosis.findings.isEmpty)
    }

    @Test func pairOfAServerThatThePlanDoesNotHaveIsLeftOut() throws {
        #expect(try Self.diagnosis(between: 7).relayPairs.isEmpty)
    }

    @Test func allocationOfAPairThatMayLiveOnIsSaid() throws {
        let diagnosis = try Self.diagnosis { $0.second.deletion = .unconfirmed(.seconds(100)) }
        #expect(diagnosis.findings.map(\.id) == ["turn-allocation-left"])
    }
}

extension RelayPairEvidence {
    /// Sent in vain.
    mutating func silence(arrived: Int = 0, reverse: Int? = nil) {
        indications = .init(sent: 24, arrived: arrived)
        channel = .init()
        second.boundAfter = nil
        self.reverse = reverse.map { .init(sent: 24, arrived: $0) }
    }
}

extension Recording {
    /// Two relays of which the first is on the first server: two datagrams went in each lane; what is otherwise is
    /// changed.
    mutating func pair(with second: Int = 0, _ change: (inout RelayPairEvidence) -> Void = { _ in }) {
        func end(_ server: Int, _ port: UInt16) -> RelayPairEvidence.End {
            let address = IPAddress(9, 9, 9, 9 + UInt8(server))
            var end = RelayPairEvidence.End(
                server: server, serverAddress: Endpoint(address, 3478), transport: .udp, relayFamily: .ipv4)
            end.relayedAddress = Endpoint(address, port)
            end.roundTrip = .milliseconds(20)
            end.permittedAfter = .milliseconds(20)
            end.deletion = .confirmed
            return end
        }
        var evidence = RelayPairEvidence(pair: 0, first: end(0, 50000), second: end(second, 50001))
        evidence.second.boundAfter = .milliseconds(20)
        evidence.indications = .init(sent: 2, arrived: 2, roundTrips: Array(Self.trips.prefix(2)))
        evidence.channel = .init(sent: 2, arrived: 2, roundTrips: Array(Self.trips.prefix(2)))
        evidence.took = .milliseconds(150)
        change(&evidence)
        note(.relayPairSeen(evidence), at: 400)
    }
}
