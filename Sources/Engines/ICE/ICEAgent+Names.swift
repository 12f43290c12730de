import NetTypes

/// The search for what is behind a candidate's name: the system's resolver and, for the names that browsers hide their
/// host addresses behind, the link are asked at the same time.
struct ICELookup: Sendable {
    /// A question to the link, from one base.
    struct Question: Sendable {
        var path: PathID
        var base: ICEConfiguration.Base
        var query: MDNSQuery
        var isOpen = false
        var isOver = false
    }

    var name: String
    var queries: Set<QueryID> = []
    var questions: [Question] = []

    var isOver: Bool { queries.isEmpty && questions.allSatisfy(\.isOver) }
}

/// Candidates with a name in the place of an address (RFC 8839 s5.1, draft-ietf-mmusic-mdns-ice-candidates).
extension ICEAgent {
    /// Names that are looked up in one session; a peer has one for each of its addresses.
    private static var mostLookups: Int { 16 }

    mutating func lookUp(_ name: String, at now: Instant) {
        guard !lookups.contains(where: { $0.name == name }) else { return }
        guard lookups.count < Self.mostLookups else { return conclude(name, nil, at: now) }
        var lookup = ICELookup(name: name)
        let families = Set(configuration.bases.map(\.address.family))
        for family in IPAddress.Family.allCases where families.contains(family) {
            let query = QueryID(nextQuery)
            nextQuery += 1
            lookup.queries.insert(query)
            outputs.append(.query(query, .addresses(name: name, family: family)))
        }
        for base in configuration.bases where !base.address.isLoopback {
            // Browsers answer by multicast alone.
            if let question = question(name, base, .group, at: now) { lookup.questions.append(question) }
        }
        lookups.append(lookup)
        if lookup.isOver { conclude(name, nil, at: now) }
    }

    private mutating func question(
        _ name: String, _ base: ICEConfiguration.Base, _ binding: MDNSQuery.Binding, at now: Instant
    ) -> ICELookup.Question? {
        let families = Set(configuration.bases.map(\.address.family))
        guard let query = MDNSQuery(name, binding: binding, families: families, from: now) else { return nil }
        let isMember = binding == .group
        let path = open(
            .datagram, .lookup(name), local: Endpoint(base.address, isMember ? MDNSQuery.port : 0),
            interface: base.interface, group: isMember ? MDNSQuery.group(base.address.family) : nil)
        return ICELookup.Question(path: path, base: base, query: query)
    }

    private mutating func change(_ path: PathID, _ body: (inout ICELookup.Question) -> Void) -> String? {
        for place in lookups.indices {
            guard let question = lookups[place].questions.firstIndex(where: { $0.path == path }) else { continue }
            body(&lookups[place].questions[question])
            return lookups[place].name
        }
        return nil
    }

    mutating func lookupOpened(_ path: PathID) { _ = change(path) { $0.isOpen = true } }

    /// Where the group cannot be joined, those are asked that answer to a port of the asker's own.
    mutating func lookupFailed(_ path: PathID, at now: Instant) {
        owners[path] = nil
        guard let place = lookups.firstIndex(where: { $0.questions.contains { $0.path == path } }) else { return }
        let name = lookups[place].name
        for index in lookups[place].questions.indices where lookups[place].questions[index].path == path {
            let failed = lookups[place].questions[index]
            lookups[place].questions[index].isOver = true
            guard failed.query.binding == .group, !failed.isOpen else { continue }
            let bits: UInt64 = random.next()
            let id = UInt16(truncatingIfNeeded: bits)
            if let another = question(name, failed.base, .ephemeral(id: id), at: now) {
                lookups[place].questions[index] = another
            }
        }
        concludeIfOver(name, at: now)
    }

    mutating func lookupArrived(_ datagram: Datagram, at now: Instant) {
        var found: IPAddress?
        let name = change(datagram.path) { question in
            found = question.query.take(datagram.bytes, from: datagram.source)
        }
        if let name, let found { conclude(name, found, at: now) }
    }

    mutating func answered(_ query: QueryID, _ answer: SystemAnswer, at now: Instant) {
        guard let place = lookups.firstIndex(where: { $0.queries.contains(query) }), !isClosed else { return }
        lookups[place].queries.remove(query)
        let name = lookups[place].name
        if case .addresses(let addresses) = answer, let address = addresses.first {
            conclude(name, address, at: now)
        } else {
            concludeIfOver(name, at: now)
        }
    }

    private mutating func concludeIfOver(_ name: String, at now: Instant) {
        if lookups.first(where: { $0.name == name })?.isOver == true { conclude(name, nil, at: now) }
    }

    /// Ends the search for a name with the address that was found first, or with none.
    private mutating func conclude(_ name: String, _ address: IPAddress?, at now: Instant) {
        let waiting = namedCandidates.filter { $0.address == .name(name) }
        namedCandidates.removeAll { $0.address == .name(name) }
        if let place = lookups.firstIndex(where: { $0.name == name }) {
            lookups[place].queries = []
            for question in lookups[place].questions.indices {
                lookups[place].questions[question].isOver = true
                closePath(lookups[place].questions[question].path)
            }
        }
        guard !waiting.isEmpty else { return }
        observe(.remoteResolved(name: name, [address].compactMap(\.self)), at: now)
        for candidate in waiting {
            if let address {
                take(candidate, at: address, at: now)
            } else {
                observe(.remoteRefused(candidate, .notResolved), at: now)
            }
        }
        beginChecks(at: now)
        settle(at: now)
    }

    mutating func nextLookup(at now: Instant) -> Output? {
        for place in lookups.indices {
            for question in lookups[place].questions.indices {
                let asked = lookups[place].questions[question]
                guard asked.isOpen, !asked.isOver, asked.query.isDue(at: now) else { continue }
                lookups[place].questions[question].query.transmitted(at: now)
                for datagram in asked.query.datagrams where datagram.destination.family == asked.base.address.family {
                    outputs.append(
                        .transmit(
                            Transmit(path: asked.path, destination: datagram.destination, bytes: datagram.bytes)))
                }
                return outputs.popFirst()
            }
        }
        return nil
    }

    mutating func advanceLookups(to now: Instant) {
        for place in lookups.indices {
            for question in lookups[place].questions.indices
            where !lookups[place].questions[question].isOver
                && lookups[place].questions[question].query.handleTimeout(at: now)
            {
                lookups[place].questions[question].isOver = true
            }
        }
        for name in lookups.map(\.name) where namedCandidates.contains(where: { $0.address == .name(name) }) {
            concludeIfOver(name, at: now)
        }
    }

    var lookupWake: Instant? {
        lookups.flatMap(\.questions).compactMap { $0.isOpen && !$0.isOver ? $0.query.nextWake : nil }.min()
    }

    var isLookingUp: Bool { lookups.contains { !$0.isOver } }
}
