import Glibc
import NetTypes
import Testing

@testable import HostIO

/// What only a network of one's own can show: skipped where namespaces are not permitted.
@Suite(.enabled(if: Namespace.isPermitted, "network namespaces are not permitted here"))
struct NamespaceTests {
    @Test func theKernelsLinkKindDecidesWhatAnInterfaceIs() throws {
        let table = try Namespace.inside {
            Namespace.shell(
                """
                ip link add one type veth peer name veth9; ip link add two type bridge
                ip link set one mtu 1400; ip tuntap add three mode tun
                """)
            return try InterfaceTable.read()
        }
        let kinds = Dictionary(uniqueKeysWithValues: table.map { ($0.name, $0.kind) })
        let expected: [String: NetworkInterface.Kind] = [
            "lo": .loopback, "one": .ethernet, "veth9": .bridge, "two": .bridge, "three": .tunnel,
        ]
        #expect(kinds.filter { expected[$0.key] != nil } == expected)
        #expect(table.first { $0.name == "one" }?.mtu == 1400)
        #expect(table.first { $0.name == "one" }?.isUp == false)
        #expect(table.first { $0.name == "three" }?.isPointToPoint == true)
    }

    @Test func temporaryDeprecatedAndTentativeAddressesAreMarked() throws {
        let table = try Namespace.inside {
            Namespace.shell(
                """
                ip link add v0 type veth peer name v1; sysctl -qw net.ipv6.conf.v0.use_tempaddr=2
                ip link set v0 up; ip link set v1 up
                ip -6 addr add fd00::1/64 dev v0 nodad mngtmpaddr valid_lft 3600 preferred_lft 1800
                ip -6 addr add fd01::1/64 dev v0 nodad valid_lft 3600 preferred_lft 0
                ip -6 addr add fd02::1/64 dev v0
                """)
            return try InterfaceTable.read()
        }
        let addresses = table.flatMap(\.addresses)
        func find(_ text: String) throws -> NetworkInterface.Address {
            try #require(addresses.first { $0.address.description == text })
        }
        #expect(try find("fd01::1").isDeprecated)
        #expect(try !find("fd00::1").isDeprecated && !find("fd00::1").isTemporary)
        #expect(try find("fd02::1").isTentative)
        let temporary = addresses.filter(\.isTemporary)
        #expect(temporary.count == 1)
        #expect(temporary.first?.address.description.hasPrefix("fd00:") == true)
        let linkLocal = try #require(table.first { $0.name == "v0" }?.addresses.first { $0.address.isLinkLocal })
        #expect(linkLocal.address.zone == table.first { $0.name == "v0" }?.index)
    }

