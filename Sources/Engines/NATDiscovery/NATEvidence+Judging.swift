import NetTypes

extension NATEvidence {
    /// What one server's endpoints saw of the mapping socket, by the endpoint.
    private func seen(by server: Int? = nil) -> [Endpoint: Endpoint] {
        var seen: [Endpoint: Endpoint] = [:]
        for exchange in exchanges where exchange.socket == .mapping && (server ?? exchange.server) == exchange.server {
            if let answer = exchange.answer { seen[exchange.destination] = answer.mappedAddress }
        }
        return seen
    }

    /// Whether every endpoint that answered saw the mapping socket as it is.
    var isUntranslated: Bool {
        let seen = seen()
        return !seen.isEmpty && seen.values.allSatisfy { $0 == localEndpoints[.mapping] }
    }

    /// The mapping by RFC 5780 s4.3. The server's other port tells address-and-port-dependent from the rest, its other
    /// address address-dependent from endpoint-independent; neither needs the other's answer.
    ///
    /// That two endpoints see it differently is the NAT's doing only where one endpoint sees it the same twice.
    func mapping(server: Int) -> NATFinding<NATDependence> {
        guard mappingIsUnconfirmed(server: server) else { return unconfirmedMapping(server: server) }
        return .unknown(cut("\(servers[server]) did not answer a second time, to confirm that it depends"))
    }

    /// Whether the mapping depends on the destination by what was seen, and the first endpoint was not asked twice.
    func mappingIsUnconfirmed(server: Int) -> Bool {
        (unconfirmedMapping(server: server).value?.isDependent ?? false) && answers(from: servers[server]) < 2
    }

    private func unconfirmedMapping(server: Int) -> NATFinding<NATDependence> {
        guard case .discovers(let other) = capability(of: server), let local = localEndpoints[.mapping] else {
            return .unknown(Self.noSocket)
        }
        let asked = servers[server]
        let seen = seen(by: server)
        let otherPort = Endpoint(asked.address, other.port)
        guard let first = seen[asked] else { return .unknown(cut(silence(of: asked))) }
        guard let atOtherPort = seen[otherPort] else { return .unknown(cut(silence(of: otherPort))) }
        guard let atOtherAddress = seen[other] else {
            let why = transport == .tcp ? silence(of: other) : "its other address \(other.address) gave no answer"
            return .unknown(cut(why))
        }
        if [first, atOtherPort, atOtherAddress].allSatisfy({ $0 == local }) { return .known(.none, risk: 0) }
        if atOtherPort != first { return .known(.addressAndPortDependent, risk: 0) }
        return .known(atOtherAddress == first ? .endpointIndependent : .addressDependent, risk: 0)
    }

    /// Whether an answer from elsewhere must reach the mapping socket, which has sent to all endpoints: so it is where
    /// they all see it at one mapped address.
    func provesChanges(server: Int) -> Bool {
        mapping(server: server).value.map { !$0.isDependent } ?? false
    }

    private func isProven(_ change: NATExchange.Change, server: Int) -> Bool {
        exchanges.contains {
            $0.socket == .mapping && $0.server == server && $0.change == change && $0.answer != nil
        }
    }

    /// The changes that no answer to the filtering socket has come from.
    func changesKeptOut(server: Int) -> [NATExchange.Change] {
        let letIn = exchanges.filter { $0.socket == .filtering(server: server) && $0.answer != nil }.map(\.change)
        return [.addressAndPort, .port].filter { !letIn.contains($0) }
    }

    /// The change whose silence settles the filtering; nil where an answer has. What drops another port of an address
    /// that was sent to drops another address too, so that one is asked about only once the other port got in.
    func openChange(server: Int) -> NATExchange.Change? {
        let keptOut = changesKeptOut(server: server)
        return keptOut.contains(.addressAndPort) ? keptOut.last : nil
    }

    /// The filtering by RFC 5780 s4.4. An answer from elsewhere proves that it gets in; its absence proves something
    /// once the server has shown that it answers from there and the sequential test is decided.
    func filtering(server: Int) -> NATFinding<NATDependence> {
        guard case .discovers(let other) = capability(of: server) else { return .unknown(Self.noSocket) }
        guard let change = openChange(server: server) else { return .known(.endpointIndependent, risk: 0) }
        let seen = seen(by: server)
        for change in changesKeptOut(server: server) {
            let from = change.source(asked: servers[server], other: other)
            guard !provesChanges(server: server) || isProven(change, server: server) else {
                return .unknown(cut("it did not answer from \(from) where the way from there was open"))
            }
            guard seen[from] != nil else {
                let which = from == other ? "other address \(other.address)" : "other port \(other.port)"
                return .unknown(cut("its \(which) gave no answer when asked directly"))
            }
        }
        let test = test(change, server: server, at: endedAt)
        guard test.isDecided else { return .unknown(undecided(test)) }
        return .known(change == .port ? .addressAndPortDependent : .addressDependent, risk: test.risk)
    }

