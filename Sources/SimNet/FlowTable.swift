import NetTypes

/// What a router remembers of one transport: a NAT's mappings, or a firewall's state, which is a mapping of every
/// inside endpoint to itself.
struct FlowTable {
    private struct Key: Hashable {
        var inside: Endpoint
        /// The part of the remote endpoint that the mapping depends on.
        var remote: Endpoint
    }

    private struct Flow {
        var key: Key
        var outside: Endpoint
        /// In nanoseconds.
        var expires: Int64
        /// Whom the filter admits, by the part of the endpoint that it looks at, and until when.
        var admitted: [Endpoint: Int64]
    }

    enum Inbound {
        case inside(Endpoint)
        case noMapping
        case filtered
    }

    private let mapping: Dependence
    private let filtering: Dependence
    private let lifetime: Int64
    private let inboundRefreshes: Bool
    private var flows: [Flow?] = []
    private var free: [Int] = []
    private var byInside: [Key: Int] = [:]
    private var byOutside: [Endpoint: Int] = [:]

    init(_ behaviour: NATBehaviour, isStream: Bool) {
        mapping = behaviour.mapping
        filtering = behaviour.filtering
        lifetime = (isStream ? behaviour.streamLifetime : behaviour.lifetime).nanoseconds
        inboundRefreshes = behaviour.inboundRefreshes
    }

    init(_ behaviour: FirewallBehaviour, isStream: Bool) {
        mapping = .endpointIndependent
        filtering = behaviour.filtering
        lifetime = (isStream ? behaviour.streamLifetime : behaviour.lifetime).nanoseconds
        inboundRefreshes = true
    }

    /// The external endpoint of a packet on its way out, from a new mapping where there is none; the filter admits
    /// its destination from now on.
    ///
    /// - Parameter allocate: chooses the endpoint of a new mapping, given a test of whether one is free; nil is none.
    mutating func outbound(
        from inside: Endpoint, to remote: Endpoint, at now: Int64,
        allocate: ((Endpoint) -> Bool) -> Endpoint?
    ) -> Endpoint? {
        let key = Key(inside: inside, remote: mapping.relevant(remote))
        let index: Int
        if let present = byInside[key], let flow = flows[present], flow.expires > now {
            index = present
        } else {
            if let expired = byInside[key] { remove(expired) }
            let chosen = allocate { endpoint in
                guard let holder = self.byOutside[endpoint], let flow = self.flows[holder] else { return true }
                return flow.expires <= now
            }
            guard let outside = chosen else { return nil }
            index = insert(key, outside)
        }
        flows[index]?.expires = now + lifetime
        if filtering != .endpointIndependent {
            flows[index]?.admitted[filtering.relevant(remote)] = now + lifetime
        }
        return flows[index]?.outside
    }

    /// The inside endpoint for a packet that comes to an external one.
    mutating func inbound(to outside: Endpoint, from remote: Endpoint, at now: Int64) -> Inbound {
        guard let index = byOutside[outside], let flow = flows[index], flow.expires > now else { return .noMapping }
        let relevant = filtering.relevant(remote)
        if filtering != .endpointIndependent {
            guard let until = flow.admitted[relevant], until > now else { return .filtered }
        }
        if inboundRefreshes {
            flows[index]?.expires = now + lifetime
            if filtering != .endpointIndependent { flows[index]?.admitted[relevant] = now + lifetime }
        }
        return .inside(flow.key.inside)
    }

    /// The inside endpoint that an external one stands for, whoever asks: for ICMP errors, which a filter lets in for
    /// what went out (RFC 5508 s4).
    func inside(of outside: Endpoint, at now: Int64) -> Endpoint? {
        guard let index = byOutside[outside], let flow = flows[index], flow.expires > now else { return nil }
        return flow.key.inside
    }

    /// The external endpoint that an inside one has towards a remote one, where it has one.
    func outside(of inside: Endpoint, towards remote: Endpoint, at now: Int64) -> Endpoint? {
        guard let index = byInside[Key(inside: inside, remote: mapping.relevant(remote))], let flow = flows[index],
            flow.expires > now
        else { return nil }
        return flow.outside
    }

    private mutating func insert(_ key: Key, _ outside: Endpoint) -> Int {
        if let expired = byOutside[outside] { remove(expired) }
        let flow = Flow(key: key, outside: outside, expires: 0, admitted: [:])
        let index: Int
        if let last = free.popLast() {
            index = last
            flows[index] = flow
        } else {
            index = flows.count
            flows.append(flow)
        }
        byInside[key] = index
        byOutside[outside] = index
        return index
    }

    private mutating func remove(_ index: Int) {
        guard let flow = flows[index].take() else { return }
        byInside[flow.key] = nil
        byOutside[flow.outside] = nil
        free.append(index)
    }
}
