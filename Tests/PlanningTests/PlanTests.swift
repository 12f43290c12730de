import NetTypes
import Planning
import STUN
import TestSupport
import Testing

@Suite struct PlanTests {
    private func plan(_ options: Options) throws -> Plan { try Plan(options, interfaces: try sample()) }

    private func make(_ text: String, _ prefix: Int = 64) throws -> NetworkInterface.Address {
        .init(try #require(IPAddress(text)), prefixLength: prefix)
    }

    private func sample() throws -> [NetworkInterface] {
        var temporary = try make("2001:db8::abcd")
        temporary.isTemporary = true
        var deprecated = try make("2001:db8::dead")
        deprecated.isDeprecated = true
        var tentative = try make("2001:db8:1::1")
        tentative.isTentative = true
        return [
            NetworkInterface(
                name: "lo", index: 1, kind: .loopback, addresses: [try make("127.0.0.1", 8), try make("::1", 128)]),
            NetworkInterface(
                name: "eth0", index: 2, kind: .ethernet,
                addresses: [
                    try make("192.0.2.10", 24), try make("2001:db8::10"), temporary, deprecated, try make("fe80::1"),
                    tentative,
                ]),
            NetworkInterface(name: "wg0", index: 3, kind: .tunnel, addresses: [try make("10.8.0.2", 24)]),
            NetworkInterface(
                name: "eth1", index: 4, kind: .ethernet, isUp: false, addresses: [try make("198.51.100.9", 24)]),
            NetworkInterface(
                name: "docker0", index: 5, kind: .bridge, isRunning: false, addresses: [try make("172.17.0.1", 16)]),
        ]
    }

    @Test(
        arguments: [
            ("192.0.2.10", nil), ("2001:db8::abcd", nil), ("10.8.0.2", nil),
            ("127.0.0.1", "loopback: reaches this machine only"), ("::1", "loopback: reaches this machine only"),
            ("2001:db8::10", "a temporary address (RFC 8981) is offered instead"),
            ("2001:db8::dead", "deprecated: its preferred lifetime is over"),
            ("fe80::1", "link-local: reaches this link only"),
            ("2001:db8:1::1", "duplicate address detection is not over"), ("198.51.100.9", "the interface is down"),
            ("172.17.0.1", "the interface has no carrier"),
        ] as [(String, String?)])
    func basesAreOfferedOrWithheldAsABrowserWould(text: String, reason: String?) throws {
        let plan = try plan(Options(command: .candidates))
        let base = try #require(plan.bases.first { $0.address.address.description == text })
        #expect(base.withheld == reason)
    }

    @Test func basesComeInTheOrderOfTheirLocalPreference() throws {
        let bases = try plan(Options(command: .candidates)).bases
        #expect(bases.map(\.localPreference) == bases.map(\.localPreference).sorted(by: >))
        #expect(Set(bases.map(\.localPreference)).count == bases.count)
    }

    @Test(arguments: [
        (Options(command: .check, interface: "nope"), "no such interface"),
        (Options(command: .check, bindAddress: IPAddress(203, 0, 113, 1)), "no interface has this address"),
        (Options(command: .check, interface: "wg0", bindAddress: IPAddress(192, 0, 2, 10)), "is an address of eth0"),
        (Options(command: .check, families: [.ipv6], bindAddress: IPAddress(192, 0, 2, 10)), "leaves out"),
    ])
    func optionThatTheMachineCannotMeetIsRefusedWithWhatItHas(options: Options, words: String) throws {
        let interfaces = try sample()
        let error = #expect(throws: PlanError.self) { try Plan(options, interfaces: interfaces) }
        #expect(error?.description.contains(words) == true)
    }

    @Test(arguments: [
        ("stun:192.0.2.1", [Transport.udp], true, false), ("turn:192.0.2.1?transport=tcp", [.tcp], false, false),
        ("turn:192.0.2.1?transport=udp", [.udp], false, false), ("stuns:192.0.2.1", [.tls], false, false),
        ("turns:192.0.2.1?transport=tcp", [.tls], false, false),
        ("turns:192.0.2.1?transport=udp", [.dtls], false, false),
    ])
    func serverIsAskedOverWhatItsURINames(uri: String, transports: [Transport], fallsBack: Bool, isExcluded: Bool)
        throws
    {
        let server = try #require(
            try plan(Options(command: .check, servers: try .init([uri], account: nil))).servers.first)
        #expect(server.transports == transports)
        #expect(server.fallsBackToTCP == fallsBack)
        #expect((server.excluded != nil) == isExcluded)
    }

    @Test func serverOverTLSIsNotAskedAboutTheNAT() throws {
        let server = try #require(
            try plan(Options(command: .nat, servers: try .init(["turns:192.0.2.1"], account: nil))).servers.first)
        #expect(server.transports.isEmpty && server.excluded?.reason == .notSupported)
        #expect(server.excluded?.detail.contains("turn: names a server for it") == true)
    }

    @Test func linkLocalServerNeedsItsInterface() throws {
        let bare = ICEServers.Entry(uri: try ServerURI(parsing: "stun:[fe80::9]"))
        #expect(throws: PlanError.self) { try plan(Options(command: .stun, servers: [bare])) }
        let named = ICEServers.Entry(uri: try ServerURI(parsing: "stun:[fe80::9%25eth0]"))
        #expect(try plan(Options(command: .stun, servers: [named])).servers.first?.zone == 2)
        let option = Options(command: .stun, servers: [bare], interface: "eth0")
        #expect(try plan(option).servers.first?.zone == 2)
        let wrong = ICEServers.Entry(uri: try ServerURI(parsing: "stun:[fe80::9%25eth7]"))
        #expect(throws: PlanError.self) { try plan(Options(command: .stun, servers: [wrong])) }
    }

    @Test func machineWithLoopbackOnlyIsSaidToHaveNothingElse() throws {
        let lo = NetworkInterface(name: "lo", index: 1, kind: .loopback, addresses: [try make("127.0.0.1", 8)])
        let plan = try Plan(Options(command: .check), interfaces: [lo])
        #expect(plan.notMeasured.map(\.detail) == Array(repeating: "no interface is up but loopback", count: 2))
    }

    @Test func deadlineGrowsWithTheCountUnlessItIsGiven() throws {
        #expect(try plan(Options(command: .stun)).timeout == .seconds(5))
        #expect(try plan(Options(command: .stun, count: 501)).timeout == .seconds(15))
        #expect(try plan(Options(command: .stun, timeout: .seconds(2), count: 501)).timeout == .seconds(2))
    }

    @Test func oneRunAsksALimitedNumberOfServers() throws {
        let servers = try [ICEServers.Entry]((0..<300).map { "stun:192.0.2.1:\($0 + 1)" })
        let plan = try plan(Options(command: .check, servers: servers))
        #expect(plan.servers.count == 256)
        #expect(plan.notMeasured.contains { $0.reason == .limit && $0.what == "44 more servers" })
    }
}