    /// A client behind a router that rejects by destination port.
    static func insideClient<Value>(_ rules: String, _ body: @escaping () throws -> Value) throws -> Value {
        let router = "icecheck-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        return try Namespace.inside {
            Namespace.shell(
                """
                ip netns add \(router); ip link add c0 type veth peer name r0 netns \(router); ip link set c0 up
                ip addr add 10.9.0.2/24 dev c0; ip -6 addr add fd09::2/64 dev c0 nodad
                ip netns exec \(router) sh -ec '
                ip link set r0 up; ip addr add 10.9.0.1/24 dev r0; ip -6 addr add fd09::1/64 dev r0 nodad
                sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
                nft "table inet t { chain c { type filter hook prerouting priority 0; \(rules) }; }"'
                ip route add default via 10.9.0.1; ip -6 route add default via fd09::1
                """)
            defer { Namespace.shell("ip netns delete \(router)") }
            return try body()
        }
    }

    @Test func eachICMPMessageHasItsNameAndItsRouter() throws {
        let named: [(port: UInt16, type: String, kind: PathError.Kind)] = [
            (1, "net-unreachable", .networkUnreachable), (2, "host-unreachable", .hostUnreachable),
            (3, "prot-unreachable", .protocolUnreachable), (4, "port-unreachable", .portUnreachable),
            (5, "net-prohibited", .administrativelyProhibited), (6, "host-prohibited", .administrativelyProhibited),
            (7, "admin-prohibited", .administrativelyProhibited),
        ]
        let rules = named.map { "udp dport \($0.port) reject with icmp type \($0.type);" }.joined(separator: " ")
        let errors = try errorsOfSending(
            to: IPAddress(203, 0, 113, 9), ports: named.map(\.port), from: IPAddress(10, 9, 0, 2), rules)
        #expect(errors.count == named.count)
        for (error, expected) in zip(errors, named) {
            #expect(error.kind == expected.kind, "\(expected.type)")
            #expect(error.origin == .icmp(from: IPAddress(10, 9, 0, 1)))
            #expect(error.destination == Endpoint(IPAddress(203, 0, 113, 9), expected.port))
            #expect(error.quoted == [1, 2, 3, UInt8(expected.port)])
        }
    }

    @Test func eachICMPv6MessageHasItsNameAndItsRouter() throws {
        let remote = try #require(IPAddress("2001:db8::9"))
        let named: [(port: UInt16, type: String, kind: PathError.Kind)] = [
            (1, "no-route", .networkUnreachable), (2, "admin-prohibited", .administrativelyProhibited),
            (3, "addr-unreachable", .hostUnreachable), (4, "port-unreachable", .portUnreachable),
        ]
        let rules = named.map { "udp dport \($0.port) reject with icmpv6 type \($0.type);" }.joined(separator: " ")
        let errors = try errorsOfSending(
            to: remote, ports: named.map(\.port), from: #require(IPAddress("fd09::2")), rules)
        #expect(errors.map(\.kind) == named.map(\.kind))
        #expect(errors.allSatisfy { $0.origin == .icmp(from: IPAddress("fd09::1")) })
    }

    private func errorsOfSending(
        to remote: IPAddress, ports: [UInt16], from local: IPAddress, _ rules: String
    ) throws -> [PathError] {
        try Self.insideClient(rules) {
            var engine = ScriptedEngine([.openUDP(PathID(1), at: Endpoint(local, 0))]) { engine, input in
                if case .opened(let path, _) = input {
                    engine.outputs = ports.map {
                        let bytes: [UInt8] = [1, 2, 3, UInt8($0)]
                        return .transmit(Transmit(path: path, destination: Endpoint(remote, $0), bytes: bytes))
                    }
                }
                engine.isFinished = engine.pathErrors.count == ports.count
            }
            _ = try Driver().run(&engine, until: MonotonicClock.now + .seconds(3))
            return engine.pathErrors.sorted { ($0.destination?.port ?? 0) < ($1.destination?.port ?? 0) }
        }
    }

    @Test func aRejectedConnectionNamesTheRouterAndAResetThePeer() throws {
        let rules = "tcp dport 1 reject with icmp type admin-prohibited; tcp dport 2 reject with tcp reset;"
        let errors = try Self.insideClient(rules) {
            let connections = (UInt16(1)...2).map { port in
                let remote = Endpoint(IPAddress(203, 0, 113, 9), port)
                let specification = PathSpecification(.connection(to: remote), family: .ipv4)
                return Output.open(PathID(UInt32(port)), specification)
            }
            var engine = ScriptedEngine(connections) { engine, _ in engine.isFinished = engine.pathErrors.count == 2 }
            _ = try Driver().run(&engine, until: MonotonicClock.now + .seconds(3))
            return engine.pathErrors.sorted { $0.path.number < $1.path.number }
        }
        #expect(errors.map(\.kind) == [.administrativelyProhibited, .connectionRefused])
        #expect(errors.map(\.origin) == [.icmp(from: IPAddress(10, 9, 0, 1)), .peer])
        #expect(errors.allSatisfy { $0.isFatal })
    }

    @Test func aMachineWithoutARouteOrWithALocalFirewallSaysSo() throws {
        let errors = try Namespace.inside {
            Namespace.shell(
                "nft 'table inet t { chain c { type filter hook output priority 0; udp dport 9 drop; }; }'")
            var engine = ScriptedEngine([.openUDP(PathID(1), at: Endpoint(.unspecified(.ipv4), 0))]) { engine, input in
                if case .opened(let path, _) = input {
                    engine.outputs = [
                        Endpoint(IPAddress(203, 0, 113, 9), 7), Endpoint(.loopback, 9),
                    ].map { .transmit(Transmit(path: path, destination: $0, bytes: [1])) }
                }
                engine.isFinished = engine.pathErrors.count == 2
            }
            _ = try Driver().run(&engine, until: MonotonicClock.now + .seconds(3))
            return engine.pathErrors
        }
        #expect(errors.map(\.kind) == [.networkUnreachable, .notPermitted])
        #expect(errors.allSatisfy { $0.origin == .local })
    }
}