    /// The mapping from what several servers see of one socket, where none speaks RFC 5780: nil where fewer than two
    /// endpoints can be compared. Two addresses tell endpoint-independent from dependent; two ports of one tell which.
    func mappingFromSeveralServers(_ capabilities: [NATServerCapability]) -> NATFinding<NATDependence>? {
        guard let local = localEndpoints[.mapping] else { return nil }
        let seen = seenByBelieved(capabilities)
        guard seen.count > 1 else { return nil }
        let mapped = Set(seen.values)
        if mapped == [local] { return .known(.none, risk: 0) }
        if mapped.count > 1, let once = servers.first(where: { seen[$0] != nil && answers(from: $0) < 2 }) {
            return .unknown(cut("\(once) did not answer a second time, to confirm that it depends on the destination"))
        }
        let byAddress = Dictionary(grouping: seen, by: \.key.address)
        let dependsOnPort = byAddress.values.contains { Set($0.map(\.value)).count > 1 }
        if dependsOnPort { return .known(.addressAndPortDependent, risk: 0) }
        let comparesPorts = byAddress.values.contains { $0.count > 1 }
        if mapped.count == 1 {
            return byAddress.count > 1
                ? .known(.endpointIndependent, risk: 0)
                : .unknown("one address is not enough: a server at another address would tell")
        }
        return comparesPorts
            ? .known(.addressDependent, risk: 0)
            : .unknown(
                "it depends on the destination's address; a second port of a server would tell whether on that too")
    }

    private func seenByBelieved(_ capabilities: [NATServerCapability]) -> [Endpoint: Endpoint] {
        var seen: [Endpoint: Endpoint] = [:]
        for (server, capability) in capabilities.enumerated() where capability.isBelieved {
            seen.merge(self.seen(by: server)) { first, _ in first }
        }
        return seen
    }

    /// Whether servers that can be believed see the mapping socket differently, which each has to confirm.
    var serversDiffer: Bool {
        Set(seenByBelieved(servers.indices.map { capability(of: $0) }).values).count > 1
    }

    private func answers(from endpoint: Endpoint) -> Int {
        exchanges.count { $0.socket == .mapping && $0.destination == endpoint && $0.answer != nil }
    }

    /// The mapping where RFC 5780 did not give it, for which `attempt` has the reason.
    ///
    /// Many servers listen over TCP at their first endpoint only: then others of them may tell.
    func mappingWithoutDiscovery(
        _ attempt: NATFinding<NATDependence>?, _ capabilities: [NATServerCapability]
    ) -> NATFinding<NATDependence>? {
        guard let attempt else { return mappingFromSeveralServers(capabilities) }
        guard transport == .tcp, let several = mappingFromSeveralServers(capabilities),
            several.value.map({ !$0.isDependent }) ?? false
        else { return attempt }
        return several
    }

    /// Port preservation, allocation and pooling, from what the first server that can be believed saw of each socket.
    func allocation(_ capabilities: [NATServerCapability]) -> (
        NATFinding<Bool>, NATFinding<NATVerdict.PortAllocation>, NATFinding<Bool>
    ) {
        guard let server = capabilities.firstIndex(where: \.isBelieved) else {
            let why = whyNothingIsKnown(capabilities)
            return (.unknown(why), .unknown(why), .unknown(why))
        }
        var seen: [(local: Endpoint, mapped: Endpoint)] = []
        var sockets: Set<NATSocket> = []
        for exchange in exchanges where exchange.destination == servers[server] && exchange.change == .none {
            guard let answer = exchange.answer, let local = localEndpoints[exchange.socket],
                sockets.insert(exchange.socket).inserted
            else { continue }
            seen.append((local, answer.mappedAddress))
        }
        let few = "too few sockets got an answer"
        let isPreserved = seen.allSatisfy { $0.local.port == $0.mapped.port }
        let isPaired: NATFinding<Bool> =
            seen.count > 1 ? .known(Set(seen.map(\.mapped.address)).count == 1, risk: 0) : .unknown(few)
        if isPreserved { return (.known(true, risk: 0), .known(.preserving, risk: 0), isPaired) }
        guard seen.count >= 4 else { return (.known(false, risk: 0), .unknown(few), isPaired) }
        let steps = zip(seen, seen.dropFirst()).map { Int($1.mapped.port) - Int($0.mapped.port) }
        return (.known(false, risk: 0), .known(Self.allocation(steps), risk: 0), isPaired)
    }

    /// Ports given out in sequence are a few apart, always in one direction; a port between two of ours was given to
    /// another destination, or to another machine, or to a request that was lost behind the NAT.
    private static func allocation(_ steps: [Int]) -> NATVerdict.PortAllocation {
        let shortest = steps.min { abs($0) < abs($1) } ?? 0
        let isSequential =
            shortest != 0 && steps.allSatisfy { $0 % shortest == 0 && 1...Self.longestStep ~= $0 / shortest }
            && abs(shortest) <= Self.longestStep
        return isSequential ? .sequential(step: shortest) : .random
    }

    private static let longestStep = 16
    private static let noSocket = "no socket could be opened"

    func whyNothingIsKnown(_ capabilities: [NATServerCapability]) -> String {
        if servers.isEmpty { return "no server was asked" }
        let reasons = servers.indices.map { place in
            let server = servers[place]
            return switch capabilities[place] {
            case .silent where silence[place] != nil: "\(server) gave no answer over UDP, where it does over TCP"
            case .silent: silence(of: server)
            case .mapsOnly(let why), .unusable(let why): "\(server): \(why)"
            case .discovers: "\(server) told too little"
            }
        }
        return cut(reasons.joined(separator: "; "))
    }

    func undecided(_ test: SequentialTest) -> String {
        let controls = test.answeredControls + test.failedControls
        return cut(
            "\(test.answeredControls) of \(controls) control requests were answered, which leaves the silence of "
                + "\(test.silentProbes) probes open")
    }

    func cut(_ reason: String) -> String { isCutShort ? "\(reason) before the run ended" : reason }
}
