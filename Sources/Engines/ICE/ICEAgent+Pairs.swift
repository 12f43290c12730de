import NetTypes
import STUN

/// The check list (RFC 8445 s6.1.2): which candidates are paired, in which order, and what is frozen.
extension ICEAgent {
    // MARK: The peer's candidates

    mutating func take(_ candidate: Candidate, at now: Instant) {
        func refuse(_ why: ICERefusal) { observe(.remoteRefused(candidate, why), at: now) }
        guard candidate.component == 1 else { return refuse(.wrongComponent) }
        guard remotes.count + namedCandidates.count < ICEConfiguration.mostRemoteCandidates else {
            return refuse(.tooMany)
        }
        // RFC 6544 s4.5: an active candidate connects by itself, and nobody connects to it.
        if candidate.transport == .tcp {
            guard configuration.usesTCP, candidate.tcpType != .simultaneousOpen else { return refuse(.transport) }
        }
        switch candidate.address {
        case .name(let name):
            namedCandidates.append(candidate)
            lookUp(name, at: now)
        case .address(let address): take(candidate, at: address, at: now)
        }
    }

    mutating func take(_ told: Candidate, at address: IPAddress, at now: Instant) {
        var candidate = told
        candidate.address = .address(address)
        func refuse(_ why: ICERefusal) { observe(.remoteRefused(candidate, why), at: now) }
        switch address.realm {
        case .unspecified, .multicast, .broadcast: return refuse(.noHost)
        case .privateUse, .uniqueLocal, .linkLocal, .loopback, .sharedAddressSpace:
            if configuration.refusesPrivate { return refuse(.private) }
        default: break
        }
        let endpoint = Endpoint(address, candidate.port)
        if let present = remotes.firstIndex(where: {
            $0.endpoint == endpoint && $0.candidate.transport == candidate.transport
                && $0.candidate.tcpType == candidate.tcpType
        }) {
            guard remotes[present].candidate.kind == .peerReflexive, candidate.kind != .peerReflexive else {
                return refuse(.duplicate)
            }
            // RFC 8838 s11.4: what was learned by a check gets its true type; its pairs keep the priority of the check.
            remotes[present].candidate.kind = candidate.kind
            remotes[present].candidate.foundation = candidate.foundation
            for index in links.indices where links[index].remote == present {
                pairs[index].remote = remotes[present].candidate
            }
            observe(.remoteAdded(candidate), at: now)
            return formAll(with: present, at: now)
        }
        observe(.remoteAdded(candidate), at: now)
        pairUp(candidate, endpoint, at: now)
    }

    private mutating func formAll(with remote: Int, at now: Instant) {
        for local in locals.indices where locals[local].sender != nil { form(local, remote, at: now) }
    }

    /// Keeps a candidate of the peer's and pairs it; returns its place.
    @discardableResult
    mutating func pairUp(_ candidate: Candidate, _ endpoint: Endpoint, at now: Instant) -> Int {
        remotes.append(ICERemote(candidate: candidate, endpoint: endpoint))
        // RFC 8445 s7.3.1.3: what a check brought to light is paired with where it came to alone.
        if candidate.kind != .peerReflexive { formAll(with: remotes.count - 1, at: now) }
        return remotes.count - 1
    }

    // MARK: Pairs

    /// Forms the pair of a local and a remote candidate, where they suit each other.
    mutating func form(_ local: Int, _ remote: Int, at now: Instant) {
        guard isMatch(locals[local], remotes[remote]) else { return }
        guard pairByEnds[ICEEnds(sender: local, remote: remote)] == nil else { return }
        let priority = priority(locals[local].candidate, remotes[remote].candidate)
        let live = pairs.indices.filter { pairs[$0].state != .failed }
        if live.count >= ICEConfiguration.mostPairs {
            // RFC 8445 s6.1.2.5: the lowest gives way, if it was not tried yet.
            guard
                let lowest = live.filter({ pairs[$0].state == .frozen || pairs[$0].state == .waiting })
                    .min(by: { pairs[$0].priority < pairs[$1].priority }), pairs[lowest].priority < priority
            else { return }
            fail(ICEPair.ID(lowest), .superseded, at: now)
        }
        add(local, remote, connection: nil, priority, at: now)
    }

