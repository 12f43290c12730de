package import NetTypes

extension AttributeKey where Value == Endpoint {
    private static func plain(_ type: AttributeType) -> Self {
        Self(type: type) { value throws(ValueError) in
            try endpoint(value, isMasked: false)
        } encode: { endpoint, writer in
            write(endpoint, isMasked: false, to: &writer)
        }
    }

    private static func masked(_ type: AttributeType) -> Self {
        Self(type: type) { value throws(ValueError) in
            try endpoint(value, isMasked: true)
        } encode: { endpoint, writer in
            write(endpoint, isMasked: true, to: &writer)
        }
    }

    package static var mappedAddress: AttributeKey<Endpoint> { plain(.mappedAddress) }
    package static var responseAddress: AttributeKey<Endpoint> { plain(.responseAddress) }
    package static var sourceAddress: AttributeKey<Endpoint> { plain(.sourceAddress) }
    package static var changedAddress: AttributeKey<Endpoint> { plain(.changedAddress) }
    package static var reflectedFrom: AttributeKey<Endpoint> { plain(.reflectedFrom) }
    package static var alternateServer: AttributeKey<Endpoint> { plain(.alternateServer) }
    package static var responseOrigin: AttributeKey<Endpoint> { plain(.responseOrigin) }
    package static var otherAddress: AttributeKey<Endpoint> { plain(.otherAddress) }
    package static var xorMappedAddress: AttributeKey<Endpoint> { masked(.xorMappedAddress) }
    package static var xorPeerAddress: AttributeKey<Endpoint> { masked(.xorPeerAddress) }
    package static var xorRelayedAddress: AttributeKey<Endpoint> { masked(.xorRelayedAddress) }

    /// RFC 8489 s14.1 and s14.2: a zero byte, the family, the port, the address; masked ones XOR-ed with the cookie
    /// and, for IPv6, the transaction id.
    private static func endpoint(_ value: AttributeValue, isMasked: Bool) throws(ValueError) -> Endpoint {
        guard value.count >= 4 else { throw ValueError("has \(value.count) bytes; an address has 8 or 20") }
        let start = value.range.lowerBound
        let family = try IPAddress.Family(number: value.bytes[start + 1])
        guard value.count == 4 + family.byteCount else {
            throw ValueError("has \(value.count) bytes; an \(family.name) address has \(4 + family.byteCount)")
        }
        let mask = isMasked ? value.mask : .none
        let port = value.bytes.uint16(at: start + 2) ^ mask.port
        switch family {
        case .ipv4: return Endpoint(IPAddress(v4: value.bytes.uint32(at: start + 4) ^ mask.v4), port)
        case .ipv6: return Endpoint(IPAddress(v6: value.bytes.uint128(at: start + 4) ^ mask.v6), port)
        }
    }

    private static func write(_ endpoint: Endpoint, isMasked: Bool, to writer: inout AttributeWriter) {
        let mask = isMasked ? writer.mask : .none
        writer.append(UInt8(0))
        writer.append(endpoint.family.number)
        writer.append(endpoint.port ^ mask.port)
        switch endpoint.family {
        case .ipv4: writer.append(UInt32(truncatingIfNeeded: endpoint.address.value) ^ mask.v4)
        case .ipv6: writer.append(endpoint.address.value ^ mask.v6)
        }
    }
}

/// What XOR-ed addresses are masked with: the 16 bytes after a message's length, which are the magic cookie and the
/// transaction id (RFC 8489 s14.2).
struct AddressMask {
    static let none = AddressMask(v6: 0)

    let v6: UInt128
    var v4: UInt32 { UInt32(truncatingIfNeeded: v6 >> 96) }
    var port: UInt16 { UInt16(truncatingIfNeeded: v6 >> 112) }
}

extension AddressMask {
    init(of message: [UInt8]) { v6 = message.uint128(at: 4) }
}

extension IPAddress.Family {
    /// The number of the family in an attribute (RFC 8489 s14.1).
    var number: UInt8 { self == .ipv4 ? 1 : 2 }

    init(number: UInt8) throws(ValueError) {
        switch number {
        case 1: self = .ipv4
        case 2: self = .ipv6
        default: throw ValueError("has address family \(number); it is 1 (IPv4) or 2 (IPv6)")
        }
    }
}

extension AttributeKey where Value == IPAddress.Family {
    private static func family(_ type: AttributeType) -> Self {
        Self(type: type) { value throws(ValueError) in
            try value.expect(4, "it")
            return try IPAddress.Family(number: value.bytes[value.range.lowerBound])
        } encode: { family, writer in
            writer.append(UInt32(family.number) << 24)
        }
    }

    package static var requestedAddressFamily: AttributeKey<IPAddress.Family> { family(.requestedAddressFamily) }
    package static var additionalAddressFamily: AttributeKey<IPAddress.Family> { family(.additionalAddressFamily) }
}
