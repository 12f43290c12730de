package import NetTypes

/// Which of a machine's addresses ICE prefers (RFC 8421).
package enum LocalPreference {
    /// A local address with what decides about its rank.
    package struct Choice: Hashable, Sendable {
        package var address: IPAddress
        /// The rank of its interface: the lowest is the best.
        package var interfaceOrder: Int
        /// RFC 8981: a privacy address.
        package var isTemporary: Bool
        /// RFC 4862: its preferred lifetime is over.
        package var isDeprecated: Bool

        package init(
            _ address: IPAddress, interfaceOrder: Int, isTemporary: Bool = false, isDeprecated: Bool = false
        ) {
            self.address = address
            self.interfaceOrder = interfaceOrder
            self.isTemporary = isTemporary
            self.isDeprecated = isDeprecated
        }
    }

    /// The local preference of each address, in the order given: unique, 65535 for the best.
    ///
    /// Within a family an address that is not deprecated goes first, then the better interface, the wider scope and
    /// the temporary address (RFC 6724 s5). IPv6 has a head start of `(IPv4 + IPv6) / IPv4` addresses, then the
    /// families take turns, so that a broken one delays the other little (RFC 8421 s4).
    package static func order(_ choices: [Choice]) -> [UInt16] {
        var preferences = [UInt16](repeating: 0, count: choices.count)
        for (rank, index) in ranking(choices).enumerated() {
            preferences[index] = UInt16(max(0, 65535 - rank))
        }
        return preferences
    }

    private static func ranking(_ choices: [Choice]) -> [Int] {
        func ranked(_ family: IPAddress.Family) -> [Int] {
            choices.indices.filter { choices[$0].address.family == family }
                .sorted { key($0, choices[$0]) < key($1, choices[$1]) }
        }
        var ipv4 = ranked(.ipv4)[...]
        var ipv6 = ranked(.ipv6)[...]
        guard !ipv4.isEmpty else { return Array(ipv6) }
        let headStart = (ipv4.count + ipv6.count) / ipv4.count
        var ranking = Array(ipv6.prefix(headStart))
        ipv6 = ipv6.dropFirst(headStart)
        while !ipv4.isEmpty || !ipv6.isEmpty {
            if let next = ipv4.popFirst() { ranking.append(next) }
            if let next = ipv6.popFirst() { ranking.append(next) }
        }
        return ranking
    }

    private static func key(_ index: Int, _ choice: Choice) -> (Int, Int, Int, Int, Int) {
        (
            choice.isDeprecated ? 1 : 0,
            choice.interfaceOrder,
            choice.address.isLinkLocal ? 1 : 0,
            choice.isTemporary ? 0 : 1,
            index
        )
    }
}
