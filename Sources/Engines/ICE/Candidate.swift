package import NetTypes

/// An ICE candidate (RFC 8445 s5.1) with what its `a=candidate` line says (RFC 8839 s5.1).
package struct Candidate: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
        case host
        case serverReflexive = "srflx"
        case peerReflexive = "prflx"
        case relayed = "relay"

        /// The name in reports: `host`, `server-reflexive`, `peer-reflexive`, `relayed`.
        package var name: String {
            switch self {
            case .host: "host"
            case .serverReflexive: "server-reflexive"
            case .peerReflexive: "peer-reflexive"
            case .relayed: "relayed"
            }
        }

        /// Host first, relayed last.
        package static func < (left: Kind, right: Kind) -> Bool {
            CandidatePriority.typePreference(left, .udp) > CandidatePriority.typePreference(right, .udp)
        }
    }

    package enum Transport: String, Hashable, Sendable, Codable, CaseIterable {
        case udp, tcp
    }

    /// Which side of a TCP connection it takes (RFC 6544 s4.5).
    package enum TCPType: String, Hashable, Sendable, Codable, CaseIterable {
        case active, passive
        case simultaneousOpen = "so"
    }

    /// A connection-address or rel-addr.
    package enum Address: Hashable, Sendable, Codable {
        case address(IPAddress)
        /// A name to look up, such as the `.local` names that browsers hide host addresses behind.
        case name(String)
    }

    /// A name and value that ICE does not interpret, in the order of the line.
    package struct Extension: Hashable, Sendable, Codable {
        package var name: String
        package var value: String
    }

    package var kind: Kind
    package var transport: Transport
    /// Set for every TCP candidate, and for no other.
    package var tcpType: TCPType?
    /// 1 to 256; 1 is RTP, or all of what is multiplexed.
    package var component: Int
    /// 1 to 32 characters that are equal for candidates which ICE may freeze together (RFC 8445 s5.1.1.3).
    package var foundation: String
    package var priority: UInt32
    package var address: Address
    package var port: UInt16
    /// `raddr`: the base of a reflexive candidate, the mapped address of a relayed one.
    package var relatedAddress: Address?
    /// `rport`.
    package var relatedPort: UInt16?
    package var extensions: [Extension]

    package init(
        _ kind: Kind, transport: Transport = .udp, tcpType: TCPType? = nil, component: Int = 1, foundation: String,
        priority: UInt32, address: Address, port: UInt16, relatedAddress: Address? = nil, relatedPort: UInt16? = nil,
        extensions: [Extension] = []
    ) {
        self.kind = kind
        self.transport = transport
        self.tcpType = tcpType
        self.component = component
        self.foundation = foundation
        self.priority = priority
        self.address = address
        self.port = port
        self.relatedAddress = relatedAddress
        self.relatedPort = relatedPort
        self.extensions = extensions
    }

    /// A candidate of this machine.
    package init(
        _ kind: Kind, transport: Transport = .udp, tcpType: TCPType? = nil, component: Int = 1, foundation: String,
        priority: UInt32, endpoint: Endpoint, related: Endpoint? = nil
    ) {
        self.init(
            kind, transport: transport, tcpType: tcpType, component: component, foundation: foundation,
            priority: priority, address: .address(endpoint.address), port: endpoint.port,
            relatedAddress: related.map { .address($0.address) }, relatedPort: related?.port)
    }

    /// Where to send, nil where the address is a name that is yet to be looked up.
    package var endpoint: Endpoint? {
        guard case .address(let address) = address else { return nil }
        return Endpoint(address, port)
    }
}

extension Candidate: CustomStringConvertible {
    /// The line as trickle ICE passes it on, without `a=`: `candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host`.
    ///
    /// A zone never stands in it: it means something on this machine only.
    package var description: String {
        var text = "candidate:\(foundation) \(component) \(transport.rawValue) \(priority) \(address) \(port)"
        text += " typ \(kind.rawValue)"
        if let relatedAddress { text += " raddr \(relatedAddress)" }
        if let relatedPort { text += " rport \(relatedPort)" }
        if let tcpType { text += " tcptype \(tcpType.rawValue)" }
        for attribute in extensions { text += " \(attribute.name) \(attribute.value)" }
        return text
    }

    /// The attribute as a line of SDP, without its line end.
    package var sdp: String { "a=\(self)" }
}

extension Candidate.Address: CustomStringConvertible {
    package var description: String {
        switch self {
        case .address(let address): "\(address)"
        case .name(let name): name
        }
    }
}
