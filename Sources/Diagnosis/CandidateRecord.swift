package import NetTypes

/// A candidate of this machine, with what the report says of it.
package struct CandidateRecord: Hashable, Sendable {
    /// `host`, `server-reflexive`, `peer-reflexive`, `relayed`.
    package var type: String
    package var transport: Transport
    /// `active` for a TCP host candidate (RFC 6544).
    package var tcpType: String?
    package var address: IPAddress
    package var port: UInt16
    package var base: Endpoint
    package var interface: String?
    package var interfaceKind: NetworkInterface.Kind?
    package var priority: UInt32
    package var foundation: String
    /// The `a=candidate` line (RFC 8839 s5.1), without `a=`.
    package var sdp: String
    /// The STUN server that told it.
    package var server: String?
    package var isTemporary: Bool
    package var isDeprecated: Bool
    /// Why a browser would not offer it; nil where it would.
    package var withheld: String?

    package init(
        type: String, transport: Transport, tcpType: String? = nil, address: IPAddress, port: UInt16, base: Endpoint,
        interface: String?, interfaceKind: NetworkInterface.Kind?, priority: UInt32, foundation: String, sdp: String,
        server: String? = nil, isTemporary: Bool = false, isDeprecated: Bool = false, withheld: String? = nil
    ) {
        self.type = type
        self.transport = transport
        self.tcpType = tcpType
        self.address = address
        self.port = port
        self.base = base
        self.interface = interface
        self.interfaceKind = interfaceKind
        self.priority = priority
        self.foundation = foundation
        self.sdp = sdp
        self.server = server
        self.isTemporary = isTemporary
        self.isDeprecated = isDeprecated
        self.withheld = withheld
    }
}