    private func isMatch(_ local: ICELocal, _ remote: ICERemote) -> Bool {
        guard local.candidate.transport == remote.candidate.transport, remote.endpoint.port != 0,
            local.base.family == remote.endpoint.family
        else { return false }
        switch local.sender {
        case .socket, .connections:
            // With reflexive candidates only, a host candidate still is where their checks leave from.
            guard offers(.host) || offers(.serverReflexive) else { return false }
            if local.sender == .connections, remote.candidate.tcpType != .passive || !offers(.host) { return false }
            // What leads to another scope leads nowhere (RFC 4007; RFC 8445 s6.1.2.2 for IPv6).
            let (here, there) = (local.base.address, remote.endpoint.address)
            return here.isLoopback == there.isLoopback && here.isLinkLocal == there.isLinkLocal
        case .relay:
            return !remote.endpoint.address.isLoopback && !remote.endpoint.address.isLinkLocal
                || remote.endpoint.address.isLoopback == local.base.address.isLoopback
        // RFC 6544 s6.2: a passive candidate begins nothing.
        case .listener, nil: return false
        }
    }

    @discardableResult
    mutating func add(
        _ local: Int, _ remote: Int, connection: PathID?, _ priority: UInt64, at now: Instant
    ) -> ICEPair.ID {
        let id = ICEPair.ID(pairs.count)
        let key = foundation(local, remote)
        // Of each foundation one pair begins, the others wait for it to succeed (RFC 8445 s6.1.2.6).
        let isFirst = !pairs.indices.contains { index in
            pairs[index].state != .failed && foundation(links[index].sender, links[index].remote) == key
        }
        let hasSucceeded = pairs.indices.contains { index in
            pairs[index].isValid && foundation(links[index].sender, links[index].remote) == key
        }
        pairs.append(
            ICEPair(
                id: id, local: locals[local].candidate, remote: remotes[remote].candidate, priority: priority,
                state: isFirst || hasSucceeded ? .waiting : .frozen))
        links.append(ICELink(sender: local, remote: remote, connection: connection))
        // Before its turn comes: the peer's check may come to the relay first, and would be lost.
        if case .relay(let relay) = locals[local].sender { permit(relay, remotes[remote].endpoint.address) }
        pairByEnds[ICEEnds(sender: local, remote: remote, connection: connection)] = id
        observe(.pairFormed(id), at: now)
        return id
    }

    func foundation(_ local: Int, _ remote: Int) -> [String] {
        [locals[local].candidate.foundation, remotes[remote].candidate.foundation]
    }

    func priority(_ local: Candidate, _ remote: Candidate) -> UInt64 {
        role == .controlling
            ? CandidatePriority.pair(controlling: local.priority, controlled: remote.priority)
            : CandidatePriority.pair(controlling: remote.priority, controlled: local.priority)
    }

    /// Ranks the pairs anew after a change of role.
    mutating func rankPairs() {
        for index in pairs.indices { pairs[index].priority = priority(pairs[index].local, pairs[index].remote) }
    }

    /// Lets the pairs be checked that have the foundation of one that works (RFC 8445 s7.2.5.3.3).
    mutating func unfreeze(_ pair: ICEPair.ID) {
        let key = foundation(links[pair.number].sender, links[pair.number].remote)
        for index in pairs.indices
        where pairs[index].state == .frozen && foundation(links[index].sender, links[index].remote) == key {
            pairs[index].state = .waiting
        }
    }

    /// The next pair for an ordinary check (RFC 8445 s6.1.4.2).
    func nextOrdinaryPair() -> ICEPair.ID? {
        func highest(_ state: ICEPair.State, _ suits: (Int) -> Bool = { _ in true }) -> Int? {
            pairs.indices.filter { pairs[$0].state == state && suits($0) }
                .max { (pairs[$0].priority, -$0) < (pairs[$1].priority, -$1) }
        }
        if let waiting = highest(.waiting) { return ICEPair.ID(waiting) }
        let busy = Set(
            pairs.indices.filter { pairs[$0].state == .inProgress }
                .map { foundation(links[$0].sender, links[$0].remote) })
        guard let frozen = highest(.frozen, { !busy.contains(foundation(links[$0].sender, links[$0].remote)) }) else {
            return nil
        }
        return ICEPair.ID(frozen)
    }
}
