import Diagnosis
import Engines
import NetTypes
import Planning
import STUN
import Server
import Session
import SimNet
import TestSupport
import Testing

/// The session of `icecheck turn` and two servers of `icecheck serve`, all unchanged, on a network with faults.
@Suite struct RelayPairsOnSimNetTests {
    struct World {
        var net: SimNet
        let client: HostID
        let servers: [EngineID]
        let plan: Plan
        let seed: UInt64

        init(
            _ transport: Transport = .udp, link: Link, seed: UInt64, options: Set<AllocationOption> = [],
            adjust: (inout TURNServerConfiguration) -> Void = { _ in }
        ) throws {
            self.seed = seed
            net = SimNet(seed: seed)
            let inside = IPAddress(192, 168, 1, 2)
            let router = net.addRouter(
                .nat(NATBehaviour(allocation: .random)), externalAddresses: [IPAddress(203, 0, 113, 7)])
            client = net.addHost(addresses: [inside], behind: router, link: link)
            let addresses = [IPAddress(11, 0, 0, 1), IPAddress(12, 0, 0, 1)]
            var servers: [EngineID] = []
            for address in addresses {
                let host = net.addHost(addresses: [address], link: Link(delay: .milliseconds(5)))
                let server = STUNServer.lab(at: [address], try .lab(relays: [address], adjust), seed: seed)
                servers.append(net.start(server, on: host))
            }
            self.servers = servers
            let uris = addresses.map { "turn:\($0)?transport=\(transport.rawValue)" }
            var asked = Options(command: .turn, servers: try .init(uris), families: [.ipv4])
            asked.turn.options = options
            plan = try Plan(asked, interfaces: [.ethernet(inside)])
        }

        mutating func run() -> Diagnosis {
            var session = Session(plan, random: SeededGenerator(seed: seed &+ 77), from: net.now)
            return Diagnosis(plan, net.run(&session, on: client))
        }

        /// Allocations that the servers have still.
        var left: Int { servers.reduce(0) { $0 + (net.engine($1, as: STUNServer.self)?.allocations?.left ?? -1000) } }
    }

    @Test(arguments: [Transport.udp, .tcp])
    func relaysOfTwoServersReachEachOtherAndThemselves(over transport: Transport) throws {
        var world = try World(transport, link: Link(delay: .milliseconds(10)), seed: 1)
        let diagnosis = world.run()
        #expect(diagnosis.verdict.isOK && diagnosis.findings.isEmpty)
        #expect(diagnosis.relayPairs.map(\.isOneServer) == [true, false, true])
        for pair in diagnosis.relayPairs {
            #expect(pair.isOK && pair.data.sent == 4 && pair.data.returned == 4)
            // There and back: the client's way to each server and back, and where there are two, theirs to each other.
            let toServers = Duration.milliseconds(60)
            #expect(pair.data.roundTrips?.median == (pair.isOneServer ? toServers : toServers + .milliseconds(20)))
        }
        #expect(world.left == 0)
    }

    /// D20: loss, doubling and overtaking change no outcome, only how long it takes.
    @Test(arguments: 1...60 as ClosedRange<UInt64>, [Transport.udp, .tcp])
    func faultsOfTheNetworkAreNoFinding(seed: UInt64, transport: Transport) throws {
        let link = Link(
            delay: .milliseconds(10), jitter: .milliseconds(15), loss: 0.1, duplication: 0.2, reordering: 0.2)
        var world = try World(transport, link: link, seed: seed)
        let diagnosis = world.run()
        #expect(
            diagnosis.relayPairs.allSatisfy { $0.outcome.error == nil },
            "seed \(seed): \(diagnosis.relayPairs.map(\.outcome))")
        let ids = diagnosis.findings.map(\.id).filter { $0 != "turn-allocation-left" }
        #expect(ids.isEmpty, "seed \(seed): \(ids)")
        world.net.advance(to: world.net.now + .seconds(600))
        #expect(world.left == 0, "seed \(seed)")
    }

    @Test func sameSeedGivesTheSameDiagnosis() throws {
        func pairs(_ seed: UInt64) throws -> [RelayPairResult] {
            var world = try World(link: Link(delay: .milliseconds(10), loss: 0.1), seed: seed)
            return world.run().relayPairs
        }
        #expect(try pairs(3) == pairs(3))
    }
}
