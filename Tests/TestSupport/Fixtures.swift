package import NetTypes
import Planning
package import STUN

/// The addresses of a test, by what they stand for.
package enum Place {
    /// This machine.
    package static let host = IPAddress(192, 0, 2, 10)
    package static let host6 = IPAddress(v6: 0x2001_0DB8 << 96 | 10)
    /// A STUN server, and a host that is not asked.
    package static let server = Endpoint(IPAddress(198, 51, 100, 1), 3478)
    package static let elsewhere = Endpoint(IPAddress(198, 51, 100, 99), 3478)
    /// Where a server says that this machine is.
    package static let mapped = Endpoint(IPAddress(203, 0, 113, 7), 4242)
    /// A TURN server with public addresses, as no server with others may redirect its clients.
    package static let relay = Endpoint(IPAddress(9, 9, 9, 9), 3478)
}

extension NetworkInterface {
    /// The one interface of a machine with these addresses.
    package static func ethernet(_ addresses: IPAddress...) -> NetworkInterface { ethernet(addresses) }

    package static func ethernet(_ addresses: [IPAddress]) -> NetworkInterface {
        NetworkInterface(
            name: "eth0", index: 2, kind: .ethernet,
            addresses: addresses.map { Address($0, prefixLength: $0.family == .ipv4 ? 24 : 64) })
    }

    package static let loopback = NetworkInterface(
        name: "lo", index: 1, kind: .loopback, addresses: [Address(IPAddress(127, 0, 0, 1), prefixLength: 8)])
}

extension [ICEServers.Entry] {
    /// Servers by their URIs.
    ///
    /// - Parameter account: whose credentials go to those of TURN; nil leaves them out.
    package init(_ uris: [String], account: RelayAccount? = RelayAccount()) throws {
        self = try uris.map { text in
            let uri = try ServerURI(parsing: text)
            guard let account, uri.scheme.isTURN else { return ICEServers.Entry(uri: uri) }
            return ICEServers.Entry(
                uri: uri,
                credentials: ICEServers.Credentials(username: account.username, credential: Secret(account.password)))
        }
    }
}

extension MessageBuilder {
    /// The answer to a Binding request; nothing where the bytes are no request.
    package static func success(
        _ request: [UInt8], _ mapped: Endpoint = Place.mapped, _ fill: (inout MessageBuilder) -> Void = { _ in }
    ) -> [UInt8] {
        guard let id = TransactionID(inMessage: request) else { return [] }
        var builder = MessageBuilder(.successResponse, .binding, id)
        builder.append(.xorMappedAddress, mapped)
        fill(&builder)
        return builder.bytes
    }
}
