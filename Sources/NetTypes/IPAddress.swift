/// An IPv4 or IPv6 address, with the zone of a scoped IPv6 address (RFC 4007).
///
/// The address is kept as a number in network order, so that comparing, masking and XOR need no buffer. An
/// IPv4-mapped IPv6 address stays IPv6 until ``canonical`` is asked for.
package struct IPAddress: Hashable, Sendable {
    package enum Family: String, Hashable, Sendable, Codable, CaseIterable {
        case ipv4
        case ipv6

        /// Bytes of an address on the wire: 4 or 16.
        package var byteCount: Int { self == .ipv4 ? 4 : 16 }
        /// Length of an address in bits: 32 or 128.
        package var bitWidth: Int { byteCount * 8 }
        /// The name that people read: `IPv4` or `IPv6`.
        package var name: String { self == .ipv4 ? "IPv4" : "IPv6" }
    }

    package let family: Family
    /// The address as a number: in the low 32 bits for IPv4.
    package let value: UInt128
    /// The interface index that an IPv6 link-local address belongs to (RFC 4007), 0 where there is none.
    package var zone: UInt32

    package init(v4 value: UInt32) {
        family = .ipv4
        self.value = UInt128(value)
        zone = 0
    }

    package init(v6 value: UInt128, zone: UInt32 = 0) {
        family = .ipv6
        self.value = value
        self.zone = zone
    }

    package init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        self.init(v4: UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d))
    }

    /// The address in network order, or nil where `bytes` is not 4 or 16 long.
    package init?(bytes: some Collection<UInt8>) {
        let value = bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        switch bytes.count {
        case 4: self.init(v4: UInt32(truncatingIfNeeded: value))
        case 16: self.init(v6: value)
        default: return nil
        }
    }

    /// The 4 or 16 bytes of the address in network order.
    package var bytes: [UInt8] {
        (0..<family.byteCount).reversed().map { UInt8(truncatingIfNeeded: value >> UInt128($0 * 8)) }
    }

    /// `0.0.0.0` or `::`.
    package static func unspecified(_ family: Family) -> IPAddress {
        family == .ipv4 ? IPAddress(v4: 0) : IPAddress(v6: 0)
    }

    /// The address without its zone, as it may be told to others (SDP, reports).
    package var withoutZone: IPAddress {
        var copy = self
        copy.zone = 0
        return copy
    }

    /// Whether the first `length` bits are those of `network`.
    package func hasPrefix(_ network: IPAddress, length: Int) -> Bool {
        guard family == network.family else { return false }
        let shift = UInt128(family.bitWidth - length)
        return value >> shift == network.value >> shift
    }
}

extension IPAddress: Comparable {
    /// IPv4 before IPv6, then by number, then by zone: an order for stable output, with no meaning beyond that.
    package static func < (left: IPAddress, right: IPAddress) -> Bool {
        if left.family != right.family { return left.family == .ipv4 }
        return (left.value, left.zone) < (right.value, right.zone)
    }
}
