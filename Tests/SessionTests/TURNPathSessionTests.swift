import Engines
import NetTypes
import STUN
import SimNet
import Testing

@testable import Diagnosis
@testable import Session

/// What a path does to the bytes between the session and its TURN servers, and how many it takes.
@Suite struct TURNPathSessionTests {
    @Test func connectionThatBringsSingleBytesCarriesTheSame() throws {
        let run = try TURNSessionTests.run(TURNSessionTests.options(["turn:9.9.9.9?transport=tcp"])) { network, _ in
            let serve = network.relay
            network.relay = { path, local, remote, bytes, now, isStream in
                serve(path, local, remote, bytes, now, isStream)?.flatMap { delay, path, arrival in
                    guard case .bytes(let bytes) = arrival else { return [(delay, path, arrival)] }
                    return bytes.map { (delay, path, .bytes([$0])) }
                }
            }
        }
        #expect(run.first?.trouble == nil && run.first?.deletion == .confirmed)
        #expect(run.first?.relay?.indications.roundTrips.count == 3 && run.first?.relay?.channel.roundTrips.count == 3)
    }

    @Test func answerThatStopsWithinAMessageIsTruncated() throws {
        let options = try TURNSessionTests.options(["turn:9.9.9.9?transport=tcp"], timeout: .seconds(2))
        let run = try TURNSessionTests.run(options) { network, _ in
            let serve = network.relay
            network.relay = { path, local, remote, bytes, now, isStream in
                serve(path, local, remote, bytes, now, isStream)?.map { delay, path, arrival in
                    guard case .bytes(let bytes) = arrival else { return (delay, path, arrival) }
                    return (delay, path, .bytes(Array(bytes.dropLast(3))))
                }
            }
        }
        #expect(run.first?.trouble?.kind == .truncated && run.first?.trouble?.stage == .allocate)
        #expect(run.diagnosis.turn.first?.error?.kind == .truncated)
    }

    @Test(arguments: [Endpoint(RelayServer.address, 3479), Endpoint(IPAddress(9, 9, 9, 10), 3478)])
    func answerFromElsewhereIsNotTaken(source: Endpoint) throws {
        let run = try TURNSessionTests.run(TURNSessionTests.options(timeout: .seconds(2))) { network, _ in
            let serve = network.relay
            network.relay = { path, local, remote, bytes, now, isStream in
                serve(path, local, remote, bytes, now, isStream)?.map { delay, path, arrival in
                    guard case .datagram(RelayServer.endpoint, let bytes) = arrival else {
                        return (delay, path, arrival)
                    }
                    return (delay, path, .datagram(from: source, bytes))
                }
            }
        }
        #expect(run.first?.trouble?.kind == .noAnswer && run.first?.realm == nil)
    }

    @Test func dataThatIsAlteredOnTheWayBackIsNamed() throws {
        let run = try TURNSessionTests.run(TURNSessionTests.options()) { network, _ in
            let serve = network.relay
            network.relay = { path, local, remote, bytes, now, isStream in
                serve(path, local, remote, bytes, now, isStream)?.map { delay, path, arrival in
                    // What comes out of the relay comes from its relayed address.
                    guard case .datagram(let source, var bytes) = arrival, source.port >= 50000 else {
                        return (delay, path, arrival)
                    }
                    bytes[bytes.count - 1] ^= 1
                    return (delay, path, .datagram(from: source, bytes))
                }
            }
        }
        #expect(run.first?.relay?.indications.roundTrips.isEmpty == true)
        #expect(run.diagnosis.findings.map(\.id).contains("turn-data-altered"))
        #expect(run.diagnosis.turn.first?.error?.kind == .altered && run.server.allocations.isEmpty)
    }

    /// The server answers until it is there, then two ICMP messages come for the permission, and for what follows or not.
    @Test(arguments: [true, false]) func allocationWhosePathFailsIsDeletedAllTheSame(heals: Bool) throws {
        let run = try TURNSessionTests.run(TURNSessionTests.options()) { network, server in
            let serve = network.relay
            network.relay = { path, local, remote, bytes, now, isStream in
                guard server.mostAllocations > 0, remote == RelayServer.endpoint else {
                    return serve(path, local, remote, bytes, now, isStream)
                }
                let isRefresh = (try? Message(decoding: bytes))?.method == .refresh
                return isRefresh && heals ? serve(path, local, remote, bytes, now, isStream) : nil
            }
            network.respond = { _, _, _ in
                [(.milliseconds(5), .icmp(.hostUnreachable, from: IPAddress(192, 0, 2, 1)))]
            }
        }
        #expect(run.first?.trouble?.path?.kind == .hostUnreachable)
        if heals {
            #expect(run.first?.deletion == .confirmed && run.server.allocations.isEmpty)
        } else {
            guard case .unconfirmed = run.first?.deletion else {
                Issue.record("\(String(describing: run.first?.deletion))")
                return
            }
            #expect(run.diagnosis.findings.map(\.id).contains("turn-allocation-left"))
        }
        #expect(run.took < 2500)
    }

    struct Hardship: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var configure: @Sendable (RelayServer) -> Void
    }

    @Test(arguments: [
        Hardship(testDescription: "none") { _ in },
        Hardship(testDescription: "silence") { $0.isDropped = { _ in true } },
        Hardship(testDescription: "a dead relay") {
            $0.dropsIn = true
            $0.dropsOut = true
        },
        Hardship(testDescription: "dead channels") { $0.dropsChannels = true },
        Hardship(testDescription: "437 for ever") { $0.refusal = { $0.method == .allocate ? 437 : nil } },
        Hardship(testDescription: "deletions without an answer") { $0.isDropped = { $0.method == .refresh } },
    ])
    func noMoreIsSentThanThePlanSays(hardship: Hardship) throws {
        let options = try TURNSessionTests.options(families: [.ipv4, .ipv6])
        let plan = try Plan(options, interfaces: SessionTests.interfaces)
        let most = try plan.mostRequests(to: #require(plan.servers.first))
        for seed in UInt64(1)...20 {
            var random = SeededGenerator(seed: seed)
            let run = try TURNSessionTests.run(options, seed: seed) { network, server in
                hardship.configure(server)
                let serve = network.relay
                network.relay = { path, local, remote, bytes, now, isStream in
                    random.next() % 100 < seed ? [] : serve(path, local, remote, bytes, now, isStream)
                }
            }
            let sent = run.network.sent.filter { $0.transmit.destination.address == RelayServer.address }.count
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
        #expect(run.server.allocations.isEmpty)
    }

    @Test func checkWithoutACredentialAsksForNoRelay() throws {
        var options = try TURNSessionTests.options()
        options.command = .check
        options.servers[0].credentials = ICEServers.Credentials()
        let run = try TURNSessionTests.run(options)
        #expect(run.server.requests(.allocate).isEmpty && run.diagnosis.turn.isEmpty)
        #expect(run.diagnosis.stun.first?.isOK == true)
    }

    @Test func checkWhoseRelayCarriesNothingIsANo() throws {
        var options = try TURNSessionTests.options()
        options.command = .check
        let run = try TURNSessionTests.run(options) { _, server in server.dropsIn = true }
        #expect(run.diagnosis.stun.first?.isOK == true && !run.diagnosis.verdict.isOK)
        #expect(run.diagnosis.verdict.best == .host)
    }
}
