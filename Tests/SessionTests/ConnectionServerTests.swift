import Engines
import NetTypes
import STUN
import Testing

@testable import Diagnosis
@testable import Session

/// What a connection asks its servers for, and what is told of them.
@Suite struct ConnectionServerTests {
    private static let four = IPAddress(9, 9, 9, 9)
    private static let interfaces = [
        NetworkInterface(
            name: "eth0", index: 2, kind: .ethernet,
            addresses: [
                .init(VirtualNetwork.host, prefixLength: 24), .init(VirtualNetwork.host6, prefixLength: 64),
            ])
    ]

    private static func run(
        _ uri: String, families: Set<IPAddress.Family>,
        answer: @escaping (SystemQuery) -> (Duration, SystemAnswer)?
    ) throws -> (server: RelayServer, diagnosis: Diagnosis) {
        let credentials = ICEServers.Credentials(username: "user", credential: Secret("pencil"))
        var options = Options(
            command: .connect,
            servers: [ICEServers.Entry(uri: try ServerURI(parsing: uri), credentials: credentials)],
            families: families, timeout: .seconds(8))
        options.connect = ConnectPlan(.line, isLive: true)
        let plan = try Plan(options, interfaces: interfaces)
        let server = RelayServer()
        var network = VirtualNetwork()
        network.serve(server)
        network.answer = answer
        var session = Session(plan, random: Seeded(1), from: .zero)
        let observations = network.run(&session)
        return (server, Diagnosis(plan, observations))
    }

    private static func onlyIPv4(_ query: SystemQuery) -> (Duration, SystemAnswer)? {
        switch query {
        case .addresses(_, .ipv4): (.zero, .addresses([four]))
        case .source(let endpoint, _):
            (.zero, .source(endpoint.family == .ipv4 ? VirtualNetwork.host : VirtualNetwork.host6))
        default: (.zero, .failed(.noRecords))
        }
    }

    private static func isWarned(_ diagnosis: Diagnosis) -> Bool {
        diagnosis.findings.contains { $0.id == "candidates-not-gathered" }
    }

    @Test func nameOfOneFamilyIsNotAtFault() throws {
        let (server, diagnosis) = try Self.run(
            "turn:turn.example.org", families: [.ipv4, .ipv6], answer: Self.onlyIPv4)
        #expect(server.mostAllocations > 0 && !Self.isWarned(diagnosis))
        #expect(server.allocations.isEmpty)
    }

    @Test func nameWithoutAnAddressIsTold() throws {
        let (_, diagnosis) = try Self.run("turn:turn.example.org", families: [.ipv4]) { _ in
            (.zero, .failed(.noRecords))
        }
        #expect(Self.isWarned(diagnosis))
    }

    @Test(arguments: [([IPAddress.Family.ipv4], 1), ([.ipv4, .ipv6], 2)])
    func relaysAreAskedForOfTheFamiliesOfTheOptions(families: [IPAddress.Family], relays: Int) throws {
        let (server, _) = try Self.run("turn:9.9.9.9", families: Set(families), answer: Self.onlyIPv4)
        #expect(server.mostAllocations == relays && server.allocations.isEmpty)
    }
}
