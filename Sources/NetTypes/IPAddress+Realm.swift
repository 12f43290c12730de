extension IPAddress {
    /// What an address is for, by the IANA special-purpose registries (RFC 6890 and its successors).
    package enum Realm: String, Sendable, Codable, CaseIterable {
        case unspecified
        case loopback
        case linkLocal = "link-local"
        /// RFC 1918.
        case privateUse = "private"
        /// RFC 6598: between a carrier-grade NAT and its customers.
        case sharedAddressSpace = "shared-address-space"
        /// RFC 4193.
        case uniqueLocal = "unique-local"
        case multicast
        case broadcast
        /// RFC 5737, RFC 3849: never routed.
        case documentation
        /// Site-local (RFC 3879, deprecated), benchmarking, reserved, discard-only.
        case reserved
        case global
    }

    package var realm: Realm {
        let plain = canonical
        for (network, length, realm) in Self.realms where plain.hasPrefix(network, length: length) {
            return realm
        }
        return .global
    }

    /// The IPv4 address inside an IPv4-mapped, 6to4 or well-known NAT64 address, else the address itself: a rule
    /// about private addresses must not be escaped by writing the address another way.
    package var canonical: IPAddress {
        guard family == .ipv6 else { return self }
        let low = UInt32(truncatingIfNeeded: value)
        if value >> 32 == 0xFFFF { return IPAddress(v4: low) }
        if value >> 32 == 0x0064_FF9B_0000_0000_0000_0000 { return IPAddress(v4: low) }
        if value >> 112 == 0x2002 { return IPAddress(v4: UInt32(truncatingIfNeeded: value >> 80)) }
        return self
    }

    /// Whether it is IPv4 written as IPv6 (`::ffff:0:0/96`, RFC 4291 s2.5.5.2).
    package var isIPv4Mapped: Bool { family == .ipv6 && value >> 32 == 0xFFFF }
    package var isLoopback: Bool { realm == .loopback }
    package var isLinkLocal: Bool { realm == .linkLocal }
    /// Whether a host can have it and be written to by it: not unspecified, multicast or broadcast.
    package var isUnicast: Bool { ![.unspecified, .multicast, .broadcast].contains(realm) }

    private static let realms: [(network: IPAddress, length: Int, realm: Realm)] = [
        (IPAddress(0, 0, 0, 0), 32, .unspecified),
        (IPAddress(0, 0, 0, 0), 8, .reserved),
        (IPAddress(10, 0, 0, 0), 8, .privateUse),
        (IPAddress(100, 64, 0, 0), 10, .sharedAddressSpace),
        (IPAddress(127, 0, 0, 0), 8, .loopback),
        (IPAddress(169, 254, 0, 0), 16, .linkLocal),
        (IPAddress(172, 16, 0, 0), 12, .privateUse),
        (IPAddress(192, 0, 2, 0), 24, .documentation),
        (IPAddress(192, 168, 0, 0), 16, .privateUse),
        (IPAddress(198, 18, 0, 0), 15, .reserved),
        (IPAddress(198, 51, 100, 0), 24, .documentation),
        (IPAddress(203, 0, 113, 0), 24, .documentation),
        (IPAddress(224, 0, 0, 0), 4, .multicast),
        (IPAddress(255, 255, 255, 255), 32, .broadcast),
        (IPAddress(240, 0, 0, 0), 4, .reserved),
        (IPAddress(v6: 0), 128, .unspecified),
        (IPAddress(v6: 1), 128, .loopback),
        (IPAddress(v6: 0x0100 << 112), 64, .reserved),
        (IPAddress(v6: 0x2001_0DB8 << 96), 32, .documentation),
        (IPAddress(v6: 0xFC00 << 112), 7, .uniqueLocal),
        (IPAddress(v6: 0xFE80 << 112), 10, .linkLocal),
        (IPAddress(v6: 0xFEC0 << 112), 10, .reserved),
        (IPAddress(v6: 0xFF00 << 112), 8, .multicast),
    ]
}
