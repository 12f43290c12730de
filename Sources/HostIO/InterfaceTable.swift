import CSystem
package import NetTypes

/// The machine's interfaces with their addresses, over rtnetlink.
package enum InterfaceTable {
    /// Every interface in the order of its index, up or not, with or without addresses.
    package static func read() throws(SystemError) -> [NetworkInterface] {
        var table = csys_interface_table()
        _ = try SystemError.check(csys_interfaces_read(&table), "read the network interfaces")
        defer { csys_interfaces_free(&table) }
        let links = UnsafeBufferPointer(start: table.links, count: Int(table.link_count))
        let addresses = UnsafeBufferPointer(start: table.addresses, count: Int(table.address_count))
        let byIndex = Dictionary(grouping: addresses, by: \.index)
        return links.map { link in
            NetworkInterface(
                name: text(link.name), index: link.index, kind: kind(of: link), isUp: link.is_up,
                isRunning: link.is_running, isPointToPoint: link.is_point_to_point,
                mtu: link.mtu == 0 ? nil : Int(link.mtu), addresses: (byIndex[link.index] ?? []).compactMap(translate))
        }.sorted { $0.index < $1.index }
    }

    private static func translate(_ entry: csys_interface_address) -> NetworkInterface.Address? {
        guard let address = IPAddress(entry.address) else { return nil }
        return NetworkInterface.Address(
            address, prefixLength: Int(entry.prefix_length), isTemporary: entry.is_temporary,
            isDeprecated: entry.is_deprecated, isTentative: entry.is_tentative)
    }

    private static func kind(of link: csys_link) -> NetworkInterface.Kind {
        if link.is_loopback { return .loopback }
        if link.is_wireless { return .wireless }
        let hasAddressOfEthernet = link.hardware_type == 1  // ARPHRD_ETHER
        return kind(
            named: text(link.name), linkKind: text(link.link_kind), isEthernet: hasAddressOfEthernet,
            isPointToPoint: link.is_point_to_point)
    }

    /// What an interface is, by the kind that the kernel gives (IFLA_INFO_KIND), and by its name where that leaves it
    /// open: a container's own end of a veth is its ethernet, the host's end of it is not.
    static func kind(
        named name: String, linkKind: String, isEthernet: Bool, isPointToPoint: Bool
    ) -> NetworkInterface.Kind {
        switch linkKind {
        case "bridge", "openvswitch", "macvtap": return .bridge
        case "tun", "wireguard", "ppp", "sit", "gre", "gretap", "ip6gre", "ipip", "ip6tnl", "vti", "vti6", "xfrm",
            "vxlan", "geneve", "amt", "ovpn":
            let isVirtualMachines = linkKind == "tun" && ["vnet", "tap", "macvtap"].contains { name.hasPrefix($0) }
            return isVirtualMachines ? .bridge : .tunnel
        case "veth":
            return ["veth", "cali", "lxc", "docker", "cni", "vmtap"].contains { name.hasPrefix($0) }
                ? .bridge : .ethernet
        case "vlan", "bond", "team", "macvlan", "ipvlan", "virt_wifi", "dummy", "ifb", "netdevsim":
            return linkKind == "dummy" || linkKind == "ifb" ? .other : .ethernet
        case "": break
        default: return isPointToPoint ? .tunnel : isEthernet ? .ethernet : .other
        }
        let tunnels = ["tun", "utun", "wg", "ppp", "ipsec", "tailscale", "zt", "sit", "gre"]
        if isPointToPoint || tunnels.contains(where: { name.hasPrefix($0) }) { return .tunnel }
        if ["docker", "br-", "virbr", "vmnet"].contains(where: { name.hasPrefix($0) }) { return .bridge }
        return isEthernet ? .ethernet : .other
    }

    /// The text of a fixed array of characters.
    private static func text<Characters>(_ characters: Characters) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
