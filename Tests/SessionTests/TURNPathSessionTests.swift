import Engines
import Facts
import NetTypes
import Planning
import STUN
import SimNet
import TestSupport
import Testing

@testable import Diagnosis

/// What a path does to the bytes between the session and its TURN servers, and how many it takes.
@Suite struct TURNPathSessionTests {
    @Test func connectionThatBringsSingleBytesCarriesTheSame() throws {
        let run = try TURNSessionTests.run(TURNSessionTests.options([TURNSessionTests.overTCP])) {
            $0.faults.write = { bytes in bytes.map { [$0] } }
        }
        #expect(run.first?.trouble == nil && run.first?.deletion == .confirmed)
        #expect(run.first?.relay?.indications.roundTrips.count == 3 && run.first?.relay?.channel.roundTrips.count == 3)
    }

    @Test func answerThatStopsWithinAMessageIsTruncated() throws {
        let options = try TURNSessionTests.options([TURNSessionTests.overTCP], timeout: .seconds(2))
        let run = try TURNSessionTests.run(options) { $0.faults.write = { [$0.dropLast(3)] } }
        #expect(run.first?.trouble?.kind == .truncated && run.first?.trouble?.stage == .allocate)
        #expect(run.diagnosis.turn.first?.error?.kind == .truncated)
    }

    @Test(arguments: [Endpoint(Place.relay.address, 3479), Endpoint(IPAddress(9, 9, 9, 10), 3478)])
    func answerFromElsewhereIsNotTaken(source: Endpoint) throws {
        let run = try TURNSessionTests.run(TURNSessionTests.options(timeout: .seconds(2))) { lab in
            lab.relays = []
            lab.respond(at: [Place.relay, source]) { request in
                guard let id = TransactionID(inMessage: request.bytes) else { return [] }
                var builder = MessageBuilder(.errorResponse, .allocate, id)
                builder.append(.errorCode, ErrorCode(401))
                builder.append(.realm, "example.org")
                builder.append(.nonce, "nonce")
                return [(.zero, .bytes(builder.bytes, from: source))]
            }
        }
        #expect(run.first?.trouble?.kind == .noAnswer && run.first?.realm == nil)
    }

    @Test func dataThatIsAlteredOnTheWayBackIsNamed() throws {
        let run = try TURNSessionTests.run(TURNSessionTests.options()) { lab in
            lab.faults.carry = { relayed, _ in
                relayed.way == .fromRelay
                    ? relayed.bytes.dropLast() + [~relayed.bytes[relayed.bytes.count - 1]] : relayed.bytes
            }
        }
        #expect(run.first?.relay?.indications.roundTrips.isEmpty == true)
        #expect(run.findings.contains("turn-data-altered"))
        #expect(run.diagnosis.turn.first?.error?.kind == .altered && run.log.left == 0)
    }

    /// The server answers until it is there, then two ICMP messages come for the permission, and for what follows or not.
    @Test(arguments: [true, false]) func allocationWhosePathFailsIsDeletedAllTheSame(heals: Bool) throws {
        let run = try TURNSessionTests.run(TURNSessionTests.options()) { lab in
            lab.faults.drop { request, log in log.most > 0 && !(heals && request.method == .refresh) }
            lab.system = { output, now in
                // The first two requests make the allocation.
                guard case .transmit(let transmit) = output, transmit.destination == Place.relay,
                    let request = try? Message(decoding: transmit.bytes), request.method != .allocate,
                    !(heals && request.method == .refresh)
                else { return [] }
                return [(.milliseconds(5), .icmp(.hostUnreachable, from: IPAddress(192, 0, 2, 1), about: transmit))]
            }
        }
        #expect(run.first?.trouble?.path?.kind == .hostUnreachable)
        if heals {
            #expect(run.first?.deletion == .confirmed && run.log.left == 0)
        } else {
            guard case .unconfirmed = run.first?.deletion else {
                Issue.record("\(String(describing: run.first?.deletion))")
                return
            }
            #expect(run.findings.contains("turn-allocation-left"))
        }
        #expect(run.took < 2500)
    }

    struct Hardship: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var plant: @Sendable (inout FaultyRelay.Faults) -> Void
    }

    @Test(arguments: [
        Hardship(testDescription: "none") { _ in },
        Hardship(testDescription: "silence") { $0.drop() },
        Hardship(testDescription: "a dead relay") { $0.lose(.toRelay, .fromRelay) },
        Hardship(testDescription: "dead channels") { $0.lose(.onChannel) },
        Hardship(testDescription: "437 for ever") { $0.refuse(.allocate, 437) },
        Hardship(testDescription: "deletions without an answer") { $0.drop(.refresh) },
    ])
    func noMoreIsSentThanThePlanSays(hardship: Hardship) throws {
        let options = try TURNSessionTests.options(families: [.ipv4, .ipv6])
        let plan = try Plan(options, interfaces: SessionLab.interfaces)
        let most = try plan.mostRequests(to: #require(plan.servers.first))
        for seed in UInt64(1)...20 {
            let run = try TURNSessionTests.run(options, seed: seed) {
                hardship.plant(&$0.faults)
                $0.link.loss = Double(seed) / 100
            }
            let sent = run.sent.filter { $0.destination.address == Place.relay.address }.count
            #expect(sent <= most, "seed \(seed): \(sent) of \(most)")
        }
    }

    @Test func checkAsksForABindingAndForARelay() throws {
        var options = try TURNSessionTests.options()
        options.command = .check
        let run = try TURNSessionTests.run(options)
        #expect(run.diagnosis.stun.first?.isOK == true && run.diagnosis.turn.map(\.isOK) == [true])
        #expect(run.diagnosis.verdict.isOK && run.diagnosis.verdict.best == .host)
        #expect(run.diagnosis.verdict.summary.contains("TURN: the relay carries data both ways"))
        #expect(run.log.left == 0)
    }

    @Test func checkWithoutACredentialAsksForNoRelay() throws {
        var options = try TURNSessionTests.options()
        options.command = .check
        options.servers[0].credentials = ICEServers.Credentials()
        let run = try TURNSessionTests.run(options)
        #expect(run.log.requests(.allocate).isEmpty && run.diagnosis.turn.isEmpty)
        #expect(run.diagnosis.stun.first?.isOK == true)
    }

    @Test func checkWhoseRelayCarriesNothingIsANo() throws {
        var options = try TURNSessionTests.options()
        options.command = .check
        let run = try TURNSessionTests.run(options) { $0.faults.lose(.toRelay) }
        #expect(run.diagnosis.stun.first?.isOK == true && !run.diagnosis.verdict.isOK)
        #expect(run.diagnosis.verdict.best == .host)
    }
}
