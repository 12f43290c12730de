import NetTypes
import STUN

/// The peer's candidates, and which of this side's each is paired with (RFC 8445 s6.1.2).
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
            checkList.change(remote: present, to: remotes[present].candidate)
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
        guard isMatch(locals[local], remotes[remote]),
            checkList.pair(of: CheckList.Ends(sender: local, remote: remote)) == nil
        else { return }
        let place = checkList.makeRoom(locals[local].candidate, remotes[remote].candidate)
        if let superseded = place.superseded { ended(superseded, .superseded, at: now) }
        if place.hasRoom { add(CheckList.Ends(sender: local, remote: remote), at: now) }
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
    mutating func add(_ ends: CheckList.Ends, at now: Instant) -> ICEPair.ID {
        let pair = checkList.add(ends, locals[ends.sender].candidate, remotes[ends.remote].candidate)
        links.append(ICELink(connection: ends.connection))
        // Before its turn comes: the peer's check may come to the relay first, and would be lost.
        if case .relay(let relay) = locals[ends.sender].sender { permit(relay, remotes[ends.remote].endpoint.address) }
        observe(.pairFormed(pair), at: now)
        return pair
    }

    // MARK: What a pair joins

    /// The local candidate that its checks are sent from.
    func sender(of pair: ICEPair.ID) -> ICELocal { locals[checkList.ends[pair.number].sender] }

    func route(of pair: ICEPair.ID) -> ICERoute {
        ICERoute(sender: checkList.ends[pair.number].sender, connection: links[pair.number].connection)
    }

    func destination(of pair: ICEPair.ID) -> Endpoint { remotes[checkList.ends[pair.number].remote].endpoint }
}
