/// An address and a port: the RFCs' "transport address" without the transport.
package struct Endpoint: Hashable, Sendable, Codable {
    package var address: IPAddress
    package var port: UInt16

    package init(_ address: IPAddress, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    package var family: IPAddress.Family { address.family }
}

extension Endpoint: CustomStringConvertible, LosslessStringConvertible {
    /// `192.0.2.1:3478` or `[2001:db8::1]:3478` (RFC 5952 s6), without the zone.
    package var description: String {
        address.family == .ipv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }

    /// Reads what ``description`` writes.
    package init?(_ text: String) {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")),
            let port = UInt16(text[text.utf8.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        let isBracketed = host.utf8.first == UInt8(ascii: "[") && host.utf8.last == UInt8(ascii: "]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard let address = IPAddress(parsing: host), isBracketed == (address.family == .ipv6) else { return nil }
        self.init(address, port)
    }
}

extension Endpoint: Comparable {
    package static func < (left: Endpoint, right: Endpoint) -> Bool {
        (left.address, left.port) < (right.address, right.port)
    }
}
