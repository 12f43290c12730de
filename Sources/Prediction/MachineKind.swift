package import Engines
package import NetTypes

/// What a machine's network is as far as it is known, without an address of its own: machines of one kind have one
/// prediction.
///
/// What is unknown is kept as what may be.
package struct MachineKind: Hashable, Sendable {
    package var ipv4: NetworkKind
    package var ipv6: NetworkKind
    package var relays: RelayKind

    package subscript(_ family: IPAddress.Family) -> NetworkKind {
        get { family == .ipv4 ? ipv4 : ipv6 }
        set { if family == .ipv4 { ipv4 = newValue } else { ipv6 = newValue } }
    }
}

/// What a NAT's mapping or filtering may depend on, as a set (RFC 4787 s4.1, s5).
package struct NATDependences: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package init(_ dependence: NATDependence) { rawValue = 1 << dependence.rank }
    package init(_ dependences: some Sequence<NATDependence>) {
        rawValue = dependences.reduce(0) { $0 | 1 << $1.rank }
    }

    package static let all = NATDependences(NATDependence.allCases)
    /// What a NAT can be: it is none of nothing.
    package static let translated = NATDependences(NATDependence.allCases.filter { $0 != .none })

    /// The kindest to those who would reach in.
    var best: NATDependence { NATDependence.allCases.first { contains(Self($0)) } ?? .none }
    var worst: NATDependence { NATDependence.allCases.last { contains(Self($0)) } ?? .addressAndPortDependent }
    /// The one that it is, where it can be no other.
    package var known: NATDependence? { best == worst ? best : nil }
}

extension NATDependence {
    /// The less depends, the lower.
    var rank: UInt8 {
        switch self {
        case .none: 0
        case .endpointIndependent: 1
        case .addressDependent: 2
        case .addressAndPortDependent: 3
        }
    }
}

/// What stands between a machine and the Internet in one address family.
package struct NetworkKind: Hashable, Sendable {
    /// Whether the machine has an address of the family to be reached by; nil where that is unknown.
    package var isPresent: Bool? = true
    /// Whether UDP gets out and its answers in; nil where that is unknown.
    package var passesUDP: Bool? = true
    package var mapping: NATDependences
    package var filtering: NATDependences
    /// Whether the NAT turns back what is sent to its own outside; nil where that is unknown.
    package var hairpins: Bool?
    /// Whether a carrier's NAT is on the way (RFC 6888).
    package var isCarrierGrade = false

    /// No address of the family.
    package static let absent = NetworkKind(isPresent: false, passesUDP: nil, mapping: .all, filtering: .all)
    /// Nothing is known, not even whether there is an address.
    package static let unknown = NetworkKind(isPresent: nil, passesUDP: nil, mapping: .all, filtering: .all)
    /// A public address that anyone reaches.
    package static let open = NetworkKind(mapping: .init(.none), filtering: .init(.none), hairpins: false)
    /// Nothing gets through over UDP.
    package static let blocked = NetworkKind(
        passesUDP: false, mapping: .init(.addressAndPortDependent), filtering: .init(.addressAndPortDependent),
        hairpins: false)

    package static func nat(
        _ mapping: NATDependence, _ filtering: NATDependence, hairpins: Bool? = nil, isCarrierGrade: Bool = false
    ) -> NetworkKind {
        NetworkKind(
            mapping: .init(mapping), filtering: .init(filtering), hairpins: hairpins, isCarrierGrade: isCarrierGrade)
    }

    /// A public address behind a firewall.
    package static func firewall(_ filtering: NATDependence) -> NetworkKind {
        NetworkKind(mapping: .init(.none), filtering: .init(filtering), hairpins: false)
    }

    /// Whether addresses are translated; nil where that is unknown.
    var isTranslated: Bool? {
        if !mapping.contains(.init(.none)) { return true }
        return mapping.known == NATDependence.none ? false : nil
    }
}

/// The TURN servers that work for a machine.
package struct RelayKind: Hashable, Sendable {
    /// Whether it is known which there are.
    package var isKnown: Bool
    /// The families of the relayed addresses.
    package var hasIPv4: Bool
    package var hasIPv6: Bool
    /// Whether they are reached over TCP or TLS alone.
    package var isOverStreams: Bool

    package init(isKnown: Bool = true, hasIPv4: Bool = false, hasIPv6: Bool = false, isOverStreams: Bool = false) {
        self.isKnown = isKnown
        self.hasIPv4 = hasIPv4
        self.hasIPv6 = hasIPv6
        self.isOverStreams = isOverStreams && (hasIPv4 || hasIPv6)
    }

    package static let none = RelayKind()
    package static let unknown = RelayKind(isKnown: false)
    package static let overUDP = RelayKind(hasIPv4: true, hasIPv6: true)
    package static let overStreams = RelayKind(hasIPv4: true, hasIPv6: true, isOverStreams: true)

    package var isEmpty: Bool { !hasIPv4 && !hasIPv6 }
    package func has(_ family: IPAddress.Family) -> Bool { family == .ipv4 ? hasIPv4 : hasIPv6 }
}
