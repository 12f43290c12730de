package import NetTypes

/// Whether a client goes where a 300 sends it: few hops, never in a circle, never from a public server to an address
/// inside (R01, R02).
package struct RedirectPolicy: Hashable, Sendable {
    package static let maximumHops = 3

    package enum Refusal: Hashable, Sendable {
        /// The user said not to follow any.
        case disabled
        case noAddress
        case portZero
        case tooManyHops
        case alreadyVisited
        /// ALTERNATE-SERVER has the family of the server that sends it (RFC 8489 s14.15).
        case otherFamily
        case noHost(IPAddress.Realm)
        case notGlobal(IPAddress.Realm)
    }

    package enum Decision: Hashable, Sendable {
        case follow(Endpoint)
        case refuse(Refusal)
    }

    package let isEnabled: Bool
    /// Whether a public server may send to an address that is not (`--follow-private`).
    package let followsPrivate: Bool
    /// The servers that were asked, the first one first.
    package private(set) var chain: [Endpoint]

    package init(from server: Endpoint, isEnabled: Bool = true, followsPrivate: Bool = false) {
        chain = [server]
        self.isEnabled = isEnabled
        self.followsPrivate = followsPrivate
    }

    /// The redirects that were followed.
    package var hops: Int { chain.count - 1 }

    /// Judges the next redirect of the last server of the chain, which grows where it is followed.
    ///
    /// - Parameter visited: what else this run has asked: none of them is asked again because a server says so.
    package mutating func decide(_ redirect: TURNRedirect, visited: Set<Endpoint> = []) -> Decision {
        if let refusal = refusal(of: redirect.server, visited) { return .refuse(refusal) }
        guard let server = redirect.server else { return .refuse(.noAddress) }
        chain.append(server)
        return .follow(server)
    }

    private func refusal(of target: Endpoint?, _ visited: Set<Endpoint>) -> Refusal? {
        guard isEnabled else { return .disabled }
        guard let target else { return .noAddress }
        guard target.port != 0 else { return .portZero }
        let realm = target.address.realm
        switch realm {
        case .unspecified, .multicast, .broadcast: return .noHost(realm)
        default: break
        }
        let plain = target.plain
        guard !(chain + visited).contains(where: { $0.plain == plain }) else { return .alreadyVisited }
        // An IPv4-mapped address is IPv4 to the system, whatever family it is written in.
        let family = target.address.isIPv4Mapped ? .ipv4 : target.family
        guard let last = chain.last, last.family == family || last.address.isIPv4Mapped && family == .ipv4 else {
            return .otherFamily
        }
        guard followsPrivate || last.address.realm != .global || realm == .global else { return .notGlobal(realm) }
        return hops < Self.maximumHops ? nil : .tooManyHops
    }
}

extension Endpoint {
    /// The same place written in one way, to compare by.
    fileprivate var plain: Endpoint { Endpoint(address.canonical.withoutZone, port) }
}
