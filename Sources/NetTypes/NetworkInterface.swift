/// A network interface of this machine with its addresses, as the system shows them.
package struct NetworkInterface: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case ethernet
        case wireless
        /// A tunnel or VPN: tun, wireguard, ppp, ipsec, sit, gre.
        case tunnel
        /// A bridge, or the host's end of a container's or virtual machine's link.
        case bridge
        case loopback
        case other
    }

    package struct Address: Hashable, Sendable, Codable {
        package var address: IPAddress
        package var prefixLength: Int
        /// RFC 8981: a privacy address.
        package var isTemporary: Bool
        /// Its preferred lifetime is over (RFC 4862): not for new connections.
        package var isDeprecated: Bool
        /// Duplicate address detection is not over, or failed.
        package var isTentative: Bool

        package init(
            _ address: IPAddress, prefixLength: Int, isTemporary: Bool = false, isDeprecated: Bool = false,
            isTentative: Bool = false
        ) {
            self.address = address
            self.prefixLength = prefixLength
            self.isTemporary = isTemporary
            self.isDeprecated = isDeprecated
            self.isTentative = isTentative
        }
    }

    package var name: String
    package var index: UInt32
    package var kind: Kind
    /// Administratively up (IFF_UP).
    package var isUp: Bool
    /// Has a carrier (IFF_RUNNING).
    package var isRunning: Bool
    package var isPointToPoint: Bool
    /// Bytes.
    package var mtu: Int?
    package var addresses: [Address]

    package init(
        name: String, index: UInt32, kind: Kind, isUp: Bool = true, isRunning: Bool = true,
        isPointToPoint: Bool = false, mtu: Int? = 1500, addresses: [Address] = []
    ) {
        self.name = name
        self.index = index
        self.kind = kind
        self.isUp = isUp
        self.isRunning = isRunning
        self.isPointToPoint = isPointToPoint
        self.mtu = mtu
        self.addresses = addresses
    }
}
