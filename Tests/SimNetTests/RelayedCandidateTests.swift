import Engines
import NetTypes
import STUN
import Server
import SimNet
import TestSupport
import Testing

/// Relayed candidates are gathered as `icecheck turn` asks for relays.
@Suite struct RelayedCandidateTests {
    private typealias Agent = ICEAgent<SeededGenerator>
    private typealias Seat = Recorder<Agent>

    private static let redirector = Endpoint(IPAddress(11, 0, 0, 3), 3478)
    private static let turn = Endpoint(IPAddress(11, 0, 0, 2), 3478)

    private struct Gathering {
        var net: SimNet
        var server: EngineID
        var agent: EngineID
        var events: [ICEEvent.Fact] { net.engine(agent, as: Seat.self)?.events.map(\.fact) ?? [] }
        var candidates: [Candidate] { net.engine(agent, as: Seat.self)?.base.localCandidates ?? [] }
        var failures: [ICEGatheringFailure] {
            events.compactMap { if case .notGathered(let failure) = $0 { failure } else { nil } }
        }
    }

    private static func gather(
        _ servers: [(Endpoint, Transport)], families: [IPAddress.Family] = [.ipv4], password: String = "pencil",
        _ change: (inout ICEConfiguration) -> Void = { _ in }
    ) throws -> Gathering {
        var net = SimNet(seed: 5)
        let far = net.addHost(addresses: [turn.address, redirector.address], link: Link(delay: .milliseconds(5)))
        let configuration = try TURNServerConfiguration.lab(relays: [turn.address])
        let server = net.start(STUNServer.lab(at: [turn.address], configuration, seed: 1), on: far)
        net.start(
            FaultyRelay(
                STUNServer.lab(at: [redirector.address], configuration, seed: 2), at: redirector,
                FaultyRelay.Faults { $0.redirect([redirector: turn]) }), on: far)
        let address = IPAddress(13, 0, 0, 1)
        let near = net.addHost(addresses: [address], link: Link(delay: .milliseconds(5)))
        var ice = ICEConfiguration(.controlling, bases: [.init(address)])
        ice.kinds = [.relayed]
        let credential = try LongTermCredential(username: "user", password: password)
        ice.turnServers = servers.map {
            var server = ICEConfiguration.TURNServer($0.0, transport: $0.1, credential: credential)
            server.relayFamilies = families
            return server
        }
        change(&ice)
        let agent = net.start(Seat(Agent(ice, random: SeededGenerator(seed: 2), from: net.now)), on: near)
        net.advance(to: net.now + .seconds(2))
        return Gathering(net: net, server: server, agent: agent)
    }

    @Test(arguments: [Transport.udp, .tcp]) func redirectIsFollowed(transport: Transport) throws {
        let seen = try Self.gather([(Self.redirector, transport)])
        #expect(seen.candidates.map(\.kind) == [.relayed] && seen.failures.isEmpty)
        #expect(seen.candidates.first?.endpoint?.address == Self.turn.address)
    }

    @Test func redirectIsFollowedOverEachTransport() throws {
        let seen = try Self.gather([(Self.redirector, .udp), (Self.redirector, .tcp)])
        #expect(seen.candidates.count == 2 && seen.failures.isEmpty)
    }

    @Test func redirectThatIsNotFollowedIsTold() throws {
        let seen = try Self.gather([(Self.redirector, .udp)]) { $0.followsRedirects = false }
        #expect(seen.candidates.isEmpty && seen.failures.count == 1)
        guard case .allocation(.redirected)? = seen.failures.first?.reason else {
            Issue.record("\(seen.failures)")
            return
        }
    }

    /// It has no IPv6 relays (440), and gave an IPv4 one.
    @Test func serverThatGaveACandidateIsNotOneThatGaveNone() throws {
        let seen = try Self.gather([(Self.turn, .udp)], families: [.ipv6, .ipv4])
        #expect(seen.candidates.count == 1 && seen.failures.isEmpty)
    }

    @Test func serverThatGivesNoneIsToldOnceForEachReason() throws {
        let seen = try Self.gather([(Self.turn, .udp)], families: [.ipv6, .ipv4], password: "wrong")
        #expect(seen.candidates.isEmpty && seen.failures.count == 1)
    }

    @Test func closingDeletesTheAllocation() throws {
        var seen = try Self.gather([(Self.redirector, .udp)])
        seen.net.withEngine(seen.agent, as: Seat.self) { seat, now in seat.base.close(at: now) }
        seen.net.advance(to: seen.net.now + .milliseconds(100))
        #expect(seen.net.engine(seen.agent, as: Seat.self)?.isFinished == true)
    }
}
