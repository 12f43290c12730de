import NetTypes
import Testing

@testable import HostIO

struct InterfaceTableTests {
    @Test func loopbackIsThereWithItsAddress() throws {
        let loopback = try #require(try InterfaceTable.read().first { $0.kind == .loopback })
        #expect(loopback.name == "lo")
        #expect(loopback.isUp)
        #expect(loopback.addresses.contains { $0.address == .loopback && $0.prefixLength == 8 })
        #expect(loopback.addresses.allSatisfy { !$0.isTemporary && !$0.isDeprecated && !$0.isTentative })
    }

    @Test(arguments: [
        ("eth0", "", NetworkInterface.Kind.ethernet),
        ("eth0", "veth", .ethernet),
        ("veth1a2b", "veth", .bridge),
        ("docker0", "bridge", .bridge),
        ("wg0", "wireguard", .tunnel),
        ("tun0", "tun", .tunnel),
        ("vnet3", "tun", .bridge),
        ("bond0", "bond", .ethernet),
        ("dummy0", "dummy", .other),
        ("tailscale0", "tun", .tunnel),
    ])
    func theKindFollowsTheLinkBeforeTheName(name: String, linkKind: String, kind: NetworkInterface.Kind) {
        let found = InterfaceTable.kind(named: name, linkKind: linkKind, isEthernet: true, isPointToPoint: false)
        #expect(found == kind)
    }
}
