import CSystem
package import NetTypes

/// Questions to the operating system.
extension Driver {
    func ask(_ query: QueryID, _ question: SystemQuery) {
        do {
            switch question {
            case .addresses(let name, let family):
                let kind = family == .ipv4 ? CSYS_QUERY_IPV4 : CSYS_QUERY_IPV6
                try startedResolver().ask(query, kind: kind, name: name)
            case .serviceRecords(let name): try startedResolver().ask(query, kind: CSYS_QUERY_SRV, name: name)
            case .namingAuthorityPointers(let name):
                try startedResolver().ask(query, kind: CSYS_QUERY_NAPTR, name: name)
            case .source(let remote, let interface):
                pending.append(.answer(query, Route.source(to: remote, interface: interface)))
            }
        } catch {
            pending.append(.answer(query, .failed(.resolverFailed(error.description))))
        }
    }

    func takeAnswers() {
        while let (query, answer) = resolver?.take() { pending.append(.answer(query, answer)) }
    }

    /// The resolver, which a run without names never starts.
    private func startedResolver() throws(SystemError) -> Resolver {
        if let resolver { return resolver }
        let started = try Resolver()
        let token = makeToken(for: .resolver)
        try readiness.add(started.descriptor, token: token, .readable)
        resolver = started
        return started
    }
}

/// Questions to the routing table.
package enum Route {
    /// The address that a datagram to `remote` would be sent from: a UDP connect, of which nothing is sent.
    package static func source(to remote: Endpoint, interface: String? = nil) -> SystemAnswer {
        var flat = remote.flat
        var source = csys_endpoint()
        let result = csys_route_source(&flat, interface, &source)
        guard result == 0, let address = IPAddress(source) else { return .failed(.noRoute(errno: -result)) }
        return .source(address)
    }
}
