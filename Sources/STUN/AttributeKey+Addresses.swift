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
        let bytes = Array(value.slice)
        let family: IPAddress.Family
        switch bytes[1] {
        case 1: family = .ipv4
        case 2: family = .ipv6
        default: throw ValueError("has address family \(bytes[1]); it is 1 (IPv4) or 2 (IPv6)")
        }
        guard bytes.count == 4 + family.byteCount else {
            throw ValueError("has \(bytes.count) bytes; an \(family.name) address has \(4 + family.byteCount)")
        }
        let mask = Array(value.mask)
        let port = bytes.uint16(at: 2) ^ (isMasked ? mask.uint16(at: 0) : 0)
        let octets = isMasked ? zip(bytes[4...], mask).map { $0 ^ $1 } : Array(bytes[4...])
        guard let address = IPAddress(bytes: octets) else { throw ValueError("is no address") }
        return Endpoint(address, port)
    }

    private static func write(_ endpoint: Endpoint, isMasked: Bool, to writer: inout AttributeWriter) {
        let mask = Array(writer.mask)
        writer.append(UInt8(0))
        writer.append(UInt8(endpoint.family == .ipv4 ? 1 : 2))
        writer.append(endpoint.port ^ (isMasked ? mask.uint16(at: 0) : 0))
        let octets = endpoint.address.bytes
        writer.append(isMasked ? zip(octets, mask).map { $0 ^ $1 } : octets)
    }
}

extension AttributeKey where Value == IPAddress.Family {
    private static func family(_ type: AttributeType) -> Self {
        Self(type: type) { value throws(ValueError) in
            try value.expect(4, "it")
            switch value.bytes[value.range.lowerBound] {
            case 1: return .ipv4
            case 2: return .ipv6
            case let other: throw ValueError("has address family \(other); it is 1 (IPv4) or 2 (IPv6)")
            }
        } encode: { family, writer in
            writer.append([family == .ipv4 ? 1 : 2, 0, 0, 0])
        }
    }

    package static var requestedAddressFamily: AttributeKey<IPAddress.Family> { family(.requestedAddressFamily) }
    package static var additionalAddressFamily: AttributeKey<IPAddress.Family> { family(.additionalAddressFamily) }
}
