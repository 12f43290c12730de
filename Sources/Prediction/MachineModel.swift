package import NetTypes

/// A machine of whose paths to others something is to be said: its kind, and the addresses that tell its neighbours.
package struct MachineModel: Hashable, Sendable {
    /// A network that a local address stands in.
    package struct Subnet: Hashable, Sendable {
        /// The address itself; the prefix is what matters.
        package var address: IPAddress
        package var length: Int

        package init(_ address: IPAddress, length: Int) {
            self.address = address
            self.length = max(0, min(length, address.family.bitWidth))
        }

        func isThat(of other: Subnet) -> Bool {
            length == other.length && address.hasPrefix(other.address, length: length)
        }

        /// With the bits of the host cleared: equal for machines of one network.
        var network: Subnet {
            let shift = UInt128(address.family.bitWidth - length)
            let value = shift >= 128 ? 0 : (address.value >> shift) << shift
            return Subnet(
                address.family == .ipv4
                    ? IPAddress(v4: UInt32(truncatingIfNeeded: value)) : IPAddress(v6: value), length: length)
        }
    }

    package var kind: MachineKind
    /// The outside of the NAT, where one translates.
    package var mappedIPv4: IPAddress?
    package var mappedIPv6: IPAddress?
    /// The networks that its first address of each family is in.
    package var subnets: [Subnet]

    package init(
        _ kind: MachineKind, mappedIPv4: IPAddress? = nil, mappedIPv6: IPAddress? = nil, subnets: [Subnet] = []
    ) {
        self.kind = kind
        self.mappedIPv4 = mappedIPv4
        self.mappedIPv6 = mappedIPv6
        self.subnets = subnets
    }
}

/// How two machines stand to each other.
package enum Neighbourhood: Hashable, Sendable {
    /// Only the Internet joins them.
    case apart
    /// Behind one NAT, in different networks: host candidates lead nowhere for certain.
    case sameNAT
    /// In one network behind one NAT: host candidates reach each other.
    case sameNetwork

    /// Two that are seen from outside by the same address are behind the same NAT; a network of the same prefix is then
    /// the same network, but not behind a carrier's NAT, where many homes have the same.
    package init(_ one: MachineModel, _ other: MachineModel) {
        self = .apart
        for (mapped, family) in [(one.mappedIPv4, IPAddress.Family.ipv4), (one.mappedIPv6, .ipv6)] {
            guard let mapped, mapped == (family == .ipv4 ? other.mappedIPv4 : other.mappedIPv6) else { continue }
            let isShared = !one.kind[family].isCarrierGrade && !other.kind[family].isCarrierGrade
            let isNear = one.subnets.contains { subnet in
                subnet.address.family == family && other.subnets.contains { subnet.isThat(of: $0) }
            }
            self = isShared && isNear ? .sameNetwork : .sameNAT
            return
        }
    }
}
