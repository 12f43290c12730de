import NetTypes
import Testing

@testable import Engines

struct CandidatePriorityTests {
    @Test func tcpCandidatesOfOneMachineHavePrioritiesOfTheirOwn() {
        let priorities = (0..<50).map {
            CandidatePriority.priority(.host, .tcp, tcpType: .active, localPreference: 65535 - $0)
        }
        #expect(Set(priorities).count == 50)
        #expect(priorities == priorities.sorted(by: >))
    }

    @Test("priorities are those that agents write for the same candidates")
    func formula() {
        #expect(CandidatePriority.priority(.host, .udp, localPreference: 65535) == 2_130_706_431)
        #expect(CandidatePriority.priority(.host, .udp, localPreference: 65535, component: 2) == 2_130_706_430)
        #expect(CandidatePriority.priority(.peerReflexive, .udp, localPreference: 65535) == 1_862_270_975)
        #expect(CandidatePriority.priority(.serverReflexive, .udp, localPreference: 65535) == 1_694_498_815)
        #expect(CandidatePriority.priority(.relayed, .udp, localPreference: 65535) == 16_777_215)
        #expect(CandidatePriority.priority(.relayed, .udp, localPreference: 0, component: 256) == 0)
    }

    @Test("the direction of TCP outweighs its address")
    func directions() {
        let active = CandidatePriority.priority(.host, .tcp, tcpType: .active, localPreference: 0)
        let passive = CandidatePriority.priority(.host, .tcp, tcpType: .passive, localPreference: 65535)
        #expect(active > passive)
        #expect(active >> 8 & 0xFFFF == 6 << 13)
        #expect(passive >> 8 & 0xFFFF == 4 << 13 | 8191)
        let open = CandidatePriority.priority(.serverReflexive, .tcp, tcpType: .simultaneousOpen, localPreference: 0)
        #expect(open >> 8 & 0xFFFF == 6 << 13)
    }

    @Test("a pair's priority is that of RFC 8445 s6.1.2.3")
    func pairs() {
        #expect(CandidatePriority.pair(controlling: 2, controlled: 1) == 1 << 32 + 4 + 1)
        #expect(CandidatePriority.pair(controlling: 1, controlled: 2) == 1 << 32 + 4)
        #expect(CandidatePriority.pair(controlling: .max, controlled: .max) == 0x7FFF_FFFF << 32 + 0xFFFF_FFFE)
    }

    @Test("foundations are equal for one type, base, server and transport, and else differ")
    func foundations() {
        var assigner = FoundationAssigner()
        let base = IPAddress(10, 0, 0, 1)
        let server = IPAddress(192, 0, 2, 1)
        let host = assigner.foundation(.host, base: base)
        #expect(host == assigner.foundation(.host, base: base))
        let others = [
            assigner.foundation(.host, base: IPAddress(10, 0, 0, 2)),
            assigner.foundation(.host, base: base, transport: .tcp),
            assigner.foundation(.serverReflexive, base: base, server: server),
            assigner.foundation(.serverReflexive, base: base, server: IPAddress(192, 0, 2, 2)),
            assigner.foundation(.relayed, base: base, server: server),
        ]
        #expect(Set(others + [host]).count == 6)
    }
}

struct CandidateLocalPreferenceTests {
    private static let a4 = IPAddress(192, 0, 2, 1)
    private static let b4 = IPAddress(198, 51, 100, 1)
    private static func ipv6(_ number: UInt128) -> IPAddress { IPAddress(v6: 0x2001_0DB8 << 96 | number) }

    @Test("a single address has 65535, and none has none")
    func single() {
        #expect(LocalPreference.order([]) == [])
        #expect(LocalPreference.order([.init(Self.a4, interfaceOrder: 3)]) == [65535])
    }

    @Test("IPv6 goes first, and a broken family delays the other little")
    func interleaving() {
        let choices =
            [Self.a4, Self.b4].map { LocalPreference.Choice($0, interfaceOrder: 0) }
            + (1...6).map { .init(Self.ipv6($0), interfaceOrder: 0) }
        // RFC 8421 s4: with two and six, the first IPv4 address comes after four IPv6 addresses.
        #expect(LocalPreference.order(choices) == [65531, 65529, 65535, 65534, 65533, 65532, 65530, 65528])
    }

    @Test("many IPv4 addresses do not put the only IPv6 address last")
    func mostlyIPv4() {
        let choices =
            (1...4).map { LocalPreference.Choice(IPAddress(10, 0, 0, $0), interfaceOrder: 0) }
            + [.init(Self.ipv6(1), interfaceOrder: 9)]
        #expect(LocalPreference.order(choices) == [65534, 65533, 65532, 65531, 65535])
    }

    @Test("within a family: not deprecated, better interface, wider scope, temporary")
    func withinFamily() {
        let linkLocal = IPAddress(v6: 0xFE80 << 112 | 1)
        let order = LocalPreference.order([
            .init(Self.ipv6(1), interfaceOrder: 0, isDeprecated: true),
            .init(Self.ipv6(2), interfaceOrder: 1),
            .init(linkLocal, interfaceOrder: 0),
            .init(Self.ipv6(3), interfaceOrder: 0),
            .init(Self.ipv6(4), interfaceOrder: 0, isTemporary: true),
        ])
        #expect(order == [65531, 65532, 65533, 65534, 65535])
    }
}
