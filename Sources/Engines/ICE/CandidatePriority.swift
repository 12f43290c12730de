/// How candidates are ranked (RFC 8445 s5.1.2.1, RFC 6544 s4.2).
package enum CandidatePriority {
    /// `2^24 * type preference + 2^8 * local preference + (256 - component)`.
    package static func priority(typePreference: UInt8, localPreference: UInt16, component: Int) -> UInt32 {
        precondition((1...256).contains(component), "a component is from 1 to 256")
        precondition(typePreference <= 126, "a type preference is from 0 to 126")
        return UInt32(typePreference) << 24 | UInt32(localPreference) << 8 | UInt32(256 - component)
    }

    /// The priority of a local candidate.
    ///
    /// For TCP, `localPreference` keeps its order in 13 bits below the direction (RFC 6544 s4.2).
    package static func priority(
        _ kind: Candidate.Kind, _ transport: Candidate.Transport, tcpType: Candidate.TCPType? = nil,
        localPreference: UInt16, component: Int = 1
    ) -> UInt32 {
        var preference = localPreference
        if transport == .tcp, let tcpType {
            preference = UInt16(directionPreference(tcpType, kind)) << 13 | otherPreference(localPreference)
        }
        return priority(
            typePreference: typePreference(kind, transport), localPreference: preference, component: component)
    }

    /// The 13 bits that a local preference has beside the direction: the best 8,192 stay apart, as their ranks.
    private static func otherPreference(_ localPreference: UInt16) -> UInt16 {
        0x1FFF - min(0x1FFF, .max - localPreference)
    }

    /// 126, 110, 100 and 0 (RFC 8445 s5.1.2.2); TCP is below UDP of the same type by the values that browsers use.
    package static func typePreference(_ kind: Candidate.Kind, _ transport: Candidate.Transport) -> UInt8 {
        switch (kind, transport) {
        case (.host, .udp): 126
        case (.peerReflexive, .udp): 110
        case (.serverReflexive, .udp): 100
        case (.host, .tcp): 90
        case (.peerReflexive, .tcp): 80
        case (.serverReflexive, .tcp): 70
        case (.relayed, _): 0
        }
    }

    /// Host and relayed candidates connect best from the active side, reflexive ones by simultaneous open.
    static func directionPreference(_ tcpType: Candidate.TCPType, _ kind: Candidate.Kind) -> UInt8 {
        let isReflexive = kind == .serverReflexive || kind == .peerReflexive
        return switch tcpType {
        case .active: isReflexive ? 4 : 6
        case .passive: isReflexive ? 2 : 4
        case .simultaneousOpen: isReflexive ? 6 : 2
        }
    }

    /// The priority of a pair (RFC 8445 s6.1.2.3).
    ///
    /// A priority is below 2^31 (RFC 8445 s5.1.2); a peer's that is not counts as the highest.
    package static func pair(controlling: UInt32, controlled: UInt32) -> UInt64 {
        let (g, d) = (UInt64(min(controlling, highest)), UInt64(min(controlled, highest)))
        return min(g, d) << 32 + 2 * max(g, d) + (g > d ? 1 : 0)
    }

    /// 2^31 - 1.
    package static let highest: UInt32 = 0x7FFF_FFFF
}
